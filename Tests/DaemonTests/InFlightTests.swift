import Exchange
import Mailbox
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo
@testable import Mailbox

/// An inbox with messages on it, which gives out none above its limit.
private struct Shelf: PolledInbox {
  let messages: [CarrierMessageID: [UInt8]]
  let limit: Int

  func handshake() async throws(MeshError) {}
  func list(maximum: Int, from link: PageLink?) async throws(MeshError) -> InboxPage {
    InboxPage(ids: messages.keys.sorted())
  }
  func acknowledge(_ id: CarrierMessageID) async throws(MeshError) {}
  func download(_ id: CarrierMessageID) async throws(MeshError) -> InboundMessage {
    guard let bytes = messages[id] else { throw .gone(status: 404) }
    guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
    return InboundMessage(
      id: id, kind: .data, from: nil, to: nil, workflowID: nil, localID: nil, body: bytes)
  }
}

@Suite struct `No more is in hand at one time than may be` {
  private static let size = 1 << 20
  private static let largest = size + (256 << 10)

  private func inbox(
    _ messages: [CarrierMessageID: [UInt8]], _ flight: BytesInFlight
  ) -> BoundedInbox {
    BoundedInbox(
      small: Shelf(messages: messages, limit: BoundedInbox.smallBytes),
      large: Shelf(messages: messages, limit: Self.largest), largest: Self.largest, flight: flight)
  }

  @Test func `twelve large messages at once go through the room of two, and all are shared`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-unaware")
    var messages: [CarrierMessageID: [UInt8]] = [:]
    for number in 10..<22 {
      let bytes = Array("%PDF-\(number)".utf8) + [UInt8](repeating: 0x20, count: Self.size)
      let document = try Exchange.Attachment(bytes, as: .pdf)
      let notice = try Notice.named("minutes")
        .with(id: "minutes-\(number)", data: ["minutes": document.reference.json])
        .with(Attachments([document]))
      messages[try #require(CarrierMessageID("M\(number)"))] = try hub.seal(notice)
    }
    let flight = BytesInFlight(capacity: 2 * Self.largest)
    let inbox = inbox(messages, flight)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for id in messages.keys {
        group.addTask {
          let message = try await inbox.download(id)
          defer { withExtendedLifetime(message.share) {} }
          #expect(flight.used <= flight.capacity)
          return try await hub.take(message.body, as: id.text).mayAcknowledge
        }
      }
      for try await isDone in group { #expect(isDone) }
    }
    #expect(flight.most <= flight.capacity && flight.used == 0)
    #expect(flight.most > Self.largest, "more than one was under way")
    let copies = try await hub.copies("coordinator:northumbria")
    #expect(copies.filter { !$0.attachments.isEmpty }.count == 12)
  }

  @Test func `a short message takes a small share, a long one waits for a large one`() async throws
  {
    let (short, long) = (
      try #require(CarrierMessageID("SHORT")), try #require(CarrierMessageID("LONG"))
    )
    let messages = [
      short: [UInt8](repeating: 1, count: 5), long: [UInt8](repeating: 2, count: Self.size),
    ]
    let flight = BytesInFlight(capacity: Self.largest + BoundedInbox.smallBytes)
    let inbox = inbox(messages, flight)
    let first = try await inbox.download(long)
    #expect(flight.used == Self.size)
    let second = try await inbox.download(short)
    #expect(flight.used == Self.size + 5)
    #expect(second.body.count == 5)
    // No room for a second long one until the first is settled.
    let waiting = Task { try await inbox.download(long).body.count }
    for _ in 0..<100_000 where flight.waiting == 0 { await Task.yield() }
    #expect(flight.waiting == 1)
    waiting.cancel()
    let error = await #expect(throws: MeshError.self) { try await waiting.value }
    #expect(error?.isCancellation == true)
    withExtendedLifetime((first.share, second.share)) {}
  }

  @Test func `beyond the limit in force nothing is downloaded, and nothing stays taken`()
    async throws
  {
    let id = try #require(CarrierMessageID("HUGE"))
    let flight = BytesInFlight(capacity: 2 * Self.largest)
    let inbox = inbox([id: [UInt8](repeating: 3, count: Self.largest + 1)], flight)
    let error = await #expect(throws: MeshError.self) { try await inbox.download(id) }
    #expect(error?.kind == .tooLarge)
    #expect(flight.used == 0)
  }
}
