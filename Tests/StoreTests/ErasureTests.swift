import Exchange
import Foundation
import GRDB
import Rules
import Testing

@testable import Store

@Suite struct ErasureTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
    Data(bytes).range(of: Data(text.utf8)) != nil
  }

  @Test func `nothing of a message, a person, a type or a key lies in the clear`() async throws {
    let store = try await fixture.open()
    var message = Message(marker: "PLAINMARKER-1")
    message.subjectCase = .new(
      .random(),
      identifiers: [
        PersonIdentifier(kind: .prisonNumber, value: "PLAINMARKER2"),
        PersonIdentifier(kind: .crn, value: "PLAINMARKER3"),
      ])
    message.event = "PLAINMARKER-4"
    message.type = "plainmarker.five"
    message.facts = [FactChange(name: "plainMarkerSix", value: "PLAINMARKER-7")]
    message.deliveries = [
      message.newDelivery(StoreFixture.probation, sealed: "PLAINMARKER-8")
    ]
    let record = message.record()
    _ = try await store.record(record)
    _ = try await store.keepRaw(
      StoreFixture.carrier(9), bytes: Array("PLAINMARKER-9".utf8),
      submission: Submission(
        submittedBy: StoreFixture.police, localID: "PLAINMARKER-10",
        headers: Array("PLAINMARKER-11".utf8)), at: .start)
    _ = try await store.record(
      Message(number: 10, event: "e10", marker: "PLAINMARKER-12", outcome: .held).record())

    // Found in what is read back, so that the search below can fail.
    let view = try await store.exchange(record.exchange.text)
    #expect(view.notification?.data["releaseDate"] == "PLAINMARKER-1")
    let open = try fixture.allBytes()
    #expect(contains(open, "durham"))
    for marker in ["PLAINMARKER", "plainmarker", "plainMarker", "their-own-reference"] {
      #expect(!contains(open, marker), "\(marker) with the log open")
    }
    try await store.truncateLog()
    let written = try fixture.allBytes()
    for marker in ["PLAINMARKER", "plainmarker", "plainMarker", "their-own-reference"] {
      #expect(!contains(written, marker), "\(marker) with the log written back")
    }
  }

  /// A finished exchange whose delivery is collected, and the bytes that must be gone: its wrapped key
  /// and everything that it opens.
  private func finished(_ store: Store) async throws -> (ExchangeID, [[UInt8]]) {
    let message = Message()
    let id = DeliveryID.random()
    var sent = message
    sent.deliveries = [message.newDelivery(StoreFixture.probation, id: id)]
    let record = sent.record()
    _ = try await store.record(record)
    _ = try await store.recordCollected(id, party: StoreFixture.probation, at: .start)
    let secrets = try await store.pool.read { db in
      try Data.fetchAll(
        db,
        sql: """
          SELECT wrapped FROM exchange_key WHERE number = 1
          UNION ALL SELECT sealed FROM original UNION ALL SELECT notification FROM content
          UNION ALL SELECT sealed FROM sealed_copy
          UNION ALL SELECT sealed FROM leaf_detail WHERE number > 0
          """)
    }
    #expect(secrets.count == 6)
    return (record.exchange, secrets.map { Array($0) })
  }

  private func found(_ secrets: [[UInt8]], in bytes: [UInt8]) -> Int {
    let all = Data(bytes)
    // The first 24 bytes tell: nonce and more, and never cut by the end of a page's local part.
    return secrets.count { all.range(of: Data($0.prefix(24))) != nil }
  }

  @Test func `erasing leaves no byte of the key or of what it opened in any file`() async throws {
    let store = try await fixture.open()
    let (exchange, secrets) = try await finished(store)
    // Neighbours before and after, so that pages are shared and split.
    for number in 2...200 {
      _ = try await store.record(Message(number: number, event: "evt-\(number)").record())
    }
    #expect(found(secrets, in: try fixture.allBytes()) == secrets.count)
    try await store.erase(exchange, by: "officer-1", reason: "RET-01", at: .start)
    #expect(found(secrets, in: try fixture.allBytes()) == 0)

    let log = fixture.directory + "/sallyport.db-wal"
    let size = try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int
    #expect(size == 0)
  }

  @Test func `an erased exchange says what happened and not to whom`() async throws {
    let store = try await fixture.open()
    let (exchange, _) = try await finished(store)
    try await store.erase(exchange, by: "officer-1", reason: "RET-01", at: .start + .seconds(60))
    let view = try await store.exchange(exchange.text)
    #expect(view.erasedAt == .start + .seconds(60))
    #expect(view.ending == .shared)
    #expect(view.notification == nil && view.decision == nil && view.sender == nil)
    #expect(view.deliveries.map(\.state) == [.collected])
    #expect(view.deliveries.first?.delivery == nil)
    #expect(try await store.original(of: exchange) == nil)
    #expect(view.leaves == [1, 2, 3])
    #expect(try await store.detail(of: 1).detail == nil)
    #expect(try await store.detail(of: 1).commitmentKey == nil)
    let erased = try await store.detail(of: 3).detail
    #expect(
      erased.map { String(decoding: $0, as: UTF8.self) }
        == #"{"by":"officer-1","event":"erased","reason":"RET-01"}"#)
  }

  @Test func `the sender's id stays known after an erasure`() async throws {
    let store = try await fixture.open()
    let (exchange, _) = try await finished(store)
    try await store.erase(exchange, by: "officer-1", reason: "RET-01", at: .start)
    #expect(
      try await store.record(Message(number: 2).record()) == .duplicate(of: exchange))
    #expect(
      try await store.record(Message(number: 1).record()) == .duplicate(of: exchange))
  }

  @Test func `an erased copy is given to nobody`() async throws {
    let store = try await fixture.open()
    let (exchange, _) = try await finished(store)
    let delivery = try #require(try await store.exchange(exchange.text).deliveries.first?.id)
    try await store.erase(exchange, by: "officer-1", reason: "RET-01", at: .start)
    #expect(try await store.delivery(delivery, party: StoreFixture.probation) == nil)
    #expect(
      try await store.recordCollected(delivery, party: StoreFixture.probation, at: .start) == nil)
  }

  @Test func `what is not finished cannot be erased`() async throws {
    let store = try await fixture.open()
    let pending = Message().record()
    _ = try await store.record(pending)
    let held = Message(number: 2, event: "evt-2", outcome: .held).record()
    _ = try await store.record(held)
    let waiting = try await store.keepRaw(
      StoreFixture.carrier(3), bytes: [1], submission: Submission(submittedBy: nil), at: .start)
    for exchange in [pending.exchange, held.exchange, waiting] {
      await #expect(throws: StoreError.notFinished(exchange)) {
        try await store.erase(exchange, by: "officer-1", reason: "RET-01", at: .start)
      }
    }
    #expect(try await store.original(of: pending.exchange) == pending.original)
    let exists = FileManager.default.fileExists(atPath: fixture.directory + "/erased")
    #expect(!exists, "a refused erasure must not be replayed on a backup")
  }

  @Test func `a restored backup forgets again what was erased since`() async throws {
    let exchange: ExchangeID
    let backup: StoreFixture
    do {
      let store = try await fixture.open()
      (exchange, _) = try await finished(store)
      try await store.truncateLog()
      backup = try fixture.image()
      try await store.erase(exchange, by: "officer-1", reason: "RET-01", at: .start)
    }
    // Database from before, list of erasures from now: as a restore onto the machine leaves them.
    try FileManager.default.copyItem(
      atPath: fixture.directory + "/erased", toPath: backup.directory + "/erased")
    let restored = try backup.openPlain()
    #expect(try await restored.original(of: exchange) == nil)
    #expect(try await restored.exchange(exchange.text).erasedAt != nil)
  }

  @Test func `erasing twice changes nothing, and an unknown one is said to be unknown`()
    async throws
  {
    let store = try await fixture.open()
    let (exchange, _) = try await finished(store)
    try await store.erase(exchange, by: "officer-1", reason: "RET-01", at: .start)
    let leaves = try await store.leafCount()
    try await store.erase(exchange, by: "officer-2", reason: "RET-02", at: .start)
    #expect(try await store.leafCount() == leaves)
    await #expect(throws: StoreError.self) {
      try await store.erase(.random(), by: "officer-1", reason: "RET-01", at: .start)
    }
  }
}
