import Exchange
import Foundation
import GRDB
import Rules
import Testing

@testable import Store

/// The testing library has attachments of its own.
private typealias Attachment = Exchange.Attachment

@Suite struct `Documents of what waits are kept with it` {
  let fixture: StoreFixture
  private let bytes = Array("%PDF-1.4 PLAINMARKER of an invented meeting".utf8)

  init() throws { fixture = try StoreFixture() }

  private func document(_ number: UInt8 = 1) throws -> Attachment {
    let digest = try #require(AttachmentDigest(octets: [UInt8](repeating: number, count: 32)))
    return Attachment(mediaType: .pdf, digest: digest, bytes: (bytes + [number])[...])
  }

  /// A record of a message whose fields name these documents.
  private func record(
    _ message: Message, _ documents: [Attachment], exchange: ExchangeID = .random(),
    supersedesHeld: Bool = false
  ) throws -> IntakeRecord {
    let base = message.record(exchange: exchange)
    let plain = message.notification
    var data = plain.data
    for (place, document) in documents.enumerated() {
      data["document\(place)"] = document.reference.json
    }
    let notification = Notification(
      id: plain.id, source: plain.source, type: plain.type, time: plain.time,
      subject: plain.subject, audience: plain.audience, data: data,
      attachments: Attachments(documents))
    let decided = try #require(base.decided)
    return IntakeRecord(
      exchange: exchange, carrier: base.carrier, receivedAt: base.receivedAt,
      recordedAt: base.recordedAt, original: base.original,
      outcome: .decided(
        DecidedRecord(
          notification: notification, verdict: decided.verdict, decision: decided.decision,
          subjectCase: decided.subjectCase, deliveries: decided.deliveries,
          supersedesHeld: supersedesHeld)))
  }

  private func kept(
    _ store: Store, _ record: IntakeRecord
  ) async throws -> Attachments {
    try await store.attachments(
      of: record.exchange, named: record.notification?.data ?? [:])
  }

  @Test func `of a held exchange they are found again, byte for byte, also after a restart`()
    async throws
  {
    let documents = [try document(2), try document(1)]
    let record: IntakeRecord
    do {
      let store = try await fixture.open()
      record = try self.record(Message(outcome: .held), documents)
      _ = try await store.record(record)
      #expect(try await kept(store, record) == Attachments(documents))
      // Not read along with what is held: a list of them must stay small.
      let held = try await store.heldExchange(record.exchange)
      #expect(held.notification.attachments.isEmpty)
    }
    let store = try fixture.openPlain()
    #expect(try await kept(store, record) == Attachments(documents))
  }

  @Test func `what is decided after it was held keeps them, once`() async throws {
    let store = try await fixture.open()
    let held = try record(Message(outcome: .held), [document()])
    _ = try await store.record(held)
    let shared = try record(
      Message(), [document()], exchange: held.exchange, supersedesHeld: true)
    _ = try await store.record(shared)
    #expect(try await store.exchange(held.exchange.text).ending == .shared)
    #expect(try await kept(store, held) == Attachments([document()]))
    // Put again and held again: the same documents under the same exchange.
    let rows = try await store.pool.read { db in
      try db.number("SELECT count(*) FROM attachment")
    }
    #expect(rows == 1)
  }

  @Test func `of what is refused none are kept beside the original`() async throws {
    let store = try await fixture.open()
    let record = try record(Message(outcome: .refused), [document()])
    _ = try await store.record(record)
    #expect(try await kept(store, record).isEmpty)
    #expect(try await store.original(of: record.exchange) == record.original)
  }

  @Test func `they lie sealed, open only as what they are, and go with an erasure`() async throws {
    let store = try await fixture.open()
    let message = Message()
    let id = DeliveryID.random()
    var sent = message
    sent.deliveries = [message.newDelivery(StoreFixture.probation, id: id)]
    let record = try record(sent, [document(1), document(2)])
    _ = try await store.record(record)
    _ = try await store.recordCollected(id, party: StoreFixture.probation, at: .start)
    let sealed = try await store.pool.read { db in
      try db.rows("SELECT sealed FROM attachment ORDER BY place").compactMap { $0.bytes("sealed") }
    }
    #expect(sealed.count == 2)
    let before = try Data(fixture.allBytes())
    #expect(before.range(of: Data("PLAINMARKER".utf8)) == nil)
    for bytes in sealed { #expect(before.range(of: Data(bytes.prefix(24))) != nil) }

    // One in the other's place does not open as it.
    try await store.pool.write { db in
      try db.run("UPDATE attachment SET sealed = ? WHERE place = 0", [Blob(sealed[1])])
    }
    await #expect(throws: StoreError.self) { try await kept(store, record) }
    try await store.pool.write { db in
      try db.run("UPDATE attachment SET sealed = ? WHERE place = 0", [Blob(sealed[0])])
    }
    #expect(try await kept(store, record) == Attachments([document(1), document(2)]))

    try await store.erase(record.exchange, by: "officer-1", reason: "RET-01", at: .start)
    #expect(try await kept(store, record).isEmpty)
    let after = try Data(fixture.allBytes())
    for bytes in sealed { #expect(after.range(of: Data(bytes.prefix(24))) == nil) }
  }
}
