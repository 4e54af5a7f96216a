/// The bank holidays of England and Wales, as the operator's file lists them.
///
/// The file has the format of `https://www.gov.uk/bank-holidays.json`, so that a newer copy can be put in
/// its place as it is. Divisions other than `england-and-wales` are not read. The list holds the day that
/// is off: for a holiday on a weekend its substitute (Banking and Financial Dealings Act 1971).
package struct BankHolidays: Equatable, Sendable {
  /// One bank holiday.
  package struct Holiday: Equatable, Sendable {
    /// Always a Monday to Friday.
    package let day: CivilDate
    /// As published: `Boxing Day`.
    package let title: String
    /// The file's note on it, often empty: `Substitute day`.
    package let notes: String
  }

  /// In order of their days; never empty, no day twice, no year left out.
  package let holidays: [Holiday]

  /// Most entries that are read; gov.uk lists about 70.
  static let maximumCount = 1000

  /// New Year, Good Friday, Easter Monday, two in May, August, Christmas Day, Boxing Day.
  static let leastInAYear = 8

  /// - Throws: `BankHolidayProblem`. All the file is refused for one bad entry: a calendar with a hole
  ///   moves every deadline that runs over it.
  package init(
    parsing bytes: some Collection<UInt8>, limits: JSONLimits = JSONLimits()
  ) throws(BankHolidayProblem) {
    let file: JSONValue
    do { file = try JSONValue.parse(bytes, limits: limits) } catch { throw .notJSON(error) }
    guard let division = file["england-and-wales"],
      division["division"].map({ $0 == "england-and-wales" }) ?? true,
      let events = division["events"]?.array, (1...BankHolidays.maximumCount).contains(events.count)
    else { throw .noDivision }

    var byDay: [CivilDate: Holiday] = [:]
    for (place, event) in events.enumerated() {
      let holiday = try Holiday(event, number: place + 1)
      guard byDay.updateValue(holiday, forKey: holiday.day) == nil else {
        throw .listedTwice(holiday.day)
      }
    }
    holidays = byDay.values.sorted { $0.day < $1.day }

    let counts = Dictionary(grouping: holidays, by: \.day.year).mapValues(\.count)
    for year in (counts.keys.min() ?? 0)...(counts.keys.max() ?? 0) {
      let found = counts[year] ?? 0
      guard found >= BankHolidays.leastInAYear else {
        throw .incompleteYear(year, found: found)
      }
    }
  }
}

extension BankHolidays.Holiday {
  fileprivate init(_ event: JSONValue, number: Int) throws(BankHolidayProblem) {
    guard let title = event["title"]?.string, (1...100).contains(title.utf8.count),
      let day = event["date"]?.string.flatMap(CivilDate.init),
      let notes = (event["notes"] ?? "").string, notes.utf8.count <= 200
    else { throw .malformedEntry(number: number) }
    guard day.weekday <= 5 else { throw .onWeekend(day) }
    (self.day, self.title, self.notes) = (day, title, notes)
  }
}

/// Why a file is not a usable list of bank holidays. The operator's turn: the daemon keeps the list it
/// has, and does not start without one.
package enum BankHolidayProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// CAL-001: not JSON, or JSON beyond our bounds.
  case notJSON(JSONProblem)
  /// CAL-002: no `england-and-wales` with 1 to 1000 `events`.
  case noDivision
  /// CAL-003: an entry without a title, or whose date is no day. Counted from 1.
  case malformedEntry(number: Int)
  /// CAL-004: a day off that is a Saturday or Sunday: the substitute day is missing.
  case onWeekend(CivilDate)
  /// CAL-005: one day is listed twice.
  case listedTwice(CivilDate)
  /// CAL-006: a year between the first and the last has fewer than eight days.
  case incompleteYear(Int, found: Int)

  package var code: String {
    switch self {
    case .notJSON: "CAL-001"
    case .noDivision: "CAL-002"
    case .malformedEntry: "CAL-003"
    case .onWeekend: "CAL-004"
    case .listedTwice: "CAL-005"
    case .incompleteYear: "CAL-006"
    }
  }

  package var turn: Turn { .operator }

  /// The code, what is wrong where, and what to do.
  package var description: String {
    let wrong =
      switch self {
      case .notJSON(let problem): "the bank holidays are not JSON that can be read (\(problem))"
      case .noDivision: "the bank holidays have no list of events for england-and-wales"
      case .malformedEntry(let number): "entry \(number) needs a title and a date as yyyy-MM-dd"
      case .onWeekend(let day): "\(day) is a weekend; list the substitute day instead"
      case .listedTwice(let day): "\(day) is listed twice"
      case .incompleteYear(let year, let found):
        "\(year) has \(found) bank holidays, and never fewer than \(BankHolidays.leastInAYear)"
      }
    return "\(code) \(wrong). Take a fresh copy of https://www.gov.uk/bank-holidays.json."
  }
}
