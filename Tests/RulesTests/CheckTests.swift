import Exchange
import Rules
import Testing

/// Fields by themselves: required, kinds, bounds.
struct CheckTests {
  @Test func `the notices of these tests are in order`() throws {
    for ask in try Notice.all() { #expect(try ask.problems() == [], "\(ask.type)") }
  }

  @Test func `a required field that is missing or null is named`() throws {
    let missing = Notice.mappaJ.with { $0.data["endDate"] = nil }
    #expect(try missing.problems() == [FieldProblem(field: "endDate", fault: .missing)])
    let null = Notice.mappaJ.with { $0.data["endDate"] = .null }
    #expect(try null.problems() == [FieldProblem(field: "endDate", fault: .missing)])
    let optional = Notice.mappaJ.with { $0.data["note"] = .null }
    #expect(try optional.problems() == [])
    #expect(try optional.copies()["jobcentre:durham"]?.contains("note") == false)
  }

  private static let cases: [(String, JSONValue, FieldFault)] = [
    ("dateOfBirth", "1980-02-30", .wrongForm), ("dateOfBirth", 19_800_229, .wrongKind),
    ("endDate", "28.2.2028", .wrongForm), ("staffRisk", "no", .wrongKind),
    ("category", 4, .notInList), ("category", "2", .wrongKind),
    ("name", "", .wrongLength), ("name", "   ", .wrongLength), ("name", "Invented 2", .wrongForm),
    ("name", .string(String(repeating: "a", count: 81)), .wrongLength),
    ("name", "Invented (Person)", .wrongForm),
    ("note", .string(String(repeating: "a", count: 201)), .wrongLength),
    ("note", .string("a" + String(repeating: "\u{301}", count: 200)), .wrongLength),
    ("note", "two\nlines", .characters), ("note", "nul\u{0}", .characters),
    ("note", "\u{202e}desrever", .characters), ("note", "iso\u{2066}late", .characters),
    ("note", "zero\u{200b}width", .characters), ("note", "soft\u{ad}hyphen", .characters),
    ("note", "tag\u{e0041}", .characters), ("note", "line\u{2028}end", .characters),
    ("note", "select\u{fe0f}", .characters), ("note", "private\u{e000}", .characters),
    ("note", "filler\u{3164}", .characters), ("note", "byte\u{feff}order", .characters),
    ("reference", "two words", .wrongForm), ("reference", "<script>", .wrongForm),
    ("prisonNumber", "A1", .wrongForm), ("prisonNumber", "no figure", .wrongForm),
    ("pncId", .string(String(repeating: "1", count: 21)), .wrongForm), ("crn", 12, .wrongKind),
    ("restrictions", "none", .wrongKind), ("restrictions", [], .list),
    ("restrictions", ["no-work-with-children"], .wrongKind),
    ("restrictions", [["code": "no-fun"]], .notInList),
    ("restrictions", [["code": "curfew"], ["code": "curfew"]], .list),
    ("restrictions", [["code": "curfew", "parameter": "at night"]], .list),
    ("restrictions", [["code": "no-work-in-area"]], .list),
    ("restrictions", [["code": "no-work-in-area", "parameter": 5]], .list),
    ("restrictions", [["code": "no-work-in-area", "parameter": "x\u{0}"]], .characters),
    ("restrictions", [["code": "curfew", "offence": "invented"]], .list),
    (
      "restrictions",
      .array((0...20).map { ["code": "no-work-in-area", "parameter": .string("Town \($0)")] }),
      .list
    ),
  ]

  @Test(arguments: cases.indices)
  func `a value that its field does not take is named by field and code`(_ index: Int) throws {
    let (field, value, fault) = CheckTests.cases[index]
    let ask = Notice.mappaJ.with { $0.data[field] = value }
    #expect(try ask.problems() == [FieldProblem(field: field, fault: fault)])
    // Even if nobody asked: a value that does not fit goes nowhere.
    #expect(try ask.copies()["jobcentre:durham"]?.contains(field) != true)
  }

  @Test(arguments: [
    ("releaseTime", "24:00", FieldFault.wrongForm), ("releaseTime", "9:30", .wrongForm),
    ("releaseArea", "Northumbria", .wrongForm), ("releaseType", "freed", .notInList),
  ])
  func `times, areas and codes have their forms`(
    field: String, value: String, fault: FieldFault
  ) throws {
    let ask = Notice.unexpected.with { $0.data[field] = .string(value) }
    #expect(try ask.problems() == [FieldProblem(field: field, fault: fault)])
  }

  @Test func `names with marks, hyphens and apostrophes are names`() throws {
    for name in ["Si\u{e2}n O'Invented-Person", "N. \u{d3} Nobody", "Zoe\u{308} D\u{2019}Arc"] {
      #expect(try Notice.mappaJ.with { $0.data["name"] = .string(name) }.problems() == [])
    }
  }

  @Test func `two different identifiers are needed, and a name is none`() throws {
    let one = Notice.confirmed.with {
      $0.data["pncId"] = nil
      $0.data["crn"] = nil
    }
    #expect(try one.problems() == [FieldProblem(field: "data", fault: .tooFewIdentifiers)])
    #expect(try Notice.confirmed.with { $0.data["crn"] = nil }.problems() == [])
    let urgent = Notice.unexpected.with {
      $0.data["pncId"] = nil
      $0.data["crn"] = nil
    }
    #expect(try urgent.problems() == [])
  }

  @Test func `identifiers are read in one spelling`() throws {
    let ask = Notice.confirmed.with { $0.data["prisonNumber"] = "a 0000 xx" }
    let found = try Shipped.policy.get().identifiers(in: ask.notification())
    #expect(
      Set(found) == [
        PersonIdentifier(kind: .prisonNumber, value: "A0000XX"),
        PersonIdentifier(kind: .pncId, value: "2001/0000000X"),
        PersonIdentifier(kind: .crn, value: "X000000"),
      ])
  }

  @Test func `a problem never repeats a value or an unknown name`() throws {
    let ask = Notice.mappaJ.with {
      $0.data["zebra"] = "zebra"
      $0.data["category"] = "zebra"
      $0.data["restrictions"] = [["code": "zebra", "zebra": "zebra"]]
    }
    for problem in try ask.problems() { #expect(!problem.description.contains("zebra")) }
  }

  @Test func `every code of a fault has its own number`() {
    #expect(Set(FieldFault.allCases.map(\.rawValue)).count == FieldFault.allCases.count)
    #expect(FieldFault.allCases.allSatisfy { $0.rawValue.hasPrefix("RULE-10") })
  }
}
