package import Exchange

extension Policy {
  /// What is wrong with the fields of a notification by itself, before any case is looked at: the
  /// type, what is required, kinds and bounds. Fields that the rulebook does not know are no
  /// mistake; they are kept out. A member `null` counts as absent.
  package func check(_ notification: Notification) -> [FieldProblem] {
    guard let rule = tables[notification.type]?.rule else {
      return [FieldProblem(field: "type", fault: .unknownType)]
    }
    var problems: [FieldProblem] = []
    for field in rule.fields {
      guard let value = notification.data[field.name], value != .null else {
        if field.required { problems.append(FieldProblem(field: field.name, fault: .missing)) }
        continue
      }
      if let fault = field.rule.kind.fault(in: value) {
        problems.append(FieldProblem(field: field.name, fault: fault))
      }
    }
    if identifiers(in: notification).count < rule.identifiersNeeded {
      problems.append(FieldProblem(field: "data", fault: .tooFewIdentifiers))
    }
    return problems
  }

  /// The identifiers that the notification brings, each kind at most once; never a name or a date
  /// of birth.
  package func identifiers(in notification: Notification) -> [PersonIdentifier] {
    guard let rule = tables[notification.type]?.rule else { return [] }
    return rule.fields.compactMap { field in
      guard case .identifier(let kind) = field.rule.kind,
        let value = notification.data[field.name], field.rule.kind.fault(in: value) == nil,
        let text = value.string
      else { return nil }
      return PersonIdentifier(kind: kind, value: text)
    }
  }
}
