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

@Suite struct `Age, revocation lists and certificates hold what they must, and no more` {
  /// A signing 11 days before the hub's clock, with revocation lists that are current now.
  private func elevenDaysLater() async throws -> Hub {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let later = Instant.start + .days(11)
    let list = try Area.revocationList(at: later)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    hub.clock.set(later)
    return hub
  }

  @Test func `a message signed 11 days ago waits for a person`() async throws {
    let hub = try await elevenDaysLater()
    let taken = try await hub.take(
      hub.seal(Notice.named("release-date"), at: .start), as: "M2")
    #expect(try await hub.view(taken.exchange).ending == .held(code: "INTK-007"))
    // Deciding it again without a person's word changes nothing.
    try await hub.reconsider(taken.exchange)
    #expect(try await hub.view(taken.exchange).ending == .held(code: "INTK-007"))
    try await hub.store.confirm(
      taken.exchange, rule: "INTK-007", by: "officer-1", reason: "still true", at: hub.clock.now)
    #expect(try await hub.reconsider() == [taken.exchange])
    let view = try await hub.view(taken.exchange)
    #expect(view.ending == .shared)
    #expect(view.rules.contains("FLAG-signed-long-ago"))
  }

  @Test func `one signed 10 days ago to the second does not`() async throws {
    let hub = try await elevenDaysLater()
    let taken = try await hub.take(
      hub.seal(Notice.named("release-date"), at: .start + .days(1)), as: "M2")
    #expect(try await hub.view(taken.exchange).ending == .shared)
  }

  @Test func `an urgent one signed 11 days ago goes on, flagged`() async throws {
    let hub = try await elevenDaysLater()
    let taken = try await hub.take(hub.seal(Notice.named("recall"), at: .start), as: "M2")
    let view = try await hub.view(taken.exchange)
    #expect(view.ending == .shared)
    #expect(view.rules.contains("FLAG-signed-long-ago"))
  }

  @Test func `a stale revocation list holds the ordinary, flags the urgent, and a new one frees`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    // The list's next update was due at day 7.
    hub.clock.set(.start + .days(8))
    let ordinary = try await hub.take(Notice.named("release-date"), as: "M2")
    #expect(ordinary.ending == .held(code: "INTK-008"))
    try await hub.reconsider(ordinary.exchange)
    #expect(try await hub.view(ordinary.exchange).ending == .held(code: "INTK-008"))
    let urgent = try await hub.take(Notice.named("recall"), as: "M3")
    #expect(urgent.ending == .shared)
    #expect(urgent.rules.contains("FLAG-revocation-list-stale"))
    let list = try Area.revocationList(at: hub.clock.now)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    try await hub.reconsider(ordinary.exchange)
    #expect(try await hub.view(ordinary.exchange).ending == .shared)
  }

  @Test func `a signer who was revoked meanwhile does not come out of a hold`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    hub.clock.set(.start + .days(8))
    let held = try await hub.take(Notice.named("release-date"), as: "M2")
    #expect(held.ending == .held(code: "INTK-008"))
    let list = try Area.world.authority.revocationList(
      revoked: [Area.party("prison:durham").signing.serial],
      thisUpdate: hub.clock.now - .seconds(60), nextUpdate: hub.clock.now + .days(7), number: 2)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    try await hub.reconsider(held.exchange)
    let after = try await hub.view(held.exchange)
    #expect(after.ending == .setAside(code: "SEAL-023"))
    #expect(after.deliveries.isEmpty)
  }

  @Test
  func `a list a week past its end, or none, says nothing of a message: it stays where it is`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let none = try Area.regime { $0.revocationLists = [] }
    for (regime, moment) in [
      (try Area.regime, Instant.start + .days(14)), (none, .start + .seconds(60)),
    ] {
      hub.regime.swap(for: regime)
      hub.clock.set(moment)
      // Urgent ones too: nothing is known of who signed.
      for step in ["release-date", "recall"] {
        let bytes = try hub.seal(Notice.named(step))
        let taken = try await hub.take(bytes, as: "STAYS")
        #expect(!taken.mayAcknowledge)
        #expect(try await hub.store.carrierMessage(Hub.carrier("STAYS")) == nil)
      }
    }
    let list = try Area.revocationList(at: hub.clock.now)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    let taken = try await hub.take(hub.seal(Notice.named("release-date")), as: "STAYS")
    #expect(taken.mayAcknowledge)
    #expect(try await hub.view(taken.exchange).ending == .shared)
  }

  @Test
  func `an urgent copy for a party whose certificate has ended does not keep it from the others`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let police = try Area.party("police:durham")
    let ended = try Area.world.authority.issue(
      CertificateRequest(commonName: "ended", use: .encryption, notAfter: .days(1)), now: .start)
    hub.regime.swap(
      for: try Area.regime { trust in
        if trust.party == police.id { trust.encryptionCertificates = [ended.certificatePEM] }
      })
    hub.clock.set(.start + .days(2))
    let view = try await hub.take(Notice.named("recall"), as: "M2")
    #expect(view.ending == .shared)
    #expect(view.recipients == ["prison:durham"])
    // The operator learns whom to tell by other means.
    let alarm = hub.lines.all.first { $0.contains("copy could not be sealed") }
    #expect(alarm?.contains("police:durham") == true && alarm?.contains("SEAL-041") == true)
  }

  @Test func `a copy for a party whose certificate has ended holds everything until it is renewed`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let police = try Area.party("police:durham")
    let ended = try Area.world.authority.issue(
      CertificateRequest(commonName: "ended", use: .encryption, notAfter: .days(1)), now: .start)
    hub.regime.swap(
      for: try Area.regime { trust in
        if trust.party == police.id { trust.encryptionCertificates = [ended.certificatePEM] }
      })
    hub.clock.set(.start + .days(2))
    let before = try await hub.copyCount()
    let held = try await hub.take(Notice.named("release-date"), as: "M2")
    #expect(held.ending == .held(code: "SEAL-041"))
    // Nobody is told a part: not the offender manager, whose certificate is good, either.
    #expect(try await hub.copyCount() == before)
    #expect(try await hub.snapshot(of: Notice.cast().adult)?.facts["releaseDate"] == nil)
    try await hub.reconsider(held.exchange)
    #expect(try await hub.view(held.exchange).ending == .held(code: "SEAL-041"))
    // It comes up by itself after the patience of the worker.
    let due = try await hub.store.heldExchanges(
      decidedBefore: hub.clock.now + .seconds(1), limit: 10)
    #expect(due.map(\.exchange) == [held.exchange])

    hub.regime.swap(for: try Area.regime)
    try await hub.reconsider(held.exchange)
    let after = try await hub.view(held.exchange)
    #expect(after.ending == .shared)
    #expect(after.recipients == ["police:durham", "probation:durham"])
    #expect(try await hub.copies("police:durham").count == 1)
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.facts["releaseDate"] == "2026-11-02")
  }

  @Test func `a registration whose copies cannot be sealed begins no case before they can`()
    async throws
  {
    let hub = try await Hub()
    let ended = try Area.world.authority.issue(
      CertificateRequest(commonName: "ended", use: .encryption, notAfter: .days(1)), now: .start)
    hub.regime.swap(for: try Area.regime { $0.encryptionCertificates = [ended.certificatePEM] })
    hub.clock.set(.start + .days(2))
    let held = try await hub.take(Notice.named("registered-adult"), as: "M1")
    #expect(held.ending == .held(code: "SEAL-041"))
    #expect(try await hub.snapshot(of: Notice.cast().adult) == nil)
    hub.regime.swap(for: try Area.regime)
    try await hub.reconsider(held.exchange)
    #expect(try await hub.view(held.exchange).ending == .shared)
    #expect(try await hub.snapshot(of: Notice.cast().adult)?.version == 1)
  }
}
