package import Exchange

/// A decision in plain words, for `explain`, the console and whoever answers a complaint.
package enum Explanation {
  /// Lines in this order: the outcome; lawful; and for each recipient necessary, proportionate, why
  /// not more, and the answer owed; at last what was noted. Holds nothing of the person.
  ///
  /// - Parameter policy: adds titles of types, purposes and bases where it knows them; need not be the one
  ///   that decided.
  package static func text(of decision: Decision, policy: Policy? = nil) -> [String] {
    let rule = policy?.tables[decision.type]?.rule
    let title = rule.map { "\($0.title) (\(decision.type))" } ?? decision.type.text
    var lines = ["\(title) from \(decision.sender): \(words(of: decision))."]
    switch decision.outcome {
    case .refused: lines += decision.reasons.map { heading($0, or: "Why refused: ") + line($0) }
    case .held: lines += decision.reasons.map { heading($0, or: "Waits: ") + line($0) }
    case .shared:
      lines.append("Lawful: " + lawful(decision, policy: policy))
      for recipient in decision.recipients { lines += told(recipient) }
      if decision.recipients.isEmpty { lines.append("Nobody is told.") }
      lines += decision.reasons.map { "Noted: " + line($0) }
      if decision.registersCase { lines.append("Effect: a case is registered.") }
      if decision.answersDeadline { lines.append("Effect: the answer that was owed is given.") }
      if !decision.factChanges.isEmpty {
        lines.append(
          "Effect: these facts of the case are set: "
            + decision.factChanges.map(\.name).joined(separator: ", ") + ".")
      }
    }
    if decision.unknownFields > 0 {
      lines.append(
        "Kept out: \(decision.unknownFields) field\(decision.unknownFields == 1 ? "" : "s") that the "
          + "rulebook does not know.")
    }
    lines.append("By rulebook \(decision.rulebookDigest)")
    lines.append("and agreement \(decision.agreementDigest)")
    return lines
  }

  /// What a sender is told of its own message, and what is withheld from it.
  package static func text(of receipt: ReceiptDecision, to party: PartyID) -> [String] {
    guard receipt.isTold else {
      return ["Receipt: \(party) is told nothing. \(line(receipt.word.reason))"]
    }
    let told = receipt.codes.filter(\.isTold)
    let withheld = receipt.codes.filter { !$0.isTold }
    return [
      "Receipt: \(party) is told \(receipt.outcome.rawValue). \(line(receipt.word.reason))"
    ] + told.map { "Receipt: it is told \($0.text). \(line($0.reason))" }
      + withheld.map { "Receipt: it is not told \($0.text). \(line($0.reason))" }
  }

  private static func words(of decision: Decision) -> String {
    switch decision.outcome {
    case .refused: return "refused"
    case .held: return "held"
    case .shared:
      let count = decision.recipients.count
      return "shared with \(count) recipient\(count == 1 ? "" : "s")"
        + (decision.urgent ? ", at once" : "")
    }
  }

  /// A departure on record is never the cause.
  private static func heading(_ reason: Reason, or heading: String) -> String {
    reason.rule == BuiltInRule.departureRule.rule ? "Noted: " : heading
  }

  private static func line(_ reason: Reason) -> String {
    "\(reason.text) (\(reason.rule), \(reason.source))"
  }

  private static func lawful(_ decision: Decision, policy: Policy?) -> String {
    let bases = decision.basis.split(separator: " ").compactMap { code in
      policy?.rulebook.bases[String(code)].map { "\($0.law) (\($0.code))" }
    }
    let basis = bases.isEmpty ? decision.basis : bases.joined(separator: " and ")
    let purpose = policy?.rulebook.purposes[decision.purpose] ?? decision.purpose
    return "by \(basis), in order to: \(purpose)."
  }

  private static func told(_ recipient: RecipientDecision) -> [String] {
    var lines = [
      "Necessary: \(recipient.party) is told as \(recipient.relation). \(line(recipient.reason))",
      "Proportionate: it is told \(recipient.released.joined(separator: ", ")).",
    ]
    for field in recipient.fields where field.outcome != .released {
      lines.append("Not more: \(field.field) is \(words(of: field.outcome)). \(line(field.reason))")
    }
    if let answer = recipient.answer {
      lines.append(
        "Answer: owed within \(answer.workingDays) working days of receipt by "
          + answer.by.map(\.text).joined(separator: " or ")
          + " (\(answer.source)); a missed one goes to "
          + answer.escalateTo.joined(separator: ", then ") + ".")
    }
    return lines
  }

  private static func words(of outcome: FieldDecision.Outcome) -> String {
    switch outcome {
    case .released: "released"
    case .noRule: "not permitted"
    case .forbidden: "forbidden"
    case .conditionFalse: "withheld because its condition does not hold"
    case .limitedAccess: "withheld because access to the case is limited"
    case .expired: "expired"
    }
  }
}
