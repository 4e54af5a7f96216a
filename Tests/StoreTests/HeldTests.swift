import Exchange
import Rules
import Testing

@testable import Store

@Suite struct HeldTests {
  let fixture: StoreFixture
  private let early = Instant(milliseconds: 0)

  init() throws { fixture = try StoreFixture() }

  @Test func `a held exchange keeps all that is needed to decide it again`() async throws {
    let store = try await fixture.open()
    let message = Message(outcome: .held, rule: "JCP-03")
    let record = message.record()
    _ = try await store.record(record)
    #expect(try await store.held(decidedBefore: early, limit: 10).isEmpty)
    let held = try await store.held(decidedBefore: .start + .seconds(1), limit: 10)
    #expect(held.map(\.exchange) == [record.exchange])
    #expect(held.first?.code == "JCP-03")
    #expect(held.first?.notification == message.notification)
    #expect(held.first?.verdict == message.verdict)
    #expect(held.first?.confirmations == [])

    var released = message
    released.outcome = .shared
    released.supersedesHeld = true
    #expect(
      try await store.record(released.record(exchange: record.exchange)) == .recorded(leaf: 2))
    let view = try await store.exchange(record.exchange.text)
    #expect(view.ending == .shared)
    #expect(view.deliveries.count == 1)
    #expect(view.leaves == [1, 2])
    #expect(try await store.held(decidedBefore: .start + .seconds(9), limit: 10).isEmpty)
    // The other worker that decided it again comes too late.
    #expect(
      try await store.record(released.record(exchange: record.exchange))
        == .duplicate(of: record.exchange))
    #expect(try await store.counts().deliveries == ["probation:durham": ["pending": 1]])
  }

  @Test func `without saying so nobody writes over a hold`() async throws {
    let store = try await fixture.open()
    let record = Message(outcome: .held).record()
    _ = try await store.record(record)
    #expect(
      try await store.record(Message().record(exchange: record.exchange))
        == .duplicate(of: record.exchange))
    #expect(try await store.exchange(record.exchange.text).ending == .held(code: "JCP-02"))
  }

  @Test func `a hold comes up when its case moves`() async throws {
    let store = try await fixture.open()
    let id = CaseID.random()
    _ = try await store.record(
      Message(subjectCase: .new(id, identifiers: StoreFixture.identifiers)).record())
    let held = Message(
      number: 2, event: "e2", outcome: .held,
      subjectCase: .existing(id, version: 1, newIdentifiers: [])
    ).record()
    _ = try await store.record(held)
    #expect(try await store.held(decidedBefore: early, limit: 10).isEmpty)
    _ = try await store.record(
      Message(
        number: 3, event: "e3", facts: [FactChange(name: "level", value: 3)],
        subjectCase: .existing(id, version: 1, newIdentifiers: [])
      ).record())
    let up = try await store.held(decidedBefore: early, limit: 10)
    #expect(up.map(\.exchange) == [held.exchange])
    #expect(up.first?.caseID == id)
  }

  @Test func `a hold comes up when the rules move`() async throws {
    let store = try await fixture.open()
    let held = Message(outcome: .held).record()
    _ = try await store.record(held)
    try await store.recordService(
      .policyChanged(
        StoreFixture.policy(StoreFixture.otherRulebook, StoreFixture.agreement), departures: ["D"]),
      at: .start)
    let up = try await store.held(decidedBefore: early, limit: 10)
    #expect(up.map(\.exchange) == [held.exchange])
  }

  private func unknownPerson() -> IntakeRecord {
    let message = Message()
    return IntakeRecord(
      exchange: .random(), carrier: StoreFixture.carrier(1), receivedAt: .start,
      recordedAt: .start, original: [1, 2],
      outcome: .held(
        code: "INTK-004",
        HeldRecord(
          notification: message.notification, verdict: message.verdict,
          identifiers: StoreFixture.identifiers)))
  }

  @Test
  func `a hold for an unknown person comes up when somebody is registered by its identifiers`()
    async throws
  {
    let store = try await fixture.open()
    let held = unknownPerson()
    #expect(try await store.record(held) == .recorded(leaf: 1))
    #expect(try await store.exchange(held.exchange.text).ending == .held(code: "INTK-004"))
    let other = [
      PersonIdentifier(kind: .crn, value: "X1"), PersonIdentifier(kind: .pncId, value: "1/1A"),
    ]
    _ = try await store.record(
      Message(number: 2, event: "e2", subjectCase: .new(.random(), identifiers: other)).record())
    #expect(try await store.held(decidedBefore: early, limit: 10).isEmpty)
    _ = try await store.record(
      Message(
        number: 3, event: "e3", subjectCase: .new(.random(), identifiers: StoreFixture.identifiers)
      ).record())
    let up = try await store.held(decidedBefore: early, limit: 10)
    #expect(up.map(\.exchange) == [held.exchange])
  }

  @Test func `holding for an unknown person is stale when the person is known by now`() async throws
  {
    let store = try await fixture.open()
    _ = try await store.record(
      Message(
        number: 3, event: "e3", subjectCase: .new(.random(), identifiers: StoreFixture.identifiers)
      ).record())
    let held = unknownPerson()
    #expect(try await store.record(held) == .stale)
    #expect(try await store.carrierMessage(held.carrier) == nil)
  }

  @Test func `a confirmation brings a hold up with the rule that was confirmed`() async throws {
    let store = try await fixture.open()
    let held = Message(outcome: .held).record()
    _ = try await store.record(held)
    try await store.confirm(
      held.exchange, rule: "FREE-01", by: "officer-1", reason: "read", at: .start)
    try await store.confirm(
      held.exchange, rule: "DIS-02", by: "officer-2", reason: "discussed", at: .start)
    let up = try await store.held(decidedBefore: early, limit: 10)
    #expect(up.first?.confirmations == ["FREE-01", "DIS-02"])
    #expect(try await store.heldExchange(held.exchange).confirmations == ["FREE-01", "DIS-02"])
    #expect(try await store.leafCount() == 4)
    await #expect(throws: StoreError.self) {
      try await store.confirm(
        .random(), rule: "FREE-01", by: "officer-1", reason: "read", at: .start)
    }
  }

  @Test func `what is not held cannot be confirmed`() async throws {
    let store = try await fixture.open()
    let shared = Message().record()
    _ = try await store.record(shared)
    await #expect(throws: StoreError.notFinished(shared.exchange)) {
      try await store.confirm(
        shared.exchange, rule: "FREE-01", by: "officer-1", reason: "read", at: .start)
    }
    await #expect(throws: StoreError.notFinished(shared.exchange)) {
      _ = try await store.heldExchange(shared.exchange)
    }
  }
}

extension Store {
  /// What is due to be decided again, each with all that it takes.
  func held(decidedBefore moment: Instant, limit: Int) async throws -> [HeldExchange] {
    var list: [HeldExchange] = []
    for due in try await heldDue(decidedBefore: moment, limit: limit) {
      list.append(try await heldExchange(due.exchange))
    }
    return list
  }
}
