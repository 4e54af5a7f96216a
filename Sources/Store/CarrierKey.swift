package import Exchange

/// By what a carrier names a message: the inbox it lay in, and its id there.
package struct CarrierKey: Hashable, Sendable {
  /// The name that the configuration gives the inbox; for our own mailbox a name of its own.
  package let inbox: String
  package let message: CarrierMessageID

  package init(inbox: String, message: CarrierMessageID) {
    (self.inbox, self.message) = (inbox, message)
  }
}

/// A message that the store already has.
package struct KnownMessage: Equatable, Sendable {
  package let exchange: ExchangeID
  /// False while it waits to be opened and decided.
  package let isFinished: Bool
  /// How it ended; nil while it waits.
  package let ending: Intake.Ending?
}

/// A message taken in at our hosted mailbox, as the sender handed it in.
package struct Submission: Equatable, Sendable {
  /// The party that the transport authenticated; nil for what an operator put in.
  package let submittedBy: PartyID?
  /// The sender's own reference, for tracking; not unique.
  package let localID: String?
  package let workflow: String?
  /// Whatever else the sender may ask back (transport headers), as the daemon writes it:
  /// bounded by what one request's headers may hold.
  package let headers: [UInt8]

  package init(
    submittedBy: PartyID?, localID: String? = nil, workflow: String? = nil, headers: [UInt8] = []
  ) {
    self.submittedBy = submittedBy
    self.localID = localID
    self.workflow = workflow
    self.headers = headers
  }
}

/// What a sender may know of a message that it put into our mailbox.
package struct SubmissionView: Equatable, Sendable {
  /// Rises with the time of arrival; the place to go on from.
  package let place: Int64
  package let exchange: ExchangeID
  package let message: CarrierMessageID
  package let submission: Submission
  package let receivedAt: Instant
  /// When it was decided or set aside; nil while it waits.
  package let recordedAt: Instant?
  package let ending: Intake.Ending?
  package let length: Int
}

/// A message that is kept and waits to be opened: from our mailbox, or put again by an operator.
package struct RawMessage: Sendable {
  /// Rises with the time of arrival; the place to go on from.
  package let place: Int64
  package let exchange: ExchangeID
  package let carrier: CarrierKey
  package let bytes: [UInt8]
  package let submittedBy: PartyID?
  package let localID: String?
  package let receivedAt: Instant
  /// Rule ids that a person confirmed for this exchange.
  package let confirmations: Set<String>
  /// Put again by an operator; it was finished once.
  package let isRequeued: Bool
}

/// Whether a sender's event id was used before.
package enum NotificationMatch: Equatable, Sendable {
  case new
  /// With the same content.
  case same(ExchangeID)
  /// With other content: the first stands.
  case different(ExchangeID)
}
