import Exchange
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `What is held goes on when what it waits for has come` {
  @Test func `a MAPPA J waits for the discussion with the Jobcentre`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-unaware")
    let held = try await hub.take(Notice.named("j-unaware"), as: "M2")
    #expect(held.ending == .held(code: "JCP-01"))
    #expect(held.deliveries.isEmpty)
    #expect(held.deadlines.isEmpty)
    #expect(try await hub.copies("jobcentre:durham").isEmpty)
    #expect(try await hub.reconsider().isEmpty)
    // Anything about another person changes nothing.
    try await hub.share("registered-adult", "j")
    #expect(try await hub.reconsider().isEmpty)
    hub.clock.set(.start + .days(1))
    try await hub.share("discussion")
    #expect(try await hub.reconsider() == [held.exchange])
    let after = try await hub.view(held.exchange)
    #expect(after.ending == .shared)
    #expect(after.recipients == ["jobcentre:durham"])
    let types = try await hub.copies("jobcentre:durham").map(\.type.text)
    #expect(
      types == [
        "mappa-j.issued.release", "mappa-j.prior-discussion.unaware", "mappa-j.issued.release",
      ])
    // Five working days from Tuesday 3 February 2026, when it lay in the mailbox.
    #expect(after.deadlines.map(\.deadline.schedule.due.day) == [CivilDate("2026-02-10")])
    #expect(try await hub.reconsider().isEmpty)
  }

  @Test func `a note with a word of the list waits for an officer, and only for the right rule`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let held = try await hub.take(Notice.named("j-note"), as: "M2")
    #expect(held.ending == .held(code: "FREE-01"))
    try await hub.store.confirm(
      held.exchange, rule: "JCP-01", by: "officer-1", reason: "mistaken", at: .start)
    #expect(try await hub.reconsider() == [held.exchange])
    #expect(try await hub.view(held.exchange).ending == .held(code: "FREE-01"))
    try await hub.store.confirm(
      held.exchange, rule: "FREE-01", by: "officer-1", reason: "read", at: .start)
    #expect(try await hub.reconsider() == [held.exchange])
    #expect(try await hub.view(held.exchange).ending == .shared)
    #expect(
      try await hub.copies("jobcentre:durham")[0].data["note"]
        == "Served a sentence for robbery; see file.")
  }

  @Test func `a person whom nobody registered is held until somebody does`() async throws {
    let hub = try await Hub()
    let held = try await hub.take(Notice.named("release-date"), as: "M1")
    #expect(held.ending == .held(code: "INTK-004"))
    #expect(held.deliveries.isEmpty)
    try await hub.share("registered-youth")
    #expect(try await hub.reconsider().isEmpty)
    try await hub.share("registered-adult")
    #expect(try await hub.reconsider() == [held.exchange])
    let after = try await hub.view(held.exchange)
    #expect(after.ending == .shared)
    #expect(after.recipients == ["police:durham", "probation:durham"])
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.facts["releaseDate"] == "2026-11-02")
  }

  @Test func `several that wait for one person all go on, in order`() async throws {
    let hub = try await Hub()
    let first = try await hub.take(Notice.named("release-date"), as: "M1")
    hub.clock.set(.start + .minutes(1))
    let second = try await hub.take(Notice.named("release-date-changed"), as: "M2")
    #expect(second.ending == .held(code: "INTK-004"))
    try await hub.share("registered-adult")
    #expect(try await hub.reconsider() == [first.exchange, second.exchange])
    // The second did not wait for the first: what it changed came first all the same.
    #expect(try await hub.view(first.exchange).ending == .shared)
    if try await hub.view(second.exchange).ending != .shared { try await hub.reconsider() }
    #expect(try await hub.view(second.exchange).ending == .shared)
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.facts["releaseDate"] == "2026-10-12")
  }

  @Test func `an urgent notice about somebody unknown goes by area, and says so`() async throws {
    let hub = try await Hub()
    let view = try await hub.take(Notice.named("unexpected"), as: "M1")
    #expect(view.ending == .shared)
    #expect(view.recipients == ["police:durham"])
    #expect(view.rules.contains("CASE-01"))
    #expect(view.rules.contains("FLAG-person-not-known"))
    let copy = try await hub.copies("police:durham")[0]
    #expect(
      Set(copy.data.keys)
        == ["prisonNumber", "pncId", "establishment", "releaseDate", "releaseArea"])
    #expect(try await hub.snapshot(of: Notice.cast().unregistered) == nil)
    // Two notices about people who are not known have nothing in common.
    let again = try await hub.take(Notice.named("unexpected").with(id: "again"), as: "M2")
    #expect(again.ending == .shared)
    let subjects = try await hub.copies("police:durham").map(\.subject)
    #expect(subjects.count == 2)
    #expect(subjects[0] != subjects[1])
  }

  @Test
  func `an urgent notice about somebody known is not flagged, and tells the offender manager`()
    async throws
  {
    let hub = try await Hub()
    let person = try Notice.cast().adult
    try await hub.share("registered-adult")
    let notice = try Notice.named("unexpected").with(data: [
      "prisonNumber": .string(person.prisonNumber), "pncId": .string(person.pncID),
    ])
    let view = try await hub.take(notice, as: "M2")
    #expect(view.recipients == ["police:durham", "probation:durham"])
    #expect(!view.rules.contains { $0.hasPrefix("FLAG-") })
  }
}
