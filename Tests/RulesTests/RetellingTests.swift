import Exchange
import Rules
import Testing

/// Whether a copy that was decided under the shipped rules may still be told under others, or of a case
/// that moved.
struct RetellingTests {
  /// Decides by the shipped rules, and asks again.
  private func retell(
    _ ask: Ask, to recipient: String, by policy: Policy? = nil,
    facts: [String: JSONValue?] = [:], now: String? = nil
  ) throws -> Retelling {
    let today = try ask.with {
      for (name, value) in facts { $0.facts?[name] = value }
      $0.now = now ?? ask.now
    }.request()
    return try (policy ?? Shipped.policy.get()).retelling(
      of: ask.decision(), to: party(recipient), ask.notification(), facts: today.facts,
      now: today.now)
  }

  private func nothing(_ retelling: Retelling) -> String? {
    guard case .nothing(let reason) = retelling else { return nil }
    return reason.rule
  }

  /// The rule by which something is withheld, and what is left.
  private func part(
    _ retelling: Retelling, of ask: Ask, by policy: Policy
  ) throws -> (rule: String, fields: Set<String>) {
    guard case .part(let decision, let reason) = retelling else {
      throw Missing(what: "a part: \(retelling)")
    }
    let copies = try policy.permitted(decision, ask.notification())
    #expect(copies.map(\.recipient) == decision.recipients.map(\.party))
    return (reason.rule, Set(copies.first?.fields.keys.map { $0 } ?? []))
  }

  /// The agreement with one text replaced, which must be there.
  private func agreement(replacing old: String, with new: String) throws -> Policy {
    let text = try Shipped.agreementText()
    try #require(text.contains(old))
    return try Policy(
      rulebook: Shipped.rulebook(), agreement: Agreement.parse(text: text.replacing(old, with: new))
    )
  }

  private func rulebook(
    replacing old: String, in file: String, with new: String
  ) throws -> Policy {
    let rulebook = try Shipped.rulebook(replacing: old, in: file, with: new)
    try #require(try rulebook.digest != Shipped.policy.get().rulebook.digest)
    return try Policy(
      rulebook: rulebook, agreement: Agreement.parse(text: Shipped.agreementText()))
  }

  // MARK: May go as it is

  @Test func `with nothing changed every copy of every type may go`() throws {
    for ask in try Notice.all() {
      for recipient in try ask.decision().told {
        #expect(try retell(ask, to: recipient) == .whole, "\(ask.type) to \(recipient)")
      }
    }
  }

  @Test func `what the notification itself changed is no objection`() throws {
    let moved = Notice.changed.with {
      $0.data["releaseArea"] = "northumbria"
    }
    let effects: [String: JSONValue?] = [
      "holdingPrison": "prison:durham", "releaseDate": "2026-08-14", "releaseArea": "northumbria",
      "releaseType": "licence",
    ]
    for recipient in ["police:durham", "police:northumbria", "probation:durham"] {
      #expect(try retell(moved, to: recipient, facts: effects) == .whole, "\(recipient)")
    }
    // And once more: the next notice set it back.
    let back: [String: JSONValue?] = ["releaseDate": "2026-12-01", "releaseArea": "durham"]
    for recipient in ["police:durham", "police:northumbria", "probation:durham"] {
      #expect(try retell(moved, to: recipient, facts: back) == .whole, "\(recipient)")
    }
  }

  @Test func `guards and routes that read the case are not asked again`() throws {
    // Another prison holds the person by now, another party manages it: REL-02 and REL-03 were
    // settled by the case as it was.
    let facts: [String: JSONValue?] = [
      "holdingPrison": "prison:elsewhere", "offenderManager": "police:durham", "level": 3,
      "releaseArea": nil,
    ]
    #expect(try retell(Notice.confirmed, to: "probation:durham", facts: facts) == .whole)
    #expect(try retell(Notice.transfer, to: "coordinator:northumbria", facts: facts) == .whole)
  }

  @Test func `an urgent notice about somebody unknown may go while the case is still none`() throws
  {
    let ask = Notice.unexpected.with { $0.facts = nil }
    #expect(try retell(ask, to: "police:northumbria") == .whole)
  }

  @Test func `a basis without a condition carries it whatever the category`() throws {
    #expect(
      try retell(Notice.immigration, to: "probation:durham", facts: ["category": 0]) == .whole)
  }

  @Test func `a text that an officer confirmed stays confirmed`() throws {
    let ask = Notice.mappaJ.with {
      $0.data["note"] = "The robbery is known to all."
      $0.confirmations = ["FREE-01"]
    }
    try #require(
      try ask.decision().outcome(of: "note", to: "jobcentre:durham")?.outcome == .released)
    #expect(try retell(ask, to: "jobcentre:durham") == .whole)
  }

  // MARK: May not go at all

  @Test func `a person who is no MAPPA offender any more is told of to nobody`() throws {
    #expect(
      try nothing(retell(Notice.mappaJ, to: "jobcentre:durham", facts: ["category": 0])) == "LAW-02"
    )
    #expect(
      try nothing(retell(Notice.changed, to: "police:durham", facts: ["category": 0])) == "LAW-02")
  }

  @Test func `whoever left the agreement neither tells nor is told`() throws {
    let noPolice = try agreement(
      replacing: "  - id: police:durham\n", with: "  - id: police:elsewhere\n")
    #expect(
      try nothing(retell(Notice.confirmed, to: "police:durham", by: noPolice)) == "ADR-03")
    #expect(try retell(Notice.confirmed, to: "probation:durham", by: noPolice) == .whole)
    let noPrison = try agreement(
      replacing: "  - id: prison:durham\n", with: "  - id: prison:elsewhere\n")
    #expect(
      try nothing(retell(Notice.confirmed, to: "police:durham", by: noPrison)) == "SND-01")
  }

  @Test func `a role that the rulebook lets neither tell nor be told any more`() throws {
    let recipients = try rulebook(
      replacing:
        "role: [probation, police, yot]\n        relation: offenderManager\n        rule: REL-03",
      in: "custody.yaml",
      with: "role: [police, yot]\n        relation: offenderManager\n        rule: REL-03")
    #expect(
      try nothing(retell(Notice.confirmed, to: "probation:durham", by: recipients)) == "PRO-01")
    #expect(try retell(Notice.confirmed, to: "police:durham", by: recipients) == .whole)
    let senders = try rulebook(
      replacing: "- role: [probation, police]\n        relation: [offenderManager, leadAgency]",
      in: "jobcentre.yaml",
      with: "- role: police\n        relation: [offenderManager, leadAgency]")
    #expect(
      try nothing(retell(Notice.discussion, to: "jobcentre:durham", by: senders)) == "SND-02")
  }

  @Test func `whoever got another standing is told only what a basis still carries`() throws {
    let third = try agreement(
      replacing: "serves: [durham]\n    standing: responsible-authority\n    mailbox: POLICEDUR1",
      with: "serves: [durham]\n    standing: third-party\n    mailbox: POLICEDUR1")
    #expect(try nothing(retell(Notice.confirmed, to: "police:durham", by: third)) == "LAW-03")
  }

  @Test func `a role that the agreement silences is told nothing`() throws {
    let policy = try Shipped.policy(
      adding: """
        narrowing:
          - {type: release-date.confirmed, role: police, tell-nothing: yes, reason: A test.}
        """)
    #expect(try nothing(retell(Notice.confirmed, to: "police:durham", by: policy)) == "AGR-01")
    #expect(try retell(Notice.confirmed, to: "probation:durham", by: policy) == .whole)
  }

  @Test func `a party that the decision does not name is told nothing`() throws {
    #expect(try nothing(retell(Notice.confirmed, to: "police:northumbria")) == "PRO-01")
  }

  @Test func `a type that the rulebook dropped is told to nobody`() throws {
    let policy = try Policy(
      rulebook: Rulebook.parse(files: Shipped.rulebookFiles().filter { $0.name != "recall.yaml" }),
      agreement: Agreement.parse(text: Shipped.agreementText()))
    #expect(try nothing(retell(Notice.recall, to: "police:durham", by: policy)) == "TYPE-01")
  }

  @Test func `its time passes: by the sender's word, and with the restriction`() throws {
    let ask = Notice.confirmed.with { $0.expiry = "2026-03-04T00:00:00Z" }
    #expect(try retell(ask, to: "police:durham", now: "2026-03-03T23:59:59Z") == .whole)
    #expect(
      try nothing(retell(ask, to: "police:durham", now: "2026-03-04T00:00:00Z")) == "EXP-01")
    let last = "2028-02-28T23:59:59Z"
    #expect(try retell(Notice.mappaJ, to: "jobcentre:durham", now: last) == .whole)
    #expect(
      try nothing(retell(Notice.mappaJ, to: "jobcentre:durham", now: "2028-02-29T00:00:00Z"))
        == "RET-02")
  }

  @Test func `a date of birth put right to one below 18 takes a MAPPA J back`() throws {
    let facts: [String: JSONValue?] = ["dateOfBirth": "2008-03-03"]
    #expect(
      try nothing(retell(Notice.mappaJ, to: "jobcentre:durham", facts: facts)) == "JCP-02")
    // 18 on the day of sending.
    #expect(
      try retell(Notice.mappaJ, to: "jobcentre:durham", facts: ["dateOfBirth": "2008-03-02"])
        == .whole)
  }

  // MARK: May go in part

  private static let police: Set<String> = [
    "prisonNumber", "pncId", "name", "establishment", "releaseDate", "releaseArea", "releaseType",
  ]

  @Test func `a field that the agreement withholds goes no more, and the rest does`() throws {
    let policy = try Shipped.policy(
      adding: """
        narrowing:
          - {type: release-date.confirmed, role: police, withhold: [name], reason: A test.}
        """)
    let retelling = try retell(Notice.confirmed, to: "police:durham", by: policy)
    let (rule, fields) = try part(retelling, of: Notice.confirmed, by: policy)
    #expect(rule == "AGR-01")
    #expect(fields == RetellingTests.police.subtracting(["name"]))
    guard case .part(let decision, _) = retelling else { return }
    #expect(decision.told == ["police:durham"])
    #expect(decision.agreementDigest == policy.agreement.digest)
    #expect(decision.outcome(of: "name", to: "police:durham")?.reason.rule == "AGR-01")
    // Asked once more by the same rules, there is nothing left to take away.
    let request = try Notice.confirmed.request()
    #expect(
      policy.retelling(
        of: decision, to: try party("police:durham"), request.notification, facts: request.facts,
        now: request.now) == .whole)
    // Others keep what they were told.
    #expect(try retell(Notice.confirmed, to: "probation:durham", by: policy) == .whole)
  }

  @Test func `nothing is told that was not released before`() throws {
    let narrow = try Shipped.policy(
      adding: """
        narrowing:
          - {type: release-date.confirmed, role: police, withhold: [name], reason: A test.}
        """)
    let request = try Notice.confirmed.request()
    // Decided under the narrow agreement, asked under the wide one.
    #expect(
      try Shipped.policy.get().retelling(
        of: narrow.decide(request), to: try party("police:durham"), request.notification,
        facts: request.facts, now: request.now) == .whole)
  }

  @Test func `a field that the rulebook releases no more or forbids goes no more`() throws {
    let rest: Set<String> = [
      "name", "dateOfBirth", "restrictions", "endDate", "staffRisk", "offenderManagerContact",
      "reference",
    ]
    let dropped = try rulebook(
      replacing: "reference, note]\n        forbidden:", in: "jobcentre.yaml",
      with: "reference]\n        forbidden:")
    var found = try part(
      retell(Notice.mappaJ, to: "jobcentre:durham", by: dropped), of: Notice.mappaJ, by: dropped)
    #expect(found.rule == "PRO-01" && found.fields == rest)
    let forbidden = try rulebook(
      replacing: "reference, note]\n        forbidden:", in: "jobcentre.yaml",
      with: "reference]\n        forbidden:\n          - fields: [note]\n            rule: PRO-09\n"
        + "            source: a test\n            words: A test.")
    found = try part(
      retell(Notice.mappaJ, to: "jobcentre:durham", by: forbidden), of: Notice.mappaJ,
      by: forbidden)
    #expect(found.rule == "PRO-09" && found.fields == rest)
  }

  @Test func `a text with a word that the list has now waits for nobody and goes no more`() throws {
    let policy = try rulebook(
      replacing: "    - abduct*\n", in: "free-text-words.yaml",
      with: "    - abduct*\n    - mornings\n")
    let found = try part(
      retell(Notice.mappaJ, to: "jobcentre:durham", by: policy), of: Notice.mappaJ, by: policy)
    #expect(found.rule == "FREE-01")
    #expect(!found.fields.contains("note") && found.fields.contains("restrictions"))
  }

  /// The establishment goes to the police of the release area under a condition.
  private func conditional(_ condition: String) throws -> Policy {
    try rulebook(
      replacing: """
                fields: [prisonNumber, pncId, name, establishment, releaseDate, releaseArea, releaseType]

        """, in: "custody.yaml",
      with: """
                fields: [prisonNumber, pncId, name, establishment, releaseDate, releaseArea, releaseType]
                conditional:
                  - fields: [establishment]
                    when: \(condition)
                    rule: TEST-01
                    source: a test
                    words: A test.

        """)
  }

  @Test func `a field whose condition holds no more, or cannot be told, goes no more`() throws {
    let policy = try conditional("case.level in [1, 2]")
    #expect(try retell(Notice.confirmed, to: "police:durham", by: policy) == .whole)
    for level in [JSONValue.integer(3), nil] {
      let found = try part(
        retell(Notice.confirmed, to: "police:durham", by: policy, facts: ["level": level]),
        of: Notice.confirmed, by: policy)
      #expect(found.rule == "TEST-01")
      #expect(found.fields == RetellingTests.police.subtracting(["establishment"]))
    }
  }

  @Test func `a condition that the notification's own effect made false is no objection`() throws {
    let policy = try conditional("case.releaseDate absent")
    #expect(
      try retell(
        Notice.confirmed, to: "police:durham", by: policy, facts: ["releaseDate": "2026-09-01"])
        == .whole)
  }
}
