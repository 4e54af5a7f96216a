import Crypto
import Exchange
import Foundation
package import Mailbox
import Seal

/// What host and polls need of TLS files, passwords and secrets, read and tried together.
package struct Connections: Sendable {
  package let host: HostConfiguration
  package let inboxes: [InboxSource]

  /// Reads what the configuration names for the host and for each inbox.
  ///
  /// - Throws: every problem found: CONF-010, CONF-018, CONF-019, HOST-001 to HOST-006, MESH-030.
  package static func load(
    _ configuration: Configuration
  ) throws(ConfigurationProblems) -> Connections {
    let loader = ConnectionsLoader(configuration)
    let host = loader.host()
    let inboxes = configuration.inboxes.map(loader.inbox)
    guard let host, loader.problems.list.isEmpty else { throw loader.problems }
    return Connections(host: host, inboxes: inboxes.compactMap { $0 })
  }
}

/// One inbox with all that it takes to poll it.
package struct InboxSource: Sendable {
  let settings: Configuration.InboxSettings
  let endpoint: MeshEndpoint
  /// The same for what is short (`BoundedInbox`).
  let short: MeshEndpoint
  /// What goes out by the same service, if anything.
  let carrier: Carrier?
  /// SHA-256 over the files' contents: another one is another source.
  fileprivate let digest: [UInt8]

  struct Carrier: Sendable {
    let settings: Configuration.CarrierSettings
    let endpoint: MeshEndpoint
  }

  /// Who handed in what lies there, as its service says. At a service that carries for others too it may be
  /// anybody: what does not open there is told to nobody.
  var handingIn: PartyID? {
    let isAlone = carrier?.settings.parties.allSatisfy { $0 == settings.party } ?? true
    return isAlone ? settings.party : nil
  }

  func isSame(as other: InboxSource) -> Bool {
    settings == other.settings && digest == other.digest
      && carrier?.settings == other.carrier?.settings
      && endpoint.limits.messageBytes == other.endpoint.limits.messageBytes
  }
}

extension Connections: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: []) }
}

private final class ConnectionsLoader {
  private let configuration: Configuration
  private(set) var problems = ConfigurationProblems()

  init(_ configuration: Configuration) { self.configuration = configuration }

  private func add(_ code: String, _ file: String, _ text: String, _ hint: String) {
    let problem = ConfigurationProblem(code: code, file: file, line: nil, text: text, hint: hint)
    if !problems.list.contains(problem) { problems.list.append(problem) }
  }

  private func bytes(_ path: String) -> [UInt8]? {
    do {
      return try BoundedFile.bytes(path)
    } catch {
      add("CONF-010", path, error.text, "check the path in the configuration")
      return nil
    }
  }

  private func secret(_ path: String) -> String? {
    guard let bytes = bytes(path) else { return nil }
    var text = String(decoding: bytes, as: UTF8.self)
    if ["\n", "\r\n"].contains(text.last) { text.removeLast() }
    guard !text.isEmpty, bytes.count <= 4096 else {
      add("CONF-018", path, "\(path) is empty or too long", "write the secret there, one line")
      return nil
    }
    return text
  }

  /// A private key must be nobody else's.
  private func key(_ path: String) -> [UInt8]? {
    guard let bytes = bytes(path) else { return nil }
    if let problem = BoundedFile.openToOthers(path) { problems.list.append(problem) }
    return bytes
  }

  func host() -> HostConfiguration? {
    let settings = configuration.host
    let chain = bytes(settings.certificateFile)
    let key = key(settings.keyFile)
    let authorities = settings.clientAuthorityFiles.map(bytes)
    let secret = secret(settings.sharedSecretFile)
    guard let chain, let key, let secret, authorities.allSatisfy({ $0 != nil }) else { return nil }
    var host = HostConfiguration(
      address: settings.address, port: settings.port, certificateChainPEM: chain,
      privateKeyPEM: key, clientCAPEM: authorities.compactMap { $0 }.flatMap { $0 },
      sharedSecret: secret, environment: "sallyport")
    host.limits.bodyBytes = configuration.limits.messageBytes
    host.limits.bodyBytesInFlight = configuration.limits.bytesInFlight
    host.limits.downloadPartBytes = settings.partBytes
    host.ownMailbox = HostConfiguration.OwnMailbox(
      mailbox: configuration.mailbox, name: "Sallyport", odsCode: "SALLYPORT",
      workflows: settings.workflows)
    do {
      try MailboxHost.check(host)
    } catch let problem as HostProblem {
      add(
        problem.code, file(of: problem), problem.description,
        "see \(problem.code) in docs/errors.md")
    } catch {
      add("CONF-018", settings.certificateFile, "TLS cannot be set up", "check host in the file")
    }
    return host
  }

  private func file(of problem: HostProblem) -> String {
    let settings = configuration.host
    return switch problem {
    case .privateKeyUnreadable, .tlsRefused: settings.keyFile
    case .clientCAUnreadable: settings.clientAuthorityFiles.first ?? settings.certificateFile
    case .sharedSecretEmpty: settings.sharedSecretFile
    default: settings.certificateFile
    }
  }

  func inbox(_ settings: Configuration.InboxSettings) -> InboxSource? {
    let service = settings.service
    let certificate = bytes(service.certificateFile)
    let key = key(service.keyFile)
    let authority = bytes(service.authorityFile)
    let secrets =
      [secret(service.passwordFile), secret(service.sharedSecretFile)]
      + (service.proxyCredentialsFile.map { [secret($0)] } ?? [])
    let revocation = service.revocationFile.map(bytes) ?? []
    guard let certificate, let key, let authority, let revocation,
      secrets.allSatisfy({ $0 != nil }),
      isPair(certificate, service.certificateFile, key, service.keyFile),
      isAuthority(authority, service.authorityFile)
    else { return nil }
    do {
      var limits = MeshEndpoint.Limits()
      limits.messageBytes = settings.messageBytes ?? configuration.limits.messageBytes
      let endpoint = try service.endpoint(limits)
      limits.messageBytes = min(limits.messageBytes, BoundedInbox.smallBytes)
      let short = try service.endpoint(limits)
      let carrier = try carrier(by: settings)
      var hash = SHA256()
      for part in [certificate, key, authority, revocation]
        + secrets.compactMap({ $0.map { Array($0.utf8) } })
      {
        hash.update(data: withUnsafeBytes(of: part.count) { Array($0) } + part)
      }
      return InboxSource(
        settings: settings, endpoint: endpoint, short: short, carrier: carrier,
        digest: Array(hash.finalize()))
    } catch {
      add(
        "CONF-018", service.certificateFile, "inbox \(settings.name) cannot be polled with it",
        "provide certificate, key and authority as PEM, the key not encrypted")
      return nil
    }
  }

  private func carrier(by inbox: Configuration.InboxSettings) throws -> InboxSource.Carrier? {
    let settings = configuration.carriers.first { $0.inbox == inbox.name }
    return try settings.map { settings in
      var limits = MeshEndpoint.Limits()
      limits.messageBytes = configuration.limits.messageBytes
      limits.partBytes = settings.partBytes
      return InboxSource.Carrier(settings: settings, endpoint: try inbox.service.endpoint(limits))
    }
  }

  private func isPair(
    _ certificate: [UInt8], _ certificateFile: String, _ key: [UInt8], _ keyFile: String
  ) -> Bool {
    guard let own = OwnCertificate(pem: String(decoding: certificate, as: UTF8.self)) else {
      add("CONF-018", certificateFile, "no readable certificate", "provide it as PEM")
      return false
    }
    guard let read = try? PrivateKey(pem: key) else {
      add("CONF-018", keyFile, "no readable private key", "provide it as PEM, not encrypted")
      return false
    }
    guard own.belongs(to: read) else {
      add("CONF-018", keyFile, "not the key of \(certificateFile)", "put the two together")
      return false
    }
    return true
  }

  private func isAuthority(_ bytes: [UInt8], _ file: String) -> Bool {
    guard OwnCertificate(pem: String(decoding: bytes, as: UTF8.self)) == nil else { return true }
    add("CONF-018", file, "no readable certificate", "provide it as PEM")
    return false
  }
}

extension BoundedFile {
  /// CONF-019 for a secret that somebody else may read or change.
  static func openToOthers(_ path: String) -> ConfigurationProblem? {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let mode = attributes[.posixPermissions] as? Int, mode & 0o027 != 0
    else { return nil }
    return ConfigurationProblem(
      code: "CONF-019", file: path, line: nil,
      text: "others may read or change it (mode \(String(mode & 0o777, radix: 8)))",
      hint: "chmod 600 \(path)")
  }
}
