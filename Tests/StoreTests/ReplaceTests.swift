import Exchange
import Rules
import Testing

@testable import Store

/// A copy that may not be told any more, and the one that takes its place.
@Suite struct ReplaceTests {
  let fixture: StoreFixture
  private let reader = StoreFixture.probation
  private let due = Due.moment(.start + .seconds(86_400))

  init() throws { fixture = try StoreFixture() }

  private func delivered(_ store: Store) async throws -> (id: DeliveryID, HandoverInputs) {
    let id = DeliveryID.random()
    var message = Message(
      recipients: [reader], facts: [FactChange(name: "releaseArea", value: "durham")],
      subjectCase: .new(.random(), identifiers: StoreFixture.identifiers), answerDue: due)
    message.deliveries = [message.newDelivery(reader, id: id)]
    guard case .recorded = try await store.record(message.record()) else {
      throw StoreError.malformedRecord("test")
    }
    return (id, try #require(try await store.handoverInputs(of: id, party: reader)))
  }

  private func replacement(
    _ id: DeliveryID = .random(), for party: PartyID? = nil, fields: [String] = ["releaseDate"],
    due: Due? = .moment(.start + .seconds(86_400))
  ) -> Replacement {
    let message = Message(recipients: [party ?? reader], answerDue: due)
    let plain = message.newDelivery(party ?? reader, id: id, sealed: "a second copy")
    return Replacement(
      NewDelivery(
        delivery: plain.delivery, sealed: plain.sealed, collectDue: plain.collectDue,
        workflow: plain.workflow, releasedFields: fields), decision: message.decision)
  }

  private func replace(
    _ store: Store, _ id: DeliveryID, with new: Replacement?, _ inputs: HandoverInputs
  ) async throws -> ReplaceResult {
    try await store.replace(
      id, with: new, inputs: inputs, policy: StoreFixture.policy, reason: "AGR-01", at: .start)
  }

  @Test func `the new one lies in the same mailbox, and says by what it was made`() async throws {
    let store = try await fixture.open()
    let (id, inputs) = try await delivered(store)
    let second = DeliveryID.random()
    #expect(try await replace(store, id, with: replacement(second), inputs) == .done)
    #expect(try await store.mailboxPage(of: reader, limit: 10).items.map(\.id) == [second])
    let copy = try #require(try await store.delivery(second, party: reader))
    #expect(copy.bytes == Array("a second copy".utf8))
    #expect(copy.decidedBy == StoreFixture.policy && !copy.caseMoved)
    #expect(try await store.delivery(id, party: reader)?.bytes == [])
    // Of the exchange: its decision, its notification, its case.
    let after = try #require(try await store.handoverInputs(of: second, party: reader))
    #expect(after.exchange == inputs.exchange && after.notification == inputs.notification)
    #expect(after.decision == replacement().decision)
    #expect(after.subjectCase == inputs.subjectCase)
    // One entry says that the first ended, one that the second is there.
    #expect(try await store.leafCount() == 4)
    #expect(try await replace(store, id, with: replacement(), inputs) == .over)
  }

  @Test func `what was collected or answered meanwhile stays`() async throws {
    let store = try await fixture.open()
    let (id, inputs) = try await delivered(store)
    _ = try await store.recordCollected(id, party: reader, at: .start)
    for new in [replacement(), nil] {
      #expect(try await replace(store, id, with: new, inputs) == .delivered)
    }
    #expect(try await store.delivery(id, party: reader)?.delivery.state == .collected)
    #expect(try await store.leafCount() == 3)
  }

  @Test func `a case or rules that moved meanwhile are told, and nothing is written`() async throws
  {
    let store = try await fixture.open()
    let (id, inputs) = try await delivered(store)
    let known = try #require(inputs.subjectCase)
    let change = Message(
      number: 2, event: "evt-2", recipients: [], facts: [FactChange(name: "level", value: 2)],
      subjectCase: .existing(known.id, version: known.version, newIdentifiers: []))
    _ = try await store.record(change.record())
    #expect(try await store.delivery(id, party: reader)?.caseMoved == true)
    #expect(try await replace(store, id, with: replacement(), inputs) == .stale)
    let fresh = try #require(try await store.handoverInputs(of: id, party: reader))
    #expect(fresh.subjectCase?.version == known.version + 1)
    let other = StoreFixture.policy(StoreFixture.otherRulebook, StoreFixture.agreement)
    try await store.recordService(.policyChanged(other, departures: []), at: .start)
    #expect(try await replace(store, id, with: nil, fresh) == .stale)
    #expect(try await store.delivery(id, party: reader)?.delivery.state == .pending)
  }

  @Test func `no copy for somebody else, with more in it, or with another limit`() async throws {
    let store = try await fixture.open()
    let (id, inputs) = try await delivered(store)
    for wrong in [
      replacement(for: StoreFixture.police), replacement(fields: ["releaseDate", "name"]),
      replacement(due: nil),
    ] {
      await #expect(throws: StoreError.malformedRecord("replacement")) {
        _ = try await replace(store, id, with: wrong, inputs)
      }
    }
    #expect(try await store.delivery(id, party: reader)?.delivery.state == .pending)
  }

  @Test func `nobody asks about what is another's, and what is erased is not asked about`()
    async throws
  {
    let store = try await fixture.open()
    let (id, inputs) = try await delivered(store)
    #expect(try await store.handoverInputs(of: id, party: StoreFixture.police) == nil)
    let second = DeliveryID.random()
    _ = try await replace(store, id, with: replacement(second), inputs)
    _ = try await store.withdraw(second, reason: "RET-01", at: .start)
    try await store.erase(inputs.exchange, by: "officer", reason: "RET-01", at: .start)
    #expect(try await store.handoverInputs(of: second, party: reader) == nil)
    let rows = try await store.read { try $0.number("SELECT count(*) FROM replacement") }
    #expect(rows == 0)
  }
}
