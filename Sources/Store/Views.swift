package import Exchange
package import Rules

/// A case as it is: facts and the version that a decision upon them must name.
package struct CaseSnapshot: Equatable, Sendable {
  package let id: CaseID
  /// From 1; one more with each change.
  package let version: Int
  package let facts: CaseFacts
}

/// Whom some identifiers mean.
package enum CaseMatch: Equatable, Sendable {
  case none
  /// Two agree and none speaks against it.
  case one(CaseSnapshot)
  /// One alone is known. Not enough to act upon.
  case uncertain(CaseID)
  /// They fit several cases, or one and not: for a person to settle.
  case conflict([CaseID])
}

/// An earlier exchange that an answer answers, found by the delivery that its recipient holds.
package struct AnsweredExchange: Equatable, Sendable {
  package let exchange: ExchangeID
  package let delivery: DeliveryID
  package let type: NotificationType
  /// Who sent it, and now gets the answer.
  package let sender: PartyID
  package let recipient: PartyID
  /// The sender's own id of what is answered.
  package let event: EventID
  /// The sender's own reference to the person.
  package let subject: SubjectReference
  package let caseID: CaseID?
  /// Its fields, as the sender gave them.
  package let data: [String: JSONValue]

  package var answered: AnsweredNotification {
    AnsweredNotification(type: type, sender: sender, recipient: recipient, data: data)
  }
}

/// An exchange that waits for something, with all that is needed to decide it again.
package struct HeldExchange: Sendable {
  package let exchange: ExchangeID
  package let carrier: CarrierKey
  package let receivedAt: Instant
  /// When it was last decided or held.
  package let recordedAt: Instant
  /// For what it waits.
  package let code: String
  package let notification: Notification
  package let verdict: Verdict
  package let caseID: CaseID?
  /// Rule ids that a person confirmed for it.
  package let confirmations: Set<String>
  /// How often something brought it up since the last look.
  package let lookAgain: Int
}

/// One line of a hosted mailbox's list.
package struct MailboxItem: Equatable, Sendable {
  package let id: DeliveryID
  /// Counted from 1 within the mailbox alone.
  package let place: Int64
  package let workflow: String
}

package struct MailboxPage: Equatable, Sendable {
  /// Oldest first.
  package let items: [MailboxItem]
  /// Where the next page begins; nil when nothing more follows.
  package let next: Int64?
  /// How many are not collected in the whole mailbox.
  package let count: Int
}

/// A delivery as its recipient asks for it.
package struct DeliveryCopy: Sendable {
  package let delivery: Delivery
  package let exchange: ExchangeID
  /// The originator, who stays owner.
  package let source: PartyID
  package let workflow: String
  package let localID: String?
  /// The sealed copy; empty when it is given out no more (`Delivery.handover`).
  package let bytes: [UInt8]
  /// The rules by which the copy was made; nil for one that no decision to share made (a receipt).
  package let decidedBy: PolicyDigests?
  /// Whether the case has changed since, other than by this very notification.
  package let caseMoved: Bool
}

/// What it takes to ask whether a copy may still be told.
package struct HandoverInputs: Sendable {
  package let exchange: ExchangeID
  package let notification: Notification
  /// The decision by which this very copy was made.
  package let decision: Decision
  /// The case as it is now; nil for a notification about somebody who has none.
  package let subjectCase: CaseSnapshot?
}

/// A copy that is to take the place of one that may not be told any more, with what it was made by.
package struct Replacement: Sendable {
  package let delivery: NewDelivery
  /// For this recipient alone; its digests must be those in force.
  package let decision: Decision

  package init(_ delivery: NewDelivery, decision: Decision) {
    (self.delivery, self.decision) = (delivery, decision)
  }
}

/// What `replace` did.
package enum ReplaceResult: Equatable, Sendable {
  /// Withdrawn, or superseded by the new one.
  case done
  /// It was collected or answered meanwhile, and counts as delivered. Nothing was written.
  case delivered
  /// It had ended already. Nothing was written.
  case over
  /// Case or rules moved since it was asked. Nothing was written; ask again.
  case stale
}

/// The number of a deadline in this store.
package struct DeadlineNumber: Hashable, Sendable, CustomStringConvertible {
  package let value: Int64
  package init(_ value: Int64) { self.value = value }
  package var description: String { String(value) }
}

/// A deadline that runs or ran.
package struct DeadlineView: Equatable, Sendable {
  package let number: DeadlineNumber
  package let exchange: ExchangeID
  package let delivery: DeliveryID?
  package let caseID: CaseID?
  package let deadline: Deadline
}

/// One exchange, opened for an operator. What was erased is nil.
package struct ExchangeView: Sendable {
  package let exchange: ExchangeID
  package let carrier: CarrierKey
  package let receivedAt: Instant
  package let recordedAt: Instant?
  package let erasedAt: Instant?
  /// Nil while it waits to be opened.
  package let ending: Intake.Ending?
  /// Of a duplicate or a conflict, the exchange that came first.
  package let first: ExchangeID?
  package let sender: PartyID?
  package let type: NotificationType?
  package let notification: Notification?
  package let verdict: Verdict?
  package let decision: Decision?
  package let caseID: CaseID?
  package let confirmations: Set<String>
  /// An operator keeps it back until it is released.
  package let isOnHold: Bool
  /// Copies for those whom the decision names.
  package let deliveries: [DeliveryView]
  package let deadlines: [DeadlineView]
  /// What its sender was told, or is to be; oldest first.
  package let receipts: [ReceiptView]
  /// Numbers of its entries in the ledger, oldest first.
  package let leaves: [Int]
}

/// One delivery of an exchange.
package struct DeliveryView: Equatable, Sendable {
  package let id: DeliveryID
  package let party: PartyID
  package let state: Delivery.State
  /// Nil once erased.
  package let delivery: Delivery?
}

/// One line of a list of exchanges.
package struct ExchangeLine: Equatable, Sendable {
  /// The place to go on from.
  package let place: Int64
  package let exchange: ExchangeID
  package let inbox: String
  /// Who signed it; of what was not opened, who handed it in, where that is known.
  package let party: PartyID?
  package let receivedAt: Instant
  package let recordedAt: Instant?
  package let ending: Intake.Ending?
  package let isOnHold: Bool
  package let erasedAt: Instant?
}

/// How many there are of everything, kept up by each commit: reading costs the same at any size.
package struct StoreCounts: Equatable, Sendable {
  /// By inbox, then by the ending's word, or `waiting`.
  package let exchanges: [String: [String: Int]]
  /// By recipient, then by the state's word.
  package let deliveries: [String: [String: Int]]
  /// By who owes, then by the state's word.
  package let deadlines: [String: [String: Int]]
  /// Deliveries to mailboxes elsewhere, by carrier, then by the state's word.
  package let carriages: [String: [String: Int]]
  /// Exchanges that operators put on hold.
  package let onHold: Int
  /// By party, then by `ReceiptView.State`.
  package let receipts: [String: [String: Int]]
  package let leaves: Int
}
