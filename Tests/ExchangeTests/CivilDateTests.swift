import Exchange
import Testing

@Suite struct CivilDateTests {
  @Test func `every day from 1970 to 2100 follows the one before, on the weekday that is due`() {
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var (number, weekday, wrong) = (0, 4, 0)  // 1 January 1970 was a Thursday.
    for year in 1970...2100 {
      let isLeap = (year % 4 == 0) != (year == 2100)  // 2000 is one, 2100 is none.
      for month in 1...12 {
        for dayOfMonth in 1...(month == 2 && isLeap ? 29 : lengths[month - 1]) {
          let date = CivilDate(dayNumber: number)
          if date.year != year || date.month != month || date.day != dayOfMonth
            || date.dayNumber != number || date.weekday != weekday
            || CivilDate(date.description) != date
          {
            wrong += 1
          }
          (number, weekday) = (number + 1, weekday % 7 + 1)
        }
      }
    }
    #expect(wrong == 0)
    #expect(number == 47_847)
  }

  @Test(arguments: [
    ("2024-02-29", true), ("2026-02-29", false), ("2000-02-29", true), ("2100-02-29", false),
    ("0001-01-01", true), ("9999-12-31", true), ("0000-01-01", false), ("2026-00-01", false),
    ("2026-13-01", false), ("2026-04-31", false), ("2026-04-00", false), ("2026-4-1", false),
    ("2026-04-01 ", false), ("20260401", false), ("2026/04/01", false), ("-026-04-01", false),
    ("２026-04-01", false), ("", false),
  ])
  func `a date is read only if there is that day`(text: String, isGood: Bool) {
    #expect((CivilDate(text) != nil) == isGood)
  }

  @Test(arguments: [
    ("2026-10-31", -8, "2026-02-28"), ("2024-10-31", -8, "2024-02-29"),
    ("2026-10-15", -8, "2026-02-15"), ("2026-08-31", -6, "2026-02-28"),
    ("2026-03-31", 1, "2026-04-30"), ("2026-01-31", 1, "2026-02-28"),
    ("2026-11-30", 3, "2027-02-28"), ("2026-01-15", -1, "2025-12-15"),
    ("2026-12-15", 1, "2027-01-15"), ("2026-05-05", 0, "2026-05-05"),
    ("2024-02-29", 12, "2025-02-28"), ("9999-12-31", 1, "9999-12-31"),
    ("0001-01-01", -1, "0001-01-01"),
  ])
  func `months keep the day, or take the month's last`(from: String, months: Int, to: String)
    throws
  {
    #expect(try day(from).adding(months: months) == day(to))
  }

  @Test(arguments: [
    ("2026-12-31", 1, "2027-01-01"), ("2024-02-28", 1, "2024-02-29"),
    ("2026-05-15", -42, "2026-04-03"), ("9999-12-31", Int.max, "9999-12-31"),
    ("2026-01-01", Int.min, "0001-01-01"),
  ])
  func `days are counted over the ends of months and years`(from: String, days: Int, to: String)
    throws
  {
    #expect(try day(from).adding(days: days) == day(to))
  }

  @Test(arguments: [
    ("2008-04-03", "2026-04-02", 17), ("2008-04-03", "2026-04-03", 18),
    ("2008-02-29", "2026-02-28", 17), ("2008-02-29", "2026-03-01", 18),
    ("2008-02-29", "2024-02-28", 15), ("2008-02-29", "2024-02-29", 16),
    ("2026-04-03", "2026-04-03", 0),
  ])
  func `a year of age is reached on the birthday, on 1 March for 29 February`(
    born: String, on date: String, age: Int
  ) throws {
    #expect(try day(born).age(on: day(date)) == age)
  }

  @Test func `dates are ordered and kept as text`() throws {
    #expect(try day("2026-09-30") < day("2026-10-01"))
    #expect(try day("2025-12-31") < day("2026-01-01"))
    #expect(try encoded([day("2026-04-03")]) == #"["2026-04-03"]"#)
    #expect(throws: DecodingError.self) { try decoded([CivilDate].self, from: "[\"2026-4-3\"]") }
  }
}

@Suite struct LondonTimeTests {
  /// Last Sundays of March and October, read off a printed calendar.
  static let changes = [
    ("2024-03-31", "2024-10-27"), ("2025-03-30", "2025-10-26"), ("2026-03-29", "2026-10-25"),
    ("2027-03-28", "2027-10-31"),
  ]

  @Test(arguments: changes)
  func `the day of the spring change begins in winter and ends in summer`(
    spring: String, autumn: String
  ) throws {
    let change = try day(spring)
    #expect(Instant(startOf: change) == (try moment("\(spring)T00:00:00Z")))
    #expect(Instant(startOf: change.adding(days: 1)) == (try moment("\(spring)T23:00:00Z")))
    #expect(try moment("\(spring)T22:59:59.999Z").londonDate == change)
    #expect(try moment("\(spring)T23:00:00Z").londonDate == change.adding(days: 1))
    let before = change.adding(days: -1)
    #expect(try moment("\(before)T23:59:59.999Z").londonDate == before)
  }

  @Test(arguments: changes)
  func `the day of the autumn change begins in summer and ends in winter`(
    spring: String, autumn: String
  ) throws {
    let change = try day(autumn)
    let before = change.adding(days: -1)
    #expect(Instant(startOf: change) == (try moment("\(before)T23:00:00Z")))
    #expect(try moment("\(before)T22:59:59.999Z").londonDate == before)
    #expect(try moment("\(before)T23:00:00Z").londonDate == change)
    #expect(try moment("\(autumn)T23:59:59.999Z").londonDate == change)
    #expect(Instant(startOf: change.adding(days: 1)) == Instant(startOf: change) + .seconds(90_000))
  }

  @Test func `every day begins where the one before ends`() throws {
    var date = try day("2024-01-01")
    var wrong = 0
    while date.year < 2028 {
      let start = Instant(startOf: date)
      if start.londonDate != date
        || (start - .milliseconds(1)).londonDate != date.adding(days: -1)
      {
        wrong += 1
      }
      date = date.adding(days: 1)
    }
    #expect(wrong == 0)
  }
}
