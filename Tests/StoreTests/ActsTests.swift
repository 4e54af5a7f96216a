import Exchange
import Rules
import Testing

@testable import Store

/// What operators do, and what a look at a hold writes.
@Suite struct ActsTests {
  let fixture: StoreFixture
  private let by = "uid 0 (root)"
  private let early = Instant(milliseconds: 0)

  init() throws { fixture = try StoreFixture() }

  private func detail(_ store: Store, _ entry: Int) async throws -> JSONValue {
    try JSONValue.parse(try #require(try await store.detail(of: entry).detail))
  }

  private func setAside(_ store: Store) async throws -> ExchangeID {
    let exchange = ExchangeID.random()
    _ = try await store.record(
      IntakeRecord(
        exchange: exchange, carrier: StoreFixture.carrier(9), receivedAt: .start,
        recordedAt: .start, original: [1, 2, 3],
        outcome: .setAside(code: "SEAL-004", sender: nil)))
    return exchange
  }

  @Test func `what was set aside is closed by a person, kept whole, and can be taken up again`()
    async throws
  {
    let store = try await fixture.open()
    let exchange = try await setAside(store)
    let entry = try await store.discard(exchange, by: by, reason: "a test", at: .start)
    let view = try await store.exchange(exchange.text)
    #expect(view.ending == .discarded(code: "SEAL-004"))
    #expect(view.leaves == [1, entry])
    #expect(try await store.original(of: exchange) == [1, 2, 3])
    #expect(try await store.counts().exchanges == ["durham": ["discarded": 1]])
    let said = try await detail(store, entry)
    #expect(said["event"] == "discarded")
    #expect(said["by"] == "uid 0 (root)")
    #expect(said["reason"] == "a test")
    #expect(said["code"] == "SEAL-004")
    await #expect(throws: StoreError.notFinished(exchange)) {
      _ = try await store.discard(exchange, by: by, reason: "again", at: .start)
    }
    try await store.requeue(exchange, by: by, reason: "mended", at: .start)
    #expect(try await store.rawWaiting(limit: 9).map(\.exchange) == [exchange])
  }

  @Test func `a hold that nobody mends is closed, and comes up no more`() async throws {
    let store = try await fixture.open()
    let held = Message(outcome: .held).record()
    _ = try await store.record(held)
    _ = try await store.discard(held.exchange, by: by, reason: "sent anew", at: .start)
    #expect(try await store.heldDue(decidedBefore: .start + .days(9), limit: 9).isEmpty)
  }

  @Test func `copies on hold are neither listed nor given, and their clocks go on`() async throws {
    let store = try await fixture.open()
    let due = Due.moment(.start + .days(5))
    var message = Message(recipients: [StoreFixture.probation, StoreFixture.police])
    message.answerDue = due
    let shared = message.record()
    _ = try await store.record(shared)
    let view = try await store.exchange(shared.exchange.text)
    let police = try #require(view.deliveries.first { $0.party == StoreFixture.police })
    let probation = try #require(view.deliveries.first { $0.party == StoreFixture.probation })
    _ = try await store.recordCollected(police.id, party: police.party, at: .start)

    let hold = try await store.hold(shared.exchange, by: by, reason: "wrong person", at: .start)
    #expect(hold.deliveries == [probation.id])
    #expect(try await store.mailboxPage(of: probation.party, limit: 9).items.isEmpty)
    let copy = try #require(try await store.delivery(probation.id, party: probation.party))
    #expect(copy.delivery.handover(at: .start) == .keptBack)
    #expect(try await store.exchange(shared.exchange.text).isOnHold)
    #expect(try await store.counts().onHold == 1)
    #expect(try await detail(store, hold.entry)["event"] == "hold-placed")
    #expect(try await store.deliveriesDue(before: .start + .days(5), limit: 9).count == 2)
    await #expect(throws: StoreError.onHold(shared.exchange)) {
      _ = try await store.hold(shared.exchange, by: by, reason: "again", at: .start)
    }
    await #expect(throws: StoreError.onHold(shared.exchange)) {
      try await store.requeue(shared.exchange, by: by, reason: "again", at: .start)
    }

    let end = try await store.endHold(shared.exchange, by: by, reason: "right", at: .start)
    #expect(end.deliveries == [probation.id])
    #expect(
      try await store.mailboxPage(of: probation.party, limit: 9).items.map(\.id) == [probation.id])
    let again = try #require(try await store.delivery(probation.id, party: probation.party))
    #expect(again.bytes == Array("sealed copy".utf8))
    #expect(try await store.counts().onHold == 0)
    await #expect(throws: StoreError.notFinished(shared.exchange)) {
      _ = try await store.endHold(shared.exchange, by: by, reason: "again", at: .start)
    }
  }

  @Test func `what everybody has cannot be kept back`() async throws {
    let store = try await fixture.open()
    let shared = Message().record()
    _ = try await store.record(shared)
    let delivery = try await store.exchange(shared.exchange.text).deliveries[0]
    _ = try await store.recordCollected(delivery.id, party: delivery.party, at: .start)
    await #expect(throws: StoreError.notFinished(shared.exchange)) {
      _ = try await store.hold(shared.exchange, by: by, reason: "late", at: .start)
    }
  }

  @Test func `a held or waiting message on hold is not taken up until it is released`()
    async throws
  {
    let store = try await fixture.open()
    let held = Message(outcome: .held).record()
    _ = try await store.record(held)
    let raw = try await store.keepRaw(
      StoreFixture.carrier(5), bytes: [1],
      submission: Submission(submittedBy: nil, localID: nil, workflow: nil), at: .start)
    for exchange in [held.exchange, raw] {
      _ = try await store.hold(exchange, by: by, reason: "wait", at: .start)
    }
    let later = Instant.start + .days(9)
    #expect(try await store.heldDue(decidedBefore: later, limit: 9).isEmpty)
    #expect(try await store.rawWaiting(limit: 9).isEmpty)
    for exchange in [held.exchange, raw] {
      _ = try await store.endHold(exchange, by: by, reason: "go on", at: .start)
    }
    #expect(
      try await store.heldDue(decidedBefore: later, limit: 9).map(\.exchange) == [held.exchange])
    #expect(try await store.rawWaiting(limit: 9).map(\.exchange) == [raw])
  }

  @Test func `what is put on hold while it is decided comes out kept back`() async throws {
    let store = try await fixture.open()
    let held = Message(outcome: .held).record()
    _ = try await store.record(held)
    _ = try await store.hold(held.exchange, by: by, reason: "wait", at: .start)
    var released = Message()
    released.supersedesHeld = true
    _ = try await store.record(released.record(exchange: held.exchange))
    #expect(try await store.exchange(held.exchange.text).ending == .shared)
    #expect(try await store.mailboxPage(of: StoreFixture.probation, limit: 9).items.isEmpty)
    _ = try await store.endHold(held.exchange, by: by, reason: "go on", at: .start)
    #expect(try await store.mailboxPage(of: StoreFixture.probation, limit: 9).items.count == 1)
  }

  @Test func `a confirmation that comes while a hold is decided again is not lost`() async throws {
    let store = try await fixture.open()
    let message = Message(outcome: .held)
    let held = message.record()
    _ = try await store.record(held)
    try await store.confirm(held.exchange, rule: "DIS-02", by: by, reason: "read", at: .start)
    // The worker has taken it up, and this comes before its commit.
    let seen = try await store.heldExchange(held.exchange)
    try await store.confirm(held.exchange, rule: "JCP-02", by: by, reason: "read", at: .start)
    var again = message
    again.supersedesHeld = true
    again.rule = "FREE-01"
    again.lookAgainSeen = seen.lookAgain
    _ = try await store.record(again.record(exchange: held.exchange))
    #expect(
      try await store.heldDue(decidedBefore: early, limit: 9).map(\.exchange) == [held.exchange])
    again.lookAgainSeen = try await store.heldExchange(held.exchange).lookAgain
    _ = try await store.record(again.record(exchange: held.exchange))
    #expect(try await store.heldDue(decidedBefore: early, limit: 9).isEmpty)
  }

  @Test func `a look that changes nothing leaves no entry and rests`() async throws {
    let store = try await fixture.open()
    let message = Message(outcome: .held)
    let held = message.record()
    _ = try await store.record(held)
    let entries = try await store.leafCount()
    var again = message
    again.supersedesHeld = true
    let later = Instant.start + .days(1)
    #expect(
      try await store.record(again.record(exchange: held.exchange, at: later)) == .unchanged)
    #expect(try await store.leafCount() == entries)
    #expect(try await store.exchange(held.exchange.text).recordedAt == .start)
    #expect(try await store.heldDue(decidedBefore: later, limit: 9).isEmpty)
    #expect(try await store.heldDue(decidedBefore: later + .days(1), limit: 9).count == 1)
    // For another reason is another word, and recorded.
    again.rule = "JCP-03"
    guard case .recorded = try await store.record(again.record(exchange: held.exchange)) else {
      Issue.record("not recorded")
      return
    }
    #expect(try await store.leafCount() == entries + 1)
  }

  @Test func `holds are given page by page, so that none of them hides another`() async throws {
    let store = try await fixture.open()
    var ids: [ExchangeID] = []
    for number in 1...3 {
      let held = Message(number: number, event: "e\(number)", outcome: .held).record()
      _ = try await store.record(held)
      ids.append(held.exchange)
    }
    let later = Instant.start + .days(1)
    let first = try await store.heldDue(decidedBefore: later, limit: 2)
    #expect(first.map(\.exchange) == Array(ids.prefix(2)))
    let rest = try await store.heldDue(
      decidedBefore: later, after: try #require(first.last).place, limit: 2)
    #expect(rest.map(\.exchange) == [ids[2]])
  }

  @Test func `what was answered and never collected leaves the list in its time`() async throws {
    let store = try await fixture.open()
    let shared = Message().record()
    _ = try await store.record(shared)
    let id = try await store.exchange(shared.exchange.text).deliveries[0].id
    var answer = Message(number: 2, event: "e2", source: StoreFixture.probation, recipients: [])
    answer.answers = id
    _ = try await store.record(answer.record())
    #expect(try await store.mailboxPage(of: StoreFixture.probation, limit: 9).count == 1)
    let end = Instant.start + .days(60)
    #expect(try await store.deliveriesDue(before: end, limit: 9) == [id])
    #expect(try await store.deliveryClockReached(id, at: end) == [.removeFromMailbox])
    #expect(try await store.mailboxPage(of: StoreFixture.probation, limit: 9).count == 0)
    #expect(try await store.deliveriesDue(before: end, limit: 9).isEmpty)
    #expect(try await store.counts().deliveries == ["probation:durham": ["acknowledged": 1]])
  }

  @Test func `how an exchange stands is told by its id or a delivery's`() async throws {
    let store = try await fixture.open()
    let shared = Message().record()
    _ = try await store.record(shared)
    let delivery = try await store.exchange(shared.exchange.text).deliveries[0].id
    let standing = try await store.standing(of: String(shared.exchange.text.prefix(13)))
    #expect(standing.exchange == shared.exchange)
    #expect(standing.ending == .shared)
    #expect(!standing.isOnHold)
    #expect(standing.delivery == nil)
    let named = try await store.standing(of: delivery.text)
    #expect(named.exchange == shared.exchange)
    #expect(
      named.delivery == .init(id: delivery, party: StoreFixture.probation, state: .pending))
    await #expect(throws: StoreError.self) {
      _ = try await store.standing(of: ExchangeID.random().text)
    }
  }
}

extension Duration {
  fileprivate static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}
