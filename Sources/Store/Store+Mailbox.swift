package import Exchange
import GRDB

/// The mailboxes that we host, by the party that each belongs to.
extension Store {
  /// What a party has not collected yet, oldest first.
  ///
  /// - Parameters:
  ///   - after: the place of the last one seen; 0 to begin. Good for ever.
  ///   - workflows: only these; all when nil.
  package func mailboxPage(
    of party: PartyID, after: Int64 = 0, limit: Int, workflows: Set<String>? = nil
  ) async throws(StoreError) -> MailboxPage {
    try await read { db in
      let filter = workflows.map { names in
        " AND workflow IN (\(repeatElement("?", count: names.count).joined(separator: ", ")))"
      }
      var arguments: StatementArguments = [party.text, after]
      arguments += StatementArguments((workflows ?? []).sorted())
      arguments += [limit + 1]
      let rows = try db.rows(
        """
        SELECT number, id, place, workflow FROM delivery
        WHERE party = ? AND listed = 1 AND place > ?\(filter ?? "") ORDER BY place LIMIT ?
        """, arguments)
      let items = try rows.prefix(limit).map { row in
        MailboxItem(
          id: try row.id("id", in: "delivery"), place: row.number("place") ?? 0,
          workflow: row.text("workflow") ?? "")
      }
      // Uncollected ones are few; the index holds no others.
      let count = try db.number(
        "SELECT count(*) FROM delivery WHERE party = ? AND listed = 1", [party.text])
      return MailboxPage(
        items: items, next: rows.count > limit ? items.last?.place : nil, count: Int(count ?? 0))
    }
  }

  /// The place of a delivery in its recipient's mailbox, collected or not; nil when it is not there.
  package func mailboxPlace(
    of delivery: DeliveryID, party: PartyID
  ) async throws(StoreError) -> Int64? {
    try await read { db in
      try db.number(
        "SELECT place FROM delivery WHERE id = ? AND party = ?", [delivery.text, party.text])
    }
  }

  /// A delivery with its sealed copy, for its recipient alone: nil for what is another's, unknown or
  /// erased. `Delivery.handover` says how to answer.
  package func delivery(
    _ id: DeliveryID, party: PartyID
  ) async throws(StoreError) -> DeliveryCopy? {
    try await read { db in
      guard let open = try OpenDelivery(db, id, of: party, self) else { return nil }
      let sealed = try db.row(
        """
        SELECT e.number, s.sealed, c.sender,
          iif(e.state = 'shared' AND q.number IS NULL, coalesce(r.policy, e.policy), NULL) AS policy,
          e.state = 'shared' AND q.number IS NULL AND k.version IS NOT
            iif(r.number IS NULL, e.case_version, r.case_version) AS moved
        FROM exchange e LEFT JOIN content c USING (number)
          LEFT JOIN subject_case k ON k.number = e.subject_case
          LEFT JOIN sealed_copy s ON s.number = ? LEFT JOIN replacement r ON r.number = ?
          LEFT JOIN receipt q ON q.delivery = ?
        WHERE e.number = ?
        """, [open.number, open.number, id.text, open.exchangeNumber])
      let bytes = try sealed?.bytes("sealed").map {
        try open.key.mustOpen($0, "sealed_copy \(id)", open.number)
      }
      let sender = try sealed?.sender(open.key)
      let policy = sealed?.bytes("policy").flatMap { PolicyDigests(bytes: $0) }
      return DeliveryCopy(
        delivery: open.delivery, exchange: open.exchange, source: sender ?? party,
        workflow: open.row.text("workflow") ?? "",
        localID: try open.row.bytes("local_id").map {
          String(
            decoding: try open.key.mustOpen($0, "delivery.local_id \(id)", open.number),
            as: UTF8.self)
        }, bytes: bytes ?? [], decidedBy: policy, caseMoved: sealed?.number("moved") == 1)
    }
  }

  /// The recipient's system took it: state and ledger entry, durable before it returns. A second time
  /// answers `.none`. Nil for what is another's, unknown or erased.
  package func recordCollected(
    _ id: DeliveryID, party: PartyID, at now: Instant
  ) async throws(StoreError) -> Delivery.Action? {
    try await commit { [self] db in
      guard var open = try OpenDelivery(db, id, of: party, self) else { return nil }
      let action = open.delivery.collected(at: now)
      if action != .none && action != .refuse {
        try open.write(db, event: "collected", at: now, self)
      }
      return action
    }
  }

  /// Takes a delivery back: it is given out no more (410), and its clocks stop.
  ///
  /// - Parameters:
  ///   - reason: a code of the rules or of the officer's list, never free text.
  ///   - officer: who took it back, where a person did; goes into the encrypted detail.
  /// - Throws: STOR-015 for an unknown or erased one.
  package func withdraw(
    _ id: DeliveryID, reason: String, by officer: String? = nil, at now: Instant
  ) async throws(StoreError) -> Delivery.Action {
    try await commit { [self] db in
      var open = try OpenDelivery(db, id, self).orThrow(.unknown("delivery \(id)"))
      let action = open.delivery.withdrawn(reason: reason, at: now)
      guard action != .none else { return action }
      var more: [String: JSONValue] = ["reason": .string(reason)]
      more["by"] = officer.map { .string($0) }
      try open.write(db, event: "withdrawn", at: now, more: more, self)
      for number in try deadlines(db, of: open.number) {
        _ = try change(db, DeadlineChange(number, .withdrawn(reason: reason)), at: now)
      }
      return action
    }
  }

  /// A later delivery took its place.
  package func supersede(
    _ id: DeliveryID, by successor: DeliveryID, at now: Instant
  ) async throws(StoreError) -> Delivery.Action {
    try await commit { [self] db in
      var open = try OpenDelivery(db, id, self).orThrow(.unknown("delivery \(id)"))
      let action = open.delivery.superseded(by: successor, at: now)
      guard action != .none else { return action }
      try open.write(
        db, event: "superseded", at: now, more: ["successor": .string(successor.text)], self)
      return action
    }
  }

  /// Deliveries whose clock has something to say, the most urgent first.
  package func deliveriesDue(
    before now: Instant, limit: Int
  ) async throws(StoreError) -> [DeliveryID] {
    try await read { db in
      try db.rows(
        "SELECT number, id FROM delivery WHERE next_clock <= ? ORDER BY next_clock LIMIT ?",
        [now.milliseconds, limit]
      ).map { try $0.id("id", in: "delivery") }
    }
  }

  /// Tells a delivery the time, and records what it says: uncollected, overdue, expired.
  package func deliveryClockReached(
    _ id: DeliveryID, at now: Instant
  ) async throws(StoreError) -> [Delivery.Action] {
    try await commit { [self] db in
      var open = try OpenDelivery(db, id, self).orThrow(.unknown("delivery \(id)"))
      let actions = open.delivery.clockReached(now)
      guard !actions.isEmpty else {
        // Nothing yet: not asked again before its time.
        try db.run(
          "UPDATE delivery SET next_clock = ? WHERE number = ?",
          [open.delivery.nextClock?.milliseconds, open.number])
        return []
      }
      try open.write(db, event: "clock", at: now, self)
      return actions
    }
  }

  /// An answer came, inside the transaction that keeps it: the delivery is acknowledged and its
  /// deadlines met, from when the answer lay with us. Throws STOR-020 unless the addressee answers.
  func answer(
    _ db: Database, _ id: DeliveryID, by answer: Notification, receivedAt: Instant, now: Instant
  ) throws {
    guard var open = try OpenDelivery(db, id, of: answer.source, self) else {
      throw StoreError.malformedRecord("answers")
    }
    let action = open.delivery.answered(by: answer.id, at: receivedAt)
    guard action != .none && action != .refuse else { return }
    try open.write(db, event: "answered", at: now, self)
    for number in try deadlines(db, of: open.number) {
      _ = try change(db, DeadlineChange(number, .met(at: receivedAt)), at: now)
    }
    // Who answers a copy that was replaced before we knew that it was handed over, has answered the
    // notification: the copy that took its place is of the same one.
    if let successor = open.delivery.successor,
      try db.number(
        "SELECT 1 FROM replacement r JOIN delivery d USING (number) WHERE d.id = ?",
        [successor.text]) != nil
    {
      try self.answer(db, successor, by: answer, receivedAt: receivedAt, now: now)
    }
  }
}

extension Row {
  func sender(_ key: OwnerKey) throws -> PartyID? {
    guard let sealed = bytes("sender") else { return nil }
    let bytes = try key.mustOpen(sealed, "content.sender", number("number") ?? 0)
    guard let party = PartyID(String(decoding: bytes, as: UTF8.self)) else {
      throw StoreError.damaged(table: "content.sender", number: number("number") ?? 0)
    }
    return party
  }
}
