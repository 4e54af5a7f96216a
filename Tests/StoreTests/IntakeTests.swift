import Exchange
import Rules
import Testing

@testable import Store

@Suite struct IntakeTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  private let submission = Submission(
    submittedBy: StoreFixture.police, localID: "ref-7", workflow: "SALLYPORT_NOTICE",
    headers: Array(#"{"a":"b"}"#.utf8))

  @Test func `a message put into the mailbox is kept before it is finished`() async throws {
    let store = try await fixture.open()
    let key = StoreFixture.carrier(1, inbox: "mailbox")
    let exchange = try await store.keepRaw(
      key, bytes: [1, 2, 3], submission: submission, at: .start)
    #expect(
      try await store.carrierMessage(key)
        == KnownMessage(exchange: exchange, isFinished: false, ending: nil))
    let image = try fixture.image()
    let waiting = try await image.openPlain().rawWaiting(limit: 10)
    #expect(waiting.map(\.exchange) == [exchange])
    #expect(waiting.first?.bytes == [1, 2, 3])
    #expect(waiting.first?.submittedBy == StoreFixture.police)
    #expect(waiting.first?.localID == "ref-7")
    #expect(waiting.first?.carrier == key)
    #expect(waiting.first?.isRequeued == false)
  }

  @Test func `keeping a message twice keeps the first`() async throws {
    let store = try await fixture.open()
    let key = StoreFixture.carrier(1, inbox: "mailbox")
    let first = try await store.keepRaw(key, bytes: [1], submission: submission, at: .start)
    let second = try await store.keepRaw(key, bytes: [2], submission: submission, at: .start)
    #expect(first == second)
    #expect(try await store.original(of: first) == [1])
  }

  @Test func `what waits is listed oldest first, page by page, until it is recorded`() async throws
  {
    let store = try await fixture.open()
    for number in 1...5 {
      _ = try await store.keepRaw(
        StoreFixture.carrier(number, inbox: "mailbox"), bytes: [UInt8(number)],
        submission: submission, at: .start)
    }
    let page = try await store.rawWaiting(limit: 2)
    #expect(page.map(\.bytes) == [[1], [2]])
    let place = try #require(page.last?.place)
    #expect(try await store.rawWaiting(after: place, limit: 10).map(\.bytes) == [[3], [4], [5]])

    let record = Message(number: 1, inbox: "mailbox").record(exchange: page[0].exchange)
    #expect(try await store.record(record) == .recorded(leaf: 1))
    #expect(try await store.rawWaiting(limit: 10).map(\.bytes) == [[2], [3], [4], [5]])
    #expect(try await store.original(of: page[0].exchange) == [1])
    let known = try await store.carrierMessage(record.carrier)
    #expect(known?.ending == .shared)
  }

  @Test func `a kept message is recorded under the id it has and no other`() async throws {
    let store = try await fixture.open()
    _ = try await store.keepRaw(
      StoreFixture.carrier(1), bytes: [1], submission: submission, at: .start)
    await #expect(throws: StoreError.malformedRecord("exchange")) {
      _ = try await store.record(Message(number: 1).record())
    }
  }

  @Test func `a sender can track what it sent and not what others sent`() async throws {
    let store = try await fixture.open()
    let key = StoreFixture.carrier(1, inbox: "mailbox")
    let exchange = try await store.keepRaw(
      key, bytes: [1, 2, 3], submission: submission, at: .start)
    let view = try await store.submission(
      key.message, inbox: "mailbox", by: StoreFixture.police)
    #expect(view?.exchange == exchange)
    #expect(view?.submission == submission)
    #expect(view?.length == 3)
    #expect(view?.ending == nil)
    #expect(
      try await store.submission(key.message, inbox: "mailbox", by: StoreFixture.prison) == nil)
    #expect(
      try await store.submissions(localID: "ref-7", by: StoreFixture.police).map(\.exchange)
        == [exchange])
    #expect(try await store.submissions(localID: "ref-7", by: StoreFixture.prison).isEmpty)
    #expect(try await store.submissions(localID: "ref-8", by: StoreFixture.police).isEmpty)
  }

  @Test func `tries are counted durably and forgotten once the message is recorded`() async throws {
    let key = StoreFixture.carrier(1)
    do {
      let store = try await fixture.open()
      #expect(try await store.beginAttempt(key) == 1)
      #expect(try await store.beginAttempt(key) == 2)
      #expect(try await store.beginAttempt(StoreFixture.carrier(2)) == 1)
    }
    let store = try fixture.openPlain()
    #expect(try await store.beginAttempt(key) == 3)
    _ = try await store.record(Message(number: 1).record())
    #expect(try await store.beginAttempt(key) == 1)
  }

  @Test func `a sender's id is new, the same or different`() async throws {
    let store = try await fixture.open()
    let message = Message()
    let record = message.record()
    _ = try await store.record(record)
    let event = StoreFixture.event("evt-1")
    let digest = [UInt8](repeating: 7, count: 32)
    let other = [UInt8](repeating: 8, count: 32)
    #expect(
      try await store.notificationKnown(
        source: StoreFixture.prison, event: event, contentDigest: digest)
        == .same(record.exchange))
    #expect(
      try await store.notificationKnown(
        source: StoreFixture.prison, event: event, contentDigest: other)
        == .different(record.exchange))
    #expect(
      try await store.notificationKnown(
        source: StoreFixture.police, event: event, contentDigest: digest) == .new)
  }

  @Test func `a message that was set aside can be put again and finished`() async throws {
    let store = try await fixture.open()
    let exchange = ExchangeID.random()
    let carrier = StoreFixture.carrier(1)
    let setAside = IntakeRecord(
      exchange: exchange, carrier: carrier, receivedAt: .start, recordedAt: .start,
      original: [9, 9], outcome: .setAside(code: "SEAL-004", sender: nil))
    #expect(try await store.record(setAside) == .recorded(leaf: 1))
    #expect(try await store.carrierMessage(carrier)?.ending == .setAside(code: "SEAL-004"))
    #expect(try await store.exchange(exchange.text).sender == nil)

    try await store.requeue(exchange, by: "officer-1", reason: "key mended", at: .start)
    let waiting = try await store.rawWaiting(limit: 10)
    #expect(waiting.map(\.exchange) == [exchange])
    #expect(waiting.first?.bytes == [9, 9])
    #expect(waiting.first?.isRequeued == true)
    #expect(try await store.record(Message().record(exchange: exchange)) == .recorded(leaf: 3))
    #expect(try await store.exchange(exchange.text).leaves == [1, 2, 3])
    await #expect(throws: StoreError.notFinished(exchange)) {
      try await store.requeue(exchange, by: "officer-1", reason: "again", at: .start)
    }
  }
}
