/// Who owes what to whom by when.
///
///     owed ──clockReached──▶ reminded ──clockReached──▶ overdue ──clockReached──▶ escalated
///      │                        │                          │                          │
///      └──────────met───────────┴──▶ met                   └───────────met────────────┴──▶ met-late
///     any of these ──withdrawn──▶ withdrawn;   any of these ──moved──▶ owed
///
/// Silence meets nothing. `nextClock` says when `clockReached` has something to say.
package struct Deadline: Equatable, Sendable, Codable {
  /// Stable words; the store keeps them.
  package enum State: String, Sendable, Codable, CaseIterable {
    case owed
    /// A reminder went out. Still in time.
    case reminded
    /// Done in time. Stays so, whatever moves.
    case met
    /// Done, too late.
    case metLate = "met-late"
    /// The limit passed; nobody was told beyond the operator yet.
    case overdue
    /// The limit passed and those whom the rulebook names were told.
    case escalated
    /// No longer owed.
    case withdrawn
  }

  package enum Action: Equatable, Sendable {
    case none
    /// Remind who owes it.
    case remind
    /// Record that the limit passed, and alarm the operator.
    case recordOverdue
    /// Tell those whom the rulebook names for this step, counted from 1.
    case escalate(step: Int)
    case recordMet(late: Bool)
    case recordWithdrawal
    case recordMove
    /// Done after it was no longer owed: kept, without effect.
    case recordAfterEnd
  }

  /// The type of the notification that meets it: `mappa-j.acknowledged`.
  package let kind: NotificationType
  package let owedBy: PartyID
  package let owedTo: PartyID
  package private(set) var schedule: DeadlineSchedule
  package private(set) var state = State.owed
  /// When it was done.
  package private(set) var metAt: Instant?
  /// A code of the rules, never free text.
  package private(set) var withdrawalReason: String?
  private var remindersPassed = 0
  private var escalationsPassed = 0

  package init(
    kind: NotificationType, owedBy: PartyID, owedTo: PartyID, schedule: DeadlineSchedule
  ) {
    self.kind = kind
    self.owedBy = owedBy
    self.owedTo = owedTo
    self.schedule = schedule
  }
}

// Events.
extension Deadline {
  /// Several moments may have passed while the daemon was down: of reminders one goes out, and none
  /// once the limit passed; escalations go out each, since each goes to somebody else.
  package mutating func clockReached(_ now: Instant) -> [Action] {
    switch state {
    case .owed, .reminded:
      guard now < schedule.due.limit else {
        state = .overdue
        return [.recordOverdue] + escalate(now)
      }
      let passed = schedule.reminders.count { $0 <= now }
      guard passed > remindersPassed else { return [] }
      (state, remindersPassed) = (.reminded, passed)
      return [.remind]
    case .overdue, .escalated: return escalate(now)
    case .met, .metLate, .withdrawn: return []
    }
  }

  /// - Parameter at: when it was done: when the answer lay durably with us, not when we came to
  ///   read it. An answer in time that we read too late is in time.
  package mutating func met(at moment: Instant) -> Action {
    switch state {
    case .owed, .reminded, .overdue, .escalated:
      let isLate = moment >= schedule.due.limit
      (state, metAt) = (isLate ? .metLate : .met, moment)
      return .recordMet(late: isLate)
    case .met, .metLate: return .none
    case .withdrawn:
      guard metAt == nil else { return .none }
      metAt = moment
      return .recordAfterEnd
    }
  }

  package mutating func withdrawn(reason: String) -> Action {
    switch state {
    case .owed, .reminded, .overdue, .escalated:
      (state, withdrawalReason) = (.withdrawn, reason)
      return .recordWithdrawal
    case .met, .metLate, .withdrawn: return .none
    }
  }

  /// The event that it is counted from moved: a release date changed. What is met stays met.
  package mutating func moved(to schedule: DeadlineSchedule, at now: Instant) -> Action {
    switch state {
    case .owed, .reminded, .overdue, .escalated:
      guard schedule != self.schedule else { return .none }
      let wasOverdue = state == .overdue || state == .escalated
      self.schedule = schedule
      guard wasOverdue, schedule.due.limit <= now else {
        (state, remindersPassed, escalationsPassed) = (.owed, 0, 0)
        return .recordMove
      }
      // Late by the new count too: those told stay told, the steps to come are counted anew.
      escalationsPassed = min(escalationsPassed, schedule.escalations.count)
      return .recordMove
    case .met, .metLate, .withdrawn: return .none
    }
  }

  private mutating func escalate(_ now: Instant) -> [Action] {
    let passed = schedule.escalations.count { $0 <= now }
    guard passed > escalationsPassed else { return [] }
    let steps = (escalationsPassed + 1)...passed
    (state, escalationsPassed) = (.escalated, passed)
    return steps.map { .escalate(step: $0) }
  }
}

extension Deadline {
  /// When `clockReached` next has something to say; nil when never.
  package var nextClock: Instant? {
    switch state {
    case .owed, .reminded:
      schedule.reminders.dropFirst(remindersPassed).first ?? schedule.due.limit
    case .overdue, .escalated: schedule.escalations.dropFirst(escalationsPassed).first
    case .met, .metLate, .withdrawn: nil
    }
  }
}
