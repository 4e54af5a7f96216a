/// How a time limit is counted from its event, written as the Guidance writes it: `5 working days after`,
/// `6 weeks before`, `immediately`, `on the day`.
package enum CountingRule: Hashable, Sendable {
  /// At once, any day and hour; alarmed after one hour.
  case immediately
  /// By the end of the event's own day: a restriction's end date.
  case onTheDay
  /// By the end of the day so many units after the event; for hours, that moment.
  case after(Int, Unit)
  /// By the end of the day so many units before the event. Not moved when that is no working day.
  case before(Int, DayUnit)

  package enum Unit: String, Sendable, CaseIterable {
    case hours, workingDays, calendarDays, weeks, months
  }

  /// A unit that can be counted back: nothing is owed so many hours before a day without an hour.
  package enum DayUnit: String, Sendable, CaseIterable {
    case workingDays, calendarDays, weeks, months
  }

  /// What a limit is counted from.
  package enum Event: Hashable, Sendable {
    case happened(at: Instant)
    /// A day without an hour, past or to come: a release date, the end of a restriction.
    case falls(on: CivilDate)
  }

  /// How long something owed immediately may take until it is alarmed.
  package static let immediateAllowance = Duration.seconds(3600)
}

extension CountingRule: Codable, CustomStringConvertible {
  private static let words: [String: Unit] = [
    "hour": .hours, "working day": .workingDays, "calendar day": .calendarDays, "week": .weeks,
    "month": .months,
  ]

  /// Reads what `description` writes; `1 working day after` and `1 working days after` alike. Counts are
  /// 1 to 1000. Nil for anything else.
  package init?(_ text: String) {
    switch text {
    case "immediately": self = .immediately
    case "on the day": self = .onTheDay
    default:
      let parts = text.split(separator: " ", omittingEmptySubsequences: false)
      guard (3...4).contains(parts.count), let count = digits(Array(parts[0].utf8)[...], to: 1000),
        count > 0, parts[0].first != "0"
      else { return nil }
      let plural = parts[1..<parts.count - 1].joined(separator: " ")
      let word = plural.hasSuffix("s") ? String(plural.dropLast()) : plural
      guard let unit = CountingRule.words[word] else { return nil }
      switch parts.last {
      case "after": self = .after(count, unit)
      case "before":
        guard let unit = DayUnit(rawValue: unit.rawValue) else { return nil }
        self = .before(count, unit)
      default: return nil
      }
    }
  }

  package var description: String {
    switch self {
    case .immediately: "immediately"
    case .onTheDay: "on the day"
    case .after(let count, let unit): CountingRule.text(count, unit, "after")
    case .before(let count, let unit): CountingRule.text(count, unit.unit, "before")
    }
  }

  private static func text(_ count: Int, _ unit: Unit, _ direction: String) -> String {
    let word = words.first { $0.value == unit }?.key ?? unit.rawValue
    return "\(count) \(word)\(count == 1 ? "" : "s") \(direction)"
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let value = CountingRule(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "not a counting rule"))
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension CountingRule.DayUnit {
  fileprivate var unit: CountingRule.Unit {
    switch self {
    case .workingDays: .workingDays
    case .calendarDays: .calendarDays
    case .weeks: .weeks
    case .months: .months
    }
  }
}

/// The last moment at which something owed is in time.
package enum Due: Hashable, Sendable, CustomStringConvertible {
  /// Until that day ends in London.
  case day(CivilDate)
  /// Until this moment, without it.
  case moment(Instant)

  /// The first moment that is too late.
  package var limit: Instant {
    switch self {
    case .day(let day): Instant(startOf: day.adding(days: 1))
    case .moment(let moment): moment
    }
  }

  /// The day in London on which it ends.
  package var day: CivilDate {
    switch self {
    case .day(let day): day
    case .moment(let moment): moment.londonDate
    }
  }

  /// `2026-04-13`, or RFC 3339 for a moment.
  package var description: String {
    switch self {
    case .day(let day): day.description
    case .moment(let moment): moment.description
    }
  }
}

extension Due: Codable {
  /// Reads what `description` writes.
  package init?(_ text: String) {
    if let day = CivilDate(text) {
      self = .day(day)
    } else if let moment = Instant(text) {
      self = .moment(moment)
    } else {
      return nil
    }
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let value = Due(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "neither a date nor a time"))
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A limit that was counted to.
package struct CountedDue: Hashable, Sendable, Codable {
  package let due: Due
  /// False when the count ran over days whose bank holidays are not known.
  package let isCertain: Bool
  /// A limit before the event had already passed when the event became known (a short sentence, a date
  /// brought forward): due at once, and not to be called late (MAPPA Guidance 15.13).
  package let isShortRun: Bool

  package init(due: Due, isCertain: Bool, isShortRun: Bool) {
    (self.due, self.isCertain, self.isShortRun) = (due, isCertain, isShortRun)
  }
}

extension WorkingCalendar {
  /// When something is due.
  ///
  /// - Parameters:
  ///   - event: what it is counted from.
  ///   - knownAt: when the event became known here.
  package func due(
    _ rule: CountingRule, event: CountingRule.Event, knownAt: Instant
  ) -> CountedDue {
    let (eventDay, eventStart) =
      switch event {
      case .happened(let moment): (moment.londonDate, moment)
      case .falls(let day): (day, Instant(startOf: day))
      }
    switch rule {
    case .immediately:
      // Of an event without an hour nobody knows before it is known here.
      let start = if case .falls = event { max(eventStart, knownAt) } else { eventStart }
      return certain(.moment(start + CountingRule.immediateAllowance))
    case .onTheDay:
      return early(CountedDay(day: eventDay, isCertain: true), knownAt: knownAt)
    case .after(let count, .hours):
      return certain(.moment(eventStart + .seconds(3600 * bounded(count))))
    case .after(let count, .workingDays): return late(day(count, workingDaysAfter: eventDay))
    case .after(let count, .calendarDays): return late(shifted(eventDay, days: bounded(count)))
    case .after(let count, .weeks): return late(shifted(eventDay, days: 7 * bounded(count)))
    case .after(let count, .months): return late(shifted(eventDay, months: bounded(count)))
    case .before(let count, .workingDays):
      return early(day(count, workingDaysBefore: eventDay), knownAt: knownAt)
    case .before(let count, .calendarDays):
      return early(shifted(eventDay, days: -bounded(count)), knownAt: knownAt)
    case .before(let count, .weeks):
      return early(shifted(eventDay, days: -7 * bounded(count)), knownAt: knownAt)
    case .before(let count, .months):
      return early(shifted(eventDay, months: -bounded(count)), knownAt: knownAt)
    }
  }

  private func bounded(_ count: Int) -> Int { min(max(count, 0), WorkingCalendar.maximumCount) }

  private func shifted(_ day: CivilDate, days: Int = 0, months: Int = 0) -> CountedDay {
    CountedDay(day: day.adding(months: months).adding(days: days), isCertain: true)
  }

  private func certain(_ due: Due) -> CountedDue {
    CountedDue(due: due, isCertain: true, isShortRun: false)
  }

  private func late(_ counted: CountedDay) -> CountedDue {
    CountedDue(due: .day(counted.day), isCertain: counted.isCertain, isShortRun: false)
  }

  private func early(_ counted: CountedDay, knownAt: Instant) -> CountedDue {
    let due = Due.day(counted.day)
    guard due.limit <= knownAt else {
      return CountedDue(due: due, isCertain: counted.isCertain, isShortRun: false)
    }
    return CountedDue(
      due: .moment(knownAt + CountingRule.immediateAllowance), isCertain: counted.isCertain,
      isShortRun: true)
  }
}
