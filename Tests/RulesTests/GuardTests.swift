import Exchange
import Rules
import Testing

/// Each guard, both ways.
struct GuardTests {
  // MARK: MAPPA J

  @Test(arguments: [
    ("2026-03-01T12:00:00Z", Decision.Outcome.refused),
    ("2026-03-02T00:00:00Z", .shared), ("2026-03-02T12:00:00Z", .shared),
  ])
  func `a MAPPA J is refused the day before the 18th birthday and allowed on it`(
    time: String, outcome: Decision.Outcome
  ) throws {
    let decision = try Notice.mappaJ.with {
      $0.data["dateOfBirth"] = "2008-03-02"
      $0.facts = Case.with(["dateOfBirth": "2008-03-02"])
      ($0.time, $0.now) = (time, time)
    }.decision()
    #expect(decision.outcome == outcome)
    #expect(decision.rules == (outcome == .refused ? ["JCP-02"] : []))
  }

  @Test func `in summer the birthday begins at midnight in London`() throws {
    // 23:30 UTC on 30 June is half past midnight on 1 July in London.
    let ask = Notice.mappaJ.with {
      $0.data["dateOfBirth"] = "2008-07-01"
      $0.facts = Case.with(["dateOfBirth": "2008-07-01"])
      ($0.time, $0.now) = ("2026-06-30T23:30:00Z", "2026-06-30T23:30:00Z")
    }
    #expect(try ask.decision().outcome == .shared)
  }

  @Test func `neither waiting nor a wrong clock makes anybody older`() throws {
    let ask = Notice.mappaJ.with {
      $0.data["dateOfBirth"] = "2008-03-02"
      $0.facts = Case.with(["dateOfBirth": "2008-03-02"])
    }
    let sentBefore = ask.with {
      ($0.time, $0.now) = ("2026-03-01T12:00:00Z", "2026-03-04T12:00:00Z")
    }
    let claimsLater = ask.with {
      ($0.time, $0.now) = ("2026-03-04T12:00:00Z", "2026-03-01T12:00:00Z")
    }
    #expect(try sentBefore.decision().outcome == .refused)
    #expect(try claimsLater.decision().outcome == .refused)
  }

  @Test func `a date of birth that is not the one on record waits for a person`() throws {
    let ask = Notice.mappaJ.with { $0.data["dateOfBirth"] = "1981-02-28" }
    #expect(try ask.decision().outcome == .held)
    #expect(try ask.decision().rules == ["ACC-04"])
    #expect(try ask.with { $0.confirmations = ["ACC-04"] }.decision().outcome == .shared)
  }

  @Test func `a child on record stays one whatever the MAPPA J says`() throws {
    let ask = Notice.mappaJ.with { $0.facts = Case.with(["dateOfBirth": "2010-01-01"]) }
    #expect(try ask.decision().outcome == .refused)
    #expect(try ask.decision().rules == ["JCP-02", "ACC-04"])
  }

  @Test func `a restriction that touches neither work nor training is refused`() throws {
    let ask = Notice.mappaJ.with {
      $0.data["restrictions"] = [["code": "no-work-with-children"], ["code": "curfew"]]
    }
    #expect(try ask.problems() == [])
    #expect(try ask.decision().outcome == .refused)
    #expect(try ask.decision().rules == ["JCP-02"])
  }

  @Test(arguments: [
    ("2026-03-01", Decision.Outcome.refused), ("2026-03-02", .shared),
  ])
  func `a restriction that has ended is not told`(end: String, outcome: Decision.Outcome) throws {
    let decision = try Notice.mappaJ.with { $0.data["endDate"] = .string(end) }.decision()
    #expect(decision.outcome == outcome)
    #expect(decision.rules == (outcome == .refused ? ["RET-02"] : []))
  }

  @Test func `an unaware offender's MAPPA J waits for a prior discussion on record`() throws {
    let ask = Notice.mappaJ.with { $0.data["offenderAware"] = false }
    let held = try ask.decision()
    #expect(held.outcome == .held)
    #expect(held.rules == ["JCP-01"])
    #expect(held.recipients == [])
    #expect(held.factChanges == [])
    let released = try ask.with {
      $0.facts = Case.with(["priorDiscussion": ["reference": "PD-12", "date": "2026-02-27"]])
    }.decision()
    #expect(released.outcome == .shared)
    #expect(released.told == ["jobcentre:durham"])
  }

  @Test func `a rule says whether a person can confirm what it waits for`() throws {
    let policy = try Shipped.policy.get()
    let mappaJ = try type("mappa-j.issued.release")
    #expect(policy.canConfirm("FREE-01", of: mappaJ))
    #expect(policy.canConfirm("ACC-04", of: mappaJ))
    #expect(!policy.canConfirm("JCP-01", of: mappaJ))
    #expect(!policy.canConfirm("CASE-01", of: mappaJ))
  }

  @Test func `nobody can confirm a prior discussion away`() throws {
    let ask = Notice.mappaJ.with {
      $0.data["offenderAware"] = false
      $0.confirmations = ["JCP-01"]
    }
    #expect(try ask.decision().outcome == .held)
  }

  @Test(arguments: [
    ("probation", "probation:durham", Decision.Outcome.shared),
    ("probation", "police:durham", .refused),
    ("probation-and-police", "probation:durham", .shared),
    ("probation-and-police", "police:durham", .refused),
    ("police", "police:durham", .shared),
    ("police", "probation:durham", .refused),
  ])
  func `who supervises decides who sends the MAPPA J`(
    supervision: String, sender: String, outcome: Decision.Outcome
  ) throws {
    let decision = try Notice.mappaJ.with {
      $0.from = sender
      $0.facts = Case.with([
        "supervisedBy": .string(supervision), "offenderManager": .string(sender),
        "leadAgency": "probation:durham",
      ])
    }.decision()
    #expect(decision.outcome == outcome)
    #expect(decision.rules == (outcome == .refused ? ["JCP-03"] : []))
  }

  @Test func `a MAPPA J from an agency that has nothing to do with the case is refused`() throws {
    let decision = try Notice.mappaJ.with {
      $0.from = "police:northumbria"
      $0.facts = Case.with(["supervisedBy": "police", "offenderManager": "police:durham"])
    }.decision()
    #expect(decision.outcome == .refused)
    #expect(decision.rules == ["JCP-03"])
  }

  @Test func `a discussion is recorded after it took place`() throws {
    let decision = try Notice.discussion.with { $0.data["discussionDate"] = "2026-03-03" }
      .decision()
    #expect(decision.outcome == .refused)
    #expect(decision.rules == ["JCP-01"])
  }

  @Test func `an answer by another Jobcentre, or to nothing, is refused`() throws {
    let ask = try Notice.acknowledgement()
    #expect(try ask.with { $0.answered = nil }.decision().rules == ["ANS-01"])
    let foreign = try AnsweredNotification(
      type: type("mappa-j.issued.release"), sender: party("probation:durham"),
      recipient: party("jobcentre:elsewhere"))
    #expect(try ask.with { $0.answered = foreign }.decision().outcome == .refused)
    let otherType = try AnsweredNotification(
      type: type("fno.released"), sender: party("probation:durham"),
      recipient: party("jobcentre:durham"))
    #expect(try ask.with { $0.answered = otherType }.decision().rules == ["ANS-01"])
  }

  @Test(arguments: [("DUR/2026/17", "shared"), ("DUR/2026/18", "refused")])
  func `an answer that names another MAPPA J than it answers closes neither`(
    reference: String, outcome: String
  ) throws {
    let answered = try AnsweredNotification(
      type: type("mappa-j.issued.release"), sender: party("probation:durham"),
      recipient: party("jobcentre:durham"), data: ["reference": "DUR/2026/17"])
    let decision = try Notice.acknowledgement().with {
      $0.answered = answered
      $0.data["jReference"] = .string(reference)
    }.decision()
    #expect(decision.outcome.rawValue == outcome)
    #expect(decision.rules.contains("ANS-02") == (outcome == "refused"))
  }

  @Test func `an answer needs no identifiers and no known person`() throws {
    let ask = try Notice.acknowledgement().with { $0.facts = nil }
    #expect(try ask.decision().outcome == .shared)
    #expect(try ask.decision().told == ["probation:durham"])
  }

  // MARK: Transfers, registrations, prisons

  @Test(arguments: [2, 3])
  func `a case above level 1 does not go by MAPPA G`(level: Int) throws {
    let decision = try Notice.transfer.with {
      $0.facts = Case.with(["level": .integer(Int64(level))])
    }.decision()
    #expect(decision.outcome == .refused)
    #expect(decision.rules == ["TRF-02"])
  }

  @Test func `a transfer waits for a level that is not on record`() throws {
    let decision = try Notice.transfer.with { $0.facts = Case.with(["level": nil]) }.decision()
    #expect(decision.outcome == .held)
    #expect(decision.rules == ["TRF-02"])
    #expect(decision.reasons.first?.text.contains("the level of management") == true)
  }

  @Test func `a transfer goes to another area`() throws {
    let decision = try Notice.transfer.with { $0.data["receivingArea"] = "durham" }.decision()
    #expect(decision.outcome == .refused)
    #expect(decision.rules == ["TRF-03"])
  }

  @Test func `a transfer to an area that nobody serves waits`() throws {
    let decision = try Notice.transfer.with { $0.data["receivingArea"] = "nowhere" }.decision()
    #expect(decision.outcome == .held)
    #expect(decision.rules == ["ADR-01"])
  }

  @Test func `nobody registers a case for another agency`() throws {
    let decision = try Notice.registration.with { $0.from = "police:durham" }.decision()
    #expect(decision.outcome == .refused)
    #expect(decision.rules == ["CASE-04"])
  }

  @Test func `a case with another lead agency waits for a person`() throws {
    let ask = Notice.registration.with {
      $0.facts = Case.with(["leadAgency": "police:northumbria"])
    }
    #expect(try ask.decision().rules == ["CASE-05"])
    #expect(try ask.decision().outcome == .held)
    #expect(try ask.with { $0.confirmations = ["CASE-05"] }.decision().outcome == .shared)
  }

  @Test func `category 3 waits for the co-ordination unit's word`() throws {
    let ask = Notice.registration.with { $0.data["category"] = 3 }
    #expect(try ask.decision().rules == ["CAT-01"])
    #expect(try ask.with { $0.confirmations = ["CAT-01"] }.decision().outcome == .shared)
  }

  @Test func `a registration that names nobody of the agreement waits`() throws {
    let stranger = Notice.registration.with { $0.data["offenderManager"] = "probation:elsewhere" }
    #expect(try stranger.decision().rules == ["ADR-02"])
    let wrongRole = Notice.registration.with { $0.data["holdingPrison"] = "police:durham" }
    #expect(try wrongRole.decision().outcome == .held)
  }

  @Test func `another prison's release date waits, its unexpected release does not`() throws {
    let facts = Case.with(["holdingPrison": "prison:elsewhere"])
    let date = Notice.confirmed.with { $0.facts = facts }
    #expect(try date.decision().outcome == .held)
    #expect(try date.decision().rules == ["REL-02"])
    #expect(try date.with { $0.confirmations = ["REL-02"] }.decision().outcome == .shared)
    #expect(try Notice.unexpected.with { $0.facts = facts }.decision().outcome == .shared)
  }

  @Test func `a release area that nobody serves is said, and the rest is told`() throws {
    let decision = try Notice.confirmed.with { $0.data["releaseArea"] = "nowhere" }.decision()
    #expect(decision.outcome == .shared)
    #expect(decision.told == ["probation:durham"])
    #expect(decision.rules == ["ADR-01"])
  }
}
