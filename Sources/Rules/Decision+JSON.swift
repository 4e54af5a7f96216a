package import Exchange

/// The decision as JSON: in the ledger's detail, in `explain --json`, in the store.
extension Decision {
  package var json: JSONValue {
    [
      "outcome": .string(outcome.rawValue), "type": .string(type.text),
      "sender": .string(sender.text), "reasons": .array(reasons.map(\.json)),
      "purpose": .string(purpose), "basis": .string(basis),
      "recipients": .array(recipients.map(\.json)),
      "facts": .array(factChanges.map { ["name": .string($0.name), "value": $0.value] }),
      "registersCase": .bool(registersCase), "answersDeadline": .bool(answersDeadline),
      "unknownFields": .integer(Int64(unknownFields)), "urgent": .bool(urgent),
      "rulebook": .string(rulebookDigest), "agreement": .string(agreementDigest),
    ]
  }

  /// The decision without the values of the facts that it sets: what may be shown to an operator.
  package var summary: JSONValue {
    guard var members = json.object else { return json }
    members["facts"] = .array(factChanges.map { .string($0.name) })
    return .object(members)
  }

  package init?(json: JSONValue) {
    guard let outcome = json["outcome"]?.string.flatMap(Outcome.init(rawValue:)),
      let type = json["type"]?.string.flatMap(NotificationType.init),
      let sender = json["sender"]?.string.flatMap(PartyID.init),
      let reasons = json["reasons"]?.array?.compactMap(Reason.init(json:)),
      let purpose = json["purpose"]?.string, let basis = json["basis"]?.string,
      let recipientItems = json["recipients"]?.array,
      let factItems = json["facts"]?.array,
      let registersCase = json["registersCase"]?.bool,
      let answersDeadline = json["answersDeadline"]?.bool,
      let unknownFields = json["unknownFields"]?.integer, let urgent = json["urgent"]?.bool,
      let rulebook = json["rulebook"]?.string, let agreement = json["agreement"]?.string
    else { return nil }
    let recipients = recipientItems.compactMap(RecipientDecision.init(json:))
    let facts = factItems.compactMap { item -> FactChange? in
      guard let name = item["name"]?.string, let value = item["value"] else { return nil }
      return FactChange(name: name, value: value)
    }
    guard recipients.count == recipientItems.count, facts.count == factItems.count else {
      return nil
    }
    self.init(
      outcome: outcome, type: type, sender: sender, reasons: reasons, purpose: purpose,
      basis: basis, recipients: recipients, factChanges: facts, registersCase: registersCase,
      answersDeadline: answersDeadline, unknownFields: Int(unknownFields), urgent: urgent,
      rulebookDigest: rulebook, agreementDigest: agreement)
  }
}

extension RecipientDecision {
  package var json: JSONValue {
    var members: [String: JSONValue] = [
      "party": .string(party.text), "relation": .string(relation), "reason": reason.json,
      "fields": .array(
        fields.map { field in
          [
            "field": .string(field.field), "outcome": .string(field.outcome.rawValue),
            "reason": field.reason.json,
          ]
        }),
    ]
    members["answer"] = answer.map { answer in
      [
        "workingDays": .integer(Int64(answer.workingDays)),
        "by": .array(answer.by.map { .string($0.text) }), "source": .string(answer.source),
        "escalateTo": .array(answer.escalateTo.map { .string($0) }),
      ]
    }
    return .object(members)
  }

  package init?(json: JSONValue) {
    guard let party = json["party"]?.string.flatMap(PartyID.init),
      let relation = json["relation"]?.string,
      let reason = json["reason"].flatMap(Reason.init(json:)),
      let fieldItems = json["fields"]?.array
    else { return nil }
    let fields = fieldItems.compactMap { item -> FieldDecision? in
      guard let field = item["field"]?.string,
        let outcome = item["outcome"]?.string.flatMap(FieldDecision.Outcome.init(rawValue:)),
        let reason = item["reason"].flatMap(Reason.init(json:))
      else { return nil }
      return FieldDecision(field: field, outcome: outcome, reason: reason)
    }
    guard fields.count == fieldItems.count else { return nil }
    var answer: AnswerDue?
    if let item = json["answer"] {
      guard let days = item["workingDays"]?.integer, let source = item["source"]?.string,
        let types = item["by"]?.array, let escalation = item["escalateTo"]?.array
      else { return nil }
      answer = AnswerDue(
        workingDays: Int(days), by: types.compactMap { $0.string.flatMap(NotificationType.init) },
        source: source, escalateTo: escalation.compactMap(\.string))
    }
    self.init(party: party, relation: relation, reason: reason, fields: fields, answer: answer)
  }
}
