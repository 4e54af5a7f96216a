import Daemon
import Exchange
import Foundation
import Glibc
import Ledger
import Mailbox
import Store
import Testing

@testable import Demo

/// Keys and certificates follow one another in the real program while messages come and go.
@Suite(.serialized) struct KeyRotationTests {
  /// Messages sent while each rotation goes on.
  private static let each = 10

  @Test func `everything is rotated under load: none lost, none refused, and a restart works`()
    async throws
  {
    try await CrashWorld.run { world in
      let transport = try HTTPSTransport()
      do {
        try await Rotation(world, transport).run()
      } catch {
        Issue.record("\(error)\n\(world.lastWords)")
      }
      await transport.shutdown()
    }
  }

  /// One run through everything that can be rotated.
  struct Rotation {
    let world: CrashWorld
    let load: RotationLoad
    let recipients: [RotationRecipient]

    init(_ world: CrashWorld, _ transport: HTTPSTransport) throws {
      self.world = world
      load = try RotationLoad(world, transport: transport)
      recipients = try ["coordinator:durham", "prison:durham"].map {
        try RotationRecipient($0, in: world, transport: transport)
      }
    }

    /// Does something while messages are sent and collected.
    private func underLoad(_ act: () async throws -> Void) async throws {
      async let sending: Void = load.send(KeyRotationTests.each)
      async let collecting: Void = recipients[0].collect()
      try await act()
      try await sending
      try await collecting
    }

    func run() async throws {
      var daemon = try world.startDaemon()
      defer { daemon.remove() }
      try await eventually("the daemon to listen") {
        try world.read("daemon.log").contains("\"listening\"") ? () : nil
      }
      try await load.send(2)
      try await rotateOurs()
      try await rotateTheirs()
      try await everythingArrived()
      try await ledgerHolds()
      try await retire()
      daemon.stop()
      let ended = daemon
      let end = try await eventually("the daemon to stop") { ended.end }
      #expect(end == .exited(0))
      daemon.remove()

      daemon = try world.startDaemon()
      try await eventually("the daemon to listen again") {
        try world.read("daemon.log").split(separator: "\n").filter { $0.contains("\"listening\"") }
          .count == 2 ? () : nil
      }
      let fresh = try HTTPSTransport()
      await load.connect(by: fresh)
      for recipient in recipients { try await recipient.connect(by: fresh) }
      try await load.send(4)
      try await everythingArrived()
      try await ledgerHolds()
      await fresh.shutdown()
      daemon.stop()
      let restarted = daemon
      #expect(try await eventually("the daemon to stop") { restarted.end } == .exited(0))
      daemon.remove()
    }

    private func rotateOurs() async throws {
      try await underLoad {
        try await world.program(
          "keys", "rotate", "store", "--reason", "test", "--accept-for", "0s")
      }
      try await underLoad {
        try await world.program(
          "keys", "rotate", "ledger", "--reason", "test", "--accept-for", "0s")
        try await world.program("keys", "rotate", "lookup", "--reason", "test", expect: 1)
      }
      try await underLoad { try await rotateSigning() }
      try await underLoad { try await rotateDecryption() }
      let own = world.demo
      try await underLoad {
        let next = try own.authority.issue(
          CertificateRequest(commonName: "host", use: .tlsServer(hosts: ["127.0.0.1"])),
          now: .wallClock)
        try world.write("secrets/host.pem", next.chainPEM)
        try world.write("secrets/host.key", next.privateKeyPEM)
        let run = try await world.program("reload")
        #expect(run.output.contains("host: TLS certificate"))
      }
    }

    private func certified(_ use: String, _ kind: CertificateRequest.Use) async throws -> String {
      let request = "\(world.folder)/\(use).csr"
      try await world.program("keys", "rotate", use, "--reason", "test", "--out", request)
      let certificate = try world.demo.authority.certify(
        request: try String(contentsOfFile: request, encoding: .utf8),
        commonName: "sallyport:north \(use) 2", use: kind, now: .wallClock)
      try world.write("config/certificates/sallyport-north/\(use)-2.pem", certificate)
      return certificate
    }

    private func rotateSigning() async throws {
      let certificate = try await certified("signing", .signing)
      let file = "\(world.folder)/config/certificates/sallyport-north/signing-2.pem"
      // Nobody would accept it yet.
      try await world.program("keys", "import", file, "--reason", "too early", expect: 1)
      try world.editAgreement(
        "[certificates/sallyport-north/signing.pem]",
        "[certificates/sallyport-north/signing.pem, certificates/sallyport-north/signing-2.pem]")
      try await world.program("reload")
      for recipient in recipients { await recipient.trust(certificate) }
      try await world.program(
        "keys", "import", file, "--reason", "yearly", "--accept-for", "0s")
    }

    private func rotateDecryption() async throws {
      let certificate = try await certified("decryption", .encryption)
      let name = "certificates/sallyport-north/decryption-2.pem"
      try await world.program(
        "keys", "import", "\(world.folder)/config/\(name)", "--reason", "yearly",
        "--accept-for", "0s")
      let old = "certificates/sallyport-north/encryption.pem"
      try world.editAgreement("[\(old)]", "[\(old), \(name)]")
      try await world.program("reload")
      await load.change { $0.encryption.append(certificate) }
      try await load.send(2)
      await load.change { $0.encryption = [certificate] }
    }

    private func rotateTheirs() async throws {
      let authority = world.demo.authority
      let signing = try authority.issue(
        CertificateRequest(commonName: "probation:durham signing 2", use: .signing),
        now: .wallClock)
      let tls = try authority.issue(
        CertificateRequest(commonName: "probation:durham tls 2", use: .tlsClient), now: .wallClock)
      for (use, next) in [("signing", signing), ("tls", tls)] {
        try await underLoad {
          let name = "certificates/probation-durham/\(use)"
          try world.write("config/\(name)-2.pem", next.certificatePEM)
          try world.editAgreement("[\(name).pem]", "[\(name).pem, \(name)-2.pem]")
          try await world.program("reload")
          await load.change { if use == "tls" { $0.tls = next } else { $0.signing = next } }
        }
      }
      // The inbox is polled anew with what is other; a change that is none to the poll.
      try await underLoad {
        let file = "pki/sallyport-north/tls.pem"
        try world.write(file, try world.read(file) + "\n")
        let run = try await world.program("reload")
        #expect(run.output.contains("inbox probation: changed"))
      }
    }

    private func everythingArrived() async throws {
      let expected = await load.sent
      try await eventually("everything to arrive") { () -> Void? in
        for recipient in recipients { try await recipient.collect() }
        guard try await load.isAllAcknowledged() else { return nil }
        for recipient in recipients where await recipient.copies.count < expected { return nil }
        return ()
      }
      for recipient in recipients {
        let copies = await recipient.copies
        #expect(copies.count == expected)
        // Some were signed under the old certificate and some under the new.
        #expect(Set(copies.values).count == 2)
      }
      let store = try world.openStoreAnew()
      for carrier in await load.published.map({ CarrierKey(inbox: "probation", message: $0) })
        + load.posted.map({ CarrierKey(inbox: "host", message: $0) })
      {
        #expect(try await store.carrierMessage(carrier)?.ending == .shared)
      }
    }

    private func ledgerHolds() async throws {
      let ledger = world.configuration.ledger.directory
      try await eventually("the ledger to verify") {
        let run = try await ProgramRun(
          [
            "audit", "verify", "--key", "@\(ledger)/vkey", "--former-key", "@\(ledger)/vkey.former",
            ledger,
          ])
        return run.status == 0 ? () : nil
      }
    }

    private func retire() async throws {
      // Still listed: nothing that is sealed to it could be opened.
      try await world.program("keys", "retire", "decryption-1", "--reason", "test", expect: 1)
      for (use, old) in [("signing", "signing"), ("decryption", "encryption")] {
        let folder = "certificates/sallyport-north"
        try world.editAgreement(
          "[\(folder)/\(old).pem, \(folder)/\(use)-2.pem]", "[\(folder)/\(use)-2.pem]")
      }
      try await world.program("reload")
      for key in ["store-1", "ledger-1", "signing-1", "decryption-1"] {
        try await world.program("keys", "retire", key, "--reason", "rotated")
      }
      try await world.program("keys", "retire", "store-2", "--reason", "in force", expect: 1)
      let ring = try KeyRingFile(world.configuration.keys).read()
      #expect(
        ring.filter { $0.state == .retired }.map(\.id).sorted() == [
          "decryption-1", "ledger-1", "signing-1", "store-1",
        ])
      #expect(ring.filter { $0.state == .retired }.allSatisfy { $0.material.count == 0 })
      #expect(
        !FileManager.default.fileExists(atPath: world.configuration.keys.ringFile + ".previous"))
    }
  }

  @Test(arguments: [FaultPoint.beforeRingRename, .afterRingRename])
  func `killed while the ring is written, it has the old ring or the new one, and goes on`(
    point: FaultPoint
  ) async throws {
    try await CrashWorld.run { world in
      let daemon = try world.startDaemon(fault: point.rawValue)
      defer { daemon.remove() }
      try await listening(world, 1)
      try await world.program("keys", "rotate", "store", "--reason", "test", expect: 69)
      #expect(try await eventually("the end") { daemon.end } == .killed(signal: SIGKILL))
      let wasWritten = point == .afterRingRename
      let ring = try KeyRingFile(world.configuration.keys).read()
      #expect(ring.contains { $0.id == "store-2" } == wasWritten)

      let again = try world.startDaemon()
      defer { again.remove() }
      try await listening(world, 2)
      if !wasWritten { try await world.program("keys", "rotate", "store", "--reason", "test") }
      let store = try world.openStoreAnew()
      // Told once, by whoever came first.
      try await eventually("the ledger to hear of it") {
        var told: [String] = []
        for leaf in 0..<(try await store.leafCount()) {
          guard let detail = try await store.detail(of: leaf).detail else { continue }
          let json = try JSONValue.parse(detail)
          if json["event"] == "key-changed" { told.append(json["key"]?.string ?? "") }
        }
        return told == ["store-1", "store-2"] ? () : nil
      }
      again.stop()
      #expect(try await eventually("the stop") { again.end } == .exited(0))
    }
  }

  @Test func `killed while keys are wrapped anew, the next start finishes`() async throws {
    try await CrashWorld.run { world in
      let transport = try HTTPSTransport()
      let load = try RotationLoad(world, transport: transport)
      let first = try world.startDaemon()
      defer { first.remove() }
      try await listening(world, 1)
      try await load.send(6)
      try await eventually("all to be taken") { try await load.isAllAcknowledged() ? () : nil }
      let before = try world.openStoreAnew()
      try await eventually("all to be decided") { () -> Void? in
        let inboxes = try await before.counts().exchanges.values
        let shared = inboxes.map { $0["shared"] ?? 0 }
        return shared.reduce(0, +) == 6 ? () : nil
      }
      await transport.shutdown()
      first.stop()
      #expect(try await eventually("the stop") { first.end } == .exited(0))

      // Two passes a table at the start; the ninth comes after the rotation, with exchanges done and
      // cases not.
      let second = try world.startDaemon(fault: "during-rewrap:9")
      defer { second.remove() }
      try await listening(world, 2)
      _ = try await ProgramRun(
        ["keys", "rotate", "store", "--reason", "test", "--accept-for", "0s"], in: world)
      #expect(try await eventually("the end") { second.end } == .killed(signal: SIGKILL))
      #expect(try await world.openStoreAnew().keysUnder(version: 1) > 0)
      #expect(try await world.openStoreAnew().keysUnder(version: 2) > 0)

      let third = try world.startDaemon()
      defer { third.remove() }
      try await listening(world, 3)
      try await world.program("keys", "retire", "store-1", "--reason", "test")
      let after = try world.openStoreAnew()
      for line in try await after.exchanges(limit: 100) {
        #expect(try await after.original(of: line.exchange)?.isEmpty == false)
      }
      third.stop()
      #expect(try await eventually("the stop") { third.end } == .exited(0))
    }
  }

  private func listening(_ world: CrashWorld, _ times: Int) async throws {
    try await eventually("the daemon to listen") {
      try world.read("daemon.log").split(separator: "\n").filter { $0.contains("\"listening\"") }
        .count == times ? () : nil
    }
  }
}
