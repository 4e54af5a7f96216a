import Exchange
import Testing

@testable import Store

@Suite struct MailboxTests {
  let fixture: StoreFixture
  private let reader = StoreFixture.probation

  init() throws { fixture = try StoreFixture() }

  /// Records so many notifications to one party; answers the delivery ids in order.
  private func delivered(_ store: Store, _ count: Int, due: Due? = nil) async throws -> [DeliveryID]
  {
    var ids: [DeliveryID] = []
    for number in 1...count {
      let id = DeliveryID.random()
      var message = Message(
        number: number, event: "evt-\(number)", recipients: [reader], answerDue: due)
      message.deliveries = [message.newDelivery(reader, id: id, sealed: "copy \(number)")]
      _ = try await store.record(message.record())
      ids.append(id)
    }
    return ids
  }

  @Test func `a mailbox is listed oldest first, page by page, by places of its own`() async throws {
    let store = try await fixture.open()
    let ids = try await delivered(store, 5)
    let first = try await store.mailboxPage(of: reader, limit: 2)
    #expect(first.items.map(\.id) == Array(ids[0..<2]))
    #expect(first.items.map(\.place) == [1, 2])
    #expect(first.next == 2)
    #expect(first.count == 5)
    let rest = try await store.mailboxPage(of: reader, after: 2, limit: 10)
    #expect(rest.items.map(\.id) == Array(ids[2...]))
    #expect(rest.next == nil)
    #expect(try await store.mailboxPage(of: StoreFixture.police, limit: 10).items.isEmpty)
    #expect(try await store.mailboxPlace(of: ids[3], party: reader) == 4)
    #expect(try await store.mailboxPlace(of: ids[3], party: StoreFixture.police) == nil)
  }

  @Test func `a list can be of some workflows alone`() async throws {
    let store = try await fixture.open()
    _ = try await delivered(store, 2)
    let notices = try await store.mailboxPage(
      of: reader, limit: 10, workflows: ["SALLYPORT_NOTICE"])
    #expect(notices.items.count == 2)
    let receipts = try await store.mailboxPage(
      of: reader, limit: 10, workflows: ["SALLYPORT_NOTICE_ACK"])
    #expect(receipts.items.isEmpty)
    #expect(receipts.count == 2)
    #expect(try await store.mailboxPage(of: reader, limit: 10, workflows: []).items.isEmpty)
  }

  @Test func `collected once, it leaves the list, is in the ledger, and can be read again`()
    async throws
  {
    let store = try await fixture.open()
    let ids = try await delivered(store, 2)
    #expect(
      try await store.recordCollected(ids[0], party: reader, at: .start)
        == .recordCollection(late: false))
    #expect(
      try await store.recordCollected(ids[0], party: reader, at: .start) == Delivery.Action.none)
    #expect(try await store.leafCount() == 4)
    #expect(try await store.mailboxPage(of: reader, limit: 10).items.map(\.id) == [ids[1]])
    let copy = try await store.delivery(ids[0], party: reader)
    #expect(copy?.delivery.state == .collected)
    #expect(copy?.delivery.collectedAt == .start)
    #expect(copy?.bytes == Array("copy 1".utf8))
    // A cursor behind a collected one stays good.
    #expect(try await store.mailboxPage(of: reader, after: 1, limit: 10).items.count == 1)
  }

  @Test func `nobody collects or reads what is another's`() async throws {
    let store = try await fixture.open()
    let id = try await delivered(store, 1)[0]
    #expect(try await store.delivery(id, party: StoreFixture.police) == nil)
    #expect(try await store.recordCollected(id, party: StoreFixture.police, at: .start) == nil)
    #expect(try await store.delivery(id, party: reader)?.delivery.state == .pending)
  }

  @Test func `what is withdrawn is gone from the list and its bytes from the store`() async throws {
    let store = try await fixture.open()
    let id = try await delivered(store, 1)[0]
    #expect(
      try await store.withdraw(id, reason: "JCP-09", at: .start) == .removeFromMailbox)
    let copy = try #require(try await store.delivery(id, party: reader))
    #expect(copy.bytes.isEmpty)
    #expect(copy.delivery.handover(at: .start) == .gone)
    #expect(copy.delivery.withdrawalReason == "JCP-09")
    #expect(try await store.mailboxPage(of: reader, limit: 10).items.isEmpty)
    #expect(try await store.withdraw(id, reason: "again", at: .start) == Delivery.Action.none)
    #expect(
      try await store.recordCollected(id, party: reader, at: .start) == .alarmCollectedAfterEnd)
  }

  @Test func `a successor takes the place of an earlier delivery`() async throws {
    let store = try await fixture.open()
    let ids = try await delivered(store, 2)
    #expect(
      try await store.supersede(ids[0], by: ids[1], at: .start) == .removeFromMailbox)
    #expect(
      try await store.delivery(ids[0], party: reader)?.delivery.successor == ids[1])
  }

  @Test func `the clock of an uncollected delivery alarms, then expires, each once`() async throws {
    let store = try await fixture.open()
    let id = try await delivered(store, 1)[0]
    #expect(try await store.deliveriesDue(before: .start, limit: 10).isEmpty)
    let dayAfter = Instant.start + .seconds(86_400)
    #expect(try await store.deliveriesDue(before: dayAfter, limit: 10) == [id])
    #expect(try await store.deliveryClockReached(id, at: dayAfter) == [.alarmUncollected])
    #expect(try await store.deliveryClockReached(id, at: dayAfter) == [])
    #expect(try await store.deliveriesDue(before: dayAfter, limit: 10).isEmpty)
    let end = Instant.start + .seconds(60 * 86_400)
    #expect(try await store.deliveryClockReached(id, at: end) == [.recordExpiry])
    #expect(try await store.delivery(id, party: reader)?.bytes == [])
    #expect(try await store.counts().deliveries == ["probation:durham": ["expired": 1]])
    await #expect(throws: StoreError.self) {
      _ = try await store.deliveryClockReached(.random(), at: end)
    }
  }

  @Test func `an answer acknowledges the delivery from when it lay with us`() async throws {
    let store = try await fixture.open()
    let limit = Instant.start + .seconds(3600)
    let id = try await delivered(store, 1, due: .moment(limit))[0]
    // Overdue by the time it is read, and in time by the time it came.
    let overdue = limit + .seconds(60)
    #expect(try await store.deliveryClockReached(id, at: overdue) == [.recordOverdue])
    let answer = Message(
      number: 50, event: "answer-1", source: reader, type: "release-date.acknowledged",
      receivedAt: limit - .seconds(1), recipients: [StoreFixture.prison], answers: id)
    #expect(try await store.record(answer.record(at: overdue)) == .recorded(leaf: 3))
    let delivery = try #require(try await store.delivery(id, party: reader)?.delivery)
    #expect(delivery.state == .acknowledged)
    #expect(delivery.answer == StoreFixture.event("answer-1"))
    #expect(!delivery.wasAnsweredLate)
  }

  @Test func `only the addressee can answer`() async throws {
    let store = try await fixture.open()
    let id = try await delivered(store, 1)[0]
    let forged = Message(
      number: 50, event: "answer-1", source: StoreFixture.police,
      type: "release-date.acknowledged", answers: id)
    await #expect(throws: StoreError.malformedRecord("answers")) {
      _ = try await store.record(forged.record())
    }
    #expect(try await store.leafCount() == 2)
    #expect(try await store.carrierMessage(StoreFixture.carrier(50)) == nil)
    #expect(try await store.delivery(id, party: reader)?.delivery.state == .pending)
  }
}
