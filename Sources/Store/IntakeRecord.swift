package import Exchange
package import Rules

/// Everything that one message leaves in the store, written by one commit.
package struct IntakeRecord: Sendable {
  package enum Outcome: Sendable {
    /// Kept, not acted upon.
    case setAside(code: String, sender: PartyID?)
    /// The sender's id was used before, with the same content (`Store.notificationKnown`).
    case duplicate(of: ExchangeID, sender: PartyID)
    /// Verified, and held before or instead of a decision: unknown person, stale revocation list,
    /// a copy that could not be sealed.
    case held(code: String, HeldRecord)
    case decided(DecidedRecord)
  }

  /// The exchange's id: for a message that is already kept (`keepRaw`, held, put again) the id it has.
  package let exchange: ExchangeID
  package let carrier: CarrierKey
  package let receivedAt: Instant
  /// Now: the time of the ledger's entry.
  package let recordedAt: Instant
  /// As received. Not looked at for a message that is already kept.
  package let original: [UInt8]
  package let outcome: Outcome
  /// What the sender is to be told of it, in a receipt; nil where nobody is.
  package let receipt: ReceiptOrder?
  /// Of what was held, what brought it up and was seen by this look (`HeldExchange.lookAgain`).
  package let lookAgainSeen: Int

  package init(
    exchange: ExchangeID, carrier: CarrierKey, receivedAt: Instant, recordedAt: Instant,
    original: [UInt8], outcome: Outcome, receipt: ReceiptOrder? = nil, lookAgainSeen: Int = 0
  ) {
    self.exchange = exchange
    self.carrier = carrier
    self.receivedAt = receivedAt
    self.recordedAt = recordedAt
    self.original = original
    self.outcome = outcome
    self.receipt = receipt
    self.lookAgainSeen = lookAgainSeen
  }
}

/// A verified notification that waits, and was not decided.
package struct HeldRecord: Sendable {
  package let notification: Notification
  package let verdict: Verdict
  /// The case that it rests on, when one was found: a change of it brings the exchange up again.
  package let caseID: CaseID?
  package let caseVersion: Int?
  /// By what its case may yet be found, where none was: it comes up again as soon as one is known.
  package let identifiers: [PersonIdentifier]
  /// It was held before and still is.
  package let supersedesHeld: Bool

  package init(
    notification: Notification, verdict: Verdict, caseID: CaseID? = nil, caseVersion: Int? = nil,
    identifiers: [PersonIdentifier] = [], supersedesHeld: Bool = false
  ) {
    self.notification = notification
    self.verdict = verdict
    self.caseID = caseID
    self.caseVersion = caseVersion
    self.identifiers = identifiers
    self.supersedesHeld = supersedesHeld
  }
}

/// A notification with the decision upon it and all that follows from it.
package struct DecidedRecord: Sendable {
  package enum Case: Sendable {
    /// About nobody, or about somebody whom no identifier names.
    case none
    /// Nobody is known by these yet. If it is held, it comes up again as soon as somebody is.
    case unknown([PersonIdentifier])
    /// `case.registered`: the person becomes known by these identifiers.
    case new(CaseID, identifiers: [PersonIdentifier])
    /// The case as it was when this was decided; another version by now is `.stale`.
    case existing(CaseID, version: Int, newIdentifiers: [PersonIdentifier])
  }

  package let notification: Notification
  package let verdict: Verdict
  /// Its digests must be those in force (`Store.recordService`), else the record is `.stale`.
  package let decision: Decision
  package let subjectCase: Case
  /// Empty unless the decision is `shared`.
  package let deliveries: [NewDelivery]
  package let deadlines: [NewDeadline]
  /// Deadlines of the case that this notification meets, moves or withdraws.
  package let deadlineChanges: [DeadlineChange]
  /// The delivery that this answers: acknowledged, and its deadlines met.
  package let answers: DeliveryID?
  /// The exchange was held, and this is decided anew.
  package let supersedesHeld: Bool

  package init(
    notification: Notification, verdict: Verdict, decision: Decision, subjectCase: Case,
    deliveries: [NewDelivery] = [], deadlines: [NewDeadline] = [],
    deadlineChanges: [DeadlineChange] = [], answers: DeliveryID? = nil,
    supersedesHeld: Bool = false
  ) {
    self.notification = notification
    self.verdict = verdict
    self.decision = decision
    self.subjectCase = subjectCase
    self.deliveries = deliveries
    self.deadlines = deadlines
    self.deadlineChanges = deadlineChanges
    self.answers = answers
    self.supersedesHeld = supersedesHeld
  }

  /// How the exchange ends: of a hold the code is the rule of the first reason.
  package var ending: Intake.Ending {
    switch decision.outcome {
    case .shared: .shared
    case .refused: .refused
    case .held: .held(code: decision.reasons.first?.rule ?? "held")
    }
  }
}

/// One recipient's sealed copy, which becomes reachable by the commit that holds its decision.
package struct NewDelivery: Sendable {
  /// In the state `sealed`; the commit makes it `pending`.
  package let delivery: Delivery
  /// What the recipient downloads.
  package let sealed: [UInt8]
  /// By when it must be collected before the operator is alarmed.
  package let collectDue: Due
  /// `SALLYPORT_NOTICE` or `SALLYPORT_NOTICE_ACK`. Not a secret: stored as it is.
  package let workflow: String
  /// Names of the fields released, for the ledger's detail.
  package let releasedFields: [String]
  package let localID: String?

  package init(
    delivery: Delivery, sealed: [UInt8], collectDue: Due, workflow: String,
    releasedFields: [String], localID: String? = nil
  ) {
    self.delivery = delivery
    self.sealed = sealed
    self.collectDue = collectDue
    self.workflow = workflow
    self.releasedFields = releasedFields
    self.localID = localID
  }
}

/// A clock that starts with this commit.
package struct NewDeadline: Sendable {
  package let deadline: Deadline
  /// The delivery whose answer meets it, if it is owed for one.
  package let delivery: DeliveryID?

  package init(deadline: Deadline, delivery: DeliveryID? = nil) {
    (self.deadline, self.delivery) = (deadline, delivery)
  }
}

/// What becomes of a deadline that already runs.
package struct DeadlineChange: Sendable {
  package enum Event: Sendable {
    /// - Parameter at: when the answer lay durably with us.
    case met(at: Instant)
    /// - Parameter reason: a code of the rules.
    case withdrawn(reason: String)
    case moved(to: DeadlineSchedule)
    case clockReached
  }

  package let deadline: DeadlineNumber
  package let event: Event

  package init(_ deadline: DeadlineNumber, _ event: Event) {
    (self.deadline, self.event) = (deadline, event)
  }
}

/// What `record` did.
package enum RecordResult: Equatable, Sendable {
  /// Written; the entry of the ledger that says so.
  case recorded(leaf: Int)
  /// It was held, and is held still, for the same and by the same rules and state of the case: nothing to
  /// record.
  case unchanged
  /// Nothing new came of it: this message, or this notification under another carrier id, is known.
  case duplicate(of: ExchangeID)
  /// The sender used the id before for other content: the message was set aside by this very commit.
  case conflict(with: ExchangeID, leaf: Int)
  /// Case or rules moved since it was decided: nothing was written. Decide again.
  case stale
}
