import Exchange
import Foundation
import Rules
import Testing

/// What senders are told of their own messages.
@Suite struct ReceiptRulesTests {
  private static let sources = Shipped.config.appending(path: "../Sources").standardized

  /// Every code and rule id with which a message can end or that a decision can note, as the program's
  /// own text and the rulebook have them.
  static func everyCode() throws -> [String] {
    var texts: [String] = []
    let walker = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    while let file = walker?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      texts.append(try String(contentsOf: file, encoding: .utf8))
    }
    var codes: Set<String> = []
    for text in texts {
      for match in text.matches(of: /"((?:SEAL|EXCH|INTK|RULE)-[0-9]{3})"/) {
        codes.insert(String(match.1))
      }
      for match in text.matches(of: /rule: "([A-Z]{2,5}-[0-9]{2})"/) {
        codes.insert(String(match.1))
      }
    }
    for (name, text) in try Shipped.rulebookFiles() where name != "receipts.yaml" {
      for match in text.matches(of: /rule: ([A-Z]{2,5}-[0-9]{2,3})\n/) {
        codes.insert(String(match.1))
      }
    }
    codes.formUnion(Intake.Flag.allCases.map { "FLAG-\($0.rawValue)" })
    // Mistakes in files, and keys and certificates that are loaded, are no outcome of a message; the
    // rules on receipts are not told of either.
    return codes.filter { code in
      !["RULE-0", "SEAL-05", "SEAL-07", "RCPT-"].contains(where: code.hasPrefix)
    }.sorted()
  }

  private static let area = ["police", "probation", "prison", "coordinator", "yot"]

  /// By hand: what only some may be told, since it says something of a person, a case or a reader.
  static let told: [String: Set<String>] = {
    let status = Set(area + ["mental-health", "immigration"])
    let some: [(codes: String, roles: Set<String>)] = [
      ("CASE-01 CASE-02 INTK-004 INTK-005 LAW-02 CAT-01 LVL-01 TRF-02 MIN-03", status),
      ("FLAG-person-not-known FLAG-person-ambiguous", status),
      ("ACC-01 CASE-04 CASE-05 LOG-02 REL-01 REL-02 REL-05 REC-01 TRF-01 TRF-03", status),
      ("FNO-02 JCP-03 JCP-05 MIN-01 REF-01 REP-01 FLAG-older-than-known", status),
      ("ACC-04 JCP-02 RET-02", Set(area + ["immigration"])),
      ("JCP-01", ["police", "probation", "coordinator"]),
      ("ADR-01 ADR-02 ADR-03 LAW-01 LAW-03 LAW-07 SEAL-040 SEAL-041", Set(area)),
      ("PRO-01 PRO-02 AGR-01 ACC-02 CASE-06 CASE-07 REL-03 REL-04 REL-06 REL-07", []),
      ("REC-02 REC-03 TRF-04 TRF-05 FNO-03 JCP-04 JCP-06 JCP-08", []),
      ("MIN-04 MIN-05 MIN-06 REF-02 REP-02", []),
      ("SEAL-025 SEAL-026 SEAL-042 SEAL-043 SEAL-044", []),
      ("INTK-009 INTK-010 INTK-011 INTK-012", []),
    ]
    return some.reduce(into: [:]) { told, entry in
      for code in entry.codes.split(separator: " ") { told[String(code)] = entry.roles }
    }
  }()

  /// What was not signed has one code for the outside, whatever failed.
  private static func isUnsigned(_ code: String) -> Bool {
    code.hasPrefix("SEAL-06")
      || (code.hasPrefix("SEAL-0") && code != "SEAL-000" && code < "SEAL-020")
  }

  @Test func `every code is decided for every role, as the sources let it be told`() throws {
    let rulebook = try Shipped.rulebook()
    let policy = try Shipped.policy.get()
    let codes = try Self.everyCode()
    #expect(codes.count > 90)
    for code in codes {
      #expect(
        rulebook.receipts.codes[code] != nil,
        "\(code) stands in no group of config/rulebook/receipts.yaml: may its sender be told?")
      for role in Role.allCases {
        guard let party = policy.parties.first(where: { $0.role == role }) else { continue }
        let decision = policy.receipt(.held, codes: [code], to: party.id)
        // Published figures alone are told to a statistician.
        let expected =
          Self.told[code]?.contains(role.rawValue)
          ?? (!Self.isUnsigned(code) && role != .statistics)
        #expect(decision.told == (expected ? [code] : []), "\(code) to \(role.rawValue)")
        #expect(decision.withheld == (expected ? [] : [code]), "\(code) to \(role.rawValue)")
        #expect(decision.codes.allSatisfy { !$0.reason.source.isEmpty }, "\(code)")
      }
    }
  }

  @Test(arguments: ReceiptOutcome.allCases)
  func `every sender is told the word of the outcome`(outcome: ReceiptOutcome) throws {
    let policy = try Shipped.policy.get()
    for party in policy.parties {
      let decision = policy.receipt(outcome, codes: [], to: party.id)
      #expect(decision.isTold && decision.outcome == outcome)
    }
  }

  /// The table of roles is of the rulebook, whoever takes part in the area.
  @Test func `roles without a party in the example have their entries too`() throws {
    let receipts = try Shipped.rulebook().receipts
    for (code, roles) in Self.told {
      #expect(Set(receipts.codes[code]?.roles.map(\.rawValue) ?? []) == roles, "\(code)")
    }
    #expect(receipts.codes["INTK-001"]?.roles == Set(Role.allCases).subtracting([.statistics]))
  }

  @Test func `a code of no group and a party of no agreement are told nothing`() throws {
    let policy = try Shipped.policy.get()
    let prison = try party("prison:durham")
    let unlisted = policy.receipt(.refused, codes: ["XYZ-99", "FREE-01", "FREE-01"], to: prison)
    #expect(unlisted.told == ["FREE-01"])
    #expect(unlisted.withheld == ["XYZ-99"])
    #expect(unlisted.codes.first?.reason.rule == "RCPT-00")
    let stranger = try party("prison:nowhere")
    let nothing = policy.receipt(.accepted, codes: ["FREE-01"], to: stranger)
    #expect(!nothing.isTold && nothing.told.isEmpty)
    #expect(policy.permitted(nothing, to: stranger) == nil)
  }

  @Test func `a rulebook without receipts tells nobody anything`() throws {
    let files = try Shipped.rulebookFiles().filter { $0.name != "receipts.yaml" }
    let policy = try Policy(
      rulebook: Rulebook.parse(files: files),
      agreement: Agreement.parse(text: Shipped.agreementText()))
    #expect(try !policy.receipt(.accepted, codes: [], to: party("prison:durham")).isTold)
  }

  @Test func `what was decided under other rules is looked at again`() throws {
    let jobcentre = try party("jobcentre:durham")
    let reason = Reason(rule: "RCPT-01", source: "Sallyport", text: "")
    let wide = ReceiptDecision(
      outcome: .held, word: .init(text: "held", isTold: true, reason: reason),
      codes: ["FREE-01", "CASE-01"].map { .init(text: $0, isTold: true, reason: reason) })
    let permitted = try #require(try Shipped.policy.get().permitted(wide, to: jobcentre))
    #expect(permitted.codes == ["FREE-01"])
    #expect(permitted.outcome == .held && permitted.recipient == jobcentre)
  }

  @Test func `a decision reads back from its own text`() throws {
    let policy = try Shipped.policy.get()
    let decision = try policy.receipt(
      .refused, codes: ["JCP-02", "PRO-02"], to: party("probation:durham"))
    #expect(ReceiptDecision(json: decision.json) == decision)
  }

  @Test func `no party can send what calls itself a receipt`() throws {
    #expect(try !Shipped.policy.get().knows(.receiptIssued))
  }

  static let mistakes: [(old: String, new: String, code: PolicyProblem.Code)] = [
    ("to: [police, probation, coordinator]", "to: [police, victim]", .itemForbids),
    ("to: [police, probation, coordinator]", "to: [police, statistician]", .unknownWord),
    ("item: category", "item: categry", .undefined),
    ("codes: [JCP-01]", "codes: [JCP-01, CASE-01]", .definedTwice),
    ("codes: [JCP-01]", "codes: [jcp1]", .malformed),
    ("codes: [JCP-01]", "codes: []", .missingKey),
    ("    accepted:", "    taken:", .unknownWord),
    ("      rule: RCPT-06\n", "", .missingKey),
    ("  reasons:", "  reason:", .unknownKey),
  ]

  @Test(arguments: mistakes)
  func `a mistake in the rules on receipts is told`(
    old: String, new: String, code: PolicyProblem.Code
  ) throws {
    let problems = #expect(throws: PolicyProblems.self) {
      _ = try Shipped.rulebook(replacing: old, in: "receipts.yaml", with: new)
    }
    #expect(
      problems?.problems.contains { $0.code == code } == true, "\(String(describing: problems))")
    #expect(problems?.problems.allSatisfy { $0.file == "receipts.yaml" } == true)
  }

  @Test func `the explanation says what is told, what is not, and why`() throws {
    let policy = try Shipped.policy.get()
    let jobcentre = try party("jobcentre:durham")
    let lines = Explanation.text(
      of: policy.receipt(.held, codes: ["INTK-007", "CASE-01"], to: jobcentre), to: jobcentre)
    #expect(lines.count == 3)
    #expect(lines[0].hasPrefix("Receipt: jobcentre:durham is told held."))
    #expect(lines[1].hasPrefix("Receipt: it is told INTK-007.") && lines[1].contains("RCPT-02"))
    #expect(lines[2].hasPrefix("Receipt: it is not told CASE-01.") && lines[2].contains("3.90"))
  }
}
