import Daemon
import Demo
import Exchange
import Foundation

/// Writes a whole installation for the demonstration: what an operator would have in /etc/sallyport, with
/// keys made for it.
struct DemoInstallation {
  let world: DemoWorld
  let folder: DemoFolder
  let hostPort: Int
  /// The port of each agency's own MESH service.
  let inboxPorts: [(agency: DemoParty, port: Int)]

  var configurationFile: String { folder.path + "/config/sallyport.yaml" }

  func write(sharedFiles: String) throws {
    try world.write(to: folder.path)
    try folder.write("config/agreement.yaml", world.agreementYAML)
    for name in try BoundedFile.names(in: sharedFiles + "/rulebook", suffix: ".yaml") {
      try folder.write(
        "config/rulebook/\(name)", try BoundedFile.bytes("\(sharedFiles)/rulebook/\(name)"))
    }
    try folder.write(
      "config/bank-holidays.json", try BoundedFile.bytes(sharedFiles + "/bank-holidays.json"))
    try writeKeyRing()
    try folder.write("config/sallyport.yaml", configuration)
    try folder.write("endpoint", "https://127.0.0.1:\(hostPort)\n")
    for agency in world.agencies {
      try folder.write("pki/\(agency.folder)/send.yaml", profile(of: agency))
    }
  }

  private func writeKeyRing() throws {
    var generator = SystemRandomNumberGenerator()
    let random = { (0..<32).map { _ in generator.next() as UInt8 } }
    let (own, created) = (world.own, Instant.wallClock)
    let ring = try KeyRing(keys: [
      .init(
        use: .signing, version: 1, secret: Array(own.signing.privateKeyPEM.utf8),
        certificate: own.signing.certificatePEM, created: created),
      .init(
        use: .decryption, version: 1, secret: Array(own.encryption.privateKeyPEM.utf8),
        certificate: own.encryption.certificatePEM, created: created),
      .init(use: .store, version: 1, secret: random(), created: created),
      .init(use: .lookup, version: 1, secret: random(), created: created),
      .init(use: .ledger, version: 1, secret: random(), created: created),
    ])
    let keyEncryptionKey = random()
    try folder.write("config/keys/key-encryption-key", keyEncryptionKey)
    try folder.write("config/keys/ring", ring.sealed(under: keyEncryptionKey))
  }

  private var configuration: String {
    var lines = [
      "# Made by `sallyport demo`. Everything in it is invented.",
      "party: \(world.own.id)",
      "mailbox: \(world.own.mailbox)",
      "state: ../state",
      "agreement: agreement.yaml",
      "rulebook: rulebook",
      "bank_holidays: bank-holidays.json",
      "keys:",
      "  ring: keys/ring",
      "  key_encryption_key: keys/key-encryption-key",
      "ledger:",
      "  directory: ../ledger",
      "  origin: demo.sallyport.example/audit",
      "host:",
      "  address: 127.0.0.1",
      "  port: \(hostPort)",
      "  certificate: ../secrets/host.pem",
      "  key: ../secrets/host.key",
      "  client_authorities: [../pki/root.pem]",
      "  shared_secret: ../shared-secret",
      "  passwords: ../secrets/mailboxes",
      "inboxes:",
    ]
    for (agency, port) in inboxPorts {
      lines += [
        "  - name: \(agency.role)",
        "    party: \(agency.id)",
        "    url: https://127.0.0.1:\(port)",
        "    mailbox: \(world.own.mailbox)",
        "    password: ../secrets/mailboxes/\(world.own.mailbox)",
        "    shared_secret: ../shared-secret",
        "    certificate: ../pki/\(world.own.folder)/tls.pem",
        "    key: ../pki/\(world.own.folder)/tls.key",
        "    authority: ../pki/root.pem",
        "    poll_interval: 100ms",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What `sallyport send` needs to speak as one of the agencies.
  private func profile(of agency: DemoParty) -> String {
    """
    # For `sallyport send FILE --as THIS`: who speaks, and to whom.
    party: \(agency.id)
    mailbox: \(agency.mailbox)
    password: ../../secrets/mailboxes/\(agency.mailbox)
    shared_secret: ../../shared-secret
    url: https://127.0.0.1:\(hostPort)
    authority: ../root.pem
    revocation: ../root.crl
    tls_certificate: tls.pem
    tls_key: tls.key
    signing_certificate: signing.pem
    signing_key: signing.key
    recipient: \(world.own.id)
    recipient_mailbox: \(world.own.mailbox)
    recipient_certificate: ../\(world.own.folder)/encryption.pem

    """
  }
}
