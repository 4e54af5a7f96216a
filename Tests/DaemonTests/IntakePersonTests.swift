import Exchange
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `Whom a notification is about is never guessed` {
  @Test func `one identifier of two that fits is not enough`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    // The case has another PNC ID: one of the two agencies means somebody else.
    let other = try Notice.cast().unregistered
    let contradiction = try await hub.take(
      Notice.named("release-date").with(id: "other", data: ["pncId": .string(other.pncID)]),
      as: "M8")
    #expect(contradiction.ending == .held(code: "INTK-005"))
    // Numbers of two people.
    try await hub.share("registered-foreign-national")
    let mixed = try await hub.take(
      Notice.named("release-date").with(
        id: "mixed", data: ["pncId": .string(try Notice.cast().foreignNational.pncID)]), as: "M9")
    #expect(mixed.ending == .held(code: "INTK-005"))
  }

  @Test func `a registration with an identifier of somebody else is held, not tried for ever`()
    async throws
  {
    let hub = try await Hub()
    let notice = try Notice.named("registered-adult")
    try await hub.take(notice.with(data: ["crn": .null]), as: "M1")
    // The prison number is that person's; the CRN is nobody's yet, and no PNC ID says who is meant.
    let second = try await hub.take(
      notice.with(id: "second", data: ["pncId": .null, "crn": "X000099"]), as: "M2")
    #expect(second.ending == .held(code: "INTK-005"))
    #expect(try await hub.snapshot(of: Notice.cast().adult)?.version == 1)
  }

  @Test func `a registration sent again makes the case known by what it adds`() async throws {
    let hub = try await Hub()
    let notice = try Notice.named("registered-adult")
    try await hub.take(notice.with(data: ["crn": .null]), as: "M1")
    let byNewNumber = try Notice.named("release-date").with(
      data: ["prisonNumber": "Z1001ZZ", "pncId": .null, "crn": "X000001"])
    let held = try await hub.take(byNewNumber, as: "M2")
    // The prison number is known; it takes two.
    #expect(held.ending == .held(code: "INTK-005"))
    let again = try await hub.take(notice.with(id: "again"), as: "M3")
    #expect(again.ending == .shared)
    // It waited for that number.
    #expect(try await hub.reconsider() == [held.exchange])
    #expect(try await hub.view(held.exchange).ending == .shared)
  }

  @Test
  func `an urgent notice with one number of two goes to those who deal with it, and sets no fact`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let person = try Notice.cast().adult
    let notice = try Notice.named("unexpected").with(data: [
      "prisonNumber": .string(person.prisonNumber), "pncId": .null,
    ])
    let view = try await hub.take(notice, as: "M2")
    #expect(view.ending == .shared)
    #expect(view.recipients == ["police:durham", "probation:durham"])
    #expect(view.rules.contains("FLAG-person-ambiguous"))
    let snapshot = try #require(try await hub.snapshot(of: person))
    #expect(snapshot.facts["releaseDate"] == nil)
    #expect(snapshot.version == 1)
  }

  @Test func `a known reference with another person's numbers is held`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    // What the prison was told to call the adult, upon the numbers of somebody not registered.
    let reference = try await hub.copies("prison:durham")[0].subject
    let other = try Notice.cast().unregistered
    let view = try await hub.take(
      Notice.named("release-date").with(
        subject: reference,
        data: ["prisonNumber": .string(other.prisonNumber), "pncId": .string(other.pncID)]),
      as: "M2")
    #expect(view.ending == .held(code: "INTK-005"))
    #expect(try await hub.snapshot(of: Notice.cast().adult)?.facts["releaseDate"] == nil)
    // The same reference from a party to which it was not given means nothing.
    let stranger = try await hub.take(
      Notice.named("recall").with(
        id: "stranger", subject: reference,
        data: ["prisonNumber": .string(other.prisonNumber), "pncId": .null, "crn": .null]),
      as: "M3")
    #expect(stranger.caseID == nil)
  }

  @Test func `a known reference with one number that fits is enough`() async throws {
    let hub = try await Hub()
    try await hub.take(
      Notice.named("registered-adult").with(data: ["pncId": .null]), as: "M1")
    let reference = try await hub.copies("prison:durham")[0].subject
    // The PNC ID is new to the case; the prison number and the reference agree.
    let view = try await hub.take(
      Notice.named("release-date").with(subject: reference), as: "M2")
    #expect(view.ending == .shared)
  }
}
