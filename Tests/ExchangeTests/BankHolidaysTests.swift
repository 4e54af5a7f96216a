import Exchange
import Testing

@Suite struct BankHolidaysTests {
  /// Eight days of one year, in gov.uk's format.
  static func file(_ dates: [String], more: String = "") -> String {
    let events = dates.map { #"{"title":"Holiday","date":"\#($0)","notes":"","bunting":true}"# }
    return #"{"england-and-wales":{"division":"england-and-wales","events":["#
      + events.joined(separator: ",") + "]}" + more + "}"
  }

  static let year2026 = [
    "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31",
    "2026-12-25", "2026-12-28",
  ]

  private func parse(_ text: String) throws(BankHolidayProblem) -> BankHolidays {
    try BankHolidays(parsing: text.utf8)
  }

  // Written down from the published list, year by year.
  @Test(arguments: [
    (2024, "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26"),
    (2025, "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26"),
    (2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28"),
    (2027, "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28"),
    (2028, "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26"),
  ])
  func `the shipped list has each year's days`(year: Int, days: String) throws {
    let listed = try shippedBankHolidays().holidays.filter { $0.day.year == year }
    #expect(listed.map { String($0.day.description.dropFirst(5)) }.joined(separator: " ") == days)
  }

  @Test func `the shipped list has each day's title, and marks substitutes`() throws {
    let holidays = try shippedBankHolidays().holidays
    #expect(holidays.count == 40)
    let titles = [
      "New Year’s Day", "Good Friday", "Easter Monday", "Early May bank holiday",
      "Spring bank holiday", "Summer bank holiday", "Christmas Day", "Boxing Day",
    ]
    #expect(holidays.map(\.title) == (0..<5).flatMap { _ in titles })
    #expect(
      holidays.filter { $0.notes == "Substitute day" }.map(\.day.description)
        == ["2026-12-28", "2027-12-27", "2027-12-28", "2028-01-03"])
    #expect(holidays.allSatisfy { ["", "Substitute day"].contains($0.notes) })
  }

  /// Easter Sundays from printed tables.
  static let easters = ["2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16"]

  @Test(arguments: easters)
  func `Good Friday and Easter Monday stand beside Easter Sunday`(text: String) throws {
    let sunday = try day(text)
    let computed = try #require(EasterSunday(year: sunday.year).date)
    #expect(computed == sunday)
    let holidays = try shippedBankHolidays().holidays
    #expect(
      holidays.first { $0.title == "Good Friday" && $0.day.year == sunday.year }?.day
        == sunday.adding(days: -2))
    #expect(
      holidays.first { $0.title == "Easter Monday" && $0.day.year == sunday.year }?.day
        == sunday.adding(days: 1))
  }

  @Test func `the Mondays of May and August are the first and the last of their month`() throws {
    for holiday in try shippedBankHolidays().holidays where holiday.title.hasSuffix("holiday") {
      #expect(holiday.day.weekday == 1)
      let weekLater = holiday.day.adding(days: 7)
      let weekBefore = holiday.day.adding(days: -7)
      if holiday.title == "Early May bank holiday" {
        #expect(holiday.day.month == 5 && weekBefore.month == 4)
      } else {
        let month = holiday.title == "Spring bank holiday" ? 5 : 8
        #expect(holiday.day.month == month && weekLater.month == month + 1)
      }
    }
  }

  @Test func `a good file is read, other divisions and members are not`() throws {
    let more = #","scotland":{"division":"scotland","events":[{"title":7}]},"version":2"#
    let holidays = try parse(BankHolidaysTests.file(BankHolidaysTests.year2026, more: more))
    #expect(holidays.holidays.map(\.day.description) == BankHolidaysTests.year2026)
  }

  @Test func `the order of the entries does not matter, and notes may be missing`() throws {
    let shuffled = Array(BankHolidaysTests.year2026.reversed())
    let text = BankHolidaysTests.file(shuffled).replacing(#","notes":"","bunting":true"#, with: "")
    #expect(try parse(text) == parse(BankHolidaysTests.file(BankHolidaysTests.year2026)))
  }

  @Test func `a file that is no JSON is CAL-001`() {
    #expect(throws: BankHolidayProblem.notJSON(.malformed(offset: 0))) { try parse("<html>") }
  }

  @Test(arguments: [
    "{}", "[]", #"{"england-and-wales":[]}"#, #"{"england-and-wales":{}}"#,
    #"{"england-and-wales":{"events":[]}}"#, #"{"england-and-wales":{"events":{}}}"#,
    #"{"england-and-wales":{"division":"scotland","events":[{}]}}"#,
    #"{"scotland":{"division":"scotland","events":[]}}"#,
  ])
  func `a file without the division's events is CAL-002`(text: String) {
    #expect(throws: BankHolidayProblem.noDivision) { try parse(text) }
  }

  @Test func `more entries than anybody lists are CAL-002`() {
    let dates = [String](repeating: "2026-01-01", count: 1001)
    #expect(throws: BankHolidayProblem.noDivision) { try parse(BankHolidaysTests.file(dates)) }
  }

  @Test(arguments: [
    "7", "{}", #"{"title":"X"}"#, #"{"date":"2026-01-01"}"#, #"{"title":"","date":"2026-01-01"}"#,
    #"{"title":"X","date":"2026-02-30"}"#, #"{"title":"X","date":"01/01/2026"}"#,
    #"{"title":"X","date":20260101}"#, #"{"title":7,"date":"2026-01-01"}"#,
    #"{"title":"X","date":"2026-01-01","notes":null}"#,
  ])
  func `an entry without title or date is CAL-003`(entry: String) {
    let first = #"{"title":"New Year’s Day","date":"2026-01-01"}"#
    let text = #"{"england-and-wales":{"events":[\#(first),\#(entry)]}}"#
    #expect(throws: BankHolidayProblem.malformedEntry(number: 2)) { try parse(text) }
  }

  @Test func `a day off on a weekend is CAL-004`() throws {
    let dates = BankHolidaysTests.year2026.dropLast() + ["2026-12-26"]
    #expect(throws: BankHolidayProblem.onWeekend(try day("2026-12-26"))) {
      try parse(BankHolidaysTests.file(Array(dates)))
    }
  }

  @Test func `a day listed twice is CAL-005`() throws {
    let dates = BankHolidaysTests.year2026 + ["2026-05-04"]
    #expect(throws: BankHolidayProblem.listedTwice(try day("2026-05-04"))) {
      try parse(BankHolidaysTests.file(dates))
    }
  }

  @Test func `a year with too few days, or left out, is CAL-006`() {
    let seven = Array(BankHolidaysTests.year2026.dropLast())
    #expect(throws: BankHolidayProblem.incompleteYear(2026, found: 7)) {
      try parse(BankHolidaysTests.file(seven))
    }
    let withGap = BankHolidaysTests.year2026 + ["2028-01-03"]
    #expect(throws: BankHolidayProblem.incompleteYear(2027, found: 0)) {
      try parse(BankHolidaysTests.file(withGap))
    }
  }

  @Test func `problems have stable codes, and say what to do`() throws {
    let problems: [BankHolidayProblem] = [
      .notJSON(.notUTF8), .noDivision, .malformedEntry(number: 3),
      .onWeekend(try day("2026-12-26")),
      .listedTwice(try day("2026-05-04")), .incompleteYear(2027, found: 0),
    ]
    #expect(problems.map(\.code) == (1...6).map { "CAL-00\($0)" })
    for problem in problems {
      #expect(problem.turn == .operator)
      #expect(problem.description.hasPrefix("\(problem.code) "))
      #expect(problem.description.contains("https://www.gov.uk/bank-holidays.json"))
    }
  }
}

/// The anonymous Gregorian computus (Nature, 20 April 1876).
private struct EasterSunday {
  let date: CivilDate?

  init(year: Int) {
    let (a, b, c) = (year % 19, year / 100, year % 100)
    let g = (8 * b + 13) / 25
    let h = (19 * a + b - b / 4 - g + 15) % 30
    let m = (a + 11 * h) / 319
    let r = (2 * (b % 4) + 2 * (c / 4) - c % 4 - h + m + 32) % 7
    let month = (h - m + r + 90) / 25
    date = CivilDate(year: year, month: month, day: (h - m + r + month + 19) % 32)
  }
}
