@_spi(Rules) package import Exchange

extension Policy {
  /// The copies that a decision permits: for each recipient only the released fields, and only the
  /// documents that those name. Where the bytes of one are not at hand there is no copy: a recipient gets
  /// all that it is to be told, or waits for it.
  ///
  /// Looked at again, field by field, against the tables, so that a decision that was made under
  /// other rules, for another notification, or altered on its way permits nothing it should not: a
  /// decision with other digests permits nothing at all and has to be made again.
  package func permitted(
    _ decision: Decision, _ notification: Notification
  ) -> [PermittedCopy] {
    guard decision.outcome == .shared, decision.type == notification.type,
      decision.sender == notification.source, decision.rulebookDigest == rulebook.digest,
      decision.agreementDigest == agreement.digest, let table = tables[decision.type]
    else { return [] }
    return decision.recipients.compactMap { recipient in
      guard recipient.party != notification.source, let party = party(recipient.party) else {
        return nil
      }
      let own = table.recipients.compactMap { $0.byRole[party.role] }.filter { $0.silenced == nil }
      let released = Set(recipient.released)
      var fields: [String: JSONValue] = [:]
      var attachments: [Attachment] = []
      for (place, field) in table.rule.fields.enumerated() where released.contains(field.name) {
        guard let value = notification.data[field.name], field.rule.kind.fault(in: value) == nil,
          own.contains(where: { $0.outcomes[place].outcome == .released }),
          !own.contains(where: { $0.outcomes[place].outcome == .forbidden })
        else { continue }
        fields[field.name] = value
        if case .attachment = field.rule.kind {
          guard let reference = AttachmentReference(value),
            let attachment = notification.attachments[reference.digest]
          else { return nil }
          attachments.append(attachment)
        }
      }
      guard !fields.isEmpty else { return nil }
      return PermittedCopy(
        recipient: recipient.party, fields: fields, attachments: Attachments(attachments),
        by: RulesAuthority())
    }
  }

  /// The receipt that a decision permits, looked at again by the rules in force: what they do not allow
  /// any more is left out. Nil where the party may not be told even the outcome.
  package func permitted(_ decision: ReceiptDecision, to party: PartyID) -> PermittedReceipt? {
    let now = receipt(decision.outcome, codes: decision.told, to: party)
    guard decision.isTold, now.isTold else { return nil }
    return PermittedReceipt(
      recipient: party, outcome: decision.outcome, codes: now.told, by: RulesAuthority())
  }
}
