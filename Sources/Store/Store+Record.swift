import Exchange
import GRDB
import Rules

extension Store {
  /// Writes everything that one message leaves, in one commit: message, the sender's id, case facts,
  /// decision, deliveries, deadlines and the ledger's entry. From its return on the sealed copies can
  /// be collected, and the message may be acknowledged upstream.
  ///
  /// - Throws: STOR-017 before any rules were recorded as in force; STOR-020 for a record that
  ///   contradicts what is stored; STOR-008 to 012.
  package func record(_ record: IntakeRecord) async throws(StoreError) -> RecordResult {
    let kept = try await read { db -> OwnerKey? in
      guard
        let row = try db.row(
          "SELECT number, id FROM exchange WHERE inbox = ? AND message = ?",
          [record.carrier.inbox, record.carrier.message.text]),
        let number = row.number("number")
      else { return nil }
      // Without its key it was erased, and so finished: the transaction finds that out by itself.
      return try exchangeKey(db, number, row.id("id", in: "exchange"))
    }
    let draft: RecordDraft
    do {
      try record.check()
      draft = try RecordDraft(record, kept: kept, self)
    } catch { throw StoreError(reading: error) }
    return try await commit { db in try draft.write(db) }
  }
}

extension IntakeRecord {
  var decided: DecidedRecord? {
    guard case .decided(let decided) = outcome else { return nil }
    return decided
  }

  var notification: Notification? {
    switch outcome {
    case .decided(let decided): decided.notification
    case .held(_, let held): held.notification
    case .setAside, .duplicate: nil
    }
  }

  var verdict: Verdict? {
    switch outcome {
    case .decided(let decided): decided.verdict
    case .held(_, let held): held.verdict
    case .setAside, .duplicate: nil
    }
  }

  var sender: PartyID? {
    switch outcome {
    case .decided(let decided): decided.notification.source
    case .held(_, let held): held.notification.source
    case .setAside(_, let sender): sender
    case .duplicate(_, let sender): sender
    }
  }

  var ending: Intake.Ending {
    switch outcome {
    case .decided(let decided): decided.ending
    case .held(let code, _): .held(code: code)
    case .setAside(let code, _): .setAside(code: code)
    case .duplicate: .duplicate
    }
  }

  /// The rules that were decided by; nil where nothing was decided.
  var policy: PolicyDigests? {
    decided.flatMap {
      PolicyDigests(
        rulebook: $0.decision.rulebookDigest, agreement: $0.decision.agreementDigest)
    }
  }

  /// Whether it may be written over a hold.
  var mayFollowHold: Bool {
    switch outcome {
    case .decided(let decided): decided.supersedesHeld
    case .held(_, let held): held.supersedesHeld
    // Opened anew after a hold, it could not be opened or turned out to be known.
    case .setAside, .duplicate: true
    }
  }

  /// By what its case may yet be found.
  var awaited: [PersonIdentifier] {
    switch outcome {
    case .held(_, let held): return held.caseID == nil ? held.identifiers : []
    case .decided(let decided):
      guard decided.decision.outcome == .held, case .unknown(let list) = decided.subjectCase
      else { return [] }
      return list
    case .setAside, .duplicate: return []
    }
  }

  /// All sealed copies.
  var copies: [NewDelivery] { decided?.deliveries ?? [] }

  /// Throws STOR-020 for what no caller may send.
  func check() throws(StoreError) {
    // What was signed is receipted to its signer alone.
    guard sender == nil || receipt == nil || receipt?.recipient == sender else {
      throw .malformedRecord("receipt")
    }
    if case .held(_, let held) = outcome, (held.caseID == nil) != (held.caseVersion == nil) {
      throw .malformedRecord("case version")
    }
    guard let decided else { return }
    let decision = decided.decision
    guard policy != nil else { throw .malformedRecord("digests") }
    guard decided.notification.source == decision.sender,
      decided.notification.type == decision.type, decided.verdict.signer == decision.sender
    else { throw .malformedRecord("sender") }
    guard
      decision.outcome == .shared || (decided.deliveries.isEmpty && decision.factChanges.isEmpty)
    else { throw .malformedRecord("not shared") }
    // No copy without a decision that names its recipient.
    let named = Set(decision.recipients.map(\.party))
    guard decided.deliveries.allSatisfy({ named.contains($0.delivery.recipient) }) else {
      throw .malformedRecord("recipient")
    }
  }

  /// What an auditor opens: who, to whom, what was decided and why, which fields by name. Canonical
  /// JSON, never with the content of a message.
  var detail: JSONValue {
    guard let decided else {
      var first: ExchangeID?
      if case .duplicate(let earlier, _) = outcome { first = earlier }
      return IntakeRecord.detail(ending, sender: sender, first: first, verdict: verdict)
    }
    let deliveries = copies.map { new -> JSONValue in
      var members: [String: JSONValue] = [
        "id": .string(new.delivery.id.text), "party": .string(new.delivery.recipient.text),
        "fields": .array(new.releasedFields.map { .string($0) }),
      ]
      members["answerBy"] = new.delivery.answerDue.map { .string($0.description) }
      return .object(members)
    }
    let deadlines = decided.deadlines.map { new -> JSONValue in
      [
        "kind": .string(new.deadline.kind.text), "owedBy": .string(new.deadline.owedBy.text),
        "owedTo": .string(new.deadline.owedTo.text),
        "due": .string(new.deadline.schedule.due.description),
      ]
    }
    return [
      "event": "decided", "ending": .string(ending.rawValue), "decision": decided.decision.detail,
      "verdict": decided.verdict.detail, "deliveries": .array(deliveries),
      "deadlines": .array(deadlines),
    ]
  }

  static func detail(
    _ ending: Intake.Ending, sender: PartyID?, first: ExchangeID?, verdict: Verdict?
  ) -> JSONValue {
    var members: [String: JSONValue] = [
      "event": "received", "ending": .string(ending.rawValue),
    ]
    members["sender"] = sender.map { .string($0.text) }
    members["first"] = first.map { .string($0.text) }
    members["verdict"] = verdict?.detail
    return .object(members)
  }
}

extension Verdict {
  /// Without the digest of the content, which must not leave the store unkeyed.
  fileprivate var detail: JSONValue {
    var members: [String: JSONValue] = [
      "signer": .string(signer.text), "certificate": .string(certificate),
      "verifiedAt": .string(verifiedAt.description), "revocation": .string(revocation.rawValue),
    ]
    members["signingTime"] = signingTime.map { .string($0.description) }
    return .object(members)
  }
}

extension Decision {
  /// Of the facts that it sets, the names alone: the ledger's detail holds no content.
  var detail: JSONValue {
    guard case .object(var members) = json else { return json }
    members["facts"] = .array(factChanges.map { .string($0.name) })
    return .object(members)
  }
}
