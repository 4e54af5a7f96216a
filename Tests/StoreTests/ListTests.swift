import Exchange
import Rules
import Testing

@testable import Store

/// What operators list and follow.
@Suite struct ListTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  private func delivered(
    _ store: Store, _ number: Int, to parties: [PartyID], at moment: Instant
  ) async throws -> ExchangeID {
    let record = Message(
      number: number, event: "e\(number)", receivedAt: moment, recipients: parties
    ).record()
    _ = try await store.record(record)
    return record.exchange
  }

  @Test func `the queue's shape counts uncollected copies by recipient and age`() async throws {
    let store = try await fixture.open()
    let (probation, police) = (StoreFixture.probation, StoreFixture.police)
    let first = try await delivered(store, 1, to: [probation, police], at: .start)
    _ = try await delivered(store, 2, to: [probation], at: .start + .seconds(600))
    _ = try await delivered(store, 3, to: [probation], at: .start + .seconds(601))
    let limits = [Duration.seconds(300), .seconds(600)]
    // At 15 minutes after the first: ages of 900 s, 300 s and 299 s.
    let now = Instant.start + .seconds(900)
    let shape = try await store.queueShape(at: now, limits: limits)
    #expect(shape.map(\.party) == [probation, police])
    #expect(shape.map(\.buckets) == [[1, 1, 1], [0, 0, 1]])
    #expect(shape.map(\.total) == [3, 1])
    _ = try await store.hold(first, by: "uid 0", reason: "r", at: now)
    let held = try await store.queueShape(at: now, limits: limits)
    #expect(held.map(\.buckets) == shape.map(\.buckets))
    #expect(held.map(\.onHold) == [1, 1])
    let copy = try await store.exchange(first.text).deliveries[1]
    _ = try await store.recordCollected(copy.id, party: copy.party, at: now)
    #expect(try await store.queueShape(at: now, limits: limits).map(\.party) == [probation])
  }

  @Test func `copies are listed by state and recipient, newest first`() async throws {
    let store = try await fixture.open()
    let first = try await delivered(store, 1, to: [StoreFixture.probation], at: .start)
    let second = try await delivered(
      store, 2, to: [StoreFixture.probation, StoreFixture.police], at: .start)
    let all = try await store.deliveries(in: .pending, limit: 9)
    #expect(all.map(\.exchange) == [second, second, first])
    let ofPolice = try await store.deliveries(in: .pending, party: StoreFixture.police, limit: 9)
    #expect(ofPolice.map(\.party) == [StoreFixture.police])
    #expect(try await store.deliveries(in: .overdue, limit: 9).isEmpty)
    #expect(try await store.deliveries(in: .pending, limit: 1).map(\.exchange) == [second])
  }

  @Test func `deadlines that run are listed, the soonest and so the overdue first`() async throws {
    let store = try await fixture.open()
    for (number, days) in [(1, 5), (2, 1), (3, 3)] {
      let id = DeliveryID.random()
      let due = Due.moment(.start + .seconds(days * 86_400))
      var message = Message(number: number, event: "e\(number)")
      message.deliveries = [message.newDelivery(StoreFixture.probation, id: id)]
      message.deadlines = [
        NewDeadline(
          deadline: Deadline(
            kind: StoreFixture.type("mappa-j.acknowledged"), owedBy: StoreFixture.probation,
            owedTo: StoreFixture.prison,
            schedule: DeadlineSchedule(due: due, reminders: [], escalations: [])),
          delivery: id)
      ]
      _ = try await store.record(message.record())
    }
    let days = { (list: [RunningDeadline]) in
      list.map { ($0.limit.milliseconds - Instant.start.milliseconds) / 86_400_000 }
    }
    #expect(days(try await store.deadlinesRunning(limit: 9)) == [1, 3, 5])
    let first = try #require(try await store.deadlinesRunning(limit: 9).first)
    _ = try await store.recordDeadline(
      DeadlineChange(first.view.number, .clockReached), at: .start + .seconds(2 * 86_400))
    let after = try await store.deadlinesRunning(limit: 2)
    #expect(days(after) == [1, 3])
    #expect(after[0].view.deadline.state == .overdue)
    _ = try await store.hold(after[0].view.exchange, by: "uid 0", reason: "r", at: .start)
    #expect(try await store.deadlinesRunning(limit: 9).map(\.isOnHold) == [true, false, false])
    _ = try await store.recordDeadline(
      DeadlineChange(first.view.number, .met(at: .start)), at: .start)
    #expect(days(try await store.deadlinesRunning(limit: 9)) == [3, 5])
  }

  @Test func `what happened is told entry by entry, without content, reasons or who acted`()
    async throws
  {
    let store = try await fixture.open()
    let exchange = try await delivered(
      store, 1, to: [StoreFixture.probation], at: .start + .seconds(60))
    let copy = try await store.exchange(exchange.text).deliveries[0]
    _ = try await store.recordCollected(copy.id, party: copy.party, at: .start + .seconds(120))
    _ = try await store.withdraw(copy.id, reason: "ACC-02", at: .start + .seconds(180))
    let aside = ExchangeID.random()
    _ = try await store.record(
      IntakeRecord(
        exchange: aside, carrier: StoreFixture.carrier(9), receivedAt: .start, recordedAt: .start,
        original: [1], outcome: .setAside(code: "SEAL-004", sender: nil)))
    _ = try await store.discard(aside, by: "uid 0 (root)", reason: "words", at: .start)

    let events = try await store.events(from: 0, limit: 100)
    #expect(events.map(\.entry) == Array(0...5))
    #expect(
      events.map(\.event)
        == ["started", "decided", "collected", "withdrawn", "received", "discarded"])
    #expect(
      events.map(\.state) == [nil, "shared", "collected", "withdrawn", "set-aside", nil])
    #expect(events.map(\.code) == [nil, nil, nil, "ACC-02", "SEAL-004", "SEAL-004"])
    #expect(events[0].exchange == nil)
    #expect(events[1].sender == StoreFixture.prison)
    #expect(events[1].type?.text == "release-date.changed")
    #expect(events[1...3].map(\.recipients) == Array(repeating: [StoreFixture.probation], count: 3))
    #expect(events[2].delivery == copy.id)
    #expect(events[2].sender == StoreFixture.prison)
    #expect(!"\(events)".contains("words") && !"\(events)".contains("root"))
    #expect(try await store.events(from: 4, limit: 1) == [events[4]])
    #expect(try await store.events(of: exchange) == Array(events[1...3]))
  }

  @Test func `the first entry since a moment is found, and one past the last for later`()
    async throws
  {
    let store = try await fixture.open()
    for number in 1...5 {
      _ = try await delivered(
        store, number, to: [StoreFixture.probation], at: .start + .seconds(number * 60))
    }
    #expect(try await store.firstEntry(since: .start) == 0)
    #expect(try await store.firstEntry(since: .start + .seconds(61)) == 2)
    #expect(try await store.firstEntry(since: .start + .seconds(180)) == 3)
    #expect(try await store.firstEntry(since: .start + .seconds(301)) == 6)
  }

  @Test func `who sent what is listed is known from its signature`() async throws {
    let store = try await fixture.open()
    _ = try await store.record(Message(outcome: .held).record())
    let raw = try await store.keepRaw(
      StoreFixture.carrier(5), bytes: [1],
      submission: Submission(submittedBy: StoreFixture.police, localID: nil, workflow: nil),
      at: .start)
    let lines = try await store.exchanges(limit: 9)
    #expect(lines.map(\.party) == [StoreFixture.police, StoreFixture.prison])
    _ = try await store.hold(raw, by: "uid 0", reason: "r", at: .start)
    #expect(try await store.exchanges(state: "on-hold", limit: 9).map(\.exchange) == [raw])
  }
}
