import Exchange
import Rules
import Testing

@testable import Store

@Suite struct ReceiptTests {
  let fixture: StoreFixture
  static let reason = Reason(rule: "RCPT-01", source: "Sallyport", text: "told")

  init() throws { fixture = try StoreFixture() }

  static func decision(
    _ outcome: ReceiptOutcome, told: [String] = [], withheld: [String] = [], isTold: Bool = true
  ) -> ReceiptDecision {
    ReceiptDecision(
      outcome: outcome, word: .init(text: outcome.rawValue, isTold: isTold, reason: reason),
      codes: told.map { .init(text: $0, isTold: true, reason: reason) }
        + withheld.map { .init(text: $0, isTold: false, reason: reason) })
  }

  /// A message whose prison is to be told this.
  static func message(
    _ decision: ReceiptDecision = ReceiptTests.decision(.accepted), number: Int = 1,
    event: String = "evt-1", content: UInt8 = 7
  ) -> Message {
    Message(
      number: number, event: event, content: content,
      receipt: ReceiptOrder(
        to: StoreFixture.prison, event: StoreFixture.event(event), decision,
        onConflict: ReceiptTests.decision(.setAside, told: ["INTK-001"]),
        onRepeat: ReceiptTests.decision(.duplicate)))
  }

  static func copy(of due: DueReceipt, sealed: String = "sealed receipt") -> NewDelivery {
    NewDelivery(
      delivery: Delivery(
        id: due.delivery, recipient: due.recipient, answerDue: nil,
        expiresAt: .start + .seconds(30 * 86_400)),
      sealed: Array(sealed.utf8), collectDue: .moment(.start + .seconds(30 * 86_400)),
      workflow: "SALLYPORT_NOTICE_ACK", releasedFields: [])
  }

  private func due(_ store: Store, size: Int = 1000) async throws -> [DueReceipt] {
    try await store.receiptsDue(coveredBy: size, at: .start, limit: 10)
  }

  @Test func `what is owed waits for the ledger, and is made once`() async throws {
    let store = try await fixture.open()
    let record = Self.message().record()
    #expect(try await store.record(record) == .recorded(leaf: 1))
    #expect(try await due(store, size: 1).isEmpty)
    let owed = try #require(try await due(store, size: 2).first)
    #expect(owed.exchange == record.exchange && owed.leaf == 1)
    #expect(owed.recipient == StoreFixture.prison && owed.event?.text == "evt-1")
    #expect(try await store.leaves(from: 1, limit: 1) == [owed.entry])
    #expect(try await store.recordReceipts([(owed, Self.copy(of: owed))], at: .start) == 1)
    #expect(
      try await store.recordReceipts([(owed, Self.copy(of: owed, sealed: "again"))], at: .start)
        == 0)
    #expect(try await due(store).isEmpty)
    let items = try await store.mailboxPage(of: StoreFixture.prison, limit: 10).items
    #expect(items.map(\.id) == [owed.delivery])
    #expect(items.map(\.workflow) == ["SALLYPORT_NOTICE_ACK"])
    let copy = try await store.delivery(owed.delivery, party: StoreFixture.prison)
    #expect(copy?.bytes == Array("sealed receipt".utf8))
    // Whatever rules or case do since: it speaks of the sender's own message.
    #expect(copy?.decidedBy == nil && copy?.caseMoved == false)
    // Its own entry in the ledger: no record, no release.
    let view = try await store.exchange(record.exchange.text)
    #expect(view.leaves == [1, 2])
    #expect(view.deliveries.map(\.party) == [StoreFixture.probation])
    #expect(view.receipts.map(\.state) == [.made])
    #expect(view.receipts.first?.decision == Self.decision(.accepted))
    let detail = try #require(try await store.detail(of: 2).detail)
    #expect(String(decoding: detail, as: UTF8.self).contains(#""event":"receipted""#))
  }

  @Test func `receipts do not count among the copies of a party`() async throws {
    let store = try await fixture.open()
    _ = try await store.record(Self.message().record())
    #expect(try await store.counts().receipts == ["prison:durham": ["due": 1]])
    #expect(try await store.oldestReceiptDue() == .start)
    let owed = try #require(try await due(store).first)
    _ = try await store.recordReceipts([(owed, Self.copy(of: owed))], at: .start)
    _ = try await store.recordCollected(owed.delivery, party: StoreFixture.prison, at: .start)
    let counts = try await store.counts()
    #expect(
      counts.receipts
        == ["prison:durham": ["made": 1, "due": 0]].mapValues { $0.filter { $0.value > 0 } })
    #expect(counts.deliveries == ["probation:durham": ["pending": 1]])
    #expect(try await store.oldestReceiptDue() == nil)
  }

  @Test func `nobody is told the same twice, and everybody when it changes`() async throws {
    let store = try await fixture.open()
    let exchange = ExchangeID.random()
    var message = Self.message(Self.decision(.held, told: ["FREE-01"], withheld: ["CASE-01"]))
    message.outcome = .held
    _ = try await store.record(message.record(exchange: exchange))
    // Held still, for another reason that is withheld too: to the sender it is the same.
    message = Self.message(Self.decision(.held, told: ["FREE-01"], withheld: ["ADR-01"]))
    (message.outcome, message.supersedesHeld) = (.held, true)
    _ = try await store.record(message.record(exchange: exchange))
    #expect(try await due(store).count == 1)
    message = Self.message()
    message.supersedesHeld = true
    _ = try await store.record(message.record(exchange: exchange))
    #expect(try await due(store).map(\.decision.outcome) == [.held, .accepted])
    #expect(Set(try await due(store).map(\.delivery)).count == 2)
  }

  @Test func `a repeat that the commit finds is receipted with what the first was told`()
    async throws
  {
    let store = try await fixture.open()
    let first = Self.message(Self.decision(.accepted, told: ["FLAG-signed-long-ago"])).record()
    _ = try await store.record(first)
    #expect(
      try await store.record(Self.message(number: 2).record()) == .duplicate(of: first.exchange))
    let owed = try #require(try await due(store).last)
    #expect(owed.decision.outcome == .duplicate)
    #expect(owed.first?.exchange == first.exchange)
    #expect(owed.first?.decision?.told == ["FLAG-signed-long-ago"])
  }

  @Test func `other content under a known id is receipted as set aside`() async throws {
    let store = try await fixture.open()
    _ = try await store.record(Self.message().record())
    _ = try await store.record(Self.message(number: 2, content: 8).record())
    let owed = try await due(store)
    #expect(owed.map(\.decision.outcome) == [.accepted, .setAside])
    #expect(owed.last?.decision.told == ["INTK-001"])
  }

  @Test func `what the rules withhold whole is never due`() async throws {
    let store = try await fixture.open()
    let record = Self.message(Self.decision(.refused, isTold: false)).record()
    _ = try await store.record(record)
    #expect(try await due(store).isEmpty)
    #expect(try await store.exchange(record.exchange.text).receipts.map(\.state) == [.withheld])
  }

  @Test func `what cannot be made now lets the others go first`() async throws {
    let store = try await fixture.open()
    _ = try await store.record(Self.message().record())
    _ = try await store.record(Self.message(number: 2, event: "evt-2").record())
    let owed = try await due(store)
    try await store.postponeReceipts([owed[0].delivery], until: .start + .seconds(60))
    #expect(try await due(store).map(\.delivery) == [owed[1].delivery])
    let later = try await store.receiptsDue(
      coveredBy: 1000, at: .start + .seconds(60), limit: 10)
    #expect(later.map(\.delivery) == [owed[1].delivery, owed[0].delivery])
  }

  @Test func `a receipt is owed to the signer alone`() async throws {
    let store = try await fixture.open()
    var message = Self.message()
    message.receipt = ReceiptOrder(
      to: StoreFixture.police, event: nil, Self.decision(.accepted))
    await #expect(throws: StoreError.malformedRecord("receipt")) {
      _ = try await store.record(message.record())
    }
  }

  @Test func `a receipt under another id or for somebody else is not taken`() async throws {
    let store = try await fixture.open()
    _ = try await store.record(Self.message().record())
    let owed = try #require(try await due(store).first)
    let others = [
      Message().newDelivery(StoreFixture.prison),
      Message().newDelivery(StoreFixture.police, id: owed.delivery),
    ]
    for other in others {
      await #expect(throws: StoreError.malformedRecord("receipt")) {
        _ = try await store.recordReceipts([(owed, other)], at: .start)
      }
    }
  }

  @Test func `nothing answers a receipt`() async throws {
    let store = try await fixture.open()
    _ = try await store.record(Self.message().record())
    let owed = try #require(try await due(store).first)
    _ = try await store.recordReceipts([(owed, Self.copy(of: owed))], at: .start)
    #expect(
      try await store.answered(delivery: owed.delivery, by: StoreFixture.prison) == nil)
  }

  @Test func `an erased exchange owes and gives no receipt`() async throws {
    let store = try await fixture.open()
    var message = Self.message()
    message.outcome = .refused
    let made = message.record()
    _ = try await store.record(made)
    let owed = try #require(try await due(store).first)
    _ = try await store.recordReceipts([(owed, Self.copy(of: owed))], at: .start)
    message = Self.message(number: 2, event: "evt-2")
    message.outcome = .refused
    let waiting = message.record()
    _ = try await store.record(waiting)
    for exchange in [made.exchange, waiting.exchange] {
      try await store.erase(exchange, by: "officer-1", reason: "RET-01", at: .start)
      #expect(try await store.exchange(exchange.text).receipts.map(\.state) == [.erased])
    }
    #expect(try await due(store).isEmpty)
    #expect(try await store.mailboxPage(of: StoreFixture.prison, limit: 10).items.isEmpty)
    #expect(try await store.delivery(owed.delivery, party: StoreFixture.prison) == nil)
  }
}
