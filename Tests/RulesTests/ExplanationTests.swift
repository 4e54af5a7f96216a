import Exchange
import Rules
import Testing

struct ExplanationTests {
  @Test func `a MAPPA J is explained in plain words`() throws {
    let policy = try Shipped.policy.get()
    let lines = try Explanation.text(of: Notice.mappaJ.decision(), policy: policy)
    let first = """
      MAPPA J before release (mappa-j.issued.release) from probation:durham: shared with 1 recipient.
      Lawful: by Criminal Justice Act 2003 s.325(3)-(4) (LB-01), in order to: assess and manage the \
      risk that a MAPPA offender poses.
      Necessary: jobcentre:durham is told as Jobcentre single point of contact of the area. The \
      Jobcentre places the person in work or training within the restriction. (JCP-04, MAPPA \
      Guidance 3.22, 3.26)
      Proportionate: it is told name, dateOfBirth, restrictions, endDate, staffRisk, \
      offenderManagerContact, reference, note.
      Not more: offenderAware is not permitted. No rule releases whether the offender knows to \
      Jobcentre single point of contact of the area. (PRO-01, MAPPA Guidance 9.8)
      """
    #expect(lines.prefix(5).joined(separator: "\n") == first)
    let offence = """
      Not more: offence is forbidden. A MAPPA J must not hold previous or current offences or the \
      risk to the public. (PRO-02, MAPPA Guidance 3.27)
      """
    #expect(lines.contains(offence))
    let answer = """
      Answer: owed within 5 working days of receipt by mappa-j.acknowledged (MAPPA Guidance 3.33); \
      a missed one goes to recipient-manager, then coordinator, then offender-manager.
      """
    #expect(lines.contains(answer))
  }

  @Test func `each withheld field has its line with a rule and a source`() throws {
    for ask in try Notice.all() {
      let decision = try ask.decision()
      let lines = Explanation.text(of: decision)
      for recipient in decision.recipients {
        for field in recipient.fields where field.outcome != .released {
          #expect(!field.reason.rule.isEmpty && !field.reason.source.isEmpty)
          #expect(
            lines.contains {
              $0.hasPrefix("Not more: \(field.field) is ")
                && $0.hasSuffix("(\(field.reason.rule), \(field.reason.source))")
            })
        }
      }
    }
  }

  @Test func `what is held or refused says why`() throws {
    let held = try Explanation.text(
      of: Notice.mappaJ.with { $0.data["offenderAware"] = false }.decision())
    #expect(held[0] == "mappa-j.issued.release from probation:durham: held.")
    #expect(held[1].hasPrefix("Waits: The offender does not know of the restriction"))
    #expect(held[1].hasSuffix("(JCP-01, MAPPA Guidance 3.28)"))
    let refused = try Explanation.text(
      of: Notice.mappaJ.with { $0.from = "prison:durham" }.decision())
    #expect(
      refused[1]
        == "Why refused: No rule lets a party of this role send this type. (SND-02, MAPPA Guidance "
        + "9.5)")
  }

  @Test func `nothing of the person is in an explanation`() throws {
    let policy = try Shipped.policy.get()
    for ask in try Notice.all() {
      let text = try Explanation.text(of: ask.decision(), policy: policy).joined(separator: "\n")
      for value in ["Invented", "A0000XX", "2001/0000000X", "X000000", "1980", "0191", "Nowhere"] {
        #expect(!text.contains(value), "\(ask.type)")
      }
    }
  }
}
