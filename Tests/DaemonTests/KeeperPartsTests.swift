import Exchange
import Foundation
import Mailbox
import Store
import Synchronization
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `What comes in parts is taken like what comes whole` {
  private func begin(
    _ keeper: StoreKeeper, _ first: [UInt8], parts: Int = 3, from sender: MailboxID = Hub.prison,
    encoding: String? = nil
  ) async throws -> CarrierMessageID {
    let answer = try await keeper.beginUpload(
      Hub.submission(first, from: sender), parts: parts, encoding: encoding)
    guard case .accepted(let id) = answer else { throw GuardedHost.NotFilled() }
    return id
  }

  private func add(
    _ keeper: StoreKeeper, _ range: String, _ bytes: [UInt8], to id: CarrierMessageID,
    from sender: MailboxID = Hub.prison, encoding: String? = nil, limit: Int = 1 << 20
  ) async throws -> PartAnswer {
    try await keeper.add(
      SubmittedPart(
        sender: sender, message: id, range: #require(MeshChunkRange(range)), encoding: encoding,
        bytes: bytes, wholeLimit: limit, receivedAt: .start))
  }

  @Test func `a notice in three parts is shared, and followed from uploading to acknowledged`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let woken = Mutex(0)
    let keeper = hub.keeper { woken.withLock { $0 += 1 } }
    let sealed = try hub.seal(Notice.named("release-date"))
    let cuts = [sealed.prefix(700), sealed.dropFirst(700).prefix(500), sealed.dropFirst(1200)]
    let id = try await begin(keeper, Array(cuts[0]))
    let open = try #require(try await keeper.track(id, by: Hub.prison))
    #expect(open.status == .uploading && open.parts == 3 && open.payloadLength == 700)
    #expect(try await keeper.track(localID: "local-1", by: Hub.prison) == [open])
    #expect(try await keeper.message(id, for: Hub.prison, headersOnly: true) == .gone)
    #expect(try await keeper.message(id, for: Hub.police, headersOnly: true) == .notFound)
    #expect(try await add(keeper, "3:3", Array(cuts[2]), to: id) == .refused(.partsMissing))
    #expect(try await add(keeper, "2:3", [0], to: id) == .accepted)
    #expect(try await add(keeper, "2:3", Array(cuts[1]), to: id) == .accepted)
    #expect(try await hub.takeSubmissions().isEmpty)
    #expect(woken.withLock { $0 } == 0)
    #expect(try await add(keeper, "3:3", Array(cuts[2]), to: id) == .accepted)
    #expect(woken.withLock { $0 } == 1)
    #expect(try await add(keeper, "3:3", Array(cuts[2]), to: id) == .finished)
    #expect(try await hub.takeSubmissions() == [.shared])
    let done = try #require(try await keeper.track(id, by: Hub.prison))
    #expect(done.status == .acknowledged && done.parts == 3)
    #expect(done.payloadLength == sealed.count)
    #expect(try await hub.copies("police:durham").count == 1)
  }

  @Test func `a part that does not fit is refused as the protocol says`() async throws {
    let hub = try await Hub()
    let keeper = hub.keeper()
    let id = try await begin(keeper, [1])
    #expect(try await add(keeper, "4:4", [1], to: id) == .refused(.beyondTotal))
    #expect(
      try await add(keeper, "2:3", [1], to: id, encoding: "gzip") == .refused(.encodingChanged))
    #expect(try await add(keeper, "2:4", [1], to: id) == .refused(.totalChanged))
    #expect(try await add(keeper, "2:3", [1, 2], to: id, limit: 2) == .refused(.tooLarge))
    #expect(try await add(keeper, "2:3", [1], to: id, from: Hub.police) == .notFound)
    let absent = try #require(CarrierMessageID(GuardedHost.absent()))
    #expect(try await add(keeper, "2:3", [1], to: absent) == .notFound)
    guard case .accepted(let whole) = try await keeper.accept(Hub.submission([1])) else {
      Issue.record("not accepted")
      return
    }
    #expect(try await add(keeper, "2:3", [1], to: whole) == .finished)
    #expect(try await add(keeper, "2:3", [1], to: whole, from: Hub.police) == .notFound)
  }

  @Test func `only the agreed workflows are taken, whole or in parts, and only by Sallyport`()
    async throws
  {
    let hub = try await Hub()
    let keeper = hub.keeper { Issue.record("nothing came in") }
    var odd = Hub.submission([1])
    odd.metadata.workflowID = "OTHER"
    #expect(try await keeper.accept(odd) == .workflowNotRegistered)
    #expect(
      try await keeper.beginUpload(odd, parts: 2, encoding: nil) == .workflowNotRegistered)
    odd.recipient = Hub.police
    #expect(try await keeper.accept(odd) == .unregisteredRecipient)
    #expect(
      try await keeper.beginUpload(odd, parts: 2, encoding: nil) == .unregisteredRecipient)
    #expect(try await hub.store.rawWaiting(limit: 10).isEmpty)
    var answer = Hub.submission([1])
    answer.metadata.workflowID = "SALLYPORT_NOTICE_ACK"
    guard case .accepted = try await hub.keeper().accept(answer) else {
      Issue.record("answers are taken")
      return
    }
  }

  @Test func `one party's quota is not another's`() async throws {
    let hub = try await Hub()
    var quotas = StoreKeeper.Quotas()
    (quotas.waiting, quotas.openUploads) = (2, 1)
    let keeper = StoreKeeper(
      store: hub.store, regime: hub.regime, ownMailbox: Hub.own, quotas: quotas,
      now: { [clock = hub.clock] in clock.now }, log: hub.pipeline.log, onSubmission: {})
    for isTaken in [true, true, false] {
      let answer = try await keeper.accept(Hub.submission([1]))
      #expect((answer != .overQuota) == isTaken)
    }
    let id = try await begin(keeper, [1], parts: 2)
    #expect(
      try await keeper.beginUpload(Hub.submission([1]), parts: 2, encoding: nil) == .overQuota)
    #expect(try await add(keeper, "2:2", [2], to: id) == .overQuota)
    #expect(try await keeper.accept(Hub.submission([1], from: Hub.police)) != .overQuota)
    _ = try await begin(keeper, [1], from: Hub.police)
    // What is taken in makes room.
    _ = try await hub.takeSubmissions()
    #expect(try await add(keeper, "2:2", [2], to: id) == .accepted)
  }

  @Test func `what the sender said is told back to it, by tracking and by HEAD`() async throws {
    let hub = try await Hub()
    let keeper = hub.keeper()
    let said = MeshMetadata(
      workflowID: "SALLYPORT_NOTICE", localID: "local-1", subject: "invented subject",
      fileName: "f.cms", partnerID: "p", checksum: "SHA-256: 0a", contentType: "application/cms",
      isEncrypted: true, isCompressed: true)
    var message = Hub.submission([1, 2, 3])
    message.metadata = said
    guard case .accepted(let id) = try await keeper.accept(message) else {
      Issue.record("not accepted")
      return
    }
    #expect(try await keeper.track(id, by: Hub.prison)?.metadata == said)
    guard case .found(let head) = try await keeper.message(id, for: Hub.prison, headersOnly: true)
    else {
      Issue.record("the sender finds its own")
      return
    }
    #expect(head.metadata == said && head.payloadLength == 3 && head.recipient == Hub.own)
    #expect(try await keeper.message(id, for: Hub.prison, headersOnly: false) == .notFound)
    #expect(try await keeper.message(id, for: Hub.police, headersOnly: true) == .notFound)
    let files = try hub.folder.allBytes(of: "state")
    #expect(files.range(of: Data("invented subject".utf8)) == nil)
  }

  @Test func `listings show a party's own, newest first, page by page, in every state`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date", "release-date-changed")
    let keeper = hub.keeper()
    let ids = try await keeper.page(of: Hub.police, after: nil, limit: 10, workflow: nil).ids
    _ = try await keeper.acknowledge(ids[0], in: Hub.police)
    let inbox = try await keeper.listing(
      .inbox, of: Hub.police, since: .start - .days(1), before: nil, limit: 10)
    #expect(inbox.messages.map(\.id) == ids.reversed())
    #expect(inbox.messages.map(\.status) == [.accepted, .acknowledged])
    #expect(inbox.messages.allSatisfy { $0.sender == Hub.own && $0.sentAt == .start })
    #expect(inbox.next == nil)
    let late = try await keeper.listing(
      .inbox, of: Hub.police, since: .start + .seconds(1), before: nil, limit: 10)
    #expect(late.messages.isEmpty)
    let first = try await keeper.listing(
      .inbox, of: Hub.police, since: .start, before: nil, limit: 1)
    #expect(first.messages.map(\.id) == [ids[1]])
    let rest = try await keeper.listing(
      .inbox, of: Hub.police, since: .start, before: first.next, limit: 1)
    #expect(rest.messages.map(\.id) == [ids[0]])
    #expect(rest.next == nil)

    var sent: [CarrierMessageID] = []
    for _ in 0..<4 {
      if case .accepted(let id) = try await keeper.accept(Hub.submission([1])) { sent.append(id) }
    }
    let open = try await begin(keeper, [1])
    var seen: [CarrierMessageID] = []
    var place: Int64?
    repeat {
      let page = try await keeper.listing(
        .outbox, of: Hub.prison, since: .start, before: place, limit: 2)
      seen += page.messages.map(\.id)
      place = page.next
    } while place != nil && seen.count < 10
    #expect(seen == [open] + sent.reversed())
  }

  @Test func `a copy is kept whole and plain: the host may cut it into parts`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date")
    let keeper = hub.keeper()
    let id = try await keeper.page(of: Hub.police, after: nil, limit: 10, workflow: nil).ids[0]
    guard
      case .found(let message) = try await keeper.message(id, for: Hub.police, headersOnly: false)
    else {
      Issue.record("not found")
      return
    }
    #expect(message.partLengths.isEmpty && message.metadata.contentEncoding == nil)
  }
}
