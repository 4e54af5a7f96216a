import Exchange
import Foundation
import Rules
import Testing

struct AgreementTests {
  private func problems(adding text: String) throws -> [PolicyProblem] {
    do {
      _ = try Shipped.policy(adding: text)
      return []
    } catch let error as PolicyProblems {
      return error.problems
    }
  }

  private func problems(replacing old: String, with new: String) throws -> [PolicyProblem] {
    let text = try Shipped.agreementText()
    #expect(text.contains(old))
    do {
      _ = try Policy(
        rulebook: Shipped.rulebook(),
        agreement: Agreement.parse(text: text.replacing(old, with: new)))
      return []
    } catch let error as PolicyProblems {
      return error.problems
    }
  }

  @Test func `the example agreement names its parties, mailboxes and files`() throws {
    let policy = try Shipped.policy.get()
    #expect(policy.agreement.own.id.text == "sallyport:north")
    #expect(policy.agreement.own.mailbox.text == "SALLYPORT1")
    #expect(
      policy.parties.map(\.id.text) == [
        "prison:durham", "police:durham", "probation:durham", "coordinator:durham",
        "jobcentre:durham", "immigration:casework", "police:northumbria",
        "coordinator:northumbria",
      ])
    let mailbox = try #require(MailboxID("PRISONDUR1"))
    let prison = try #require(policy.party(mailbox: mailbox))
    #expect(prison.id.text == "prison:durham")
    #expect(prison.role == .prison)
    #expect(prison.standing == .responsibleAuthority)
    #expect(prison.serves == ["durham"])
    #expect(prison.certificates.signing == ["prison-durham/signing.pem"])
    #expect(prison.trust.anchors == ["prison-durham/anchors.pem"])
    #expect(prison.trust.intermediates == ["prison-durham/authority.pem"])
    #expect(
      prison.trust.revocation == [
        .file("prison-durham/root.crl"), .file("prison-durham/authority.crl"),
      ])
    let police = try #require(policy.party(party("police:durham")))
    #expect(police.trust.intermediates.isEmpty)
    #expect(police.trust.revocation == [.file("police-durham/revocation.crl")])
    #expect(!prison.legacyCMS)
    #expect(try policy.party(party("jobcentre:durham"))?.standing == .dutyToCooperate)
    #expect(try policy.party(party("sallyport:north")) == nil)
  }

  @Test(arguments: [
    ("id: police:northumbria", "id: police:durham", "RULE-020"),
    ("mailbox: POLICENOR1", "mailbox: policedur1", "RULE-020"),
    ("mailbox: POLICENOR1", "mailbox: SALLYPORT1", "RULE-020"),
    ("id: police:northumbria", "id: polis:northumbria", "RULE-021"),
    ("standing: duty-to-co-operate", "standing: responsible-authority", "RULE-022"),
    ("serves: [northumbria]", "serves: [northumbria, durham]", "RULE-024"),
    ("serves: [northumbria]", "serves: [North Umbria]", "RULE-006"),
    ("mailbox: POLICENOR1", "mailbox: 'NO GOOD'", "RULE-006"),
    ("police-northumbria/signing.pem", "../signing.pem", "RULE-006"),
    ("police-northumbria/signing.pem", "/etc/signing.pem", "RULE-006"),
    ("role: immigration", "role: imigration", "RULE-005"),
    ("    mailbox: IMMCASE1\n", "", "RULE-004"),
    ("    trust:\n", "    truest:\n", "RULE-003"),
    ("police-durham/revocation.crl", "ftp://crl.example.org/a.crl", "RULE-006"),
    ("police-durham/revocation.crl", "http:///a.crl", "RULE-006"),
    ("police-durham/revocation.crl", "https://user@crl.example.org/a.crl", "RULE-006"),
    ("police-durham/revocation.crl", "'https://crl.example.org/a b.crl'", "RULE-006"),
    ("police-durham/revocation.crl", "../a.crl", "RULE-006"),
    ("police-durham/revocation.crl", "[]", "RULE-004"),
  ])
  func `a mistake in a party is found by its code`(old: String, new: String, code: String) throws {
    let found = try problems(replacing: old, with: new)
    #expect(found.contains { $0.code.rawValue == code }, "\(found)")
  }

  @Test func `a revocation list may be published`() throws {
    let text = try Shipped.agreementText().replacing(
      "police-durham/revocation.crl",
      with: "[http://crl.example.org/a.crl, 'https://b.org:81/c?d=e']")
    let agreement = try Agreement.parse(text: text)
    let police = try #require(agreement.parties.first { $0.id.text == "police:durham" })
    #expect(
      police.trust.revocation == [
        .url("http://crl.example.org/a.crl"), .url("https://b.org:81/c?d=e"),
      ])
  }

  @Test func `an unknown key has its line`() throws {
    let text = try Shipped.agreementText()
    let range = try #require(text.range(of: "    standing: duty-to-co-operate"))
    let line = text[..<range.lowerBound].count { $0 == "\n" } + 1
    let found = try problems(
      replacing: "    standing: duty-to-co-operate\n    mailbox: JOBCENDUR1",
      with: "    standings: duty-to-co-operate\n    mailbox: JOBCENDUR1")
    let unknown = try #require(found.first { $0.code == .unknownKey })
    #expect(unknown.line == line)
    #expect(unknown.suggestion == "standing")
  }

  @Test func `an agreement that would widen the rulebook is refused`() throws {
    let found = try problems(
      adding: """
        narrowing:
          - type: mappa-j.issued.release
            role: jobcentre
            withhold: [note]
            allow: [offence]
            reason: Helpful to the Jobcentre.
        """)
    #expect(found.map(\.code) == [.widens])
    #expect(found.first?.text.contains("may only narrow") == true)
  }

  @Test func `what an agreement withholds must be something that is released`() throws {
    let found = try problems(
      adding: """
        narrowing:
          - {type: mappa-j.issued.release, role: jobcentre, withhold: [offence], reason: none}
          - {type: mappa-j.issued.release, role: prison, tell-nothing: yes, reason: none}
          - {type: mappa-j.issued.releas, role: prison, tell-nothing: yes, reason: none}
          - {type: mappa-j.issued.release, role: jobcentre, reason: none}
        """)
    // The last stands in the text alone and is found before the rulebook is looked at.
    #expect(found.map(\.code) == [.missingKey])
    let others = try problems(
      adding: """
        narrowing:
          - {type: mappa-j.issued.release, role: jobcentre, withhold: [offence], reason: none}
          - {type: mappa-j.issued.release, role: prison, tell-nothing: yes, reason: none}
          - {type: mappa-j.issued.releas, role: prison, tell-nothing: yes, reason: none}
        """)
    #expect(others.map(\.code) == [.undefined, .undefined, .undefined])
  }

  @Test func `a withheld field is not permitted, and the reason names the agreement`() throws {
    let policy = try Shipped.policy(
      adding: """
        narrowing:
          - {type: mappa-j.issued.release, role: jobcentre, withhold: [note], reason: Codes suffice.}
        """)
    let decision = try Notice.mappaJ.decision(by: policy)
    let note = decision.outcome(of: "note", to: "jobcentre:durham")
    #expect(note?.outcome == .noRule)
    #expect(note?.reason.rule == "AGR-01")
    #expect(note?.reason.text.contains("Codes suffice.") == true)
    #expect(
      try Notice.mappaJ.copies(by: policy)["jobcentre:durham"]
        == RecipientsAndFieldsTests.jFields.subtracting(["note"]))
  }

  @Test func `a role that the agreement tells nothing is not told, and that is said`() throws {
    let policy = try Shipped.policy(
      adding: """
        narrowing:
          - {type: release-date.confirmed, role: police, tell-nothing: yes, reason: By telephone.}
        """)
    let decision = try Notice.confirmed.decision(by: policy)
    #expect(decision.told == ["probation:durham"])
    #expect(decision.rules == ["AGR-01"])
    #expect(try Notice.changed.decision(by: policy).told == ["probation:durham", "police:durham"])
  }

  @Test(arguments: ["rule", "type", "reason", "approver", "ends"])
  func `a departure that lacks anything is refused`(_ key: String) throws {
    let whole = [
      "rule": "REL-02", "type": "release-date.confirmed", "reason": "One unit, two gates.",
      "approver": "Chair of the board", "ends": "2026-12-31",
    ]
    let members = whole.filter { $0.key != key }.map { "\($0.key): '\($0.value)'" }
    let found = try problems(
      adding: "departures:\n  - {\(members.joined(separator: ", "))}\n")
    #expect(found.map(\.code) == [.departure])
    #expect(found.first?.text.contains(key) == true)
  }

  @Test func `only a guard that allows it can be departed from`() throws {
    let departure = { (rule: String, type: String) in
      "departures:\n  - {rule: \(rule), type: \(type), reason: r, approver: a, ends: 2026-12-31}\n"
    }
    #expect(
      try problems(adding: departure("JCP-02", "mappa-j.issued.release")).map(\.code)
        == [.departure])
    #expect(
      try problems(adding: departure("REL-99", "release-date.confirmed")).map(\.code)
        == [.departure])
    #expect(try problems(adding: departure("REL-02", "release-date.confirmed")) == [])
  }

  @Test func `a departure lifts its guard until its end, and every decision says so`() throws {
    let policy = try Shipped.policy(
      adding: """
        departures:
          - rule: REL-02
            type: release-date.confirmed
            reason: One unit, two gates.
            approver: Chair of the board
            ends: 2026-03-02
        """)
    let ask = Notice.confirmed.with { $0.facts = Case.with(["holdingPrison": "prison:elsewhere"]) }
    let decision = try ask.decision(by: policy)
    #expect(decision.outcome == .shared)
    #expect(decision.rules == ["LAW-07"])
    #expect(
      decision.reasons.first?.text
        == "Departure from REL-02 until 2026-03-02, approved by Chair of the board: One unit, two "
        + "gates.")
    #expect(try Notice.confirmed.decision(by: policy).rules == ["LAW-07"])
    let later = ask.with { $0.now = "2026-03-03T00:00:00Z" }
    #expect(try later.decision(by: policy).outcome == .held)
    #expect(try later.decision(by: policy).rules == ["REL-02"])
  }

  @Test func `an agreement can say to whom a missed answer goes`() throws {
    let policy = try Shipped.policy(
      adding: """
        escalation:
          - {type: mappa-j.issued.release, to: [offender-manager]}
        """)
    let decision = try Notice.mappaJ.decision(by: policy)
    #expect(decision.recipients.first?.answer?.escalateTo == ["offender-manager"])
    #expect(
      try problems(adding: "escalation:\n  - {type: fno.released, to: [coordinator]}\n").map(\.code)
        == [.undefined])
  }

  @Test func `a step of an escalation finds its party`() throws {
    let policy = try Shipped.policy.get()
    let facts = try Notice.mappaJ.request().facts
    let jobcentre = try party("jobcentre:durham")
    let found = { (step: EscalationStep) in
      policy.party(for: step, recipient: jobcentre, facts: facts)?.id.text
    }
    #expect(found(.recipientManager) == "jobcentre:durham")
    #expect(found(.coordinator) == "coordinator:durham")
    #expect(found(.offenderManager) == "probation:durham")
  }
}
