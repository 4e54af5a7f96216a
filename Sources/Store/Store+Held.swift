package import Exchange
import GRDB
import Rules

/// What waits: holds that may be decided again, and what an operator puts again.
extension Store {
  /// Held exchanges that are worth deciding again, in the order in which they came: their case moved, the
  /// rules moved, somebody they wait for became known, a person confirmed something, or they were last
  /// looked at before `decidedBefore`. Never what an operator put on hold.
  ///
  /// - Parameter place: of the last one seen; 0 to begin.
  package func heldDue(
    decidedBefore moment: Instant, after place: Int64 = 0, limit: Int
  ) async throws(StoreError) -> [HeldPlace] {
    try await read { db in
      let policy = try Meta.value("policy", db, as: Blob.self)
      return try db.rows(
        """
        SELECT e.number, e.id FROM exchange e LEFT JOIN subject_case s ON s.number = e.subject_case
        WHERE e.state = 'held' AND e.number > ? AND (coalesce(e.looked_at, e.recorded_at) < ?
            OR e.look_again > 0 OR e.policy IS NOT ?
            OR (e.subject_case IS NOT NULL AND e.case_version IS NOT s.version))
          AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.exchange = e.number)
        ORDER BY e.number LIMIT ?
        """, [place, moment.milliseconds, policy, limit]
      ).map {
        HeldPlace(place: $0.number("number") ?? 0, exchange: try $0.id("id", in: "exchange"))
      }
    }
  }

  /// Brings up again what is held under codes that begin so: the keys, certificates or lists that it
  /// waits for may have been mended.
  package func lookAgain(codePrefixes: [String]) async throws(StoreError) {
    try await commit { db in
      for prefix in codePrefixes {
        try db.run(
          """
          UPDATE exchange SET look_again = look_again + 1
          WHERE state = 'held' AND substr(code, 1, ?) = ?
          """, [prefix.utf8.count, prefix])
      }
    }
  }

  /// One held exchange. Throws STOR-015 when there is none, STOR-018 when it is not held.
  package func heldExchange(_ exchange: ExchangeID) async throws(StoreError) -> HeldExchange {
    try await read { db in
      let row = try db.row(
        """
        SELECT e.number, e.id, e.inbox, e.message, e.state, e.code, e.received_at, e.recorded_at,
          e.look_again, c.notification, c.verdict, c.confirmations, s.id AS case_id
        FROM exchange e LEFT JOIN content c USING (number)
          LEFT JOIN subject_case s ON s.number = e.subject_case
        WHERE e.id = ?
        """, [exchange.text]
      ).orThrow(.unknown("exchange \(exchange)"))
      guard row.text("state") == "held" else { throw StoreError.notFinished(exchange) }
      return try heldExchange(db, row)
    }
  }

  private func heldExchange(_ db: Database, _ row: Row) throws -> HeldExchange {
    let number = row.number("number") ?? 0
    let exchange: ExchangeID = try row.id("id", in: "exchange")
    guard let key = try exchangeKey(db, number, exchange),
      let notification = row.bytes("notification"), let verdict = row.bytes("verdict")
    else { throw StoreError.damaged(table: "content", number: number) }
    return HeldExchange(
      exchange: exchange, carrier: try row.carrier(),
      receivedAt: row.instant("received_at") ?? Instant(milliseconds: 0),
      recordedAt: row.instant("recorded_at") ?? Instant(milliseconds: 0),
      code: row.text("code") ?? "", notification: try key.notification(notification, number),
      verdict: try key.mustOpen(verdict, as: "content.verdict", number),
      caseID: try row.optionalCaseID(), confirmations: try row.confirmations(key),
      lookAgain: Int(row.number("look_again") ?? 0))
  }

  /// Records that a person confirmed a rule's question for a held exchange (a prior discussion, a note
  /// read): it comes up to be decided again.
  ///
  /// - Parameters:
  ///   - rule: the id of the rule that waits for it.
  ///   - officer: a pseudonym of the officer; goes into the encrypted detail.
  /// - Throws: STOR-015 when there is no such exchange, STOR-018 when it is not held.
  @discardableResult
  package func confirm(
    _ exchange: ExchangeID, rule: String, by officer: String, reason: String, at now: Instant
  ) async throws(StoreError) -> Int {
    try await commit { [self] db in
      let (number, state, key) = try openExchange(db, exchange)
      guard state == "held" else { throw StoreError.notFinished(exchange) }
      let row = try db.row("SELECT number, confirmations FROM content WHERE number = ?", [number])
      let rules = try (row?.confirmations(key) ?? []).union([rule]).sorted()
      let sealed = try key.seal(
        JSONValue.array(rules.map { .string($0) }).canonicalBytes, "content.confirmations")
      try db.run("UPDATE content SET confirmations = ? WHERE number = ?", [Blob(sealed), number])
      try db.run("UPDATE exchange SET look_again = look_again + 1 WHERE number = ?", [number])
      return try addEntry(
        db, exchange, number, key,
        [
          "event": "confirmed", "rule": .string(rule), "by": .string(officer),
          "reason": .string(reason),
        ], at: now)
    }
  }
}
