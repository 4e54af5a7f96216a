import Daemon
import Exchange
import Foundation
import Testing

@Suite struct `The configuration is read into typed values` {
  private func example() throws -> Configuration {
    try Configuration.parse(
      text: BoundedFile.text(Shipped.path + "/sallyport.example.yaml"), file: "sallyport.yaml",
      directory: "/etc/sallyport")
  }

  @Test func `the example: ourselves and our files`() throws {
    let configuration = try example()
    #expect(configuration.party == PartyID("sallyport:north"))
    #expect(configuration.mailbox == MailboxID("SALLYPORT1"))
    #expect(configuration.stateDirectory == "/var/lib/sallyport")
    #expect(configuration.agreementFile == "/etc/sallyport/agreement.yaml")
    #expect(configuration.rulebookDirectory == "/usr/share/sallyport/rulebook")
    #expect(configuration.bankHolidaysFile == "/usr/share/sallyport/bank-holidays.json")
    #expect(configuration.keys.ringFile == "/var/lib/sallyport/keys/ring")
    #expect(
      configuration.keys.keyEncryptionKeyFile
        == "/run/credentials/sallyport.service/key-encryption-key")
    #expect(configuration.ledger.directory == "/var/lib/sallyport/ledger")
    #expect(configuration.ledger.origin == "sallyport.example.org/audit")
    #expect(configuration.ledger.guardFile == "/var/backups/sallyport/ledger-guard")
  }

  @Test func `the example: host, inbox and limits`() throws {
    let configuration = try example()
    let host = configuration.host
    #expect(host.address == "127.0.0.1")
    #expect(host.port == 8443)
    #expect(host.certificateFile == "/etc/sallyport/tls/host.pem")
    #expect(host.keyFile == "/etc/sallyport/tls/host.key")
    #expect(host.clientAuthorityFiles == ["/etc/sallyport/tls/client-authorities.pem"])
    #expect(host.sharedSecretFile == "/etc/sallyport/secrets/mesh-shared-secret")
    #expect(host.passwordsDirectory == "/etc/sallyport/secrets/mailboxes")
    try #require(configuration.inboxes.count == 1)
    let inbox = configuration.inboxes[0]
    #expect(inbox.name == "prison")
    #expect(inbox.party == PartyID("prison:durham"))
    #expect(inbox.service.url == "https://mesh.prison.example.org")
    #expect(inbox.service.mailbox == MailboxID("SALLYPORT1"))
    #expect(inbox.service.passwordFile == "/etc/sallyport/secrets/inbox-prison")
    #expect(inbox.service.sharedSecretFile == "/etc/sallyport/secrets/inbox-prison-shared")
    #expect(inbox.service.certificateFile == "/etc/sallyport/tls/client.pem")
    #expect(inbox.service.keyFile == "/etc/sallyport/tls/client.key")
    #expect(inbox.service.authorityFile == "/etc/sallyport/tls/prison-authority.pem")
    #expect(inbox.pollInterval == .seconds(300))
    #expect(configuration.limits.messageBytes == 23_068_672)
    #expect(configuration.limits.bytesInFlight == 67_108_864)
  }

  @Test func `the example: host settings that stand there as comments are the defaults`() throws {
    let text = try BoundedFile.text(Shipped.path + "/sallyport.example.yaml")
    let names = ["workflows", "part", "upload_time", "open_uploads", "waiting"]
    let spelledOut = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      names.contains { line.hasPrefix("  # \($0): ") } ? "  " + line.dropFirst(4) : String(line)
    }
    for name in names {
      #expect(spelledOut.contains { $0.hasPrefix("  \(name): ") }, "\(name)")
    }
    let host = try Configuration.parse(
      text: spelledOut.joined(separator: "\n"), file: "sallyport.yaml", directory: "/etc/sallyport"
    ).host
    let usual = try example().host
    #expect(host.workflows == usual.workflows)
    #expect(host.partBytes == usual.partBytes)
    #expect(host.quotas.uploadTime == usual.quotas.uploadTime)
    #expect(host.quotas.openUploads == usual.quotas.openUploads)
    #expect(host.quotas.waiting == usual.quotas.waiting)
  }

  @Test func `what may be left out has its default`() throws {
    let text = Template.with([
      13: "#", 22: "#", 23: "#", 24: "#", 25: "#", 26: "#", 27: "#", 28: "#", 29: "#", 30: "#",
      31: "#", 32: "#", 33: "#", 34: "#", 35: "#",
    ])
    let configuration = try Template.parse(text)
    #expect(configuration.inboxes.isEmpty)
    // Beside the ledger's folder, whether or not a slash ends its name.
    #expect(configuration.ledger.guardFile == "/etc/sallyport/ledger-guard")
    #expect(configuration.limits.messageBytes == 23_068_672)
    #expect(configuration.limits.bytesInFlight == 67_108_864)
    let slash = try Template.parse(Template.with([11: "  directory: ledger/", 13: "  guard:"]))
    #expect(slash.ledger.directory == "/etc/sallyport/ledger")
    #expect(slash.ledger.guardFile == "/etc/sallyport/ledger-guard")
    // A group of which everything is commented out.
    let limits = try Template.parse(Template.with([34: "#", 35: "#"]))
    #expect(limits.limits.messageBytes == 23_068_672)
    #expect(try Template.parse(Template.with([32: "#"])).inboxes[0].pollInterval == .seconds(300))
  }

  @Test(arguments: [
    ("state", "/etc/sallyport/state"), ("../state", "/etc/state"), ("./a/../b", "/etc/sallyport/b"),
    ("/srv/x", "/srv/x"), ("/srv/x/", "/srv/x"), ("with space", "/etc/sallyport/with space"),
    ("Aussenstelle-ä", "/etc/sallyport/Aussenstelle-ä"), ("a%20b", "/etc/sallyport/a%20b"),
    ("'hash #1'", "/etc/sallyport/hash #1"),
  ])
  func `a path starts from the file's folder and stays as it was written`(
    path: String, expected: String
  ) throws {
    let configuration = try Template.parse(Template.with([3: "state: \(path)"]))
    #expect(configuration.stateDirectory == expected)
  }

  @Test(arguments: [
    ("100ms", Duration.milliseconds(100)), ("30s", .seconds(30)), ("5m", .seconds(300)),
    ("24h", .seconds(86_400)),
  ])
  func `durations have a unit`(text: String, expected: Duration) throws {
    let configuration = try Template.parse(Template.with([32: "    poll_interval: \(text)"]))
    #expect(configuration.inboxes[0].pollInterval == expected)
  }

  @Test(arguments: [("1024", 1024), ("1KiB", 1024), ("3MiB", 3_145_728), ("64MiB", 67_108_864)])
  func `sizes are bytes or have a unit`(text: String, expected: Int) throws {
    let configuration = try Template.parse(Template.with([34: "  message: \(text)"]))
    #expect(configuration.limits.messageBytes == expected)
  }

  @Test(arguments: [
    ("https://mesh.example.org", "https://mesh.example.org"),
    ("https://mesh.example.org/", "https://mesh.example.org"),
    ("https://mesh.example.org:8443", "https://mesh.example.org:8443"),
    ("https://127.0.0.1:65535", "https://127.0.0.1:65535"),
    ("'https://[::1]:8443'", "https://[::1]:8443"),
  ])
  func `addresses lose their last slash`(text: String, expected: String) throws {
    let configuration = try Template.parse(Template.with([25: "    url: \(text)"]))
    #expect(configuration.inboxes[0].service.url == expected)
  }

  @Test func `one authority may stand without a list, and several in one`() throws {
    let one = try Template.parse(Template.with([19: "  client_authorities: tls/ca.pem"]))
    #expect(one.host.clientAuthorityFiles == ["/etc/sallyport/tls/ca.pem"])
    let two = try Template.parse(Template.with([19: "  client_authorities: [a.pem, /b.pem]"]))
    #expect(two.host.clientAuthorityFiles == ["/etc/sallyport/a.pem", "/b.pem"])
  }

  @Test func `port 0 and mailboxes in lower case are taken`() throws {
    let text = Template.with([2: "mailbox: sallyport1", 16: "  port: 0"])
    #expect(try Template.parse(text).host.port == 0)
    #expect(try Template.parse(text).mailbox == MailboxID("SALLYPORT1"))
  }
}

/// A good configuration whose lines the tests exchange, so that the line of a mistake is known.
enum Template {
  static let lines = [
    "party: sallyport:north",
    "mailbox: SALLYPORT1",
    "state: /var/lib/sallyport",
    "agreement: agreement.yaml",
    "rulebook: rulebook",
    "bank_holidays: bank-holidays.json",
    "keys:",
    "  ring: keys/ring",
    "  key_encryption_key: keys/kek",
    "ledger:",
    "  directory: ledger",
    "  origin: sallyport.example.org/audit",
    "  guard: guard",
    "host:",
    "  address: 127.0.0.1",
    "  port: 8443",
    "  certificate: tls/host.pem",
    "  key: tls/host.key",
    "  client_authorities: [tls/ca.pem]",
    "  shared_secret: secrets/shared",
    "  passwords: secrets/mailboxes",
    "inboxes:",
    "  - name: prison",
    "    party: prison:durham",
    "    url: https://mesh.example.org",
    "    mailbox: SALLYPORT1",
    "    password: secrets/inbox",
    "    shared_secret: secrets/inbox-shared",
    "    certificate: tls/client.pem",
    "    key: tls/client.key",
    "    authority: tls/authority.pem",
    "    poll_interval: 5m",
    "limits:",
    "  message: 20MiB",
    "  in_flight: 64MiB",
  ]

  /// The template with other text in place of some lines, counted from 1. A text may hold several lines.
  static func with(_ changes: [Int: String]) -> String {
    lines.enumerated().map { changes[$0.offset + 1] ?? $0.element }.joined(separator: "\n") + "\n"
  }

  static func parse(_ text: String) throws(ConfigurationProblems) -> Configuration {
    try Configuration.parse(text: text, file: "sallyport.yaml", directory: "/etc/sallyport")
  }
}
