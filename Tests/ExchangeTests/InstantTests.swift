import Exchange
import Testing

@Suite struct InstantTests {
  // Seconds by `date -u -d … +%s`.
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:34:56Z", 951_827_696_000),
    ("2026-02-02T09:30:00Z", 1_770_024_600_000), ("2026-02-02t09:30:00z", 1_770_024_600_000),
    ("2026-02-02T09:30:00.5Z", 1_770_024_600_500), ("2026-02-02T09:30:00.007Z", 1_770_024_600_007),
    ("2026-02-02T09:30:00.123999999Z", 1_770_024_600_123),
    ("2026-02-02T09:30:00+00:00", 1_770_024_600_000),
    ("2026-02-02T09:30:00-00:00", 1_770_024_600_000),
    ("2026-07-01T00:30:00+01:00", 1_782_862_200_000),
    ("2026-06-30T19:00:00-04:30", 1_782_862_200_000),
    ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
  ])
  func `RFC 3339 is read to the millisecond`(text: String, milliseconds: Int64) {
    #expect(Instant(text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "2026-02-02", "2026-02-02T09:30Z", "2026-02-02 09:30:00Z", "2026-02-02T09:30:00",
    "2026-02-02T24:00:00Z", "2026-02-02T09:60:00Z", "2026-12-31T23:59:60Z",
    "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-02-02T09:30:00.Z",
    "2026-02-02T09:30:00.1234567890Z", "2026-02-02T09:30:00+0100", "2026-02-02T09:30:00+01",
    "2026-02-02T09:30:00+24:00", "2026-02-02T09:30:00+01:60", "2026-02-02T09:30:00ZZ",
    "2026-02-02T09:30:00 Z", "2026-02-02T9:30:00ZZZ", "1969-12-31T23:59:59Z",
    "+026-02-02T09:30:00Z", "２026-02-02T09:30:00Z", "2026-02-02T09:30:00Z\n",
  ])
  func `anything else is no moment, a leap second among it`(text: String) {
    #expect(Instant(text) == nil)
  }

  @Test(arguments: ["1970-01-01T00:59:59+01:00", "9999-12-31T23:59:59-00:01"])
  func `an offset does not carry a moment out of the years that can be written`(text: String) {
    #expect(Instant(text) == nil)
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (951_827_696_789, "2000-02-29T12:34:56.789Z"),
    (1_770_024_600_000, "2026-02-02T09:30:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
    (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
  ])
  func `a moment is written in UTC with milliseconds`(milliseconds: Int64, text: String) {
    #expect(Instant(milliseconds: milliseconds).description == text)
  }

  @Test func `moments are ordered and moved by durations`() throws {
    let noon = try moment("2026-02-02T12:00:00Z")
    #expect(noon + .seconds(60) == (try moment("2026-02-02T12:01:00Z")))
    #expect(noon - .milliseconds(1) == (try moment("2026-02-02T11:59:59.999Z")))
    #expect(noon - .milliseconds(1) < noon)
  }

  @Test func `a moment is kept as text`() throws {
    let noon = try moment("2026-02-02T12:00:00Z")
    #expect(try encoded([noon]) == #"["2026-02-02T12:00:00.000Z"]"#)
    #expect(try decoded([Instant].self, from: #"["2026-02-02T12:00:00.000Z"]"#) == [noon])
    #expect(throws: DecodingError.self) { try decoded([Instant].self, from: "[\"noon\"]") }
  }
}
