/// How a deadline of one kind is counted, reminded and escalated: the rulebook's part of it.
package struct DeadlineDefinition: Hashable, Sendable, Codable {
  /// The type of the notification that meets it.
  package let kind: NotificationType
  package let counting: CountingRule
  /// Working days before the day it is due, at whose beginning a reminder goes out.
  package let reminders: [Int]
  /// Working days after the day it was due, at whose end the next step is told; 0 as the limit passes.
  /// Empty where nobody but the operator is told.
  package let escalations: [Int]

  package init(
    kind: NotificationType, counting: CountingRule, reminders: [Int] = [], escalations: [Int] = [0]
  ) {
    self.kind = kind
    self.counting = counting
    self.reminders = reminders
    self.escalations = escalations
  }
}

/// The moments of one deadline.
package struct DeadlineSchedule: Hashable, Sendable, Codable {
  package let due: Due
  /// Rising, each before the limit.
  package let reminders: [Instant]
  /// Rising, none before the limit.
  package let escalations: [Instant]
  /// False when the count ran over days whose bank holidays are not known: alarm the operator.
  package let isCertain: Bool
  /// Due at once, since the event became known after its limit; not to be called late.
  package let isShortRun: Bool

  /// Sorts the moments, and leaves out reminders that would come after the limit.
  package init(
    due: Due, reminders: [Instant], escalations: [Instant], isCertain: Bool = true,
    isShortRun: Bool = false
  ) {
    self.due = due
    self.reminders = Set(reminders).filter { $0 < due.limit }.sorted()
    self.escalations = escalations.map { max($0, due.limit) }.sorted()
    self.isCertain = isCertain
    self.isShortRun = isShortRun
  }
}

extension WorkingCalendar {
  /// The moments of a deadline.
  ///
  /// A day that is no working day stays the last day; who owes it is reminded on the working day before.
  /// Reminders that lie before the event became known are left out.
  package func schedule(
    _ definition: DeadlineDefinition, event: CountingRule.Event, knownAt: Instant
  ) -> DeadlineSchedule {
    let counted = due(definition.counting, event: event, knownAt: knownAt)
    let lastDay = counted.due.day
    var reminders: [Instant] = []
    if case .day = counted.due {
      let ahead = definition.reminders + (isWorkingDay(lastDay) ? [] : [1])
      reminders = ahead.map { Instant(startOf: day($0, workingDaysBefore: lastDay).day) }
    }
    let escalations = definition.escalations.map { count in
      count <= 0 ? counted.due.limit : Due.day(day(count, workingDaysAfter: lastDay).day).limit
    }
    return DeadlineSchedule(
      due: counted.due, reminders: reminders.filter { $0 > knownAt }, escalations: escalations,
      isCertain: counted.isCertain, isShortRun: counted.isShortRun)
  }
}
