package import Exchange
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// The hosted MESH mailbox service: mutual TLS, HTTP/1.1, the MESH API versions 1 and 2 by `Accept`.
///
/// It moves sealed bytes between its callers and a keeper, and knows neither store nor keys. Stops
/// gracefully: requests that have begun are answered.
package struct MailboxHost: Service {
  private let configuration: ApplicationConfiguration
  private let tls: HostTLS
  private let server: HTTPServerBuilder
  private let responder: HostResponder
  private let logger: Logger
  private let address: (name: String, port: Int)
  private let onListening: @Sendable (_ port: Int) async -> Void

  /// - Parameters:
  ///   - now: the clock that tokens are judged by.
  ///   - onListening: called once with the port that the host listens on, before it serves.
  /// - Throws: `HostProblem`.
  package init(
    configuration: HostConfiguration, keeper: any MailboxKeeper,
    now: @escaping @Sendable () -> Instant, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
  ) throws {
    try Self.check(configuration)
    let limits = configuration.limits
    tls = try HostTLS(configuration)
    server = Self.server(limits, tls)
    responder = HostResponder(configuration, keeper: keeper, now: now, logger: logger)
    address = (configuration.address, configuration.port)
    var library = logger
    // Below this, the library names connections and errors in its own words.
    library.logLevel = max(logger.logLevel, .warning)
    self.logger = library
    self.onListening = onListening
    self.configuration = ApplicationConfiguration(
      address: .hostname(configuration.address, port: configuration.port),
      availableConnectionsDelegate: .maximum(limits.connections, logger: library))
  }

  /// Whether a host could be made with it.
  ///
  /// - Throws: `HostProblem`.
  package static func check(_ configuration: HostConfiguration) throws {
    let faults = configuration.limits.faults
    guard faults.isEmpty else { throw HostProblem.limitsOutOfRange(faults) }
    guard !configuration.sharedSecret.isEmpty else { throw HostProblem.sharedSecretEmpty }
    _ = try HostTLS(configuration)
  }

  /// Serves until it is stopped.
  ///
  /// - Throws: `HostProblem.cannotListen`.
  package func run() async throws {
    let application = Application(
      responder: responder, server: server, configuration: configuration,
      onServerRunning: { [onListening] channel in
        await onListening(channel.localAddress?.port ?? 0)
      }, logger: logger)
    do {
      try await application.run()
    } catch let error as IOError {
      throw HostProblem.cannotListen(
        address: address.name, port: address.port, cause: error.description)
    }
  }

  /// Gives the next connections other certificates; open ones keep theirs.
  ///
  /// - Throws: `HostProblem`; then everything stays as it was.
  package func replaceCertificates(
    chainPEM: [UInt8], privateKeyPEM: [UInt8], clientCAPEM: [UInt8]
  ) throws {
    try tls.replace(chain: chainPEM, key: privateKeyPEM, clientCA: clientCAPEM)
  }

  private static func server(_ limits: HostLimits, _ tls: HostTLS) -> HTTPServerBuilder {
    HTTPServerBuilder { responder in
      let http = HTTP1Channel(
        responder: responder,
        configuration: .init(
          idleTimeout: TimeAmount(limits.idleTimeout),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes,
            maxHeaderFieldCount: limits.headerCount)))
      return FreshTLSChannel(base: http, tls: tls)
    }
  }
}
