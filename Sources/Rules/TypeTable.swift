import Exchange

/// One type's rules as the agreement narrows them, laid out for deciding: outcomes are looked up by
/// the place of a field, and every reason is written beforehand.
struct TypeTable: Sendable {
  let rule: NotificationRule
  let recipients: [RecipientTables]
  /// What it changes in the case, with the rule of each fact.
  let effects: [(effect: Effect, fact: FactRule)]
  /// The place of the field that names an area, by the relation.
  let namedAreas: [Relation: Int]
  let departures: [(departure: Departure, note: Reason)]

  init(_ rule: NotificationRule, rulebook: Rulebook, agreement: Agreement) {
    self.rule = rule
    let guarded = rulebook.rolesGuarded
    recipients = rule.recipients.map {
      RecipientTables($0, of: rule, guarded: guarded, agreement: agreement)
    }
    effects = rule.effects.compactMap { effect in
      rulebook.facts[effect.fact].map { (effect, $0) }
    }
    namedAreas = Dictionary(
      Relation.allCases.compactMap { relation in
        rule.fields.firstIndex { $0.name == relation.fact }.map { (relation, $0) }
      }
    ) { first, _ in first }
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

  init(
    _ recipient: RecipientRule, of type: NotificationRule, guarded: Set<Role>, agreement: Agreement
  ) {
    rule = recipient
    byRole = Dictionary(
      recipient.roles.map { role in
        (
          role,
          RecipientTable(
            recipient, role: role, of: type, guarded: guarded.contains(role), agreement: agreement)
        )
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
  /// Places of fields whose text is read with the word list before it goes to this role (FREE-01).
  let checked: Set<Int>
  /// Why the agreement tells this role nothing at all.
  let silenced: Reason?

  init(
    _ recipient: RecipientRule, role: Role, of type: NotificationRule, guarded: Bool,
    agreement: Agreement
  ) {
    checked = Set(type.fields.indices.filter { guarded && type.fields[$0].rule.kind.isWritten })
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
