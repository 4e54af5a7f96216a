/// Counts days as the agencies count them: working days are Monday to Friday except the bank holidays of
/// England and Wales, and day 1 is the day after the event.
///
/// Where the list of bank holidays ends, counting goes on with weekends alone. Forward that can only
/// make a deadline earlier, never later. The result says that it is not certain, so that
/// the operator is told before anybody is wrongly chased.
package struct WorkingCalendar: Equatable, Sendable {
  /// 1 January of the first year with bank holidays.
  package let coveredFrom: CivilDate
  /// 31 December of the last year with bank holidays.
  package let coveredThrough: CivilDate
  private let holidays: Set<CivilDate>

  /// The most days, weeks or months that are counted, about four years of working days. More is taken
  /// as this many: no limit of the domain comes near, and a slip must not cost a long loop.
  package static let maximumCount = 1000

  package init(_ bankHolidays: BankHolidays) {
    let days = bankHolidays.holidays.map(\.day)
    holidays = Set(days)
    // The list is never empty and holds days of years 1 to 9999 only, so that neither falls back.
    let epoch = CivilDate(dayNumber: 0)
    coveredFrom = CivilDate(year: days.first?.year ?? 1970, month: 1, day: 1) ?? epoch
    coveredThrough = CivilDate(year: days.last?.year ?? 1970, month: 12, day: 31) ?? epoch
  }

  /// Whether bank holidays are known for that day.
  package func covers(_ day: CivilDate) -> Bool { (coveredFrom...coveredThrough).contains(day) }

  /// Whether the list ends within so many days of today: alarm, while there is time to put in a new one.
  package func runsOut(within days: Int, of today: CivilDate) -> Bool {
    coveredThrough < today.adding(days: days)
  }

  /// Monday to Friday and, as far as the list goes, no bank holiday.
  package func isWorkingDay(_ day: CivilDate) -> Bool {
    day.weekday <= 5 && !holidays.contains(day)
  }

  /// The `count`th working day after an event's day; the event's own day for 0, working or not.
  package func day(_ count: Int, workingDaysAfter event: CivilDate) -> CountedDay {
    walk(count, from: event, by: 1)
  }

  /// The `count`th working day before an event's day; the event's own day for 0, working or not.
  ///
  /// Where the result is not certain it can be *later* than it should be, by the bank holidays that are
  /// not known; no limit that the Guidance sets is counted this way, only reminders are.
  package func day(_ count: Int, workingDaysBefore event: CivilDate) -> CountedDay {
    walk(count, from: event, by: -1)
  }

  /// How many working days lie after the first day, up to and with the last; 0 when it is not later.
  package func workingDays(from first: CivilDate, to last: CivilDate) -> Int {
    guard first < last else { return 0 }
    // Bank holidays are always weekdays, so each takes one away.
    let free = holidays.count { first < $0 && $0 <= last }
    return WorkingCalendar.weekdays(through: last) - WorkingCalendar.weekdays(through: first) - free
  }

  private func walk(_ count: Int, from event: CivilDate, by step: Int) -> CountedDay {
    var left = min(max(count, 0), WorkingCalendar.maximumCount)
    var (day, isCertain) = (event, true)
    while left > 0 {
      let next = day.adding(days: step)
      // The calendar itself ends with the years 1 and 9999.
      guard next != day else { return CountedDay(day: day, isCertain: false) }
      day = next
      isCertain = isCertain && covers(day)
      if isWorkingDay(day) { left -= 1 }
    }
    return CountedDay(day: day, isCertain: isCertain)
  }

  /// Mondays to Fridays from Monday 5 January 1970 to that day; negative before.
  private static func weekdays(through day: CivilDate) -> Int {
    let sinceMonday = day.dayNumber - 4
    let weeks = sinceMonday.flooredDivision(by: 7)
    return weeks * 5 + min(sinceMonday - weeks * 7 + 1, 5)
  }
}

/// A day that was counted to.
package struct CountedDay: Hashable, Sendable, Codable {
  package let day: CivilDate
  /// False when the count ran over days whose bank holidays are not known.
  package let isCertain: Bool

  package init(day: CivilDate, isCertain: Bool) { (self.day, self.isCertain) = (day, isCertain) }
}
