import Exchange
import Testing

@Suite struct WorkingCalendarTests {
  // Counted by hand on a wall calendar: MAPPA J answers are owed within 5 working days of receipt
  // (MAPPA Guidance 3.33, 3.35).
  @Test(arguments: [
    // Easter 2026: Good Friday 3 April, Easter Monday 6 April.
    ("2026-03-27", "2026-04-07"), ("2026-04-01", "2026-04-10"), ("2026-04-02", "2026-04-13"),
    ("2026-04-03", "2026-04-13"), ("2026-04-04", "2026-04-13"), ("2026-04-05", "2026-04-13"),
    ("2026-04-06", "2026-04-13"), ("2026-04-07", "2026-04-14"),
    // May 2026: Mondays 4 and 25.
    ("2026-04-27", "2026-05-05"), ("2026-04-30", "2026-05-08"), ("2026-05-01", "2026-05-11"),
    ("2026-05-04", "2026-05-11"), ("2026-05-18", "2026-05-26"), ("2026-05-22", "2026-06-01"),
    ("2026-05-25", "2026-06-01"),
    // Christmas 2026: Friday 25 and, for Boxing Day, Monday 28 December; Friday 1 January 2027.
    ("2026-12-18", "2026-12-29"), ("2026-12-21", "2026-12-30"), ("2026-12-22", "2026-12-31"),
    ("2026-12-23", "2027-01-04"), ("2026-12-24", "2027-01-05"), ("2026-12-25", "2027-01-05"),
    ("2026-12-26", "2027-01-05"), ("2026-12-28", "2027-01-05"), ("2026-12-29", "2027-01-06"),
    // Christmas 2027: Monday 27 and Tuesday 28 December; 1 January 2028 moved to Monday 3.
    ("2027-12-24", "2028-01-05"), ("2027-12-27", "2028-01-05"), ("2027-12-29", "2028-01-06"),
    // A week without anything.
    ("2026-06-08", "2026-06-15"), ("2026-06-12", "2026-06-19"), ("2026-06-13", "2026-06-19"),
  ])
  func `a MAPPA J answer is owed on the fifth working day`(received: String, due: String) throws {
    let calendar = try shippedCalendar()
    let fifth = calendar.day(5, workingDaysAfter: try day(received))
    #expect(fifth == CountedDay(day: try day(due), isCertain: true))
    #expect(calendar.workingDays(from: try day(received), to: try day(due)) == 5)
  }

  @Test(arguments: [
    ("2026-04-07", 1, "2026-04-02"), ("2026-04-06", 1, "2026-04-02"),
    ("2026-04-13", 5, "2026-04-02"), ("2027-01-05", 5, "2026-12-24"),
    ("2026-05-11", 5, "2026-05-01"), ("2026-06-15", 5, "2026-06-08"),
    ("2026-06-14", 1, "2026-06-12"),
  ])
  func `working days are counted backwards`(event: String, count: Int, result: String) throws {
    let calendar = try shippedCalendar()
    #expect(calendar.day(count, workingDaysBefore: try day(event)).day == (try day(result)))
  }

  @Test func `no working days after an event is the event's own day`() throws {
    let calendar = try shippedCalendar()
    let goodFriday = CountedDay(day: try day("2026-04-03"), isCertain: true)
    #expect(calendar.day(0, workingDaysAfter: goodFriday.day) == goodFriday)
    #expect(calendar.day(0, workingDaysBefore: goodFriday.day) == goodFriday)
    #expect(calendar.day(-3, workingDaysAfter: goodFriday.day) == goodFriday)
  }

  @Test func `working days are Monday to Friday but for the listed days`() throws {
    let calendar = try shippedCalendar()
    for (text, isWorking) in [
      ("2026-04-02", true), ("2026-04-03", false), ("2026-04-04", false), ("2026-04-05", false),
      ("2026-04-06", false), ("2026-04-07", true), ("2026-12-26", false), ("2026-12-28", false),
      ("2026-12-29", true),
    ] {
      #expect(calendar.isWorkingDay(try day(text)) == isWorking, "\(text)")
    }
  }

  @Test func `days between two days are counted as one by one`() throws {
    let calendar = try shippedCalendar()
    let start = try day("2026-03-20")
    for length in 0...120 {
      let end = start.adding(days: length)
      let slowly = (0..<length).count { calendar.isWorkingDay(start.adding(days: $0 + 1)) }
      #expect(calendar.workingDays(from: start, to: end) == slowly)
    }
    #expect(calendar.workingDays(from: start, to: start.adding(days: -10)) == 0)
    let (january, december) = (try day("2025-12-31"), try day("2026-12-31"))
    #expect(calendar.workingDays(from: january, to: december) == 253)  // 261 weekdays, 8 holidays.
  }

  @Test func `the list covers its years and says when it runs out`() throws {
    let calendar = try shippedCalendar()
    #expect(calendar.coveredFrom == (try day("2024-01-01")))
    #expect(calendar.coveredThrough == (try day("2028-12-31")))
    #expect(calendar.covers(try day("2028-12-31")))
    #expect(!calendar.covers(try day("2029-01-01")))
    #expect(!calendar.runsOut(within: 180, of: try day("2028-07-04")))
    #expect(calendar.runsOut(within: 181, of: try day("2028-07-04")))
  }

  @Test func `past the list a deadline is earlier at most, and not certain`() throws {
    let calendar = try shippedCalendar()
    // 25 and 26 December 2028 are listed, 1 January 2029 is not: 27, 28, 29, then 1 and 2 January.
    let past = calendar.day(5, workingDaysAfter: try day("2028-12-22"))
    #expect(past == CountedDay(day: try day("2029-01-02"), isCertain: false))
    let within = calendar.day(3, workingDaysAfter: try day("2028-12-22"))
    #expect(within == CountedDay(day: try day("2028-12-29"), isCertain: true))
    #expect(!calendar.day(5, workingDaysAfter: try day("2031-06-02")).isCertain)
    #expect(!calendar.day(5, workingDaysAfter: try day("2023-12-27")).isCertain)
    #expect(calendar.day(5, workingDaysAfter: try day("2023-12-31")).isCertain)
    #expect(!calendar.day(1, workingDaysBefore: try day("2024-01-01")).isCertain)
  }

  @Test func `without the later years every count forward is earlier or the same`() throws {
    let full = try shippedCalendar()
    let text = BankHolidaysTests.file(BankHolidaysTests.year2026)
    let short = WorkingCalendar(try BankHolidays(parsing: text.utf8))
    for offset in 0..<400 {
      let event = try day("2026-06-01").adding(days: offset)
      for count in [1, 5, 10] {
        let (known, unknown) = (
          full.day(count, workingDaysAfter: event), short.day(count, workingDaysAfter: event)
        )
        #expect(unknown.day <= known.day)
        #expect(unknown.day == known.day || !unknown.isCertain)
      }
    }
  }

  @Test func `counting ends with the calendar, and with a bound`() throws {
    let calendar = try shippedCalendar()
    let end = calendar.day(10, workingDaysAfter: try day("9999-12-30"))
    #expect(end == CountedDay(day: try day("9999-12-31"), isCertain: false))
    let most = calendar.day(1000, workingDaysAfter: try day("2024-01-01"))
    #expect(calendar.day(.max, workingDaysAfter: try day("2024-01-01")) == most)
  }
}
