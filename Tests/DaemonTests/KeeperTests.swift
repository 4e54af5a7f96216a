import Exchange
import Mailbox
import Store
import Synchronization
import Testing

@testable import Daemon
@testable import Demo

extension Hub {
  /// The hosted mailboxes over the hub's store.
  func keeper(onSubmission: @escaping @Sendable () -> Void = {}) -> StoreKeeper {
    StoreKeeper(
      store: store, regime: regime, ownMailbox: Hub.own, now: { [clock] in clock.now },
      log: pipeline.log, onSubmission: onSubmission)
  }

  static let own = mailbox("SALLYPORT1")
  static let police = mailbox("POLICEDUR1")
  static let prison = mailbox("PRISONDUR1")
  static let probation = mailbox("PROBATDUR1")

  private static func mailbox(_ text: String) -> MailboxID {
    // The text is written in these tests.
    guard let mailbox = MailboxID(text) else { preconditionFailure("\(text) is a mailbox") }
    return mailbox
  }

  static func submission(
    _ bytes: [UInt8], from sender: MailboxID = prison, to recipient: MailboxID = own,
    localID: String? = "local-1"
  ) -> SubmittedMessage {
    SubmittedMessage(
      sender: sender, recipient: recipient,
      metadata: MeshMetadata(workflowID: "SALLYPORT_NOTICE", localID: localID), payload: bytes,
      receivedAt: .start)
  }
}

@Suite struct `Only Sallyport itself can be written to, and what it takes is kept first` {
  @Test func `another party's mailbox, and one that nobody has, are not registered here`()
    async throws
  {
    let hub = try await Hub()
    let keeper = hub.keeper { Issue.record("nothing came in") }
    for name in ["POLICEDUR1", "PRISONDUR1", "NOBODY1"] {
      let mailbox = try #require(MailboxID(name))
      let answer = try await keeper.accept(Hub.submission([1, 2, 3], to: mailbox))
      #expect(answer == .unregisteredRecipient)
    }
    #expect(try await hub.store.rawWaiting(limit: 10).isEmpty)
    #expect(try await hub.copyCount() == 0)
  }

  @Test func `a message is durable when it is accepted, and before anybody is woken`() async throws
  {
    let hub = try await Hub()
    let woken = Mutex(0)
    let bytes = try hub.seal(Notice.named("release-date"))
    let keeper = hub.keeper { woken.withLock { $0 += 1 } }
    guard case .accepted(let id) = try await keeper.accept(Hub.submission(bytes)) else {
      Issue.record("not accepted")
      return
    }
    #expect(woken.withLock { $0 } == 1)
    // Read by another connection, as after a power cut.
    let reader = try Store.open(
      directory: hub.folder.path + "/state", keys: Area.ring().storeKeys(), mode: .reader)
    let kept = try await reader.rawWaiting(limit: 10)
    #expect(kept.map(\.bytes) == [bytes])
    #expect(kept.map(\.carrier) == [CarrierKey(inbox: "host", message: id)])
    #expect(kept.map(\.submittedBy?.text) == ["prison:durham"])
    #expect(try await reader.carrierMessage(kept[0].carrier)?.isFinished == false)
  }

  @Test func `the same message put in twice is two messages and one effect`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let bytes = try hub.seal(Notice.named("release-date"))
    for _ in 0..<2 { _ = try await hub.keeper().accept(Hub.submission(bytes)) }
    let endings = try await hub.takeSubmissions()
    #expect(endings == [.shared, .duplicate])
    #expect(try await hub.copies("police:durham").count == 1)
  }

  @Test func `a sender follows its own messages, and nobody else's`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let keeper = hub.keeper()
    let bytes = try hub.seal(Notice.named("release-date"))
    guard case .accepted(let id) = try await keeper.accept(Hub.submission(bytes)) else {
      Issue.record("not accepted")
      return
    }
    hub.clock.set(.start + .minutes(1))
    let waiting = try #require(try await keeper.track(id, by: Hub.prison))
    #expect(waiting.status == .accepted)
    #expect(waiting.acceptedAt == .start)
    #expect(waiting.acknowledgedAt == nil)
    #expect(waiting.payloadLength == bytes.count)
    #expect(waiting.metadata.localID == "local-1")
    #expect(waiting.sender == Hub.prison && waiting.recipient == Hub.own)
    #expect(try await keeper.track(id, by: Hub.police) == nil)
    #expect(try await keeper.track(localID: "local-1", by: Hub.police).isEmpty)
    _ = try await hub.takeSubmissions()
    let done = try #require(try await keeper.track(id, by: Hub.prison))
    #expect(done.status == .acknowledged)
    #expect(done.acknowledgedAt == .start + .minutes(1))
    #expect(try await keeper.track(localID: "local-1", by: Hub.prison) == [done])
  }

  @Test func `a local id used twice is told as two`() async throws {
    let hub = try await Hub()
    for byte in [UInt8(1), 2, 3] { _ = try await hub.keeper().accept(Hub.submission([byte])) }
    #expect(try await hub.keeper().track(localID: "local-1", by: Hub.prison).count == 2)
    #expect(try await hub.keeper().track(localID: "unheard-of", by: Hub.prison).isEmpty)
  }

  @Test func `credentials are the parties', and those of the rules in force`() async throws {
    let hub = try await Hub()
    let keeper = hub.keeper()
    #expect(
      await keeper.credentials(of: Hub.prison)?.password
        == (try Area.party("prison:durham").password))
    // Our own mailbox is written to, never read by anybody over the network.
    #expect(await keeper.credentials(of: Hub.own) == nil)
    let base = try Area.regime
    hub.regime.swap(
      for: Regime(
        policy: base.policy, sealer: base.sealer, calendar: base.calendar,
        mailboxes: base.mailboxes.filter { $0.key != Hub.prison }))
    #expect(await keeper.credentials(of: Hub.prison) == nil)
  }
}

@Suite struct `A party sees its own deliveries and nothing of the others'` {
  /// Two deliveries for the police, two for probation, one each for co-ordinator and prison.
  private func filled() async throws -> Hub {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date", "release-date-changed")
    return hub
  }

  private func ids(
    _ hub: Hub, _ mailbox: MailboxID, after cursor: InboxCursor? = nil, limit: Int = 10,
    workflow: String? = nil
  ) async throws -> [CarrierMessageID] {
    try await hub.keeper().page(
      of: mailbox, after: cursor, limit: limit, workflow: workflow.flatMap(MeshWorkflowFilter.init)
    ).ids
  }

  @Test func `a page lists the party's own, oldest first`() async throws {
    let hub = try await filled()
    let police = try await ids(hub, Hub.police)
    let probation = try await ids(hub, Hub.probation)
    #expect(police.count == 2 && probation.count == 2)
    #expect(Set(police).isDisjoint(with: probation))
    guard
      case .found(let first) = try await hub.keeper().message(
        police[0], for: Hub.police, headersOnly: false),
      case .found(let second) = try await hub.keeper().message(
        police[1], for: Hub.police, headersOnly: false)
    else {
      Issue.record("not found")
      return
    }
    #expect(first.sender == Hub.own && first.recipient == Hub.police)
    #expect(first.metadata.workflowID == "SALLYPORT_NOTICE")
    #expect(first.metadata.subject == nil && first.metadata.fileName == nil)
    #expect(first.acceptedAt == .start)
    let copies = try await hub.copies("police:durham")
    #expect(copies.map { $0.data["releaseDate"] } == ["2026-11-02", "2026-10-12"])
    #expect(first.payload != second.payload)
  }

  @Test func `pages follow each other by place or by the last id, also after that was collected`()
    async throws
  {
    let hub = try await filled()
    let keeper = hub.keeper()
    let all = try await ids(hub, Hub.police)
    let first = try await keeper.page(of: Hub.police, after: nil, limit: 1, workflow: nil)
    #expect(first.ids == [all[0]])
    #expect(first.approximateCount == 2)
    let place = try #require(first.next)
    #expect(try await ids(hub, Hub.police, after: .position(place)) == [all[1]])
    #expect(try await ids(hub, Hub.police, after: .message(all[0])) == [all[1]])
    #expect(try await keeper.acknowledge(all[0], in: Hub.police) == .acknowledged)
    #expect(try await ids(hub, Hub.police) == [all[1]])
    #expect(try await ids(hub, Hub.police, after: .message(all[0])) == [all[1]])
    #expect(try await ids(hub, Hub.police, after: .message(all[1])).isEmpty)
    #expect(try await keeper.page(of: Hub.police, after: nil, limit: 10, workflow: nil).next == nil)
  }

  @Test func `another party's id is no cursor`() async throws {
    let hub = try await filled()
    let probation = try await ids(hub, Hub.probation)
    let unheard = try #require(CarrierMessageID("0123456789ABCDEF0123456789ABCDEF"))
    let other = try #require(CarrierMessageID("SHORT"))
    for id in [probation[0], unheard, other] {
      await #expect(throws: KeeperRefusal.unknownCursor) {
        try await hub.keeper().page(of: Hub.police, after: .message(id), limit: 10, workflow: nil)
      }
    }
  }

  @Test func `another party's delivery reads as one that is not there`() async throws {
    let hub = try await filled()
    let keeper = hub.keeper()
    let probation = try await ids(hub, Hub.probation)
    let unheard = try #require(CarrierMessageID("0123456789ABCDEF0123456789ABCDEF"))
    for id in probation + [unheard] {
      for headersOnly in [true, false] {
        let answer = try await keeper.message(id, for: Hub.police, headersOnly: headersOnly)
        #expect(answer == .notFound)
      }
      #expect(try await keeper.acknowledge(id, in: Hub.police) == .notFound)
      #expect(try await keeper.track(id, by: Hub.police) == nil)
    }
    // And nothing happened to it.
    #expect(try await ids(hub, Hub.probation) == probation)
  }

  @Test func `acknowledging takes it off the list, once and for ever, and leaves it readable`()
    async throws
  {
    let hub = try await filled()
    let keeper = hub.keeper()
    let id = try await ids(hub, Hub.police)[0]
    hub.clock.set(.start + .minutes(3))
    #expect(try await keeper.acknowledge(id, in: Hub.police) == .acknowledged)
    hub.clock.set(.start + .minutes(4))
    #expect(try await keeper.acknowledge(id, in: Hub.police) == .acknowledged)
    #expect(try await ids(hub, Hub.police).count == 1)
    let delivery = try #require(DeliveryID(carrierID: id))
    let view = try await hub.store.exchange(delivery.text)
    let collected = view.deliveries.first { $0.id == delivery }
    #expect(collected?.state == .collected)
    #expect(collected?.delivery?.collectedAt == .start + .minutes(3))
    guard case .found = try await keeper.message(id, for: Hub.police, headersOnly: false) else {
      Issue.record("a collected copy can be fetched again while it lives")
      return
    }
  }

  @Test func `what was withdrawn or has expired is gone`() async throws {
    let hub = try await filled()
    let keeper = hub.keeper()
    let all = try await ids(hub, Hub.police)
    let delivery = try #require(DeliveryID(carrierID: all[0]))
    _ = try await hub.store.withdraw(delivery, reason: "ACC-02", at: .start)
    #expect(try await keeper.message(all[0], for: Hub.police, headersOnly: false) == .gone)
    #expect(try await keeper.message(all[0], for: Hub.police, headersOnly: true) == .gone)
    #expect(try await ids(hub, Hub.police) == [all[1]])
    // To others it is not even gone.
    #expect(try await keeper.message(all[0], for: Hub.probation, headersOnly: true) == .notFound)
    // 30 days, where no answer is owed.
    hub.clock.set(.start + .days(30) - .seconds(1))
    guard case .found = try await keeper.message(all[1], for: Hub.police, headersOnly: false) else {
      Issue.record("it lives for 30 days")
      return
    }
    hub.clock.set(.start + .days(30))
    #expect(try await keeper.message(all[1], for: Hub.police, headersOnly: false) == .gone)
  }

  @Test func `a workflow filter parts notices from answers`() async throws {
    let hub = try await filled()
    #expect(try await ids(hub, Hub.police, workflow: "SALLYPORT_NOTICE").count == 2)
    #expect(try await ids(hub, Hub.police, workflow: "SALLYPORT_NOTICE_ACK").isEmpty)
    #expect(try await ids(hub, Hub.police, workflow: "SALLYPORT_*").count == 2)
    #expect(try await ids(hub, Hub.police, workflow: "!SALLYPORT_NOTICE").isEmpty)
    #expect(try await ids(hub, Hub.police, workflow: "OTHER").isEmpty)
  }

  @Test func `a mailbox that the agreement does not have is not served`() async throws {
    let hub = try await filled()
    for name in ["NOBODY1", "SALLYPORT1"] {
      let mailbox = try #require(MailboxID(name))
      await #expect(throws: KeeperRefusal.unavailable) {
        try await hub.keeper().page(of: mailbox, after: nil, limit: 10, workflow: nil)
      }
    }
  }
}

extension Hub {
  /// Takes what lies in our own mailbox, as the daemon's worker does.
  func takeSubmissions() async throws -> [Intake.Ending?] {
    var endings: [Intake.Ending?] = []
    for message in try await store.rawWaiting(limit: 64) {
      let arrived = ArrivedMessage(
        carrier: message.carrier, origin: .mailbox, exchange: message.exchange,
        bytes: message.bytes, receivedAt: message.receivedAt, confirmations: message.confirmations)
      _ = try await pipeline.take(arrived)
      endings.append(try await view(message.exchange).ending)
    }
    return endings
  }
}
