package import Exchange
package import Rules

/// What a sender is to be told of an outcome: decided with the outcome, written by the same commit, and
/// made into a receipt once the ledger covers that commit.
package struct ReceiptOrder: Sendable {
  /// Of the receipt that will be made; chosen here, so that there is never a second one.
  package let delivery: DeliveryID
  /// The signer, or where nothing was signed whoever the transport authenticated.
  package let recipient: PartyID
  /// The sender's own id; nil where it could not be read.
  package let event: EventID?
  package let decision: ReceiptDecision
  /// Instead of it where the commit itself finds that the sender used the id before for other content.
  package let onConflict: ReceiptDecision?
  /// Likewise for the same content; what may be told of the first is on record with it.
  package let onRepeat: ReceiptDecision?

  package init(
    delivery: DeliveryID = .random(), to recipient: PartyID, event: EventID?,
    _ decision: ReceiptDecision, onConflict: ReceiptDecision? = nil,
    onRepeat: ReceiptDecision? = nil
  ) {
    self.delivery = delivery
    self.recipient = recipient
    self.event = event
    self.decision = decision
    self.onConflict = onConflict
    self.onRepeat = onRepeat
  }
}

/// What was decided of the first, where a message was a repeat.
package struct FirstReceipt: Equatable, Sendable {
  package let exchange: ExchangeID
  /// Nil where the first was never receipted, or was erased.
  package let decision: ReceiptDecision?
}

/// A receipt that is owed, and can be made: the ledger covers what it tells of.
package struct DueReceipt: Sendable {
  package let delivery: DeliveryID
  package let recipient: PartyID
  package let event: EventID?
  package let decision: ReceiptDecision
  package let first: FirstReceipt?
  package let exchange: ExchangeID
  package let receivedAt: Instant
  /// The number of the ledger's entry, and the entry.
  package let leaf: Int
  package let entry: [UInt8]
  let exchangeNumber: Int64
  let key: OwnerKey
}

/// A receipt that is owed or was made, for an operator.
package struct ReceiptView: Sendable {
  package enum State: String, Sendable {
    case due, made
    /// The rules let nothing be told.
    case withheld
    case erased
  }

  package let delivery: DeliveryID
  package let party: PartyID
  package let state: State
  /// How the party's mailbox has it; nil until it is made.
  package let deliveryState: Delivery.State?
  /// Nil once erased.
  package let decision: ReceiptDecision?
  package let first: FirstReceipt?
}
