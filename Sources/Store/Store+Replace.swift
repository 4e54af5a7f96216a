package import Exchange
import GRDB
import Ledger
import Rules

/// Copies that lie in a mailbox when rules or case change.
extension Store {
  /// What it takes to ask whether a copy may still be told, in one consistent state. Nil when it is not
  /// this party's, unknown or erased, or no decision to share made it.
  package func handoverInputs(
    of id: DeliveryID, party: PartyID
  ) async throws(StoreError) -> HandoverInputs? {
    try await read { db in
      guard let open = try OpenDelivery(db, id, of: party, self),
        let row = try db.row(
          """
          SELECT e.number, e.subject_case, c.notification, c.decision, r.decision AS replaced
          FROM exchange e JOIN content c USING (number) LEFT JOIN replacement r ON r.number = ?
          WHERE e.number = ?
          """, [open.number, open.exchangeNumber]),
        let notification = row.bytes("notification"), let own = row.bytes("decision")
      else { return nil }
      let number = open.exchangeNumber
      let json =
        try row.bytes("replaced").map {
          try open.key.mustOpenJSON($0, Store.replacementColumn(id), open.number)
        } ?? open.key.mustOpenJSON(own, "content.decision", number)
      guard let decision = Decision(json: json) else {
        throw StoreError.damaged(table: "content.decision", number: number)
      }
      return HandoverInputs(
        exchange: open.exchange,
        notification: try open.key.notification(notification, number), decision: decision,
        subjectCase: try row.number("subject_case").map { try snapshot(db, $0) })
    }
  }

  /// Takes back a copy that was not collected, and puts another of the same notification in its place:
  /// same mailbox, same exchange, its deadlines with the limits that they have. Without another, its
  /// clocks stop.
  ///
  /// - Parameters:
  ///   - inputs: by which it was asked; another case by now is `.stale`.
  ///   - policy: likewise.
  ///   - reason: a code of the rules.
  /// - Throws: STOR-015 for an unknown or erased one; STOR-020 for a copy that is not of this decision,
  ///   or for somebody else.
  package func replace(
    _ old: DeliveryID, with new: Replacement?, inputs: HandoverInputs, policy: PolicyDigests,
    reason: String, at now: Instant
  ) async throws(StoreError) -> ReplaceResult {
    try await commit { [self] db in
      var open = try OpenDelivery(db, old, self).orThrow(.unknown("delivery \(old)"))
      let (delivery, version) = (open.delivery, inputs.subjectCase?.version)
      guard delivery.collectedAt == nil, delivery.answeredAt == nil, !delivery.hasLeft else {
        return .delivered
      }
      switch delivery.handover(at: now) {
      case .give: break
      case .unknown, .gone: return .over
      case .keptBack: return .stale
      }
      let known = try db.number(
        """
        SELECT k.version FROM exchange e JOIN subject_case k ON k.number = e.subject_case
        WHERE e.number = ?
        """, [open.exchangeNumber])
      guard known.map(Int.init) == version, try Store.policy(db) == policy else { return .stale }
      guard let new else {
        _ = open.delivery.withdrawn(reason: reason, at: now)
        try open.write(db, event: "withdrawn", at: now, more: ["reason": .string(reason)], self)
        for number in try deadlines(db, of: open.number) {
          _ = try change(db, DeadlineChange(number, .withdrawn(reason: reason)), at: now)
        }
        return .done
      }
      try new.check(replaces: delivery, of: inputs.decision, policy: policy)
      let successor = new.delivery.delivery.id
      _ = open.delivery.superseded(by: successor, at: now)
      try open.write(
        db, event: "superseded", at: now,
        more: ["reason": .string(reason), "successor": .string(successor.text)], self)
      let number = try DeliveryDraft(new.delivery, at: now, open.key)
        .insert(db, exchange: open.exchangeNumber)
      let sealed = try open.key.seal(
        new.decision.json.canonicalBytes, Store.replacementColumn(successor))
      try db.run(
        "INSERT INTO replacement VALUES (?, ?, ?, ?)",
        [number, Blob(policy.bytes), version, Blob(sealed)])
      try db.run("UPDATE deadline SET delivery = ? WHERE delivery = ?", [number, open.number])
      _ = try LeafDraft(
        .delivery, exchange: open.exchange, at: now, policy: policy,
        detail: new.detail(replaces: old, reason: reason), key: open.key, vault
      ).insert(db, exchange: open.exchangeNumber)
      return .done
    }
  }

  private static func replacementColumn(_ id: DeliveryID) -> String { "replacement.decision \(id)" }
}

extension Replacement {
  /// No copy without a decision that names its recipient, and none that releases more than the one
  /// before. Throws STOR-020.
  fileprivate func check(
    replaces old: Delivery, of earlier: Decision, policy: PolicyDigests
  ) throws(StoreError) {
    let recipient = delivery.delivery.recipient
    let released = { (decision: Decision) in
      Set(decision.recipients.filter { $0.party == recipient }.flatMap(\.released))
    }
    guard recipient == old.recipient, released(decision).isSubset(of: released(earlier)),
      Set(delivery.releasedFields).isSubset(of: released(decision)),
      delivery.delivery.answerDue == old.answerDue,
      PolicyDigests(rulebook: decision.rulebookDigest, agreement: decision.agreementDigest)
        == policy
    else { throw .malformedRecord("replacement") }
  }

  fileprivate func detail(replaces old: DeliveryID, reason: String) -> JSONValue {
    var members: [String: JSONValue] = [
      "event": "replaced", "delivery": .string(delivery.delivery.id.text),
      "party": .string(delivery.delivery.recipient.text), "replaces": .string(old.text),
      "reason": .string(reason), "decision": decision.detail,
      "fields": .array(delivery.releasedFields.map { .string($0) }),
    ]
    members["answerBy"] = delivery.delivery.answerDue.map { .string($0.description) }
    return .object(members)
  }
}
