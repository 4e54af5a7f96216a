import Exchange
import Rules
import Testing

/// Who is told what, type by type, written out by hand from the catalogue.
struct RecipientsAndFieldsTests {
  private func expect(
    _ ask: Ask, tells expected: [String: Set<String>],
    _ place: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try ask.problems() == [], sourceLocation: place)
    let decision = try ask.decision()
    #expect(decision.outcome == .shared, "\(decision.reasons)", sourceLocation: place)
    let copies = try ask.copies()
    #expect(copies == expected, sourceLocation: place)
    for recipient in decision.recipients {
      #expect(
        Set(recipient.released) == expected[recipient.party.text], sourceLocation: place)
      #expect(
        Set(recipient.fields.map(\.field)) == Set(ask.data.keys), sourceLocation: place)
    }
  }

  @Test func `a registration tells the co-ordinator and the prison the least`() throws {
    try expect(
      Notice.registration,
      tells: [
        "coordinator:durham": [
          "pncId", "crn", "category", "level", "leadAgency", "offenderManager",
        ],
        "prison:durham": ["prisonNumber", "pncId", "leadAgency", "offenderManager"],
      ])
  }

  @Test func `a registration sets every fact that it brings`() throws {
    let decision = try Notice.registration.decision()
    #expect(decision.registersCase)
    let facts = Dictionary(
      uniqueKeysWithValues: decision.factChanges.map { ($0.name, $0.value) })
    #expect(facts == Case.facts)
  }

  @Test func `a registration of a known case brings no second case`() throws {
    let decision = try Notice.registration.with { $0.facts = Case.facts }.decision()
    #expect(decision.outcome == .shared)
    #expect(!decision.registersCase)
  }

  @Test func `a confirmed release date goes to the offender manager and the police`() throws {
    try expect(
      Notice.confirmed,
      tells: [
        "probation:durham": [
          "prisonNumber", "pncId", "crn", "name", "establishment", "releaseDate", "releaseArea",
          "releaseType",
        ],
        "police:durham": [
          "prisonNumber", "pncId", "name", "establishment", "releaseDate", "releaseArea",
          "releaseType",
        ],
      ])
  }

  @Test func `a changed release date carries the old date and the reason`() throws {
    try expect(
      Notice.changed,
      tells: [
        "probation:durham": [
          "prisonNumber", "pncId", "crn", "name", "establishment", "releaseDate",
          "previousReleaseDate", "changeReason", "releaseArea", "releaseType",
        ],
        "police:durham": [
          "prisonNumber", "pncId", "name", "establishment", "releaseDate", "previousReleaseDate",
          "changeReason", "releaseArea", "releaseType",
        ],
      ])
  }

  @Test func `a changed release area tells the police of both areas, the former less`() throws {
    let ask = Notice.changed.with { $0.data["releaseArea"] = "northumbria" }
    let copies = try ask.copies()
    #expect(Set(copies.keys) == ["probation:durham", "police:durham", "police:northumbria"])
    #expect(
      copies["police:durham"] == ["prisonNumber", "pncId", "previousReleaseDate", "releaseArea"])
  }

  @Test func `release dates become facts of the case, and never a level`() throws {
    let names = try Notice.changed.decision().factChanges.map(\.name)
    #expect(names == ["holdingPrison", "releaseDate", "releaseArea", "releaseType"])
  }

  @Test func `an unexpected release goes by the area that the notice names`() throws {
    try expect(
      Notice.unexpected,
      tells: [
        "police:northumbria": [
          "prisonNumber", "pncId", "name", "dateOfBirth", "establishment", "releaseDate",
          "releaseTime", "releaseArea", "releaseType",
        ],
        "probation:durham": [
          "prisonNumber", "pncId", "crn", "name", "dateOfBirth", "establishment", "releaseDate",
          "releaseTime", "releaseArea", "releaseType",
        ],
      ])
    #expect(try Notice.unexpected.decision().urgent)
  }

  @Test func `a recall goes to the police of the area and the prison on record`() throws {
    try expect(
      Notice.recall,
      tells: [
        "police:durham": [
          "pncId", "prisonNumber", "name", "dateOfBirth", "recallDate", "recallType",
          "reasonClass",
        ],
        "prison:durham": ["prisonNumber", "pncId", "name", "recallDate", "recallType"],
      ])
  }

  @Test func `a referral and a prison's report go to the co-ordinator of the area alone`() throws {
    try expect(
      Notice.referral,
      tells: [
        "coordinator:durham": [
          "prisonNumber", "pncId", "crn", "name", "dateOfBirth", "category", "releaseDate",
          "offenderManagerContact", "referralForm",
        ]
      ])
    try expect(
      Notice.prisonReport,
      tells: [
        "coordinator:durham": [
          "prisonNumber", "pncId", "crn", "name", "meetingDate", "prisonReport",
        ]
      ])
  }

  @Test func `minutes go to the offender manager, and to the prison that reported to the meeting`()
    throws
  {
    try expect(
      Notice.minutes,
      tells: [
        "probation:durham": ["prisonNumber", "pncId", "crn", "name", "meetingDate", "minutes"],
        "prison:durham": ["prisonNumber", "pncId", "meetingDate", "minutes"],
      ])
  }

  @Test func `minutes of a transfer go to the receiving co-ordinator`() throws {
    try expect(
      Notice.minutesOfTransfer,
      tells: [
        "coordinator:northumbria": [
          "name", "dateOfBirth", "prisonNumber", "pncId", "crn", "category", "level", "leadAgency",
          "offenderManagerContact", "receivingArea", "meetingDate", "minutes",
        ],
        "probation:durham": ["prisonNumber", "pncId", "receivingArea", "meetingDate"],
      ])
  }

  @Test func `a level 1 transfer goes to the receiving co-ordinator alone`() throws {
    try expect(
      Notice.transfer,
      tells: [
        "coordinator:northumbria": [
          "name", "dateOfBirth", "prisonNumber", "pncId", "crn", "category", "leadAgency",
          "offenderManagerContact", "receivingArea", "screening",
        ]
      ])
  }

  @Test func `the co-ordinator of the sending area may notify a transfer too`() throws {
    let copies = try Notice.transfer.with { $0.from = "coordinator:durham" }.copies()
    #expect(Set(copies.keys) == ["coordinator:northumbria"])
  }

  @Test func `a release from immigration detention goes to the offender manager alone`() throws {
    try expect(
      Notice.immigration,
      tells: [
        "probation:durham": [
          "prisonNumber", "pncId", "crn", "name", "releasedOn", "place", "conditions",
        ]
      ])
    let decision = try Notice.immigration.decision()
    #expect(decision.basis == "LB-12")
    #expect(decision.factChanges == [FactChange(name: "immigrationState", value: "released")])
  }

  static let jFields: Set<String> = [
    "name", "dateOfBirth", "restrictions", "endDate", "staffRisk", "offenderManagerContact",
    "reference", "note",
  ]

  @Test func `a MAPPA J tells the Jobcentre the restriction and nothing else`() throws {
    try expect(Notice.mappaJ, tells: ["jobcentre:durham": RecipientsAndFieldsTests.jFields])
  }

  @Test(arguments: [
    "offence", "previousConvictions", "riskToPublic", "address", "category", "level",
    "prisonNumber", "pncId", "crn",
  ])
  func `a MAPPA J forbids what the Guidance forbids, by rule and paragraph`(_ field: String) throws
  {
    let outcome = try Notice.mappaJ.decision().outcome(of: field, to: "jobcentre:durham")
    #expect(outcome?.outcome == .forbidden)
    #expect(outcome?.reason.rule == "PRO-02")
    #expect(outcome?.reason.source == "MAPPA Guidance 3.27")
  }

  @Test func `what no rule releases is not permitted, which is not forbidden`() throws {
    let outcome = try Notice.mappaJ.decision().outcome(of: "offenderAware", to: "jobcentre:durham")
    #expect(outcome?.outcome == .noRule)
    #expect(outcome?.reason.rule == "PRO-01")
    #expect(
      outcome?.reason.text
        == "No rule releases whether the offender knows to Jobcentre single point of contact of the "
        + "area.")
  }

  @Test func `a MAPPA J is to be answered in five working days`() throws {
    let answer = try #require(try Notice.mappaJ.decision().recipients.first?.answer)
    #expect(answer.workingDays == 5)
    #expect(answer.by.map(\.text) == ["mappa-j.acknowledged"])
    #expect(answer.source == "MAPPA Guidance 3.33")
    #expect(answer.escalateTo == ["recipient-manager", "coordinator", "offender-manager"])
  }

  @Test func `a prior discussion tells the Jobcentre its date and reference only`() throws {
    try expect(
      Notice.discussion, tells: ["jobcentre:durham": ["discussionDate", "discussionReference"]])
    #expect(
      try Notice.discussion.decision().factChanges == [
        FactChange(name: "priorDiscussion", value: ["reference": "PD-12", "date": "2026-02-27"])
      ])
  }

  @Test func `an acknowledgement goes to whoever sent the MAPPA J`() throws {
    try expect(
      Notice.acknowledgement(),
      tells: ["probation:durham": ["receivedOn", "adviserContact", "jReference"]])
    #expect(try Notice.acknowledgement().decision().answersDeadline)
  }

  @Test func `one party in two relations gets one copy`() throws {
    let ask = Notice.confirmed.with {
      $0.facts = Case.with([
        "offenderManager": "police:durham", "leadAgency": "police:durham", "supervisedBy": "police",
      ])
    }
    let decision = try ask.decision()
    #expect(decision.told == ["police:durham"])
    #expect(
      decision.recipients.first?.relation == "offender manager; police of the release area")
    #expect(decision.recipients.first?.released.contains("crn") == true)
  }

  @Test func `the sender is never a recipient`() throws {
    let ask = Notice.recall.with {
      $0.facts = Case.with(["holdingPrison": nil])
      $0.from = "probation:durham"
    }
    #expect(try ask.decision().told == ["police:durham"])
    for ask in try Notice.all() { #expect(try !ask.decision().told.contains(ask.from)) }
  }

  @Test func `fields that the rulebook does not know are counted and go nowhere`() throws {
    let ask = Notice.mappaJ.with {
      $0.data["nickname"] = "Nobody"
      $0.data["victim"] = ["name": "Nobody"]
    }
    #expect(try ask.problems() == [])
    #expect(try ask.decision().unknownFields == 2)
    #expect(try ask.copies() == ["jobcentre:durham": RecipientsAndFieldsTests.jFields])
  }
}
