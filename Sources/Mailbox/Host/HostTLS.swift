import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The TLS side of the host: certificates and checks that the next connection gets.
final class HostTLS: Sendable {
  private let current: Mutex<TLSChannelConfiguration>
  private let verify: HostConfiguration.ClientVerification?

  /// - Throws: `HostProblem`.
  init(_ configuration: HostConfiguration) throws {
    verify = configuration.verifyClient
    current = Mutex(
      try Self.read(
        chain: configuration.certificateChainPEM, key: configuration.privateKeyPEM,
        clientCA: configuration.clientCAPEM, verify: verify))
  }

  /// From the next connection on. Open connections keep what they were opened with.
  func replace(chain: [UInt8], key: [UInt8], clientCA: [UInt8]) throws {
    let next = try Self.read(chain: chain, key: key, clientCA: clientCA, verify: verify)
    current.withLock { $0 = next }
  }

  var configuration: TLSChannelConfiguration { current.withLock { $0 } }

  private static func read(
    chain: [UInt8], key: [UInt8], clientCA: [UInt8],
    verify: HostConfiguration.ClientVerification?
  ) throws -> TLSChannelConfiguration {
    guard let chain = try? NIOSSLCertificate.fromPEMBytes(chain), !chain.isEmpty else {
      throw HostProblem.certificateChainUnreadable
    }
    guard let key = try? NIOSSLPrivateKey(bytes: key, format: .pem) else {
      throw HostProblem.privateKeyUnreadable
    }
    guard let authorities = try? NIOSSLCertificate.fromPEMBytes(clientCA), !authorities.isEmpty
    else { throw HostProblem.clientCAUnreadable }
    // Leaves certificate verification at "required, no host name": what a server wants of its clients.
    var tls = TLSConfiguration.makeServerConfigurationWithMTLS(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key),
      trustRoots: .certificates(authorities))
    tls.minimumTLSVersion = .tlsv12
    tls.sendCANameList = true
    // The default of five seconds delays every stop.
    tls.shutdownTimeout = .seconds(1)
    do { _ = try NIOSSLContext(configuration: tls) } catch { throw HostProblem.tlsRefused }
    guard let verify else { return TLSChannelConfiguration(tlsConfiguration: tls) }
    return TLSChannelConfiguration(
      tlsConfiguration: tls,
      customAsyncVerificationCallback: { certificates in
        let chain = try certificates.map { try $0.toDERBytes() }
        return await verify(chain) ? .certificateVerified : .failed
      })
  }
}

/// HTTP/1.1 over TLS with a TLS context of its own for each connection.
///
/// Connections that share a context can resume a session, and a resumed session checks no certificate:
/// one revoked or expired since would go on for days. A context of its own has its own ticket keys,
/// which nothing outlives, and lets certificates be replaced while the host runs.
struct FreshTLSChannel: ServerChildChannel {
  let base: HTTP1Channel
  let tls: HostTLS

  func setup(
    channel: any Channel, logger: Logger
  ) -> EventLoopFuture<HTTP1Channel.Value> {
    do {
      return try TLSChannel(base, configuration: tls.configuration)
        .setup(channel: channel, logger: logger)
    } catch {
      return channel.eventLoop.makeFailedFuture(error)
    }
  }

  func handle(value: HTTP1Channel.Value, logger: Logger) async {
    await base.handle(value: value, logger: logger)
  }
}
