import Exchange
import Testing

@testable import Store

@Suite struct DeadlineTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  /// An answer of the Jobcentre, due 5 hours after the start, reminded after 4, escalated after 6.
  static func owed() -> Deadline {
    Deadline(
      kind: StoreFixture.type("mappa-j.acknowledged"), owedBy: StoreFixture.jobcentre,
      owedTo: StoreFixture.probation, schedule: schedule(from: .start))
  }

  static func schedule(from moment: Instant) -> DeadlineSchedule {
    DeadlineSchedule(
      due: .moment(moment + .seconds(5 * 3600)), reminders: [moment + .seconds(4 * 3600)],
      escalations: [moment + .seconds(6 * 3600)])
  }

  private func hour(_ count: Int) -> Instant { .start + .seconds(count * 3600) }

  private func running(
    _ store: Store, caseID: CaseID = .random()
  ) async throws -> (DeadlineNumber, DeliveryID, ExchangeID) {
    let id = DeliveryID.random()
    var message = Message(
      recipients: [StoreFixture.jobcentre],
      subjectCase: .new(caseID, identifiers: StoreFixture.identifiers),
      answerDue: .moment(.start + .seconds(5 * 3600)))
    message.deliveries = [message.newDelivery(StoreFixture.jobcentre, id: id)]
    message.deadlines = [NewDeadline(deadline: DeadlineTests.owed(), delivery: id)]
    let record = message.record()
    _ = try await store.record(record)
    let number = try #require(
      try await store.exchange(record.exchange.text).deadlines.first?.number)
    return (number, id, record.exchange)
  }

  @Test func `a deadline reminds, runs over and escalates, each once and each in the ledger`()
    async throws
  {
    let store = try await fixture.open()
    let (number, delivery, exchange) = try await running(store)
    #expect(try await store.deadlinesOpen(dueBefore: hour(3), limit: 10).isEmpty)
    let open = try await store.deadlinesOpen(dueBefore: hour(4), limit: 10)
    #expect(open.map(\.number) == [number])
    #expect(open.first?.delivery == delivery)
    #expect(open.first?.exchange == exchange)

    let clock = DeadlineChange(number, .clockReached)
    #expect(try await store.recordDeadline(clock, at: hour(4)) == [.remind])
    #expect(try await store.recordDeadline(clock, at: hour(4)) == [])
    #expect(try await store.deadlinesOpen(dueBefore: hour(4), limit: 10).isEmpty)
    #expect(try await store.recordDeadline(clock, at: hour(5)) == [.recordOverdue])
    #expect(try await store.recordDeadline(clock, at: hour(6)) == [.escalate(step: 1)])
    #expect(try await store.deadlinesOpen(dueBefore: hour(99), limit: 10).isEmpty)
    #expect(try await store.leafCount() == 5)
    #expect(try await store.counts().deadlines == ["jobcentre:durham": ["escalated": 1]])

    let detail = try #require(try await store.detail(of: 4).detail)
    let json = try JSONValue.parse(detail)
    #expect(json["state"] == "escalated")
    #expect(json["owedBy"] == "jobcentre:durham")
    let entry = String(decoding: try await store.detail(of: 4).entry, as: UTF8.self)
    #expect(entry.contains(#""class":"deadline""#) && !entry.contains("jobcentre"))
  }

  @Test func `an answer meets the deadline of the delivery it answers`() async throws {
    let store = try await fixture.open()
    let (number, delivery, exchange) = try await running(store)
    let answer = Message(
      number: 2, event: "answer", source: StoreFixture.jobcentre, type: "mappa-j.acknowledged",
      receivedAt: hour(1), recipients: [StoreFixture.prison], answers: delivery)
    _ = try await store.record(answer.record(at: hour(9)))
    let view = try await store.exchange(exchange.text)
    #expect(view.deadlines.map(\.number) == [number])
    #expect(view.deadlines.first?.deadline.state == .met)
    #expect(view.deadlines.first?.deadline.metAt == hour(1))
    #expect(view.deliveries.map(\.state) == [.acknowledged])
    #expect(try await store.deadlinesOpen(dueBefore: hour(99), limit: 10).isEmpty)
  }

  @Test func `withdrawing a delivery withdraws what is owed for it`() async throws {
    let store = try await fixture.open()
    let (_, delivery, exchange) = try await running(store)
    _ = try await store.withdraw(delivery, reason: "JCP-09", at: hour(1))
    let deadline = try await store.exchange(exchange.text).deadlines.first?.deadline
    #expect(deadline?.state == .withdrawn)
    #expect(deadline?.withdrawalReason == "JCP-09")
  }

  @Test func `a changed date moves the clocks of the case in the same commit`() async throws {
    let store = try await fixture.open()
    let id = CaseID.random()
    let (number, _, _) = try await running(store, caseID: id)
    #expect(try await store.deadlines(of: id, limit: 10).map(\.number) == [number])
    let later = DeadlineTests.schedule(from: hour(10))
    let moved = Message(
      number: 2, event: "evt-2", subjectCase: .existing(id, version: 1, newIdentifiers: []),
      changes: [DeadlineChange(number, .moved(to: later))])
    _ = try await store.record(moved.record())
    #expect(try await store.deadlinesOpen(dueBefore: hour(13), limit: 10).isEmpty)
    #expect(try await store.deadlinesOpen(dueBefore: hour(14), limit: 10).map(\.number) == [number])
    _ = try await store.recordDeadline(
      DeadlineChange(number, .withdrawn(reason: "R")), at: hour(11))
    #expect(try await store.deadlines(of: id, limit: 10).isEmpty)
  }

  @Test func `a record that changes an unknown deadline writes nothing`() async throws {
    let store = try await fixture.open()
    let message = Message(changes: [DeadlineChange(DeadlineNumber(77), .met(at: .start))])
    await #expect(throws: StoreError.unknown("deadline 77")) {
      _ = try await store.record(message.record())
    }
    #expect(try await store.leafCount() == 1)
    #expect(try await store.counts().deliveries == [:])
  }
}
