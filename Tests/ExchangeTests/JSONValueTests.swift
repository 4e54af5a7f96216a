import Exchange
import Testing

@Suite struct JSONValueTests {
  private func parse(_ text: String, depth: Int = 16) throws -> JSONValue {
    try JSONValue.parse(Array(text.utf8), limits: JSONLimits(depth: depth))
  }

  static let good: [(String, JSONValue)] = [
    ("null", JSONValue.null), (" true\n", true), ("false", false), ("0", 0), ("-0", 0),
    ("-17", -17), ("9223372036854775807", .integer(.max)),
    ("-9223372036854775808", .integer(.min)),
    ("9223372036854775808", .decimal("9223372036854775808")), ("1.50", .decimal("1.50")),
    ("1e3", .decimal("1e3")), ("-0.1E-7", .decimal("-0.1E-7")), (#""""#, ""),
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\u20AC\ud83d\ude00""#, "é€😀"),
    (#""\u0000""#, "\0"), ("\"\u{7f}\"", "\u{7f}"), ("[]", []), ("[1, [2]]", [1, [2]]), ("{}", [:]),
    (#"{"a": {"b": null}}"#, ["a": ["b": .null]]),
  ]

  @Test(arguments: good)
  func `good JSON is read`(text: String, value: JSONValue) throws {
    #expect(try parse(text) == value)
  }

  @Test(arguments: [
    "", " ", "nul", "True", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity",
    "\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "'a'", "[1,]", "[,1]", "[1 2]", "[", "{", "{,}",
    #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{a:1}"#, #"{1:1}"#, "1 2", "[]]", "// a\n1", "\u{a0}1",
    "\u{feff}1", "\"a\nb\"", "\"a\tb\"", "\"a\0b\"", "\"a\u{1f}b\"",
  ])
  func `bad JSON is refused with its place`(text: String) {
    #expect {
      try parse(text)
    } throws: {
      if case .malformed(let offset) = $0 as? JSONProblem {
        offset <= text.utf8.count
      } else {
        false
      }
    }
  }

  @Test(arguments: [
    #""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\ud800""#,
    #""\udc00\ud800""#, #""\ud800\u0041""#,
  ])
  func `half a surrogate pair is refused`(text: String) {
    #expect(throws: JSONProblem.self) { try parse(text) }
  }

  static let notUTF8: [[UInt8]] = [
    [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xc3, 0x22],
  ]

  @Test(arguments: notUTF8)
  func `bytes that are not UTF-8 are refused`(bytes: [UInt8]) {
    #expect(throws: JSONProblem.notUTF8) { try JSONValue.parse(bytes) }
  }

  @Test(arguments: [
    (#"{"a":1,"a":1}"#, 7), (#"{"a":1,"b":2,"\u0061":3}"#, 13), (#"[{"x":{"a":1, "a":2}}]"#, 14),
    // One letter é, written as one scalar and as two.
    ("{\"\u{e9}\":1,\"e\u{301}\":2}", 8),
  ])
  func `a member name twice is refused, however it is written`(text: String, offset: Int) {
    #expect(throws: JSONProblem.duplicateMember(offset: offset)) { try parse(text) }
  }

  @Test func `depth is bounded before it costs anything`() throws {
    #expect(try parse("[[[]]]", depth: 3) == [[[]]])
    #expect(throws: JSONProblem.tooDeep(limit: 3)) { try parse("[[[[]]]]", depth: 3) }
    #expect(throws: JSONProblem.tooDeep(limit: 3)) { try parse(#"{"a":[{"b":[1]}]}"#, depth: 3) }
    #expect(throws: JSONProblem.tooDeep(limit: 16)) {
      try parse(String(repeating: "[", count: 100_000))
    }
  }

  @Test func `length is bounded`() throws {
    let limits = JSONLimits(bytes: 4)
    #expect(try JSONValue.parse("1234".utf8, limits: limits) == 1234)
    #expect(throws: JSONProblem.tooLong(limit: 4)) {
      try JSONValue.parse("12345".utf8, limits: limits)
    }
  }

  @Test func `a value is asked for by its kind`() throws {
    let value = try parse(#"{"s":"x","i":1,"b":true,"a":[1],"o":{}}"#)
    #expect(value["s"]?.string == "x" && value["s"]?.integer == nil)
    #expect(value["i"]?.integer == 1 && value["i"]?.bool == nil)
    #expect(value["b"]?.bool == true && value["b"]?.array == nil)
    #expect(value["a"]?.array == [1] && value["a"]?.object == nil)
    #expect(value["o"]?.object == [:] && value["o"]?.string == nil)
    #expect(value["none"] == nil && value["s"]?["x"] == nil)
  }

  // RFC 8785, 3.2.3: the members' order there.
  @Test func `canonical members are sorted by UTF-16 code units`() throws {
    let text = #"""
      {"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
      "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
      "\u00f6":"Latin Small Letter O With Diaeresis"}
      """#
    let sorted =
      "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\","
      + "\"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20ac}\":\"Euro Sign\","
      + "\"\u{1f600}\":\"Emoji: Grinning Face\","
      + "\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
    #expect(try Array(parse(text).canonicalText.utf8) == Array(sorted.utf8))
  }

  // RFC 8785, 3.2.2: its string and literals; numbers with a fraction are not ours.
  @Test func `canonical strings escape only what must be`() throws {
    let text =
      #"{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "l": [null, true, false]}"#
    let canonical = #"{"l":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
    #expect(try parse(text).canonicalText == canonical)
  }

  @Test func `canonical control characters have their short or their long form`() {
    let all = String(String.UnicodeScalarView((0..<0x20).compactMap { Unicode.Scalar($0) }))
    let expected =
      #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#
      + #"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f""#
    #expect(JSONValue.string(all).canonicalText == expected)
  }

  @Test(arguments: [
    #"{"b":[1,-2,{"z":null,"a":"\u0001"}],"a":true}"#, "[]", #""😀 é""#, "-9223372036854775808",
  ])
  func `canonical text is read back as the same value`(text: String) throws {
    let value = try parse(text)
    #expect(try parse(value.canonicalText) == value)
    #expect(try parse(value.canonicalText).canonicalBytes == value.canonicalBytes)
  }
}
