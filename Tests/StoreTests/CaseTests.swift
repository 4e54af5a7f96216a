import Exchange
import Rules
import Testing

@testable import Store

@Suite struct CaseTests {
  let fixture: StoreFixture
  private let prisonNumber = StoreFixture.identifiers[0]
  private let pncID = StoreFixture.identifiers[1]

  init() throws { fixture = try StoreFixture() }

  private func registered(_ store: Store) async throws -> CaseID {
    let id = CaseID.random()
    _ = try await store.record(
      Message(
        facts: [FactChange(name: "level", value: 2)],
        subjectCase: .new(id, identifiers: StoreFixture.identifiers)
      ).record())
    return id
  }

  @Test func `two agreeing identifiers find the case, one does not suffice, none is nobody`()
    async throws
  {
    let store = try await fixture.open()
    let id = try await registered(store)
    let match = try await store.findCase(by: StoreFixture.identifiers)
    guard case .one(let snapshot) = match else {
      Issue.record("found \(match)")
      return
    }
    #expect(snapshot.id == id)
    #expect(snapshot.version == 1)
    #expect(snapshot.facts["level"] == 2)
    #expect(snapshot.facts.facts["level"]?.owner == StoreFixture.prison)
    #expect(try await store.findCase(by: [prisonNumber]) == .uncertain(id))
    // Twice the same one is not two.
    #expect(try await store.findCase(by: [prisonNumber, prisonNumber]) == .uncertain(id))
    #expect(
      try await store.findCase(by: [PersonIdentifier(kind: .crn, value: "X000001")]) == .none)
    #expect(try await store.findCase(by: []) == .none)
  }

  @Test func `an identifier is the same in lower case and with spaces`() async throws {
    let store = try await fixture.open()
    let id = try await registered(store)
    let spelled = [
      PersonIdentifier(kind: .prisonNumber, value: " a1234zz"),
      PersonIdentifier(kind: .pncId, value: "99/123456z"),
    ]
    guard case .one(let snapshot) = try await store.findCase(by: spelled) else {
      Issue.record("not found")
      return
    }
    #expect(snapshot.id == id)
  }

  @Test func `identifiers of two cases, or one that speaks against it, are a conflict`()
    async throws
  {
    let store = try await fixture.open()
    let first = try await registered(store)
    let second = CaseID.random()
    let crn = PersonIdentifier(kind: .crn, value: "X000002")
    let visor = PersonIdentifier(kind: .visorReference, value: "V2")
    _ = try await store.record(
      Message(
        number: 2, event: "e2", subjectCase: .new(second, identifiers: [crn, visor])
      ).record())
    #expect(try await store.findCase(by: [prisonNumber, crn]) == .conflict([first, second]))
    let otherPNC = PersonIdentifier(kind: .pncId, value: "00/1Z")
    #expect(try await store.findCase(by: [prisonNumber, otherPNC]) == .conflict([first]))
    // A kind that the case does not have speaks neither for nor against.
    let newCRN = PersonIdentifier(kind: .crn, value: "X000003")
    #expect(try await store.findCase(by: [prisonNumber, newCRN]) == .uncertain(first))
  }

  @Test func `a decision upon an earlier version writes nothing`() async throws {
    let store = try await fixture.open()
    let id = try await registered(store)
    let change = Message(
      number: 2, event: "e2", facts: [FactChange(name: "level", value: 3)],
      factTime: .start + .seconds(60),
      subjectCase: .existing(id, version: 1, newIdentifiers: []))
    #expect(try await store.record(change.record()) == .recorded(leaf: 2))
    #expect(try await store.subjectCase(id).version == 2)
    let late = Message(
      number: 3, event: "e3", facts: [FactChange(name: "level", value: 1)],
      subjectCase: .existing(id, version: 1, newIdentifiers: []))
    #expect(try await store.record(late.record()) == .stale)
    #expect(try await store.subjectCase(id).facts["level"] == 3)
    #expect(try await store.carrierMessage(StoreFixture.carrier(3)) == nil)
    #expect(try await store.leafCount() == 3)
  }

  @Test func `an older fact that arrives late is recorded and not applied`() async throws {
    let store = try await fixture.open()
    let id = try await registered(store)
    let older = Message(
      number: 2, event: "e2", facts: [FactChange(name: "level", value: 1)],
      factTime: .start - .seconds(60),
      subjectCase: .existing(id, version: 1, newIdentifiers: []))
    #expect(try await store.record(older.record()) == .recorded(leaf: 2))
    let snapshot = try await store.subjectCase(id)
    #expect(snapshot.facts["level"] == 2)
    #expect(snapshot.version == 1)
  }

  @Test func `a new identifier makes the case known by it and is a new version`() async throws {
    let store = try await fixture.open()
    let id = try await registered(store)
    let crn = PersonIdentifier(kind: .crn, value: "X000009")
    _ = try await store.record(
      Message(
        number: 2, event: "e2", subjectCase: .existing(id, version: 1, newIdentifiers: [crn])
      ).record())
    guard case .one(let snapshot) = try await store.findCase(by: [pncID, crn]) else {
      Issue.record("not found")
      return
    }
    #expect(snapshot.version == 2)
  }

  @Test func `registering somebody who is known by now is stale`() async throws {
    let store = try await fixture.open()
    _ = try await registered(store)
    let again = Message(
      number: 2, event: "e2", subjectCase: .new(.random(), identifiers: [prisonNumber]))
    #expect(try await store.record(again.record()) == .stale)
  }

  @Test func `each recipient knows a person by a reference of its own, always the same`()
    async throws
  {
    let store = try await fixture.open()
    let id = CaseID.random()
    let recipients = [StoreFixture.probation, StoreFixture.police]
    _ = try await store.record(
      Message(
        recipients: recipients, subjectCase: .new(id, identifiers: StoreFixture.identifiers)
      ).record())
    let forProbation = store.subjectReference(of: id, for: StoreFixture.probation)
    let forPolice = store.subjectReference(of: id, for: StoreFixture.police)
    #expect(forProbation != forPolice)
    #expect(forProbation == store.subjectReference(of: id, for: StoreFixture.probation))
    #expect(forProbation.text.count == 33)
    #expect(!forProbation.text.contains(id.text.prefix(8)))

    let found = try await store.caseOf(subject: forProbation, knownTo: StoreFixture.probation)
    #expect(found?.id == id)
    // Another party's reference, or one of a party that was told nothing, leads nowhere.
    #expect(try await store.caseOf(subject: forProbation, knownTo: StoreFixture.police) == nil)
    let forJobcentre = store.subjectReference(of: id, for: StoreFixture.jobcentre)
    #expect(try await store.caseOf(subject: forJobcentre, knownTo: StoreFixture.jobcentre) == nil)
  }

  @Test func `an answer finds what it answers, for its addressee alone`() async throws {
    let store = try await fixture.open()
    let id = DeliveryID.random()
    let caseID = CaseID.random()
    var message = Message(
      recipients: [StoreFixture.jobcentre],
      subjectCase: .new(caseID, identifiers: StoreFixture.identifiers))
    message.deliveries = [message.newDelivery(StoreFixture.jobcentre, id: id)]
    let record = message.record()
    _ = try await store.record(record)
    let found = try await store.answered(delivery: id, by: StoreFixture.jobcentre)
    #expect(found?.exchange == record.exchange)
    #expect(found?.type == StoreFixture.type("release-date.changed"))
    #expect(found?.sender == StoreFixture.prison)
    #expect(found?.event == StoreFixture.event("evt-1"))
    #expect(found?.caseID == caseID)
    #expect(try await store.answered(delivery: id, by: StoreFixture.police) == nil)
    #expect(try await store.answered(delivery: .random(), by: StoreFixture.jobcentre) == nil)
  }
}
