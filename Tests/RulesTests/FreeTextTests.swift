import Exchange
import Rules
import Testing

struct FreeTextTests {
  private var words: FreeTextWords {
    get throws { try Shipped.policy.get().rulebook.freeText }
  }

  @Test(arguments: [
    "served for rape", "RAPE", "Convicted in 1999", "a sexual matter", "sex-offender",
    "sex_offender",
    "r.a.p.e", "r a p e", "R A P E", "ra pe d s", "r4pe", "r@pe", "m u r d e r", "murd3r", "k1ll",
    "kil|ed", "v1olent", "vi\u{f6}lence", "viol\u{e9}nce", "raaaape", "as\u{ad}sault",
    "mur\u{200b}der", "m\u{443}rder", "mu\u{440}der x", "\u{3b1}ssault",
    "\u{ff4d}\u{ff55}\u{ff52}\u{ff44}\u{ff45}\u{ff52}",
    "\u{1d426}urder", "victim lives near", "high risk", "MAPPA level 3", "s3x", "$ex", "treisio",
    "убийство", "殺人", "robbery!", "(assault)", "\"stalking\"",
  ])
  func `a text of offence or risk is held for a person`(_ text: String) throws {
    #expect(try words.holds(text))
  }

  @Test(arguments: [
    "Mornings suit best.", "Needs a therapist near by", "From Scunthorpe, Essex or Sussex",
    "Skills in the grape harvest", "Call 0191 496 0000 after 9am", "Ask for desk 5 / 7",
    "Bus 53 to the site, 10:30-14:00", "a b c d", "Mae'n siarad Cymraeg: \u{175}yth, t\u{177}",
    "Caf\u{e9} work is fine", "I am on it as we do so", "Worked at B&Q 2015-2019", "",
  ])
  func `an ordinary text is not`(_ text: String) throws {
    #expect(try !words.holds(text))
  }

  @Test func `a MAPPA J with such a note waits until an officer confirms it`() throws {
    let ask = Notice.mappaJ.with { $0.data["note"] = "Served for an assault." }
    let held = try ask.decision()
    #expect(held.outcome == .held)
    #expect(held.rules == ["FREE-01"])
    #expect(try ask.copies() == [:])
    let confirmed = try ask.with { $0.confirmations = ["FREE-01"] }.decision()
    #expect(confirmed.outcome == .shared)
    #expect(confirmed.rules == ["FREE-01"])
    #expect(confirmed.recipients.first?.released.contains("note") == true)
  }

  @Test(arguments: ["name", "offenderManagerContact", "reference"])
  func `every text of a MAPPA J is looked at, not the note alone`(_ field: String) throws {
    let ask = Notice.mappaJ.with { $0.data[field] = "Rapist" }
    #expect(try ask.problems() == [])
    #expect(try ask.decision().rules == ["FREE-01"])
  }

  @Test func `so is the parameter of a restriction`() throws {
    let ask = Notice.mappaJ.with {
      $0.data["restrictions"] = [
        ["code": "no-work-in-area", "parameter": "where the victim lives"]
      ]
    }
    #expect(try ask.decision().rules == ["FREE-01"])
  }

  @Test func `a text for those who may know the offence is not looked at`() throws {
    let ask = Notice.confirmed.with { $0.data["name"] = "Murder Invented" }
    #expect(try ask.decision().outcome == .shared)
    #expect(try ask.copies()["police:durham"]?.contains("name") == true)
  }

  @Test func `an urgent notice goes on without the text`() throws {
    let jobcentre = """
          recipients:
            - to: Jobcentre of the area
              role: jobcentre
              relation: jobcentreArea
              fields: [name, discussionReference]
              rule: XX-01
              source: invented
              words: Invented for this test.
      """
    let files = try Shipped.rulebookFiles().map { name, text in
      (
        name,
        name == "immigration.yaml"
          ? text.replacing("    recipients:", with: jobcentre)
            .replacing("bases: [LB-12]", with: "bases: [LB-12, LB-01]")
            .replacing("name, conditions]", with: "name, conditions, discussionReference]")
            .replacing("- role: immigration", with: "- role: [immigration, police]")
            .replacing("- {fact: immigrationState, value: released}", with: "[]")
          : name == "lawful-bases.yaml"
            ? text.replacing("[manage-risk]", with: "[manage-risk, immigration-protection]") : text
      )
    }
    let policy = try Policy(
      rulebook: Rulebook.parse(files: files),
      agreement: Agreement.parse(text: Shipped.agreementText()))
    let ask = Notice.immigration.with {
      $0.from = "police:durham"
      $0.data["name"] = "Murder Invented"
      $0.data["discussionReference"] = "PD-12"
    }
    let decision = try ask.decision(by: policy)
    #expect(decision.outcome == .shared, "\(decision.reasons)")
    let name = decision.outcome(of: "name", to: "jobcentre:durham")
    #expect(name?.outcome == .conditionFalse)
    #expect(name?.reason.rule == "FREE-01")
    #expect(try ask.copies(by: policy) == ["jobcentre:durham": ["discussionReference"]])
  }

  @Test(arguments: [
    ("Approve each post first.", false), ("see A1234AA", true), ("see a 1234-aa.", true),
  ])
  func `a note cannot carry the value of a field that its reader is not told`(
    note: String, isHeld: Bool
  ) throws {
    let decision = try Notice.mappaJ.with {
      $0.data["prisonNumber"] = "A1234AA"
      $0.data["note"] = .string(note)
    }.decision()
    #expect(decision.outcome == (isHeld ? .held : .shared), "\(decision.reasons)")
    #expect(decision.rules.contains("FREE-01") == isHeld)
  }

  @Test func `reasons name the field and never its text`() throws {
    let decision = try Notice.mappaJ.with { $0.data["note"] = "zebra murder" }.decision()
    #expect(!decision.json.canonicalText.contains("zebra"))
    #expect(decision.reasons.first?.text.contains("field note") == true)
  }
}
