import Exchange
import Foundation
import Rules
import Testing

/// Mistakes in the rulebook: each is found, with its code, file and line.
struct RulebookTests {
  /// The problems of the shipped rulebook with one text replaced.
  private func problems(
    replacing old: String, in file: String, with new: String
  ) throws -> [PolicyProblem] {
    #expect(
      try Shipped.rulebookFiles().contains { $0.name == file && $0.text.contains(old) },
      "the text to replace is there")
    do {
      _ = try Shipped.rulebook(replacing: old, in: file, with: new)
      return []
    } catch let error as PolicyProblems {
      return error.problems
    }
  }

  private func line(of text: String, in file: String) throws -> Int {
    let source = try #require(try Shipped.rulebookFiles().first { $0.name == file }).text
    let before = try #require(source.range(of: text)).lowerBound
    return source[..<before].count { $0 == "\n" } + 1
  }

  @Test func `the shipped rulebook is without mistake`() throws {
    let rulebook = try Shipped.rulebook()
    #expect(rulebook.types.count == 15)
    for rule in rulebook.types.values {
      #expect(!rule.sources.isEmpty)
      #expect(rule.sources.allSatisfy { $0.hasPrefix("MAPPA Guidance ") })
    }
  }

  @Test func `the digest does not depend on the order of files or on line ends`() throws {
    let files = try Shipped.rulebookFiles()
    let digest = try Rulebook.parse(files: files).digest
    #expect(digest.count == 71 && digest.hasPrefix("sha256:"))
    #expect(try Rulebook.parse(files: files.reversed()).digest == digest)
    let windows = files.map { ($0.name, $0.text.replacing("\n", with: "\r\n")) }
    #expect(try Rulebook.parse(files: windows).digest == digest)
    let other = files.map { ($0.name, $0.text + ($0.name == "recall.yaml" ? "\n# later" : "")) }
    #expect(try Rulebook.parse(files: other).digest != digest)
  }

  @Test func `an unknown key is reported with its line and what was meant`() throws {
    let found = try problems(
      replacing: "form: MAPPA G", in: "transfer.yaml", with: "from: MAPPA G")
    let expected = try line(of: "form: MAPPA G", in: "transfer.yaml")
    #expect(found.count == 2)
    let unknown = try #require(found.first { $0.code == .unknownKey })
    #expect(unknown.file == "transfer.yaml")
    #expect(unknown.line == expected)
    #expect(unknown.suggestion == "form")
    #expect(
      unknown.description == "RULE-003 transfer.yaml:\(expected): unknown key \"from\" in type "
        + "transfer.level1-notified; did you mean \"form\"?")
    #expect(found.contains { $0.code == .missingKey && $0.text.contains("\"form\"") })
  }

  @Test func `all mistakes are reported together, in order`() throws {
    let files = try Shipped.rulebookFiles().map { name, text in
      switch name {
      case "recall.yaml": (name, text.replacing("role: police", with: "role: polise"))
      case "custody.yaml": (name, text.replacing("LB-02", with: "LB-2"))
      default: (name, text)
      }
    }
    do {
      _ = try Rulebook.parse(files: files)
      Issue.record("expected problems")
    } catch {
      let codes = error.problems.map(\.code)
      #expect(codes == [.undefined, .undefined, .undefined, .unknownWord])
      #expect(
        error.problems.map(\.suggestion) == ["LB-02", "LB-02", "LB-02", "police"])
    }
  }

  /// One edit each, and the code that it must bring.
  @Test(arguments: [
    // A prison would set a level.
    ("custody.yaml", "fact: releaseDate, from: releaseDate", "fact: level, value: 1", "RULE-010"),
    (
      "facts.yaml", "set-by: [prison]\n    rule: CASE-04", "set-by: [police]\n    rule: CASE-04",
      "RULE-010"
    ),
    // A Jobcentre would get an offence, or the release date.
    (
      "jobcentre.yaml", "fields: [discussionDate, discussionReference]",
      "fields: [discussionDate, discussionReference, crn]", "RULE-011"
    ),
    ("jobcentre.yaml", "reference, note]", "reference, note, offence]", "RULE-012"),
    ("jobcentre.yaml", "reference, note]", "reference, note, note]", "RULE-007"),
    ("jobcentre.yaml", "reference, note]", "reference, notes]", "RULE-008"),
    // A condition that is none.
    ("jobcentre.yaml", "subject.age atLeast 18", "subject.age atLeats 18", "RULE-009"),
    ("jobcentre.yaml", "subject.age atLeast 18", "subject.edge atLeast 18", "RULE-009"),
    ("jobcentre.yaml", "case.supervisedBy is police", "case.supervisedBy is polic", "RULE-009"),
    ("jobcentre.yaml", "allMarked [work, training]", "allMarked [works]", "RULE-009"),
    ("transfer.yaml", "case.level is 1", "case.level is 4", "RULE-009"),
    ("transfer.yaml", "differsFrom case.area", "differsFrom case.level", "RULE-009"),
    ("transfer.yaml", "case.level is 1", "case.level is 1 and", "RULE-009"),
    // An urgent notice that waits.
    (
      "recall.yaml", "    effects:",
      "    guards:\n      - require: subject.known is true\n        otherwise: hold\n"
        + "        rule: XX-01\n        source: none\n        words: none\n    effects:", "RULE-013"
    ),
    ("jobcentre.yaml", "answers: [mappa-j.issued.release]", "answers: [fno.released]", "RULE-014"),
    ("jobcentre.yaml", "by: [mappa-j.acknowledged]", "by: [mappa-j.acknowleged]", "RULE-008"),
    ("immigration.yaml", "bases: [LB-12]", "bases: [LB-01]", "RULE-015"),
    ("immigration.yaml", "value: released", "value: escaped", "RULE-006"),
    ("immigration.yaml", "rule: FNO-02", "rule: fno2", "RULE-006"),
    ("immigration.yaml", "urgent: yes", "urgent: perhaps", "RULE-006"),
    ("immigration.yaml", "identifiers-needed: 1", "identifiers-needed: 4", "RULE-006"),
    ("immigration.yaml", "  fno.released:", "  Fno Released:", "RULE-006"),
    ("immigration.yaml", "  fno.released:", "  recall.initiated:", "RULE-007"),
    ("immigration.yaml", "relation: offenderManager", "relation: offenderManger", "RULE-005"),
    ("immigration.yaml", "role: immigration", "role: migration", "RULE-005"),
    ("case.yaml", "from: crn", "from: dateOfBirth", "RULE-002"),
    ("case.yaml", "optional: yes", "optional: [yes, [no]]", "RULE-002"),
    ("fields.yaml", "kind: bool", "kind: boole", "RULE-005"),
    ("fields.yaml", "item: staff-risk", "item: staf-risk", "RULE-008"),
    (
      "fields.yaml", "name: {title",
      "visor: {title: V, item: name, kind: identifier}\n  name: {title", "RULE-005"
    ),
    ("items.yaml", "class: [criminal]", "class: [crimnal]", "RULE-005"),
    ("free-text-words.yaml", "- abduct*", "- Abduct *", "RULE-006"),
    ("case.yaml", "types:", "types: [", "RULE-001"),
    ("case.yaml", "types:", "types:\n  &a *a : 1", "RULE-001"),
    ("case.yaml", "    form: none", "    form: none\n    form: none", "RULE-001"),
  ])
  func `a mistake is found by its code`(
    file: String, old: String, new: String, code: String
  ) throws {
    let found = try problems(replacing: old, in: file, with: new)
    #expect(found.contains { $0.code.rawValue == code }, "\(found)")
    #expect(found.allSatisfy { !$0.text.isEmpty && !$0.file.isEmpty })
  }

  @Test func `a prison never sets a level, and the message says by which rule`() throws {
    let found = try problems(
      replacing: "fact: releaseDate, from: releaseDate", in: "custody.yaml",
      with: "fact: level, value: 1")
    #expect(found.contains { $0.text.contains("LVL-01") })
    let rulebook = try Shipped.rulebook()
    #expect(rulebook.facts["level"]?.setBy.contains(.prison) == false)
    #expect(rulebook.facts["category"]?.setBy.contains(.prison) == false)
  }

  @Test func `a sensitive field needs a condition of Schedule 8`() throws {
    let found = try problems(
      replacing: "item: sentence, kind: date", in: "fields.yaml",
      with: "item: ethnicity, kind: date")
    #expect(found.contains { $0.code == .sensitive && $0.text.contains("recallDate") })
  }

  @Test func `an item with a condition needs one in the type`() throws {
    let found = try problems(
      replacing: "item: sentence, kind: date", in: "fields.yaml",
      with: "item: victim-identity, kind: date")
    #expect(
      found.contains { $0.code == .itemForbids && $0.text.contains("only under a condition") })
  }

  @Test func `no files and doubled files are mistakes`() {
    #expect(throws: PolicyProblems.self) { try Rulebook.parse(files: []) }
    #expect(throws: PolicyProblems.self) {
      try Rulebook.parse(files: Shipped.rulebookFiles() + Shipped.rulebookFiles())
    }
  }

  @Test func `a file that nests without end is refused and not followed`() {
    let deep = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
    #expect(throws: PolicyProblems.self) { try Rulebook.parse(files: [("deep.yaml", deep)]) }
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for step in 1...8 {
      let last = Array(repeating: "*a\(step - 1)", count: 10).joined(separator: ", ")
      bomb += "a\(step): &a\(step) [\(last)]\n"
    }
    #expect(throws: PolicyProblems.self) { try Rulebook.parse(files: [("bomb.yaml", bomb)]) }
  }

  @Test func `the Jobcentre can never see more than the catalogue lets it`() throws {
    // Catalogue section 5, column JCP: the items with N or A, by hand.
    let may: Set<String> = [
      "name", "date-of-birth", "work-restriction", "staff-risk", "lead-agency-contact",
      "offender-unaware", "action-points", "exchange-particulars",
    ]
    let items = try Shipped.rulebook().items.values.filter { item in
      [.needs, .may].contains(item.access[.jobcentre])
    }
    #expect(Set(items.map(\.name)) == may)
    #expect(try Shipped.rulebook().items.count == 59)
  }
}
