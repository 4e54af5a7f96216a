import Exchange
import Ledger
import Rules
import Testing

@testable import Store

@Suite struct RecordTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  @Test func `one commit holds message, decision, copies, clock and entry`() async throws {
    let store = try await fixture.open()
    let id = DeliveryID.random()
    var message = Message(recipients: [StoreFixture.probation])
    message.deliveries = [message.newDelivery(StoreFixture.probation, id: id, sealed: "for them")]
    message.deadlines = [NewDeadline(deadline: DeadlineTests.owed(), delivery: id)]
    let record = message.record()
    let before = store.commitStatistics.commits
    #expect(try await store.record(record) == .recorded(leaf: 1))
    #expect(store.commitStatistics.commits == before + 1)

    let view = try await store.exchange(record.exchange.text)
    #expect(view.ending == .shared)
    #expect(view.notification == message.notification)
    #expect(view.verdict == message.verdict)
    #expect(view.decision == message.decision)
    #expect(view.sender == StoreFixture.prison)
    #expect(view.type == StoreFixture.type("release-date.changed"))
    #expect(view.deliveries.map(\.id) == [id])
    #expect(view.deliveries.map(\.state) == [.pending])
    #expect(view.deliveries.first?.delivery?.committedAt == .start)
    #expect(view.deadlines.map(\.delivery) == [id])
    #expect(view.leaves == [1])
    #expect(try await store.original(of: record.exchange) == record.original)
    let copy = try await store.delivery(id, party: StoreFixture.probation)
    #expect(copy?.bytes == Array("for them".utf8))
    #expect(copy?.source == StoreFixture.prison)
    #expect(copy?.workflow == "SALLYPORT_NOTICE")
    #expect(copy?.localID == "local")
  }

  @Test func `the entry names no party, type or field, and commits to the detail that does`()
    async throws
  {
    let store = try await fixture.open()
    let record = Message(facts: [FactChange(name: "releaseDate", value: "2026-03-06")]).record()
    _ = try await store.record(record)
    let opened = try await store.detail(of: 1)
    let text = String(decoding: opened.entry, as: UTF8.self)
    #expect(text.contains(record.exchange.text))
    #expect(text.contains(#""class":"message""#))
    #expect(text.contains(#""rulebook":"\#(StoreFixture.rulebook)""#))
    for secret in ["prison", "probation", "release", "JCP"] { #expect(!text.contains(secret)) }

    let detail = try #require(opened.detail)
    let key = try CommitmentKey(try #require(opened.commitmentKey))
    try LedgerEntry(opened.entry).commitment.check(detail, key: key)
    let json = try JSONValue.parse(detail)
    #expect(json["event"] == "decided")
    #expect(json["decision"]?["sender"] == "prison:durham")
    #expect(json["deliveries"]?.array?.first?["fields"] == ["releaseDate"])
    #expect(json["decision"]?["facts"] == ["releaseDate"])
    #expect(!String(decoding: detail, as: UTF8.self).contains("2026-03-06"))
  }

  @Test func `the same carrier message a second time changes nothing`() async throws {
    let store = try await fixture.open()
    let first = Message().record()
    _ = try await store.record(first)
    let again = Message().record()
    #expect(try await store.record(again) == .duplicate(of: first.exchange))
    #expect(try await store.record(first) == .duplicate(of: first.exchange))
    #expect(try await store.leafCount() == 2)
    #expect(try await store.counts().deliveries == ["probation:durham": ["pending": 1]])
  }

  @Test func `the same notification under another carrier id has no second effect`() async throws {
    let store = try await fixture.open()
    let first = Message().record()
    _ = try await store.record(first)
    let again = Message(number: 2).record()
    #expect(try await store.record(again) == .duplicate(of: first.exchange))
    let view = try await store.exchange(again.exchange.text)
    #expect(view.ending == .duplicate)
    #expect(view.first == first.exchange)
    #expect(view.deliveries.isEmpty)
    #expect(view.leaves == [2])
    #expect(try await store.counts().deliveries == ["probation:durham": ["pending": 1]])
  }

  @Test func `a repeat that was seen before the commit is recorded as one`() async throws {
    let store = try await fixture.open()
    let first = Message().record()
    _ = try await store.record(first)
    let again = IntakeRecord(
      exchange: .random(), carrier: StoreFixture.carrier(2), receivedAt: .start,
      recordedAt: .start, original: [1],
      outcome: .duplicate(of: first.exchange, sender: StoreFixture.prison))
    #expect(try await store.record(again) == .recorded(leaf: 2))
    let view = try await store.exchange(again.exchange.text)
    #expect(view.first == first.exchange)
    #expect(view.sender == StoreFixture.prison)
  }

  @Test func `the same id with other content is set aside by the same commit and the first stands`()
    async throws
  {
    let store = try await fixture.open()
    let first = Message().record()
    _ = try await store.record(first)
    let other = Message(number: 2, marker: "2026-04-01", content: 8).record()
    #expect(try await store.record(other) == .conflict(with: first.exchange, leaf: 2))
    let view = try await store.exchange(other.exchange.text)
    #expect(view.ending == .setAside(code: "INTK-001"))
    #expect(view.first == first.exchange)
    #expect(view.sender == StoreFixture.prison)
    #expect(view.deliveries.isEmpty)
    #expect(try await store.original(of: other.exchange) == Array("original 2026-04-01".utf8))
    #expect(
      try await store.exchange(first.exchange.text).notification?.data["releaseDate"]
        == "2026-03-06")
  }

  @Test func `two senders may use the same id`() async throws {
    let store = try await fixture.open()
    _ = try await store.record(Message().record())
    let other = Message(number: 2, source: StoreFixture.police).record()
    #expect(try await store.record(other) == .recorded(leaf: 2))
  }

  @Test func `a decision by rules that are no longer in force is stale`() async throws {
    let store = try await fixture.open()
    try await store.recordService(
      .policyChanged(
        StoreFixture.policy(StoreFixture.otherRulebook, StoreFixture.agreement), departures: []),
      at: .start)
    let record = Message().record()
    #expect(try await store.record(record) == .stale)
    #expect(try await store.carrierMessage(record.carrier) == nil)
    #expect(try await store.leafCount() == 2)
    #expect(
      try await store.record(Message(rulebook: StoreFixture.otherRulebook).record())
        == .recorded(leaf: 2))
  }

  @Test func `nothing is recorded before any rules are in force`() async throws {
    let store = try fixture.openPlain()
    await #expect(throws: StoreError.policyUnknown) {
      _ = try await store.record(Message().record())
    }
  }

  @Test func `a copy for somebody whom the decision does not name is refused`() async throws {
    let store = try await fixture.open()
    var message = Message()
    message.deliveries = [message.newDelivery(StoreFixture.jobcentre)]
    await #expect(throws: StoreError.malformedRecord("recipient")) {
      _ = try await store.record(message.record())
    }
    #expect(try await store.leafCount() == 1)
  }

  @Test(arguments: [Decision.Outcome.held, .refused])
  func `a copy without permission is refused`(outcome: Decision.Outcome) async throws {
    let store = try await fixture.open()
    var message = Message(outcome: outcome)
    message.deliveries = [message.newDelivery(StoreFixture.probation)]
    await #expect(throws: StoreError.malformedRecord("not shared")) {
      _ = try await store.record(message.record())
    }
  }

  @Test func `a decision about another sender's words is refused`() async throws {
    let store = try await fixture.open()
    let message = Message()
    let record = IntakeRecord(
      exchange: .random(), carrier: StoreFixture.carrier(1), receivedAt: .start,
      recordedAt: .start, original: [],
      outcome: .decided(
        DecidedRecord(
          notification: message.notification, verdict: message.verdict,
          decision: Message(source: StoreFixture.police).decision, subjectCase: .none)))
    await #expect(throws: StoreError.malformedRecord("sender")) {
      _ = try await store.record(record)
    }
  }

  @Test func `counts follow every state without counting anew`() async throws {
    let store = try await fixture.open()
    let id = DeliveryID.random()
    var message = Message()
    message.deliveries = [message.newDelivery(StoreFixture.probation, id: id)]
    _ = try await store.record(message.record())
    _ = try await store.record(Message(number: 2, event: "e2", outcome: .refused).record())
    _ = try await store.recordCollected(id, party: StoreFixture.probation, at: .start)
    let counts = try await store.counts()
    #expect(counts.exchanges == ["durham": ["shared": 1, "refused": 1]])
    #expect(counts.deliveries == ["probation:durham": ["collected": 1]])
    #expect(counts.leaves == 4)
  }

  @Test func `an exchange is found by its beginning or by a delivery's`() async throws {
    let store = try await fixture.open()
    let exchange = try #require(ExchangeID("aaaaaaaa-0000-4000-8000-000000000001"))
    let other = try #require(ExchangeID("aaaaaaaa-0000-4000-8000-000000000002"))
    let id = try #require(DeliveryID("bbbbbbbb-0000-4000-8000-000000000001"))
    var message = Message()
    message.deliveries = [message.newDelivery(StoreFixture.probation, id: id)]
    _ = try await store.record(message.record(exchange: exchange))
    #expect(try await store.exchange("aaaa").exchange == exchange)
    #expect(try await store.exchange("bbbb").exchange == exchange)
    #expect(try await store.exchange(id.text).exchange == exchange)
    _ = try await store.record(Message(number: 2, event: "e2").record(exchange: other))
    await #expect(throws: StoreError.ambiguous(prefix: "aaaa")) {
      _ = try await store.exchange("aaaa")
    }
    #expect(try await store.exchange(other.text).exchange == other)
    for nothing in ["x", "", "%"] {
      await #expect(throws: StoreError.unknown("exchange \(nothing)")) {
        _ = try await store.exchange(nothing)
      }
    }
  }

  @Test func `exchanges are listed newest first and by state`() async throws {
    let store = try await fixture.open()
    for number in 1...4 {
      let outcome: Decision.Outcome = number == 3 ? .held : .shared
      _ = try await store.record(
        Message(
          number: number, event: "e\(number)", receivedAt: .start + .seconds(number),
          outcome: outcome
        ).record())
    }
    let lines = try await store.exchanges(limit: 3)
    #expect(lines.map(\.receivedAt) == [4, 3, 2].map { .start + .seconds($0) })
    #expect(try await store.exchanges(before: lines.last?.place, limit: 3).count == 1)
    #expect(try await store.exchanges(since: .start + .seconds(3), limit: 9).count == 2)
    #expect(try await store.exchanges(state: "held", limit: 9).map(\.place) == [3])
  }
}
