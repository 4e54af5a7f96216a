/// The right to say that a field may be told. Only Rules can make one (`@_spi(Rules)`, held by a test).
public struct RulesAuthority: Sendable {
  @_spi(Rules) public init() {}
}

/// The fields of one notification that one recipient may be told.
///
/// Only one of these can be turned into something that Seal seals to a recipient: sharing what the rules
/// did not permit does not compile.
package struct PermittedCopy: Equatable, Sendable {
  package let recipient: PartyID
  package let fields: [String: JSONValue]
  /// The documents that these fields name, and no others.
  package let attachments: Attachments

  package init(
    recipient: PartyID, fields: [String: JSONValue], attachments: Attachments = .none,
    by authority: RulesAuthority
  ) {
    self.recipient = recipient
    self.fields = fields
    self.attachments = attachments
  }
}

/// One recipient's copy of a notification, ready to be sealed.
///
/// The originator stays `source` and `owner` (OWN-01); `audience` binds the signature to the recipient;
/// `subject` is a reference that only this recipient knows the person by.
package struct OutboundNotification: Equatable, Sendable {
  package let delivery: DeliveryID
  package let recipient: PartyID
  /// Canonical CloudEvents JSON, what Sallyport signs.
  package let content: [UInt8]
  /// Signed with it.
  package let attachments: Attachments

  /// - Parameters:
  ///   - original: the notification that was decided upon.
  ///   - correlationID: the id of what this answers, as the recipient knows it.
  ///   - answerBy: the last day for the recipient's answer, if one is owed.
  ///   - decision: names the decision, for questions.
  ///   - policyDigest: digests of rulebook and agreement in force.
  ///   - flags: what the recipient must know about a message that went on although something was not
  ///     in order.
  package init(
    permitted: PermittedCopy, of original: Notification, delivery: DeliveryID,
    subject: SubjectReference, correlationID: EventID?, answerBy: CivilDate?, decision: ExchangeID,
    policyDigest: String, purpose: String, basis: String, flags: [Intake.Flag] = []
  ) {
    var members: [String: JSONValue] = [
      "specversion": "1.0", "datacontenttype": "application/json",
      "id": .string(delivery.text), "source": .string(original.source.text),
      "owner": .string(original.source.text), "type": .string(original.type.text),
      "time": .string(original.time.description), "subject": .string(subject.text),
      "audience": .string(permitted.recipient.text), "decision": .string(decision.text),
      "policydigest": .string(policyDigest), "purpose": .string(purpose),
      "basis": .string(basis), "data": .object(permitted.fields),
    ]
    members["correlationid"] = correlationID.map { .string($0.text) }
    members["expirytime"] = original.expiryTime.map { .string($0.description) }
    members["dataclassification"] = original.dataClassification.map { .string($0) }
    if !flags.isEmpty {
      members["flags"] = .string(flags.map(\.rawValue).sorted().joined(separator: " "))
    }
    members["ackby"] = answerBy.map { .string($0.description) }
    self.init(
      delivery: delivery, recipient: permitted.recipient, members: members,
      attachments: permitted.attachments)
  }

  init(
    delivery: DeliveryID, recipient: PartyID, members: [String: JSONValue],
    attachments: Attachments = .none
  ) {
    (self.delivery, self.recipient, self.attachments) = (delivery, recipient, attachments)
    content = JSONValue.object(members).canonicalBytes
  }
}
