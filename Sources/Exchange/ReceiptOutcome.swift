/// What a receipt says became of a message. Stable words.
package enum ReceiptOutcome: String, Sendable, CaseIterable {
  /// Taken and decided upon; whoever is to be told is told.
  case accepted
  case held
  case refused
  /// Kept, not acted upon.
  case setAside = "set-aside"
  /// The same came before; the receipt says what became of that.
  case duplicate

  package init(_ ending: Intake.Ending) {
    switch ending {
    case .shared: self = .accepted
    case .refused: self = .refused
    case .held: self = .held
    // Closed by a person: to its sender it is what it was to us, kept without effect.
    case .setAside, .discarded: self = .setAside
    case .duplicate: self = .duplicate
    }
  }
}

extension NotificationType {
  /// The type of a receipt. No party may send it, and nothing of this type is ever receipted: two
  /// hubs that receipt each other's receipts would never end.
  package static let receiptIssued: NotificationType = {
    guard let type = NotificationType("receipt.issued") else {
      preconditionFailure("the type of receipts has the form of one")
    }
    return type
  }()
}

/// The outcome and the codes that a sender may be told of its own message. Only Rules can make one.
package struct PermittedReceipt: Equatable, Sendable {
  package let recipient: PartyID
  package let outcome: ReceiptOutcome
  package let codes: [String]

  package init(
    recipient: PartyID, outcome: ReceiptOutcome, codes: [String], by authority: RulesAuthority
  ) {
    (self.recipient, self.outcome, self.codes) = (recipient, outcome, codes)
  }
}

/// What lies around the outcome in a receipt: nothing of it says anything of a person.
package struct ReceiptParticulars: Equatable, Sendable {
  package let delivery: DeliveryID
  /// Sallyport's own party.
  package let source: PartyID
  package let issuedAt: Instant
  /// Of this receipt alone: known by it nobody is found.
  package let subject: SubjectReference
  /// The sender's own id of what is receipted; nil where it could not be read.
  package let event: EventID?
  /// Names the decision, for questions; of a repeat, the first one's.
  package let decision: ExchangeID
  package let receivedAt: Instant
  /// The ledger's entry of this message, byte for byte.
  package let entry: String
  /// That it is in the ledger: C2SP tlog-proof.
  package let proof: String

  package init(
    delivery: DeliveryID, source: PartyID, issuedAt: Instant, subject: SubjectReference,
    event: EventID?, decision: ExchangeID, receivedAt: Instant, entry: String, proof: String
  ) {
    self.delivery = delivery
    self.source = source
    self.issuedAt = issuedAt
    self.subject = subject
    self.event = event
    self.decision = decision
    self.receivedAt = receivedAt
    self.entry = entry
    self.proof = proof
  }
}

extension OutboundNotification {
  /// A receipt, ready to be sealed.
  ///
  /// - Parameter first: of a repeat, what may be told of the first; its codes are given then.
  package init(
    receipt: PermittedReceipt, first: PermittedReceipt? = nil, _ particulars: ReceiptParticulars
  ) {
    let codes = first?.codes ?? receipt.codes
    var data: [String: JSONValue] = [
      "outcome": .string(receipt.outcome.rawValue),
      "reasons": .array(codes.map { .string($0) }),
      "decision": .string(particulars.decision.text),
      "receivedAt": .string(particulars.receivedAt.description),
      "entry": .string(particulars.entry), "proof": .string(particulars.proof),
    ]
    data["firstOutcome"] = first.map { .string($0.outcome.rawValue) }
    var members: [String: JSONValue] = [
      "specversion": "1.0", "datacontenttype": "application/json",
      "id": .string(particulars.delivery.text), "source": .string(particulars.source.text),
      "type": .string(NotificationType.receiptIssued.text),
      "time": .string(particulars.issuedAt.description),
      "subject": .string(particulars.subject.text),
      "audience": .string(receipt.recipient.text), "data": .object(data),
    ]
    members["correlationid"] = particulars.event.map { .string($0.text) }
    self.init(delivery: particulars.delivery, recipient: receipt.recipient, members: members)
  }
}
