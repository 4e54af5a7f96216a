import Exchange
import Foundation
import Logging
import Store
import Testing

@testable import Daemon
@testable import Demo

/// One thing that is wrong with an installation's files, and by which code and file it is told.
struct Breakage: Sendable, CustomTestStringConvertible {
  let file: String
  let code: String
  /// The last part of the path that is named; the broken file itself unless said otherwise.
  let named: String
  let act: @Sendable (TemporaryFolder) throws -> Void

  var testDescription: String { "\(code) \(file)" }

  init(
    _ code: String, _ file: String, named: String? = nil,
    _ act: @escaping @Sendable (TemporaryFolder, String) throws -> Void
  ) {
    (self.code, self.file) = (code, file)
    self.named = named ?? String(file.split(separator: "/").last ?? "")
    self.act = { try act($0, file) }
  }

  static func missing(_ code: String, _ file: String) -> Breakage {
    Breakage(code, file) { try $0.remove($1) }
  }

  static func holds(
    _ text: String, _ code: String, _ file: String, named: String? = nil
  ) -> Breakage {
    Breakage(code, file, named: named) { try $0.write($1, text) }
  }

  static func mode(_ mode: Int, _ file: String) -> Breakage {
    Breakage("CONF-019", file) {
      try FileManager.default.setAttributes(
        [.posixPermissions: mode], ofItemAtPath: "\($0.path)/\($1)")
    }
  }

  static func edit(
    _ code: String, _ file: String, _ old: String, _ new: String, named: String? = nil
  ) -> Breakage {
    Breakage(code, file, named: named) {
      let text = String(decoding: try $0.read($1), as: UTF8.self)
      try #require(text.contains(old), "\(old)")
      try $0.write($1, text.replacing(old, with: new))
    }
  }

  private static let configuration = "config/sallyport.yaml"
  private static let agreement = "config/agreement.yaml"
  private static let certificates = "config/certificates"

  /// Told at a start and at a reload alike.
  static let always: [Breakage] = [
    missing("CONF-010", configuration),
    holds("party: [", "CONF-001", configuration),
    holds("\n", "CONF-001", configuration),
    holds("", "CONF-001", configuration),
    edit("CONF-002", configuration, "agreement: ", "agrement: x\nagreement: "),
    edit("CONF-003", configuration, "port: 0", "port: many"),
    edit("CONF-004", configuration, "state: ", "state: x\nstate: "),
    edit("CONF-006", configuration, "rulebook: rulebook", "#"),
    missing("CONF-010", "config/key-encryption-key"),
    holds("short", "KEYS-001", "config/key-encryption-key", named: "ring"),
    holds(
      String(repeating: "x", count: 32), "KEYS-002", "config/key-encryption-key", named: "ring"),
    holds(String(repeating: "x", count: 65), "CONF-010", "config/key-encryption-key"),
    mode(0o644, "config/key-encryption-key"),
    mode(0o620, "config/key-encryption-key"),
    missing("CONF-010", "config/ring"),
    holds("", "KEYS-002", "config/ring"),
    holds("sallyport-key-ring/2\n", "KEYS-002", "config/ring"),
    holds("sallyport-key-ring/9\nxxxx", "KEYS-002", "config/ring"),
    mode(0o604, "config/ring"),
    missing("CONF-010", agreement),
    holds("name: [", "RULE-001", agreement),
    edit("RULE-003", agreement, "parties:", "partys: x\nparties:"),
    edit("CONF-003", agreement, "id: sallyport:north", "id: sallyport:south"),
    edit("CONF-003", agreement, "mailbox: SALLYPORT1", "mailbox: SALLYPORT9"),
    edit(
      "CONF-010", agreement, "sallyport-north/signing.pem", "sallyport-north/none.pem",
      named: "none.pem"),
    edit(
      "KEYS-007", agreement, "sallyport-north/signing.pem", "police-durham/signing.pem"),
    edit(
      "KEYS-007", agreement, "sallyport-north/encryption.pem", "police-durham/encryption.pem",
      named: "encryption.pem"),
    holds("x", "SEAL-050", "\(certificates)/sallyport-north/signing.pem"),
    missing("CONF-010", "\(certificates)/police-durham/signing.pem"),
    holds("x", "SEAL-050", "\(certificates)/police-durham/signing.pem"),
    holds("x", "SEAL-050", "\(certificates)/police-durham/encryption.pem"),
    holds("x", "SEAL-050", "\(certificates)/police-durham/tls.pem"),
    missing("CONF-010", "\(certificates)/root.pem"),
    missing("CONF-010", "\(certificates)/root.crl"),
    holds("x", "SEAL-050", "\(certificates)/root.crl"),
    missing("CONF-010", "config/bank-holidays.json"),
    holds("{", "CAL-001", "config/bank-holidays.json"),
    missing("CONF-010", "config/rulebook"),
    holds("types:\n\tx: 1\n", "RULE-001", "config/rulebook/custody.yaml"),
    missing("CONF-012", "secrets/mailboxes/POLICEDUR1"),
    holds("\n", "CONF-012", "secrets/mailboxes/POLICEDUR1"),
    missing("CONF-010", "secrets/host.pem"),
    holds("x", "HOST-001", "secrets/host.pem"),
    missing("CONF-010", "secrets/host.key"),
    holds("x", "HOST-002", "secrets/host.key"),
    Breakage("HOST-004", "secrets/host.key") { folder, file in
      try folder.write(file, Area.party("police:durham").tls.privateKeyPEM)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o600], ofItemAtPath: "\(folder.path)/\(file)")
    },
    mode(0o640 | 0o004, "secrets/host.key"),
    holds("x", "HOST-003", "pki/root.pem"),
    missing("CONF-010", "shared-secret"),
    holds("", "CONF-018", "shared-secret"),
    missing("CONF-010", "pki/sallyport-north/tls.pem"),
    holds("x", "CONF-018", "pki/sallyport-north/tls.pem"),
    holds("x", "CONF-018", "pki/sallyport-north/tls.key"),
    mode(0o666, "pki/sallyport-north/tls.key"),
    holds("x", "CONF-018", "inbox-authority.pem"),
    holds("", "CONF-018", "inbox-password"),
  ]

  /// Told at a reload alone: these are fixed at the start.
  static let fixed: [Breakage] = [
    edit("CONF-020", configuration, "state: ../state", "state: ../elsewhere"),
    edit("CONF-020", configuration, "directory: ../ledger", "directory: ../other"),
    edit(
      "CONF-020", configuration, "origin: sallyport.example.org/audit", "origin: other.example/a"),
    edit("CONF-020", configuration, "address: 127.0.0.1", "address: localhost"),
    edit("CONF-020", configuration, "host:\n", "limits:\n  message: 1MiB\nhost:\n"),
    edit("CONF-020", configuration, "host:\n", "limits:\n  in_flight: 65MiB\nhost:\n"),
    holds("another", "CONF-020", "shared-secret"),
  ]
}

/// A whole installation that loads, with an inbox.
private final class Whole: Sendable {
  let installed: Installed

  init() throws {
    installed = try Installed()
    let folder = installed.folder
    let key = [UInt8](repeating: 9, count: 32)
    for (name, bytes) in [
      ("key-encryption-key", key), ("ring", try Area.ring().sealed(under: key)),
    ] {
      let path = folder.path + "/config/" + name
      try Data(bytes).write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
    try folder.write("inbox-password", "secret\n")
    try folder.write("inbox-authority.pem", Area.world.authority.certificatePEM)
    try folder.write(
      "config/sallyport.yaml",
      Installed.text + """
        inboxes:
          - name: prison
            party: prison:durham
            url: https://127.0.0.1:9
            mailbox: SALLYPORT1
            password: ../inbox-password
            shared_secret: ../inbox-password
            certificate: ../pki/sallyport-north/tls.pem
            key: ../pki/sallyport-north/tls.key
            authority: ../inbox-authority.pem
            poll_interval: 24h

        """)
  }

  var file: String { installed.folder.path + "/config/sallyport.yaml" }
}

@Suite struct `What is broken is told with code and file, and nothing of it is taken into use` {
  @Test(arguments: Breakage.always) func `at a start`(breakage: Breakage) throws {
    let whole = try Whole()
    _ = try Installation.load(configurationFile: whole.file)
    try breakage.act(whole.installed.folder)
    do throws(ConfigurationProblems) {
      _ = try Installation.load(configurationFile: whole.file)
      Issue.record("it loads")
    } catch {
      #expect(
        error.places.contains("\(breakage.code) \(breakage.named)"), "\(error.places)")
      #expect(error.list.allSatisfy { !$0.hint.isEmpty })
    }
  }

  @Test func `at a reload, and each time all goes on as before`() async throws {
    let whole = try Whole()
    let folder = whole.installed.folder
    let spare = try TemporaryFolder()
    let copies = spare.path + "/whole"
    try FileManager.default.copyItem(atPath: folder.path, toPath: copies)
    let lines = LogLines()
    let log = Logger(label: "daemon") { label in
      JSONLogHandler(label: label, write: { lines.add($0) })
    }
    let daemon = try SallyportDaemon(
      Installation.load(configurationFile: whole.file), version: "1.0.0", now: { .start }, log: log)
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let running = Task {
      defer { listening.finish() }
      try await daemon.run(handlesSignals: false) { listening.yield($0) }
    }
    for await _ in ports { break }
    let client = ControlClient(socketFile: folder.path + "/state/control.sock")
    let entries = try await daemon.store.leafCount()
    for breakage in Breakage.always + Breakage.fixed {
      try breakage.act(folder)
      guard case .refused(let refusal) = try await client.ask(.reload) else {
        Issue.record("\(breakage.testDescription) was taken into use")
        continue
      }
      let told = refusal.problems.joined(separator: "\n")
      #expect(told.contains(breakage.code) && told.contains(breakage.named), "\(breakage): \(told)")
      #expect(
        lines.all.contains {
          $0.contains("reload refused") && $0.contains("\"\(breakage.code)\"")
            && $0.contains(breakage.named)
        }, "\(breakage)")
      // As it was.
      for name in [
        "config", "secrets", "pki", "shared-secret", "inbox-password", "inbox-authority.pem",
      ] {
        try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        try FileManager.default.copyItem(
          atPath: "\(copies)/\(name)", toPath: "\(folder.path)/\(name)")
      }
    }
    #expect(try await daemon.store.leafCount() == entries)
    #expect(try await client.ask(.reload) == .reloaded([]))
    daemon.stop.signal()
    try await running.value
  }
}
