import Exchange
import Foundation
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `What is verified is decided, and each recipient gets its own copy` {
  @Test func `a registration tells the co-ordinator and the prison, and begins a case`()
    async throws
  {
    let hub = try await Hub()
    let notice = try Notice.named("registered-adult")
    let view = try await hub.take(notice, as: "M1")
    #expect(view.ending == .shared)
    #expect(view.recipients == ["coordinator:durham", "prison:durham"])
    #expect(view.notification == notice)
    #expect(view.verdict?.signer.text == "probation:durham")
    let coordinator = try await hub.copies("coordinator:durham")
    #expect(coordinator.count == 1)
    #expect(
      Set(coordinator[0].data.keys)
        == ["pncId", "crn", "category", "level", "leadAgency", "offenderManager"])
    let prison = try await hub.copies("prison:durham")
    #expect(Set(prison[0].data.keys) == ["prisonNumber", "pncId", "leadAgency", "offenderManager"])
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.version == 1)
    #expect(snapshot.facts["holdingPrison"] == "prison:durham")
    #expect(snapshot.facts["level"] == 1)
  }

  @Test func `a copy names its source, its reader, its decision and a reference of its own`()
    async throws
  {
    let hub = try await Hub()
    let notice = try Notice.named("registered-adult")
    let view = try await hub.take(notice, as: "M1")
    let prison = try await hub.copies("prison:durham")[0]
    let coordinator = try await hub.copies("coordinator:durham")[0]
    #expect(prison.source.text == "probation:durham")
    #expect(prison.audience.text == "prison:durham")
    #expect(prison.type == notice.type)
    #expect(prison.time == notice.time)
    #expect(prison.id.text == view.deliveries.first { $0.party.text == "prison:durham" }?.id.text)
    #expect(prison.subject != coordinator.subject)
    #expect(prison.subject != notice.subject)
    #expect(coordinator.subject != notice.subject)
    // The same person, later, is known by the same reference.
    try await hub.share("release-date")
    let police = try await hub.copies("police:durham")[0].subject
    try await hub.share("release-date-changed")
    #expect(try await hub.copies("police:durham").map(\.subject) == [police, police])
  }

  @Test func `a release date tells the offender manager and the police of the release area`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let view = try await hub.take(Notice.named("release-date"), as: "M2")
    #expect(view.recipients == ["police:durham", "probation:durham"])
    let fields: Set<String> = [
      "prisonNumber", "pncId", "establishment", "releaseDate", "releaseArea", "releaseType",
    ]
    #expect(Set(try await hub.copies("police:durham")[0].data.keys) == fields)
    // The registration came from probation itself and is no copy for it.
    #expect(try await hub.copies("probation:durham").map { Set($0.data.keys) } == [fields])
    #expect(try await hub.copies("police:durham")[0].data["releaseDate"] == "2026-11-02")
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.facts["releaseDate"] == "2026-11-02")
    #expect(snapshot.version == 2)
  }

  @Test func `a MAPPA J reaches the Jobcentre without what is forbidden, with an answer owed`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let view = try await hub.take(Notice.named("j"), as: "M2")
    #expect(view.recipients == ["jobcentre:durham"])
    let copy = try await hub.copies("jobcentre:durham")[0]
    #expect(
      Set(copy.data.keys) == [
        "name", "dateOfBirth", "restrictions", "endDate", "staffRisk", "offenderManagerContact",
        "reference",
      ])
    // Five working days after Monday 2 February 2026.
    #expect(view.deadlines.count == 1)
    #expect(view.deadlines[0].deadline.schedule.due.day == CivilDate("2026-02-09"))
    #expect(view.deadlines[0].deadline.owedBy.text == "jobcentre:durham")
    #expect(view.deadlines[0].deadline.owedTo.text == "probation:durham")
  }

  @Test func `its answer goes back to the sender and meets the deadline`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let question = try await hub.take(Notice.named("j"), as: "M2")
    let copy = try await hub.copies("jobcentre:durham")[0]
    let answer = Exchange.Notification(
      id: try #require(EventID("answer-1")), source: copy.audience,
      type: try #require(NotificationType("mappa-j.acknowledged")), time: .start,
      subject: copy.subject, audience: try Area.world.own.id, correlationID: copy.id,
      data: [
        "receivedOn": "2026-02-02", "adviserContact": "Adviser desk, 01632 960002",
        "jReference": "MJ-1001",
      ])
    let view = try await hub.take(answer, as: "M3")
    #expect(view.ending == .shared)
    #expect(view.recipients == ["probation:durham"])
    let received = try await hub.copies("probation:durham")[0]
    // The offender manager knows it by the id that it gave the MAPPA J.
    #expect(received.correlationID == question.notification?.id)
    #expect(received.data["jReference"] == "MJ-1001")
    let after = try await hub.view(question.exchange)
    #expect(after.deliveries.map(\.state) == [.acknowledged])
    #expect(after.deadlines.map(\.deadline.state) == [.met])
  }

  @Test func `an answer that names another MAPPA J than it answers closes neither`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let question = try await hub.take(Notice.named("j"), as: "M2")
    let copy = try await hub.copies("jobcentre:durham")[0]
    let answer = try copy.with(
      id: "answer-3", source: "jobcentre:durham", type: "mappa-j.acknowledged",
      audience: try Area.world.own.id, answers: copy.id,
      data: ["receivedOn": "2026-02-02", "adviserContact": "Desk", "jReference": "MJ-9999"])
    let view = try await hub.take(answer, as: "M3")
    #expect(view.ending == .refused)
    #expect(view.rules == ["ANS-02"])
    #expect(try await hub.view(question.exchange).deliveries.map(\.state) == [.pending])
    #expect(try await hub.view(question.exchange).deadlines.map(\.deadline.state) == [.owed])
  }

  @Test func `an answer of somebody to whom it was not delivered is refused`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult", "j")
    let copy = try await hub.copies("jobcentre:durham")[0]
    let answer = try copy.with(
      id: "answer-2", source: "coordinator:durham", type: "mappa-j.acknowledged",
      audience: try Area.world.own.id, answers: copy.id,
      data: ["receivedOn": "2026-02-02", "adviserContact": "Desk", "jReference": "MJ-1001"])
    let view = try await hub.take(answer, as: "M3")
    #expect(view.ending == .refused)
    #expect(view.deliveries.isEmpty)
  }

  @Test func `what the rules refuse tells nobody anything and sets no fact`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-youth")
    let before = try await hub.copyCount()
    let view = try await hub.take(Notice.named("j-youth"), as: "M2")
    #expect(view.ending == .refused)
    #expect(view.rules == ["JCP-02"])
    #expect(view.deliveries.isEmpty)
    #expect(view.deadlines.isEmpty)
    #expect(try await hub.copyCount() == before)
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().youth))
    #expect(snapshot.facts["restrictionEndDate"] == nil)
    #expect(snapshot.version == 1)
  }

  @Test func `a registration for another lead agency is refused and begins no case`() async throws {
    let hub = try await Hub()
    let notice = try Notice.named("registered-adult").with(
      data: ["leadAgency": "police:durham"])
    let view = try await hub.take(notice, as: "M1")
    #expect(view.ending == .refused)
    #expect(view.rules == ["CASE-04"])
    #expect(try await hub.snapshot(of: Notice.cast().adult) == nil)
  }
}

@Suite struct `What cannot be opened or understood is set aside with its bytes` {
  private func setAside(_ hub: Hub, _ bytes: [UInt8], attempt: Int = 1) async throws -> String {
    let taken = try await hub.take(bytes, as: "M99", attempt: attempt)
    // Committed, so it may go upstream.
    #expect(taken.mayAcknowledge)
    let view = try await hub.view(taken.exchange)
    #expect(try await hub.store.original(of: taken.exchange) == bytes)
    #expect(view.deliveries.isEmpty)
    guard case .setAside(let code) = view.ending else {
      return "\(String(describing: view.ending))"
    }
    return code
  }

  @Test func `a message signed in another's name`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let before = try await hub.copyCount()
    let forged = try Area.world.forge(
      Notice.named("forgery"), signedBy: Area.party("immigration:casework"), now: .start)
    #expect(try await setAside(hub, forged) == "SEAL-031")
    #expect(try await hub.copyCount() == before)
  }

  @Test func `a message for another audience, sealed to us again`() async throws {
    let hub = try await Hub()
    let world = try Area.world
    let prison = try Area.party("prison:durham")
    // Whoever got it from the prison seals the prison's signed words anew: here the prison itself does.
    var trust = world.trust(in: world.own)
    trust.party = try Area.party("police:durham").id
    let notice = try Notice.named("release-date").with(audience: trust.party)
    let sealed = try Sealer(identity: world.identity(of: prison), parties: [trust])
      .seal(notice, now: .start)
    #expect(try await setAside(hub, sealed) == "SEAL-032")
  }

  @Test func `a message that is not sealed to us, and bytes that are no message`() async throws {
    let hub = try await Hub()
    let world = try Area.world
    let police = try Area.party("police:durham")
    let prison = try Area.party("prison:durham")
    let notice = try Notice.named("release-date").with(audience: police.id)
    let sealed = try Sealer(
      identity: world.identity(of: prison), parties: [world.trust(in: police)]
    )
    .seal(notice, now: .start)
    #expect(try await setAside(hub, sealed) == "SEAL-007")
    let other = try await Hub()
    #expect(try await setAside(other, Array("not a message".utf8)) == "SEAL-018")
    let cut = try await Hub()
    #expect(try await setAside(cut, Array(sealed.dropLast(20))) == "SEAL-019")
  }

  @Test func `a type that no rulebook knows`() async throws {
    let hub = try await Hub()
    let notice = try Notice.named("release-date").with(type: "horoscope.published")
    #expect(try await setAside(hub, hub.seal(notice)) == "INTK-002")
  }

  @Test func `a field that is missing or not of its kind`() async throws {
    for (change, code) in [
      (["establishment": .null], "RULE-101"), (["releaseDate": "2026-13-40"], "RULE-104"),
      (["pncId": .null], "RULE-108"),
    ] as [([String: JSONValue], String)] {
      let hub = try await Hub()
      let notice = try Notice.named("release-date").with(data: change)
      #expect(try await setAside(hub, hub.seal(notice)) == code)
    }
  }

  @Test func `a signer whose certificate is revoked`() async throws {
    let hub = try await Hub()
    let world = try Area.world
    let list = try world.authority.revocationList(
      revoked: [Area.party("prison:durham").signing.serial], thisUpdate: .start - .seconds(60),
      nextUpdate: .start + .days(7), number: 2)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    #expect(try await setAside(hub, hub.seal(Notice.named("release-date"))) == "SEAL-023")
  }

  @Test func `a message at its third try, unopened`() async throws {
    for (attempt, ending) in [(1, "held"), (2, "held"), (3, "set-aside"), (4, "set-aside")] {
      let hub = try await Hub()
      let bytes = try hub.seal(Notice.named("release-date"))
      let taken = try await hub.take(bytes, as: "M1", attempt: attempt)
      #expect(taken.mayAcknowledge)
      let view = try await hub.view(taken.exchange)
      #expect(view.ending?.word == ending)
      // Unopened, nobody knows whose it is.
      #expect((view.sender == nil) == (attempt >= 3))
      if attempt >= 3 { #expect(view.ending == .setAside(code: "INTK-003")) }
    }
  }

  @Test func `a message signed more than 15 minutes ahead of our clock`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let notice = try Notice.named("release-date")
    #expect(try await setAside(hub, hub.seal(notice, at: .start + .minutes(16))) == "INTK-006")
    // Facts go by the notification's own time: one from the future would freeze them.
    let future = try await hub.take(
      notice.with(id: "future", time: .start + .minutes(16)), as: "M3")
    #expect(future.ending == .setAside(code: "INTK-006"))
    // Signed within the limit, it is still new.
    let inTime = try hub.seal(notice.with(id: "again"), at: .start + .minutes(15))
    let taken = try await hub.take(inTime, as: "M2")
    #expect(try await hub.view(taken.exchange).ending == .shared)
  }
}
