/// One notification to one recipient, from permission to its end.
///
///     sealed ──committed──▶ pending ──collected──▶ collected ──answered──▶ acknowledged
///                              │                       │                        ▲
///                              └──────clockReached─────┴──▶ overdue ──answered──┘
///     any of these ──▶ withdrawn, superseded;   pending, collected, overdue ──▶ expired
///
/// An operator's hold is no state of its own: what is not collected is neither listed nor given until it is
/// released, while its clocks go on.
///
/// What happened stays on record whatever the state: a withdrawn delivery still says when it was
/// collected. `nextClock` says when `clockReached` has something to say.
package struct Delivery: Equatable, Sendable, Codable {
  /// Stable words; the store keeps them.
  package enum State: String, Sendable, Codable, CaseIterable {
    /// Sealed and not committed: nobody can reach it.
    case sealed
    /// In the recipient's mailbox, not collected.
    case pending
    /// The recipient's system took it. The end, where no answer is owed.
    case collected
    /// A person answered for it.
    case acknowledged
    /// The limit for the answer has passed without one. Still there to be collected and answered.
    case overdue
    /// Taken back: no longer right to share.
    case withdrawn
    /// Its time in the mailbox is over, uncollected or unanswered.
    case expired
    /// A later delivery took its place.
    case superseded
  }

  package enum Action: Equatable, Sendable {
    case none
    /// An event that cannot be: a copy that was never committed was asked for or answered.
    case refuse
    /// List it in the recipient's mailbox.
    case offer
    /// Record the collection; `late` when the alarm for lying uncollected was due.
    case recordCollection(late: Bool)
    /// It was collected after it had been taken back: alarm, the recipient holds what it should not.
    case alarmCollectedAfterEnd
    case recordAnswer(late: Bool)
    /// Another answer to what was answered: kept, the first stands.
    case recordFurtherAnswer
    /// An answer to what was taken back: kept, without effect.
    case recordAnswerAfterEnd
    /// Nobody collected it for one working day: alarm the operator, once.
    case alarmUncollected
    case recordOverdue
    case recordExpiry
    /// Give it out no more (410); nobody had it.
    case removeFromMailbox
    /// Neither list it nor give it out for now.
    case keepBack
    /// Give it out no more, and tell the recipient, who has it, that it no longer holds.
    case removeAndTellRecipient
  }

  /// How a request for the sealed copy is answered.
  package enum Handover: Equatable, Sendable {
    case give
    /// 404: there is no such thing.
    case unknown
    /// 410: there was.
    case gone
    /// 503: an operator keeps it back; ask again.
    case keptBack
  }

  package let id: DeliveryID
  package let recipient: PartyID
  /// When the recipient's answer is owed, if one is.
  package let answerDue: Due?
  /// When the mailbox gives it out no more.
  package let expiresAt: Instant
  package private(set) var state = State.sealed
  /// Since when it lies durably in the mailbox: "received", from which the recipient's time runs.
  package private(set) var committedAt: Instant?
  /// Alarmed when it was not collected by then.
  package private(set) var collectDue: Due?
  package private(set) var wasAlarmedUncollected = false
  /// The first collection.
  package private(set) var collectedAt: Instant?
  /// The first answer.
  package private(set) var answeredAt: Instant?
  package private(set) var answer: EventID?
  package private(set) var endedAt: Instant?
  /// Since when an operator keeps it back.
  package private(set) var onHoldSince: Instant?
  /// A code of the rules or of the officer's list, never free text.
  package private(set) var withdrawalReason: String?
  package private(set) var successor: DeliveryID?
  /// Its way by a carrier, where the recipient's mailbox is at another service; nil before it was posted.
  package internal(set) var carriage: Carriage?

  package init(id: DeliveryID, recipient: PartyID, answerDue: Due?, expiresAt: Instant) {
    self.id = id
    self.recipient = recipient
    self.answerDue = answerDue
    self.expiresAt = expiresAt
  }
}

// Events.
extension Delivery {
  /// - Parameter collectDue: one working day after, by the calendar; sooner for urgent types.
  package mutating func committed(at now: Instant, collectDue: Due) -> Action {
    switch state {
    case .sealed:
      (state, committedAt, self.collectDue) = (.pending, now, collectDue)
      return .offer
    case .pending, .collected, .acknowledged, .overdue, .withdrawn, .expired, .superseded:
      return .none
    }
  }

  package mutating func collected(at now: Instant) -> Action {
    switch state {
    case .sealed: return .refuse
    case .pending, .acknowledged, .overdue:
      guard collectedAt == nil else { return .none }
      // Whoever had fetched it before it was put on hold, has it.
      (collectedAt, onHoldSince) = (now, nil)
      if state == .pending { state = .collected }
      return .recordCollection(late: collectDue.map { now >= $0.limit } ?? false)
    case .collected: return .none
    case .withdrawn, .expired, .superseded:
      // The hand-over raced with the end. Whoever had it before learns of the end in any case.
      guard collectedAt == nil else { return .none }
      collectedAt = now
      return .alarmCollectedAfterEnd
    }
  }

  /// - Parameters:
  ///   - answer: the id of the notification that names this delivery in `correlationid`.
  ///   - at: when the answer lay durably with us; not when we came to read it.
  package mutating func answered(by answer: EventID, at now: Instant) -> Action {
    switch state {
    case .sealed: return .refuse
    case .pending, .collected, .overdue, .expired:
      // An answer can outrun our record of the collection. What the officer says is what counts.
      (state, self.answer, answeredAt) = (.acknowledged, answer, now)
      return .recordAnswer(late: isLate(now))
    case .acknowledged: return answer == self.answer ? .none : .recordFurtherAnswer
    case .withdrawn, .superseded:
      guard self.answer == nil else {
        return answer == self.answer ? .none : .recordFurtherAnswer
      }
      (self.answer, answeredAt) = (answer, now)
      return .recordAnswerAfterEnd
    }
  }

  /// Several limits may have passed while the daemon was down: each has its action, in order.
  package mutating func clockReached(_ now: Instant) -> [Action] {
    switch state {
    case .pending, .collected, .overdue:
      var actions: [Action] = []
      if let alarm = uncollectedAlarm, now >= alarm {
        wasAlarmedUncollected = true
        actions.append(.alarmUncollected)
      }
      if let limit = overdueLimit, now >= limit {
        state = .overdue
        actions.append(.recordOverdue)
      }
      if let expiry, now >= expiry {
        (state, endedAt) = (.expired, now)
        actions.append(.recordExpiry)
      }
      return actions
    case .acknowledged:
      guard let expiry, now >= expiry else { return [] }
      endedAt = now
      return [.removeFromMailbox]
    case .sealed, .withdrawn, .expired, .superseded: return []
    }
  }

  package mutating func withdrawn(reason: String, at now: Instant) -> Action {
    switch state {
    case .sealed, .pending, .collected, .acknowledged, .overdue:
      (state, endedAt, withdrawalReason) = (.withdrawn, now, reason)
      // Who answered has it, even if the collection was never recorded; a carrier gives nothing back.
      return collectedAt == nil && answeredAt == nil && !hasLeft
        ? .removeFromMailbox : .removeAndTellRecipient
    case .expired:
      // The mailbox gives it out no more; who has it must still learn that it does not hold. What nobody
      // had is closed so by a person.
      (state, endedAt, withdrawalReason) = (.withdrawn, now, reason)
      return collectedAt == nil ? .removeFromMailbox : .removeAndTellRecipient
    case .withdrawn, .superseded: return .none
    }
  }

  /// The successor itself tells the recipient.
  package mutating func superseded(by successor: DeliveryID, at now: Instant) -> Action {
    switch state {
    case .sealed, .pending, .collected, .acknowledged, .overdue:
      (state, endedAt, self.successor) = (.superseded, now, successor)
      return .removeFromMailbox
    case .withdrawn, .expired, .superseded: return .none
    }
  }

  /// An operator puts its exchange on hold. Who has it already, has it.
  package mutating func heldBack(at now: Instant) -> Action {
    switch state {
    case .pending, .acknowledged, .overdue:
      guard collectedAt == nil, endedAt == nil, onHoldSince == nil, !hasLeft else { return .none }
      onHoldSince = now
      return .keepBack
    case .sealed, .collected, .withdrawn, .expired, .superseded: return .none
    }
  }

  /// The hold is over.
  package mutating func released() -> Action {
    switch state {
    case .pending, .acknowledged, .overdue:
      guard onHoldSince != nil else { return .none }
      onHoldSince = nil
      return endedAt == nil ? .offer : .none
    case .sealed, .collected, .withdrawn, .expired, .superseded: return .none
    }
  }
}

extension Delivery {
  /// How a request for the sealed copy is answered now.
  package func handover(at now: Instant) -> Handover {
    switch state {
    case .sealed: .unknown
    case .pending, .collected, .acknowledged, .overdue:
      now >= expiresAt ? .gone : onHoldSince == nil ? .give : .keptBack
    case .withdrawn, .expired, .superseded: .gone
    }
  }

  /// When `clockReached` next has something to say; nil when never.
  package var nextClock: Instant? {
    switch state {
    case .pending, .collected, .overdue:
      [uncollectedAlarm, overdueLimit, expiry].compactMap { $0 }.min()
    case .acknowledged: expiry
    case .sealed, .withdrawn, .expired, .superseded: nil
    }
  }

  /// Whether the answer that came, came after its limit.
  package var wasAnsweredLate: Bool { answeredAt.map(isLate) ?? false }

  private func isLate(_ moment: Instant) -> Bool { answerDue.map { moment >= $0.limit } ?? false }

  private var uncollectedAlarm: Instant? {
    collectedAt == nil && !wasAlarmedUncollected ? collectDue?.limit : nil
  }

  private var overdueLimit: Instant? { state == .overdue ? nil : answerDue?.limit }

  /// Collected with no answer owed, or collected and answered, it has done its work: the copy goes, the
  /// state stays. What was answered and never collected leaves the mailbox in its time.
  private var expiry: Instant? {
    switch state {
    case .collected where answerDue == nil: nil
    case .acknowledged where collectedAt != nil || endedAt != nil: nil
    default: expiresAt
    }
  }
}
