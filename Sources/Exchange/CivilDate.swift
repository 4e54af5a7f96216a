/// A day of the Gregorian calendar, years 1 to 9999, without a time or a place.
package struct CivilDate: Hashable, Comparable, Sendable, CustomStringConvertible, Codable {
  package let year: Int
  package let month: Int
  package let day: Int

  /// Nil when there is no such day.
  package init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month),
      (1...CivilDate.days(inMonth: month, of: year)).contains(day)
    else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// Parses `yyyy-MM-dd`.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      let year = digits(bytes[0..<4], to: 9999), let month = digits(bytes[5..<7], to: 12),
      let day = digits(bytes[8..<10], to: 31)
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// The day that lies `dayNumber` days after 1970-01-01, held within the years 1 to 9999.
  package init(dayNumber: Int) {
    // Howard Hinnant's days-from-civil arithmetic: eras of 400 years that begin on 1 March.
    let clamped = min(max(dayNumber, -719_162), 2_932_896)
    let shifted = clamped + 719_468
    let era = shifted.flooredDivision(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Days since 1970-01-01; negative before.
  package var dayNumber: Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear.flooredDivision(by: 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// 1 for Monday to 7 for Sunday (ISO 8601).
  package var weekday: Int { (dayNumber + 3) - (dayNumber + 3).flooredDivision(by: 7) * 7 + 1 }

  /// So many days later (earlier when negative), held within the years 1 to 9999.
  package func adding(days: Int) -> CivilDate {
    CivilDate(dayNumber: dayNumber + min(max(days, -4_000_000), 4_000_000))
  }

  /// The same day number so many months later (earlier when negative), or the month's last day where
  /// that month is shorter; held within the years 1 to 9999.
  package func adding(months: Int) -> CivilDate {
    let index = year * 12 + month - 1 + min(max(months, -120_000), 120_000)
    let newYear = index.flooredDivision(by: 12)
    let newMonth = index - newYear * 12 + 1
    let newDay = min(day, CivilDate.days(inMonth: newMonth, of: newYear))
    return CivilDate(year: newYear, month: newMonth, day: newDay)
      ?? CivilDate(dayNumber: months < 0 ? .min : .max)
  }

  /// Whole years between this day and a later one; a person born on 29 February comes of age on 1 March
  /// in other years (Family Law Reform Act 1969 s.9 counts from the anniversary's first moment).
  package func age(on date: CivilDate) -> Int {
    let passed = (date.month, date.day) >= (month, day)
    return date.year - year - (passed ? 0 : 1)
  }

  package var description: String {
    "\(padded(year, to: 4))-\(padded(month, to: 2))-\(padded(day, to: 2))"
  }

  package static func < (left: CivilDate, right: CivilDate) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }

  private static func days(inMonth month: Int, of year: Int) -> Int {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let value = CivilDate(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "not a date"))
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// Civil time of England and Wales: UTC in winter; one hour ahead from 01:00 UTC on the last Sunday of
/// March to 01:00 UTC on the last Sunday of October (Summer Time Order 2002).
extension Instant {
  /// The day that the calendar on a wall in London shows.
  package var londonDate: CivilDate {
    let local = milliseconds + (Instant.isSummerTime(self) ? 3_600_000 : 0)
    return CivilDate(dayNumber: Int(local.flooredDivision(by: 86_400_000)))
  }

  /// The first moment of a day in London.
  package init(startOf date: CivilDate) {
    let midnight = Instant(milliseconds: Int64(date.dayNumber) * 86_400_000)
    // Neither change happens within an hour of midnight, so the state at midnight UTC decides.
    self = Instant.isSummerTime(midnight) ? midnight - .seconds(3600) : midnight
  }

  private static func isSummerTime(_ instant: Instant) -> Bool {
    let year = CivilDate(
      dayNumber: Int(instant.milliseconds.flooredDivision(by: 86_400_000))
    ).year
    guard let march = CivilDate(year: year, month: 3, day: 31),
      let october = CivilDate(year: year, month: 10, day: 31)
    else { return false }
    let change = { (last: CivilDate) -> Int64 in
      Int64(last.adding(days: -(last.weekday % 7)).dayNumber) * 86_400_000 + 3_600_000
    }
    return (change(march)..<change(october)).contains(instant.milliseconds)
  }
}
