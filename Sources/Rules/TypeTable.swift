import Exchange

/// One type's rules as the agreement narrows them, laid out for deciding: outcomes are looked up by the
/// place of a field, and every reason is written beforehand.
struct TypeTable: Sendable {
  let rule: NotificationRule
  let recipients: [RecipientTables]
  /// Places of fields that hold free text which must be looked at.
  let checked: [Int]
  let departures: [(departure: Departure, note: Reason)]

  init(_ rule: NotificationRule, agreement: Agreement) {
    self.rule = rule
    recipients = rule.recipients.map { RecipientTables($0, of: rule, agreement: agreement) }
    checked = rule.fields.indices.filter { place in
      switch rule.fields[place].rule.kind {
      case .text(let text): text.checkWords
      case .restrictions(let list): list.codes.values.contains { $0.parameter?.checkWords == true }
      default: false
      }
    }
    departures = agreement.departures.filter { $0.type == rule.type }.map { departure in
      let note = BuiltInRule.reason(
        BuiltInRule.departureRule,
        "Departure from \(departure.rule) until \(departure.ends), approved by "
          + "\(departure.approver): \(departure.reason)")
      return (departure, note)
    }
  }
}

/// One recipient of a type: a table for each role that it may have.
struct RecipientTables: Sendable {
  let rule: RecipientRule
  let byRole: [Role: RecipientTable]
  let answer: AnswerDue?

  init(_ recipient: RecipientRule, of type: NotificationRule, agreement: Agreement) {
    rule = recipient
    byRole = Dictionary(
      recipient.roles.map { role in
        (role, RecipientTable(recipient, role: role, of: type, agreement: agreement))
      }
    ) { first, _ in first }
    answer = recipient.answer.map { answer in
      let own = agreement.escalations.first { $0.type == type.type }
      return AnswerDue(
        workingDays: answer.workingDays, by: answer.by, source: answer.source,
        escalateTo: own?.steps.map(\.rawValue) ?? answer.escalateTo)
    }
  }
}

/// What one role of a recipient is told, by the place of each field in the type.
struct RecipientTable: Sendable {
  let outcomes: [FieldDecision]
  /// By place: the condition, and the outcome where it does not hold.
  let conditional: [Int: (condition: Condition, otherwise: FieldDecision)]
  /// Why the agreement tells this role nothing at all.
  let silenced: Reason?

  init(
    _ recipient: RecipientRule, role: Role, of type: NotificationRule, agreement: Agreement
  ) {
    let narrowing = agreement.narrowing.filter { $0.type == type.type && $0.role == role }
    var conditional: [Int: (condition: Condition, otherwise: FieldDecision)] = [:]
    outcomes = type.fields.enumerated().map { place, field in
      if let reason = recipient.forbidden[field.name] {
        return FieldDecision(field: field.name, outcome: .forbidden, reason: reason)
      }
      guard recipient.fields.contains(field.name) else {
        let text = "No rule releases \(field.rule.title.lowercasedFirst) to \(recipient.title)."
        return FieldDecision(
          field: field.name, outcome: .noRule,
          reason: BuiltInRule.reason(BuiltInRule.leastRule, text))
      }
      if let narrowed = narrowing.first(where: { $0.withhold?.contains(field.name) ?? true }) {
        return FieldDecision(
          field: field.name, outcome: .noRule,
          reason: BuiltInRule.reason(
            BuiltInRule.narrowedRule,
            "The agreement withholds it from \(recipient.title): \(narrowed.reason)"))
      }
      if let own = recipient.conditional[field.name] {
        conditional[place] = (
          own.condition,
          FieldDecision(field: field.name, outcome: .conditionFalse, reason: own.reason)
        )
      }
      return FieldDecision(field: field.name, outcome: .released, reason: recipient.reason)
    }
    self.conditional = conditional
    silenced = narrowing.first { $0.withhold == nil }.map { narrowed in
      BuiltInRule.reason(
        BuiltInRule.narrowedRule,
        "The agreement tells nothing to \(recipient.title): \(narrowed.reason)")
    }
  }
}

extension String {
  /// For a title within a sentence; words in capitals stay (`PNC ID`).
  fileprivate var lowercasedFirst: String {
    guard let first, dropFirst().first?.isUppercase != true else { return self }
    return first.lowercased() + dropFirst()
  }
}
