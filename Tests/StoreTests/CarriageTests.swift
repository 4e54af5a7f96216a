import Exchange
import Testing

@testable import Store

@Suite struct CarriageTests {
  let fixture: StoreFixture
  private let reader = StoreFixture.probation

  init() throws { fixture = try StoreFixture() }

  private func message(_ text: String) throws -> CarrierMessageID {
    try #require(CarrierMessageID(text))
  }

  /// One notification to one party; the delivery's id.
  private func delivered(
    _ store: Store, _ number: Int = 1, to party: PartyID? = nil
  ) async throws -> DeliveryID {
    let id = DeliveryID.random()
    let party = party ?? reader
    var message = Message(number: number, event: "evt-\(number)", recipients: [party])
    message.deliveries = [message.newDelivery(party, id: id)]
    _ = try await store.record(message.record())
    return id
  }

  private func due(_ store: Store, at now: Instant = .start) async throws -> [DeliveryID] {
    try await store.carriagesDue(by: "national", before: now, limit: 10).map(\.delivery)
  }

  @Test func `what waits for a party goes to its carrier once, and nobody else's does`()
    async throws
  {
    let store = try await fixture.open()
    let ids = [try await delivered(store, 1), try await delivered(store, 2)]
    _ = try await delivered(store, 3, to: StoreFixture.police)
    #expect(try await store.enrol([reader], with: "national"))
    #expect(try await store.enrol([reader], with: "national") == false)
    #expect(try await due(store) == ids)
    #expect(try await store.carriagesDue(by: "other", before: .start, limit: 10).isEmpty)
    #expect(try await store.counts().carriages == ["national": ["queued": 2]])
  }

  @Test func `each step of the way is kept, with its entry in the ledger, over a restart`()
    async throws
  {
    var store = try await fixture.open()
    let id = try await delivered(store)
    try await store.enrol([reader], with: "national")
    let later = Instant.start + .seconds(60)
    let leaves = try await store.leafCount()
    #expect(try await store.carried(id, .began, next: later, at: .start) == .post)
    // It is not for others to collect any more, and not looked at before its time.
    #expect(try await store.mailboxPage(of: reader, limit: 10).items.isEmpty)
    #expect(try await due(store).isEmpty)
    store = try await fixture.image().open()
    #expect(try await due(store, at: later) == [id])
    #expect(try await store.carried(id, .began, next: later, at: later) == .lookUp)
    let sent = try message("C1")
    #expect(try await store.carried(id, .sent(sent), next: later, at: later) == .recordSent)
    #expect(try await store.counts().carriages["national"]?["sent"] == 1)
    #expect(
      try await store.carried(id, .returned(sent, code: "MESH-032"), next: later, at: later)
        == .sendAgain)
    #expect(
      try await store.carried(id, .returned(sent, code: "MESH-032"), next: later, at: later)
        == .none)
    // Began, sent, returned; and that the store was opened anew.
    #expect(try await store.leafCount() == leaves + 4)
  }

  @Test func `is found by the carrier's id, by our own, and not at another carrier`() async throws {
    let store = try await fixture.open()
    let id = try await delivered(store)
    try await store.enrol([reader], with: "national")
    _ = try await store.carried(id, .began, next: .start, at: .start)
    _ = try await store.carried(id, .sent(message("C1")), next: .start, at: .start)
    let other = try message("C2")
    for (carrier, message, localID, found) in [
      ("national", try message("C1"), nil, true), ("national", other, id.text, true),
      ("national", nil, id.text, true), ("national", other, "not ours", false),
      ("other", try message("C1"), id.text, false), ("national", nil, nil, false),
    ] as [(String, CarrierMessageID?, String?, Bool)] {
      let delivery = try await store.delivery(
        carriedBy: carrier, message: message, localID: localID)
      #expect(delivery == (found ? id : nil))
    }
  }

  @Test func `what was collected, withdrawn or erased is looked at no more`() async throws {
    let store = try await fixture.open()
    var ids: [DeliveryID] = []
    for number in 1...3 { ids.append(try await delivered(store, number)) }
    try await store.enrol([reader], with: "national")
    _ = try await store.carried(ids[0], .began, next: .start, at: .start)
    _ = try await store.carried(ids[0], .sent(message("C1")), next: .start, at: .start)
    _ = try await store.recordCollected(ids[0], party: reader, at: .start)
    _ = try await store.withdraw(ids[1], reason: "ACC-02", at: .start)
    try await store.carriageWaits(ids[2], until: nil)
    #expect(try await due(store).isEmpty)
    #expect(try await store.counts().carriages == ["national": ["done": 3]])
  }

  @Test func `what has left is not replaced by another copy: it counts as delivered`() async throws
  {
    let store = try await fixture.open()
    let id = try await delivered(store)
    try await store.enrol([reader], with: "national")
    let inputs = try #require(try await store.handoverInputs(of: id, party: reader))
    _ = try await store.carried(id, .began, next: .start, at: .start)
    let result = try await store.replace(
      id, with: nil, inputs: inputs, policy: StoreFixture.policy, reason: "ACC-02", at: .start)
    #expect(result == .delivered)
  }

  @Test func `a delivery that is with no carrier has no way to tell of`() async throws {
    let store = try await fixture.open()
    let id = try await delivered(store)
    await #expect(throws: StoreError.unknown("carriage of \(id)")) {
      try await store.carried(id, .began, next: .start, at: .start)
    }
  }
}
