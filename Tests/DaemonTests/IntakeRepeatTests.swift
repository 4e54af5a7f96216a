import Exchange
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `A notification has one effect, however often it comes` {
  @Test func `the same bytes under another carrier id`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let bytes = try hub.seal(Notice.named("release-date"))
    let first = try await hub.take(bytes, as: "M1")
    let count = try await hub.copyCount()
    let second = try await hub.take(bytes, as: "M2", inbox: "police")
    #expect(first.mayAcknowledge && second.mayAcknowledge)
    let view = try await hub.view(second.exchange)
    #expect(view.ending == .duplicate)
    #expect(view.first == first.exchange)
    #expect(view.deliveries.isEmpty)
    #expect(try await hub.copyCount() == count)
    #expect(try await hub.snapshot(of: Notice.cast().adult)?.version == 2)
    for id in ["M1", "M2"] {
      let key = try Hub.carrier(id, in: id == "M1" ? "prison" : "police")
      #expect(try await hub.store.carrierMessage(key)?.isFinished == true)
    }
  }

  @Test func `the same words, signed and sealed anew`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let notice = try Notice.named("release-date")
    let first = try await hub.take(notice, as: "M1")
    hub.clock.set(.start + .minutes(5))
    let second = try await hub.take(notice, as: "M2")
    #expect(second.ending == .duplicate)
    #expect(second.first == first.exchange)
  }

  @Test func `listed again under its own carrier id, it is acknowledged and leaves no second row`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let bytes = try hub.seal(Notice.named("release-date"))
    let first = try await hub.take(bytes, as: "M1")
    let again = try await hub.take(bytes, as: "M1")
    #expect(again.mayAcknowledge)
    let lines = try await hub.store.exchanges(limit: 10)
    #expect(lines.count == 2)
    #expect(lines.contains { $0.exchange == first.exchange })
    #expect(try await hub.view(first.exchange).ending == .shared)
  }

  @Test func `what was set aside or held comes again under its own carrier id: nothing happens`()
    async throws
  {
    let hub = try await Hub()
    for bytes in [Array("nothing".utf8), try hub.seal(Notice.named("release-date"))] {
      let id = "M\(bytes.count)"
      let first = try await hub.take(bytes, as: id)
      let ending = try await hub.view(first.exchange).ending
      let again = try await hub.take(bytes, as: id)
      #expect(again.mayAcknowledge)
      #expect(try await hub.view(first.exchange).ending == ending)
    }
    #expect(try await hub.store.exchanges(limit: 10).count == 2)
  }

  @Test func `an id that was used for other content: the first stands`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let notice = try Notice.named("release-date")
    let first = try await hub.take(notice, as: "M1")
    let count = try await hub.copyCount()
    let other = try notice.with(data: ["releaseDate": "2026-02-03"])
    let second = try await hub.take(other, as: "M2")
    #expect(second.ending == .setAside(code: "INTK-001"))
    #expect(second.sender?.text == "prison:durham")
    #expect(try await hub.copyCount() == count)
    #expect(try await hub.view(first.exchange).ending == .shared)
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.facts["releaseDate"] == "2026-11-02")
  }

  @Test func `the same id of another party is another notification`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date")
    let id = try Notice.named("release-date").id.text
    let view = try await hub.take(Notice.named("recall").with(id: id), as: "M9")
    #expect(view.ending == .shared)
  }

  @Test func `the same bytes under four carrier ids at once`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let bytes = try hub.seal(Notice.named("release-date"))
    let before = try await hub.copyCount()
    let views = try await hub.atOnce((1...4).map { (bytes, "D\($0)") })
    #expect(views.count { $0.ending == .shared } == 1)
    #expect(views.count { $0.ending == .duplicate } == 3)
    let first = views.first { $0.ending == .shared }?.exchange
    #expect(views.filter { $0.ending == .duplicate }.allSatisfy { $0.first == first })
    #expect(try await hub.copyCount() == before + 2)
  }

  @Test func `two contents under one id at once: one stands, the other is set aside`() async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let notice = try Notice.named("release-date")
    let other = try notice.with(data: ["releaseDate": "2026-12-01"])
    let views = try await hub.atOnce([
      (try hub.seal(notice), "D1"), (try hub.seal(other), "D2"),
    ])
    #expect(views.map { $0.ending?.rawValue ?? "" }.sorted() == ["set-aside INTK-001", "shared"])
    let stands = try #require(views.first { $0.ending == .shared }?.notification)
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.facts["releaseDate"] == stands.data["releaseDate"])
  }
}

@Suite struct `Facts of a case survive what comes together and what comes late` {
  @Test func `two about one person at once: the second is decided again, no fact is lost`()
    async throws
  {
    for round in 0..<3 {
      let hub = try await Hub()
      try await hub.share("registered-adult")
      let release = try hub.seal(Notice.named("release-date"))
      let recall = try hub.seal(Notice.named("recall"))
      let views = try await hub.atOnce([(release, "A\(round)"), (recall, "B\(round)")])
      #expect(views.map(\.ending) == [.shared, .shared])
      let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
      #expect(snapshot.facts["releaseDate"] == "2026-11-02")
      #expect(snapshot.facts["recallDate"] == "2026-02-02")
      #expect(snapshot.version == 3)
      #expect(views[0].recipients == ["police:durham", "probation:durham"])
      #expect(views[1].recipients == ["police:durham", "prison:durham"])
    }
  }

  @Test func `a decision upon a case that has moved meanwhile is forgotten and made again`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let bytes = try hub.seal(Notice.named("release-date"))
    let verified = try Area.regime.sealer.open(bytes, now: .start)
    var passage = IntakePassage(
      message: ArrivedMessage(
        carrier: try Hub.carrier("STEPS"), origin: .inbox, exchange: .random(), bytes: bytes,
        receivedAt: .start), regime: try Area.regime, attempt: 1)
    passage.opened = (verified.notification, verified.verdict)
    var intake = Intake(origin: .inbox)
    _ = intake.attempted(1)
    let opened = intake.opened(
      Intake.Opened(
        signedAt: .start, statedAt: .start, isKnownType: true, isUrgent: false,
        revocation: .current), at: .start)
    #expect(opened == .identify)
    #expect(try await hub.pipeline.identify(&intake, &passage) == .decide(flags: []))
    #expect(hub.pipeline.decide(&intake, &passage, flags: []) == .seal)
    #expect(hub.pipeline.seal(&intake, &passage) == .commit(.shared))
    try await hub.share("recall")
    #expect(try await hub.store.record(passage.record(.shared, at: .start)) == .stale)
    #expect(intake.stale() == .identify)
    #expect(try await hub.pipeline.identify(&intake, &passage) == .decide(flags: []))
    #expect(passage.decision == nil && passage.deliveries.isEmpty && passage.deadlines.isEmpty)
    #expect(hub.pipeline.decide(&intake, &passage, flags: []) == .seal)
    #expect(hub.pipeline.seal(&intake, &passage) == .commit(.shared))
    let result = try await hub.store.record(passage.record(.shared, at: .start))
    guard case .recorded = result else {
      Issue.record("\(result)")
      return
    }
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.facts["releaseDate"] == "2026-11-02")
    #expect(snapshot.facts["recallDate"] == "2026-02-02")
  }

  @Test func `five about one person at once all end`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-unaware")
    let person = try Notice.cast().unaware
    let base = try Notice.named("release-date-changed").with(
      data: ["prisonNumber": .string(person.prisonNumber), "pncId": .string(person.pncID)])
    let notices = try (1...5).map { number in
      try base.with(
        id: "five-\(number)", time: .start + .seconds(number),
        data: ["releaseDate": .string("2026-09-0\(number)")])
    }
    let views = try await hub.atOnce(
      try notices.enumerated().map { (try hub.seal($0.element), "F\($0.offset)") })
    #expect(views.allSatisfy { $0.ending == .shared })
    // The newest by the sender's time holds, in whatever order they were committed.
    let snapshot = try #require(try await hub.snapshot(of: person))
    #expect(snapshot.facts["releaseDate"] == "2026-09-05")
  }

  @Test func `two registrations of one person at once make one case`() async throws {
    let hub = try await Hub()
    let notice = try Notice.named("registered-adult")
    let views = try await hub.atOnce([
      (try hub.seal(notice), "A1"), (try hub.seal(notice.with(id: "other")), "A2"),
    ])
    #expect(views.map(\.ending) == [.shared, .shared])
    #expect(views[0].caseID != nil)
    #expect(views[0].caseID == views[1].caseID)
  }

  @Test func `an older fact that arrives late is shared and recorded, and replaces nothing`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date-changed")
    // Signed off before the change, held up on its way.
    let late = try await hub.take(Notice.named("release-date"), as: "M9")
    #expect(late.ending == .shared)
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.facts["releaseDate"] == "2026-10-12")
    let fact = try #require(snapshot.facts.facts["releaseDate"])
    #expect(fact.source != late.exchange)
    #expect(fact.time == (try Notice.named("release-date-changed").time))
  }
}

extension Hub {
  /// Takes messages together: each looks at the store before the others have written to it.
  func atOnce(_ messages: [([UInt8], String)]) async throws -> [ExchangeView] {
    let exchanges = try await withThrowingTaskGroup(of: (Int, ExchangeID).self) { group in
      for (place, (bytes, id)) in messages.enumerated() {
        group.addTask {
          let taken = try await self.take(bytes, as: id)
          #expect(taken.mayAcknowledge)
          return (place, taken.exchange)
        }
      }
      return try await group.reduce(into: [Int: ExchangeID]()) { $0[$1.0] = $1.1 }
    }
    var views: [ExchangeView] = []
    for place in messages.indices { views.append(try await view(try #require(exchanges[place]))) }
    return views
  }
}
