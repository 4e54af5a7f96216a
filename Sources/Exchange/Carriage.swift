/// How a delivery goes to a recipient whose mailbox is at another service: posted there, and what is known
/// of it since. A delivery in one of our own mailboxes has none.
///
///     (none) ──sendBegan──▶ sending ──sent──▶ sent ──returned──▶ returned
///                           │    ▲  ◀──────────────sendBegan─────────┘
///                           ▼    │
///                          failed
package struct Carriage: Equatable, Sendable, Codable {
  /// Stable words; the store keeps them.
  package enum State: String, Sendable, Codable, CaseIterable {
    /// Posted, or about to be, and what the carrier made of it is not known: to be looked for there
    /// before it is posted again.
    case sending
    /// With the carrier, for the recipient to collect.
    case sent
    /// The carrier did not take it: to be posted again.
    case failed
    /// The carrier gave it back uncollected: to be posted again.
    case returned
  }

  package enum Action: Equatable, Sendable {
    case none
    /// An event that cannot be: nothing was committed, or nothing was posted.
    case refuse
    /// Post it, once.
    case post
    /// Look for it at the carrier first.
    case lookUp
    case recordSent
    /// It went out although it had ended meanwhile: alarm, the recipient may hold what it should not.
    case alarmSentAfterEnd
    case recordFailure
    /// The recipient did not collect it: alarm, and send it again.
    case sendAgain
  }

  package internal(set) var state: State
  /// Posts that were begun.
  package internal(set) var attempts: Int
  /// How often it came back uncollected.
  package internal(set) var returns = 0
  /// The carrier's id of the last post that it took.
  package internal(set) var message: CarrierMessageID?
  /// Why it was not taken, or came back, the last time.
  package internal(set) var code: String?
  /// When it came into this state.
  package internal(set) var since: Instant
}

// Events.
extension Delivery {
  /// It is about to be posted to a carrier.
  package mutating func sendBegan(at now: Instant) -> Carriage.Action {
    guard state != .sealed else { return .refuse }
    // Whatever became of the delivery since: whether the recipient has it, must be found out.
    if carriage?.state == .sending { return .lookUp }
    switch state {
    case .pending, .overdue:
      guard collectedAt == nil, onHoldSince == nil, now < expiresAt, carriage?.state != .sent
      else { return .none }
      var next = carriage ?? Carriage(state: .sending, attempts: 0, since: now)
      (next.state, next.since) = (.sending, now)
      next.attempts += 1
      carriage = next
      return .post
    case .sealed, .collected, .acknowledged, .withdrawn, .expired, .superseded: return .none
    }
  }

  /// The carrier has it, whole.
  package mutating func sent(as message: CarrierMessageID, at now: Instant) -> Carriage.Action {
    guard state != .sealed, var next = carriage else { return .refuse }
    guard next.state != .sent || next.message != message else { return .none }
    (next.state, next.message, next.code, next.since) = (.sent, message, nil, now)
    carriage = next
    return isOver ? .alarmSentAfterEnd : .recordSent
  }

  /// The carrier surely has it not.
  /// - Parameter code: why; never free text.
  package mutating func notSent(code: String, at now: Instant) -> Carriage.Action {
    guard state != .sealed, var next = carriage else { return .refuse }
    guard next.state == .sending else { return .none }
    (next.state, next.code, next.since) = (.failed, code, now)
    carriage = next
    return .recordFailure
  }

  /// The carrier says that it was not collected.
  /// - Parameter message: which post of it, where the carrier names one.
  package mutating func returned(
    _ message: CarrierMessageID?, code: String, at now: Instant
  ) -> Carriage.Action {
    guard state != .sealed, var next = carriage else { return .refuse }
    // Who collected or answered has it; a report of an earlier post says nothing of the last.
    let isMeant =
      next.state == .sending
      || (next.state == .sent && (message == nil || message == next.message))
    guard isMeant, collectedAt == nil, answeredAt == nil else { return .none }
    (next.state, next.code, next.since) = (.returned, code, now)
    next.returns += 1
    carriage = next
    return isOver ? .recordFailure : .sendAgain
  }
}

extension Delivery {
  /// Whether it is with a carrier, or may be: what it says is told, and cannot be changed any more.
  package var hasLeft: Bool { carriage?.state == .sent || carriage?.state == .sending }

  /// What of its way by a carrier is left to do: nothing once the recipient has it, or must not get it.
  package var isCarriageDone: Bool {
    if collectedAt != nil { return true }
    if carriage?.state == .sending { return false }
    return isOver || (state == .acknowledged && !hasLeft)
  }

  private var isOver: Bool { endedAt != nil }
}
