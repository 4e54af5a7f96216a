import Exchange
import Foundation
import Ledger
import Logging
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

/// What senders are told, from the message to the sealed receipt in their mailbox.
@Suite struct ReceiptTests {
  let hub: Hub
  let worker: ReceiptWorker
  let sequencer: Sequencer
  let key: VerifierKey

  init() async throws {
    let hub = try await Hub()
    self.hub = hub
    let signing = try Area.ring().ledgerKey(origin: "test.sallyport.example/audit")
    key = signing.verifierKey
    sequencer = try await Sequencer.open(
      store: hub.store, directory: hub.folder.path + "/ledger",
      guardFile: hub.folder.path + "/guard", keys: LedgerKeys(key: signing))
    let (clock, lines) = (hub.clock, hub.lines)
    worker = ReceiptWorker(
      store: hub.store, sequencer: sequencer, regime: hub.regime, wakeup: Wakeup(),
      now: { clock.now },
      log: Logger(label: "receipts") { label in
        JSONLogHandler(label: label, now: { clock.now }, write: { lines.add($0) })
      }, onMade: {})
  }

  /// Publishes, and makes everything that is owed.
  private func settle() async throws {
    _ = try await sequencer.publish()
    while try await worker.makeSome() {}
  }

  /// A party's receipts, oldest first, each checked: seal, form, and proof against the ledger's key.
  private func receipts(_ id: String) async throws -> [Exchange.Notification] {
    try await settle()
    let receipts = try await hub.copies(id).filter { $0.type == .receiptIssued }
    for receipt in receipts {
      #expect(try receipt.source == Area.world.own.id && receipt.audience.text == id)
      #expect(
        Set(receipt.data.keys).subtracting(["firstOutcome"])
          == ["outcome", "reasons", "decision", "receivedAt", "entry", "proof"])
      let entry = Array(try #require(receipt.data["entry"]?.string).utf8)
      let proof = try Receipt(Array(try #require(receipt.data["proof"]?.string).utf8))
      let checkpoint = try proof.verify(entry: entry, ledger: key)
      #expect(try await hub.store.leaves(from: proof.index, limit: 1) == [entry])
      #expect(checkpoint.size > proof.index)
      if receipt.data["firstOutcome"] == nil {
        #expect(try LedgerEntry(entry).exchange == receipt.data["decision"]?.string)
      }
    }
    return receipts
  }

  private func told(_ id: String) async throws -> [String] {
    try await receipts(id).map { receipt in
      let reasons = receipt.data["reasons"]?.array?.compactMap(\.string) ?? []
      return ([receipt.data["outcome"]?.string ?? ""] + reasons).joined(separator: " ")
    }
  }

  private func nobodyElse(_ id: String) async throws {
    for party in try Area.world.agencies where party.id.text != id {
      #expect(try await told(party.id.text).isEmpty, "\(party.id)")
    }
  }

  @Test func `a sender is told that its message was accepted, with the ledger's proof`()
    async throws
  {
    let notice = try Notice.named("registered-adult")
    let view = try await hub.take(notice, as: "M1")
    let receipt = try #require(try await receipts("probation:durham").first)
    #expect(receipt.correlationID == notice.id)
    #expect(receipt.data["outcome"] == "accepted" && receipt.data["reasons"] == [])
    #expect(receipt.data["decision"]?.string == view.exchange.text)
    #expect(receipt.data["receivedAt"]?.string == view.receivedAt.description)
    #expect(receipt.subject != notice.subject)
    try await nobodyElse("probation:durham")
  }

  @Test func `before the ledger has it there is no receipt`() async throws {
    _ = try await hub.take(Notice.named("registered-adult"), as: "M1")
    #expect(try await worker.makeSome() == false)
    #expect(try await hub.copies("probation:durham").isEmpty)
    #expect(try await hub.store.oldestReceiptDue() == hub.clock.now)
  }

  @Test func `held is told, and then accepted`() async throws {
    try await hub.share("registered-unaware")
    _ = try await hub.take(Notice.named("j-unaware"), as: "J1")
    #expect(try await told("probation:durham") == ["accepted", "held JCP-01"])
    _ = try await hub.take(Notice.named("discussion"), as: "D1")
    _ = try await hub.reconsider()
    #expect(
      try await told("probation:durham") == ["accepted", "held JCP-01", "accepted", "accepted"])
    try await nobodyElse("probation:durham")
  }

  @Test func `what a person closes while it is held is told as set aside`() async throws {
    let view = try await hub.take(Notice.named("release-date"), as: "M1")
    #expect(try await told("prison:durham") == ["held INTK-004"])
    _ = await hub.acts().perform(.discard(view.exchange, reason: "sent anew"), by: "uid 0")
    #expect(try await told("prison:durham") == ["held INTK-004", "set-aside INTK-004"])
  }

  @Test func `held again for the same is not told again`() async throws {
    let view = try await hub.take(Notice.named("release-date"), as: "M1")
    #expect(view.ending == .held(code: "INTK-004"))
    for _ in 0..<3 { try await hub.reconsider(view.exchange) }
    #expect(try await told("prison:durham") == ["held INTK-004"])
  }

  @Test func `a refusal names its rule`() async throws {
    try await hub.share("registered-youth")
    _ = try await hub.take(Notice.named("j-youth"), as: "J1")
    #expect(try await told("probation:durham") == ["accepted", "refused JCP-02"])
  }

  @Test func `an unknown person is told of to a prison, and hidden from a Jobcentre`() async throws
  {
    let hidden = hub.regime.current.policy.receipt(
      .held, codes: ["INTK-004"], to: try Area.party("jobcentre:durham").id)
    #expect(hidden.isTold && hidden.told.isEmpty)
    _ = try await hub.take(Notice.named("unexpected"), as: "M1")
    let urgent = try #require(try await told("prison:durham").first)
    #expect(urgent.hasPrefix("accepted ") && urgent.contains("FLAG-person-not-known"))
  }

  @Test func `a repeat is receipted again with the first one's outcome and decision`() async throws
  {
    let notice = try Notice.named("registered-adult")
    let first = try await hub.take(notice, as: "M1")
    let again = try await hub.take(hub.seal(notice), as: "M2")
    let last = try #require(try await receipts("probation:durham").last)
    #expect(last.data["outcome"] == "duplicate" && last.data["firstOutcome"] == "accepted")
    #expect(last.data["decision"]?.string == first.exchange.text)
    // Its proof is of the repeat's own entry.
    let entry = try LedgerEntry(Array(try #require(last.data["entry"]?.string).utf8))
    #expect(entry.exchange == again.exchange.text)
    #expect(last.correlationID == notice.id)
    try await nobodyElse("probation:durham")
  }

  @Test func `the same carrier id again is no message and has no receipt`() async throws {
    let sealed = try hub.seal(Notice.named("registered-adult"))
    try await hub.take(sealed, as: "M1")
    try await hub.take(sealed, as: "M1")
    #expect(try await told("probation:durham") == ["accepted"])
  }

  @Test func `other content under a known id is told by its code`() async throws {
    let notice = try Notice.named("registered-adult")
    _ = try await hub.take(notice, as: "M1")
    try await hub.take(hub.seal(notice.with(data: ["level": 2])), as: "M2")
    #expect(try await told("probation:durham") == ["accepted", "set-aside INTK-001"])
  }

  @Test func `what did not open has one code, for whom the transport authenticated`() async throws {
    let police = try Area.party("police:durham").id
    var broken = try hub.seal(Notice.named("registered-adult"))
    broken[broken.count / 2] ^= 1
    for (number, bytes) in [broken, Array("nothing of ours".utf8)].enumerated() {
      _ = try await hub.pipeline.take(
        ArrivedMessage(
          carrier: Hub.carrier("B\(number)"), origin: .inbox, exchange: .random(), bytes: bytes,
          receivedAt: hub.clock.now, handedInBy: police))
    }
    #expect(try await told("police:durham") == ["set-aside SEAL-000", "set-aside SEAL-000"])
    #expect(try await receipts("police:durham").allSatisfy { $0.correlationID == nil })
    try await nobodyElse("police:durham")
  }

  @Test func `what did not open is told to nobody where the transport names nobody`() async throws {
    try await hub.take(Array("nothing of ours".utf8), as: "B1")
    try await nobodyElse("nobody")
  }

  @Test func `once the signature held the signer is told, not whose name was used`() async throws {
    let forged = try Area.world.forge(
      Notice.named("forgery"), signedBy: Area.party("immigration:casework"), now: hub.clock.now)
    let message = ArrivedMessage(
      carrier: try Hub.carrier("F1"), origin: .inbox, exchange: .random(), bytes: forged,
      receivedAt: hub.clock.now, handedInBy: try Area.party("prison:durham").id)
    _ = try await hub.pipeline.take(message)
    #expect(try await told("immigration:casework") == ["set-aside SEAL-031"])
    try await nobodyElse("immigration:casework")
  }

  @Test func `what was signed and is no notification is told to its signer`() async throws {
    // The seal holds, the content does not.
    let sealed = try WrongBench(hub).sealed(Array("{}".utf8))
    let message = ArrivedMessage(
      carrier: try Hub.carrier("N1"), origin: .inbox, exchange: .random(), bytes: sealed,
      receivedAt: hub.clock.now, handedInBy: try Area.party("police:durham").id)
    _ = try await hub.pipeline.take(message)
    #expect(try await told("prison:durham") == ["set-aside EXCH-002"])
    try await nobodyElse("prison:durham")
  }

  @Test func `a field that is wrong is told by its code`() async throws {
    let notice = try Notice.named("registered-adult").with(data: ["category": 9])
    try await hub.take(hub.seal(notice), as: "M1")
    #expect(try await told("probation:durham") == ["set-aside RULE-105"])
  }

  @Test func `what calls itself a receipt is set aside and never receipted`() async throws {
    let notice = try Notice.named("registered-adult").with(type: "receipt.issued")
    let taken = try await hub.take(hub.seal(notice), as: "M1")
    #expect(try await hub.view(taken.exchange).ending == .setAside(code: "INTK-002"))
    try await nobodyElse("nobody")
  }

  @Test func `a receipt that was made once is not made again`() async throws {
    _ = try await hub.take(Notice.named("registered-adult"), as: "M1")
    for _ in 0..<3 { try await settle() }
    #expect(try await told("probation:durham") == ["accepted"])
    #expect(try await hub.store.counts().receipts["probation:durham"] == ["made": 1])
  }

  @Test func `a receipt is given out whatever the rules have become`() async throws {
    try await hub.share("registered-unaware")
    _ = try await hub.take(Notice.named("j-unaware"), as: "J1")
    _ = try await receipts("probation:durham")
    let party = try Area.party("probation:durham").id
    for item in try await hub.store.mailboxPage(of: party, limit: 10).items {
      let copy = try #require(try await hub.store.delivery(item.id, party: party))
      #expect(copy.decidedBy == nil && !copy.caseMoved)
    }
  }

  @Test func `a sender without a certificate waits for its receipt, and holds up nobody`()
    async throws
  {
    _ = try await hub.take(Notice.named("registered-adult"), as: "M1")
    _ = try await hub.take(Notice.named("release-date"), as: "M2")
    let loaded = hub.regime.current
    hub.regime.swap(
      for: try Area.regime { trust in
        if trust.party.text == "probation:durham" { trust.encryptionCertificates = [] }
      })
    #expect(try await told("prison:durham") == ["accepted"])
    #expect(try await hub.store.counts().receipts["probation:durham"] == ["due": 1])
    #expect(hub.lines.all.contains { $0.contains("receipt could not be sealed") })
    hub.regime.swap(for: loaded)
    try await settle()
    #expect(try await hub.store.counts().receipts["probation:durham"] == ["due": 1])
    hub.clock.set(hub.clock.now + ReceiptWorker.patience)
    #expect(try await told("probation:durham").contains("accepted"))
  }
}
