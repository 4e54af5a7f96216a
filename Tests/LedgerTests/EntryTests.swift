import Ledger
import Testing

@Suite struct EntryTests {
  /// Bytes 40 to 5f, as published.
  private static let keyBytes = Array(UInt8(0x40)...0x5F)
  private static let detail = Array(
    #"{"data":{"releaseDate":"2026-03-06"},"id":"0190f7c2-1111-7aaa-8bbb-000000000001"}"#.utf8)
  private static let published =
    "hmac-sha256:e24bb9a2d9a0d9f00f9e56f4128e5c6659ce2812f69ad604acff07399ea5eab9"

  @Test func `the published detail has the published commitment`() throws {
    let key = try CommitmentKey(Self.keyBytes)
    let commitment = Commitment(to: Self.detail, key: key)
    #expect(commitment.description == Self.published)
    #expect(Commitment(Self.published) == commitment)
    try commitment.check(Self.detail, key: key)
  }

  @Test func `another detail or another key does not match a commitment`() throws {
    let key = try CommitmentKey(Self.keyBytes)
    let commitment = try #require(Commitment(Self.published))
    let other = try CommitmentKey(Self.keyBytes.reversed())
    #expect(problem { try commitment.check(Self.detail + [0x20], key: key) }?.code == .commitment)
    #expect(problem { try commitment.check(Self.detail, key: other) }?.code == .commitment)
    #expect(problem { _ = try CommitmentKey([]) }?.code == .commitmentKey)
    #expect(
      problem { _ = try CommitmentKey(Array(repeating: 0, count: 31)) }?.code == .commitmentKey)
  }

  @Test func `the published long entry has the published leaf hash`() {
    let zeros = String(repeating: "0", count: 64)
    let entry =
      #"{"basis":["CJA2003.s325(4)"],"commit":"\#(Self.published)","deadline":"2026-02-04","#
      + #""decision":"release","exchange":"0190f7c2-1111-7aaa-8bbb-000000000001","#
      + #""from":"hmpps.prison.LEI","kind":"disclosure.intent","policy":"sha256:\#(zeros)","#
      + #""released":["releaseDate","prisonId"],"rules":["mappa-release-date/police-ppu"],"#
      + #""time":"2026-02-02T09:30:00.000Z","to":"police.wyp.ppu","v":1,"#
      + #""withheld":[{"field":"healthNotes","reason":"no-rule"}]}"#
    #expect(entry.utf8.count == 546)
    #expect(
      LedgerHash.leaf(Array(entry.utf8)).hex
        == "702316d900c50057d2f16938200f4e9a596df74ba5238ffa50bb84b8e35b4e22")
  }

  private static let text =
    #"{"agreement":"sha256:\#(String(repeating: "a", count: 64))","class":"delivery","#
    + #""commit":"\#(published)","exchange":"0190f7c2-1111-7aaa-8bbb-000000000001","#
    + #""rulebook":"sha256:\#(String(repeating: "b", count: 64))","#
    + #""time":"2026-02-02T09:30:00.000Z","v":1}"#

  private static func entry(
    exchange: String = "0190f7c2-1111-7aaa-8bbb-000000000001",
    time: String = "2026-02-02T09:30:00.000Z"
  ) throws -> LedgerEntry {
    try LedgerEntry(
      .delivery, exchange: exchange,
      agreement: try hash(String(repeating: "a", count: 64)),
      rulebook: try hash(String(repeating: "b", count: 64)),
      commitment: try #require(Commitment(published)), time: time)
  }

  @Test func `an entry is canonical JSON of these seven members and nothing else`() throws {
    #expect(try Self.entry().bytes == Array(Self.text.utf8))
    #expect(try LedgerEntry(Array(Self.text.utf8)) == Self.entry())
  }

  @Test(arguments: [
    (#""v":1"#, #""v":2"#), (#""v":1"#, #""v":01"#), (#""v":1"#, #""v": 1"#),
    (#""v":1}"#, #""v":1}\#n"#), (#""v":1}"#, #""v":1,"x":"y"}"#),
    ("delivery", "release"), ("delivery", "Delivery"), ("sha256:a", "sha512:a"),
    ("sha256:b", "sha256:B"), ("hmac-sha256", "sha256"), (#""time""#, #""tim""#),
    ("0190f7c2", "0190 7c2"), ("0190f7c2", #"0190\u00327"#), ("0190f7c2", "Grüße"),
    ("09:30:00.000Z", "09:30:00Z"), (text, ""), (text, "{}"), (text, text + text),
  ])
  func `an entry in any other form is refused`(part: String, replacement: String) {
    let text = Self.text.replacing(part, with: replacement)
    #expect(text != Self.text)
    #expect(problem { _ = try LedgerEntry(Array(text.utf8)) }?.code == .leaf)
  }

  @Test(arguments: [
    "2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z",
    "2026-04-31T00:00:00.000Z", "2026-01-00T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
    "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "2026-01-01 00:00:00.000Z",
    "2026-01-01T00:00:00.000", "2026-01-01T00:00:00.000+00:00", "",
  ])
  func `a time that is not one is refused`(time: String) {
    #expect(problem { _ = try Self.entry(time: time) }?.code == .leaf)
  }

  @Test(arguments: ["2024-02-29T23:59:59.999Z", "2000-02-29T00:00:00.000Z"])
  func `a leap day is a time`(time: String) throws {
    #expect(try Self.entry(time: time).time == time)
  }

  @Test(arguments: ["", "a\"b", "a b", "a/b", "é", String(repeating: "a", count: 65)])
  func `an exchange that could carry anything else is refused`(exchange: String) {
    #expect(problem { _ = try Self.entry(exchange: exchange) }?.code == .leaf)
  }

  @Test func `an entry tells no type, party or field`() throws {
    // The classes are all that an outsider can tell apart.
    #expect(
      LedgerEntry.EventClass.allCases.map(\.rawValue)
        == ["message", "delivery", "deadline", "policy", "service"])
    #expect(try Self.entry().bytes.count < 512)
  }
}
