package import Exchange

/// What becomes of a decision's copy for one recipient that was not collected before the rules or the
/// case changed.
package enum Retelling: Equatable, Sendable {
  /// It may be told as it was decided.
  case whole
  /// Only some of its fields may be told: the decision for this recipient alone, by today's rules.
  case part(Decision, because: Reason)
  case nothing(because: Reason)

  /// Why the copy may not go as it is; nil where it may.
  package var objection: Reason? {
    switch self {
    case .whole: nil
    case .part(_, let reason), .nothing(let reason): reason
    }
  }
}

extension Policy {
  /// Whether one recipient of a decision may still be told what it released to it, by the rules in force
  /// and the case as it is now.
  ///
  /// This is not the decision made again. Who is told, and the guards, were settled by the case as it was
  /// before the notification, whose own effects have been applied since: after a release area moved from
  /// A to B, the police of A must still get the copy that says so. Asked again is what those effects
  /// cannot have changed: whether the parties and the recipient's rule are still there, what of the fields
  /// may still be told, whether a lawful basis still fits, whether its time has passed, and the guards
  /// that look at nothing but the notification, the day and the person's age.
  ///
  /// - Parameters:
  ///   - decision: the one by which the copy was made.
  ///   - facts: what is known of the person now.
  package func retelling(
    of decision: Decision, to recipient: PartyID, _ notification: Notification, facts: CaseFacts?,
    now: Instant
  ) -> Retelling {
    guard let table = tables[notification.type] else {
      return .nothing(because: BuiltInRule.unknownType)
    }
    guard let sender = party(notification.source) else {
      return .nothing(because: BuiltInRule.senderUnknown)
    }
    guard table.rule.senders.contains(where: { $0.roles.contains(sender.role) }) else {
      return .nothing(because: BuiltInRule.senderRole)
    }
    guard let party = party(recipient) else {
      return .nothing(because: BuiltInRule.recipientUnknown)
    }
    guard let told = decision.recipients.first(where: { $0.party == recipient }) else {
      return .nothing(because: BuiltInRule.noRecipientRule)
    }
    let (tables, silenced) = recipientTables(for: told, role: party.role, in: table)
    guard !tables.isEmpty else {
      return .nothing(because: silenced ?? BuiltInRule.noRecipientRule)
    }
    // What an officer confirmed for the notification stays confirmed.
    let wasConfirmed = decision.reasons.contains { $0.rule == BuiltInRule.freeTextRule.rule }
    var hearing = Hearing(
      policy: self, table: table,
      request: DecisionRequest(
        notification: notification, facts: facts, answered: nil, now: now,
        confirmations: wasConfirmed ? [BuiltInRule.freeTextRule.rule] : []), sender: sender)
    hearing.hearPurpose()
    hearing.hearStatus()
    hearing.hearOwnGuards()
    if let refusal = hearing.refusals.first { return .nothing(because: refusal) }
    guard
      let basis = hearing.bases.first(where: {
        $0.fits((sender.role, sender.standing), (party.role, party.standing))
      })
    else {
      let isThird = party.standing == .thirdParty
      return .nothing(because: isThird ? BuiltInRule.disclosure : BuiltInRule.basisOfPair)
    }
    let fields = told.fields.map { hearing.outcomeNow(of: $0, in: tables) }
    guard let lost = zip(told.fields, fields).first(where: { $0.outcome != $1.outcome })?.1 else {
      return .whole
    }
    guard fields.contains(where: { $0.outcome == .released }) else {
      return .nothing(because: lost.reason)
    }
    let remaining = RecipientDecision(
      party: told.party, relation: told.relation, reason: told.reason, fields: fields,
      answer: told.answer)
    return .part(
      decision.narrowed(to: remaining, basis: basis.code, by: self), because: lost.reason)
  }

  /// The tables of the relations in which the recipient was told, or, where the rulebook has given them
  /// other titles since, all for its role; and why there are none.
  private func recipientTables(
    for told: RecipientDecision, role: Role, in table: TypeTable
  ) -> ([RecipientTable], silenced: Reason?) {
    let ofRole = table.recipients.filter { $0.byRole[role] != nil }
    let titles = told.relation.split(separator: RecipientDecision.separator)
    let ofRelation = ofRole.filter { titles.contains($0.rule.title[...]) }
    let tables = (ofRelation.isEmpty ? ofRole : ofRelation).compactMap { $0.byRole[role] }
    return (tables.filter { $0.silenced == nil }, tables.compactMap(\.silenced).first)
  }
}

extension Hearing {
  /// Guards that refuse by the notification itself, the day and the person's age. All others look at the
  /// case as it was before.
  fileprivate mutating func hearOwnGuards() {
    let lifted = Set(
      table.departures.filter { circumstances.today <= $0.departure.ends }.map(\.departure.rule))
    for rule in rule.guards where rule.otherwise == .refuse && !rule.confirmable {
      let operands = rule.require.operands.union(rule.when?.operands ?? [])
      guard !lifted.contains(rule.reason.rule), operands.allSatisfy(\.isOfNotification),
        (rule.when?.truth(in: circumstances) ?? .yes) == .yes,
        rule.require.truth(in: circumstances) == .no
      else { continue }
      refusals.append(rule.reason)
    }
  }

  /// The outcome of a field by today's rules, for one that was released; any other stays withheld.
  fileprivate mutating func outcomeNow(
    of earlier: FieldDecision, in tables: [RecipientTable]
  ) -> FieldDecision {
    guard earlier.outcome == .released else { return earlier }
    guard let place = rule.fields.firstIndex(where: { $0.name == earlier.field }),
      let value = circumstances.data(earlier.field),
      rule.fields[place].rule.kind.fault(in: value) == nil
    else {
      let text = "The field \(earlier.field) is no field of this type any more, or not of its form."
      return FieldDecision(
        field: earlier.field, outcome: .noRule,
        reason: BuiltInRule.reason(BuiltInRule.leastRule, text))
    }
    // As where one party stands in two relations: what either allows, and nothing that either forbids.
    let outcomes = tables.map { outcomeNow(of: place, in: $0) }
    return outcomes.first { $0.outcome == .forbidden }
      ?? outcomes.first { $0.outcome == .released } ?? outcomes.first ?? earlier
  }

  private mutating func outcomeNow(of place: Int, in table: RecipientTable) -> FieldDecision {
    let found = outcome(of: place, in: table)
    // Of a condition on a fact that the notification itself changed, the decision has the last word.
    if let (condition, otherwise) = table.conditional[place], found == otherwise,
      !rule.registersCase,
      rule.effects.contains(where: { condition.operands.contains(.fact($0.fact)) })
    {
      return table.outcomes[place]
    }
    return found
  }
}

extension Operand {
  fileprivate var isOfNotification: Bool {
    switch self {
    case .data, .age, .senderRole, .senderParty: true
    case .fact, .known: false
    }
  }
}

extension Decision {
  /// This decision for one recipient alone, with what it may still be told, by the rules in force.
  fileprivate func narrowed(
    to recipient: RecipientDecision, basis: String, by policy: Policy
  ) -> Decision {
    Decision(
      outcome: outcome, type: type, sender: sender, reasons: reasons, purpose: purpose,
      basis: basis, recipients: [recipient], factChanges: factChanges,
      registersCase: registersCase, answersDeadline: answersDeadline,
      unknownFields: unknownFields, urgent: urgent, rulebookDigest: policy.rulebook.digest,
      agreementDigest: policy.agreement.digest)
  }
}
