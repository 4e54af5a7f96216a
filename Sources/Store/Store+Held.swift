package import Exchange
import GRDB
import Ledger
import Rules

/// What waits: holds that may be decided again, and what an operator puts again.
extension Store {
  /// Held exchanges that are worth deciding again, longest waiting first: their case moved, the rules
  /// moved, somebody they wait for became known, a person confirmed something, or they were last
  /// looked at before `decidedBefore`.
  package func heldExchanges(
    decidedBefore moment: Instant, limit: Int
  ) async throws(StoreError) -> [HeldExchange] {
    try await read { db in
      let policy = try Meta.value("policy", db, as: Blob.self)
      return try db.rows(
        """
        SELECT e.number, e.id, e.inbox, e.message, e.state, e.code, e.received_at, e.recorded_at,
          c.notification, c.verdict, c.confirmations, s.id AS case_id
        FROM exchange e JOIN content c USING (number)
          LEFT JOIN subject_case s ON s.number = e.subject_case
        WHERE e.state = 'held' AND (e.recorded_at < ? OR e.look_again = 1 OR e.policy IS NOT ?
          OR (e.subject_case IS NOT NULL AND e.case_version IS NOT s.version))
        ORDER BY e.recorded_at LIMIT ?
        """, [moment.milliseconds, policy, limit]
      ).map { try heldExchange(db, $0) }
    }
  }

  /// Brings up again what is held under codes that begin so: the keys, certificates or lists that it
  /// waits for may have been mended.
  package func lookAgain(codePrefixes: [String]) async throws(StoreError) {
    try await commit { db in
      for prefix in codePrefixes {
        try db.run(
          "UPDATE exchange SET look_again = 1 WHERE state = 'held' AND substr(code, 1, ?) = ?",
          [prefix.utf8.count, prefix])
      }
    }
  }

  /// One held exchange. Throws STOR-015 when there is none, STOR-018 when it is not held.
  package func heldExchange(_ exchange: ExchangeID) async throws(StoreError) -> HeldExchange {
    try await read { db in
      let row = try db.row(
        """
        SELECT e.number, e.id, e.inbox, e.message, e.state, e.code, e.received_at, e.recorded_at,
          c.notification, c.verdict, c.confirmations, s.id AS case_id
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
      caseID: try row.optionalCaseID(), confirmations: try row.confirmations(key))
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
      try db.run("UPDATE exchange SET look_again = 1 WHERE number = ?", [number])
      return try addEntry(
        db, exchange, number, key,
        [
          "event": "confirmed", "rule": .string(rule), "by": .string(officer),
          "reason": .string(reason),
        ], at: now)
    }
  }

  /// Puts a message again that was set aside, refused or held: it waits to be opened like one that just
  /// came (`rawWaiting`). For when a key, the rules or the program were mended.
  ///
  /// - Throws: STOR-015 when there is no such exchange, STOR-018 when it is in another state or erased.
  @discardableResult
  package func requeue(
    _ exchange: ExchangeID, by officer: String, reason: String, at now: Instant
  ) async throws(StoreError) -> Int {
    try await commit { [self] db in
      let (number, state, key) = try openExchange(db, exchange)
      guard ["set-aside", "refused", "held"].contains(state) else {
        throw StoreError.notFinished(exchange)
      }
      try db.run(
        "UPDATE exchange SET state = 'waiting', code = NULL, look_again = 0 WHERE number = ?",
        [number])
      return try addEntry(
        db, exchange, number, key,
        ["event": "requeued", "by": .string(officer), "reason": .string(reason)], at: now)
    }
  }

  func openExchange(
    _ db: Database, _ exchange: ExchangeID
  ) throws -> (number: Int64, state: String, key: OwnerKey) {
    let row = try db.row(
      "SELECT number, state FROM exchange WHERE id = ?", [exchange.text]
    ).orThrow(.unknown("exchange \(exchange)"))
    let number = row.number("number") ?? 0
    let key = try exchangeKey(db, number, exchange).orThrow(.notFinished(exchange))
    return (number, row.text("state") ?? "", key)
  }

  private func addEntry(
    _ db: Database, _ exchange: ExchangeID, _ number: Int64, _ key: OwnerKey, _ detail: JSONValue,
    at now: Instant
  ) throws -> Int {
    try LeafDraft(
      .message, exchange: exchange, at: now, policy: try Store.policy(db), detail: detail, key: key,
      vault
    ).insert(db, exchange: number)
  }
}
