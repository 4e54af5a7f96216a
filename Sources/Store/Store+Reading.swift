package import Exchange
import GRDB
import Rules

/// What operators look at.
extension Store {
  /// How many there are of everything.
  package func counts() async throws(StoreError) -> StoreCounts {
    try await read { db in
      var counts: [String: [String: [String: Int]]] = [:]
      for row in try db.rows("SELECT scope, name, state, count FROM tally WHERE count > 0") {
        guard let scope = row.text("scope"), let name = row.text("name"),
          let state = row.text("state"), let count = row.number("count")
        else { continue }
        counts[scope, default: [:]][name, default: [:]][state] = Int(count)
      }
      return StoreCounts(
        exchanges: counts["exchange"] ?? [:], deliveries: counts["delivery"] ?? [:],
        deadlines: counts["deadline"] ?? [:], carriages: counts["carriage"] ?? [:],
        onHold: Int(try db.number("SELECT count(*) FROM hold") ?? 0),
        receipts: counts["receipt"] ?? [:],
        leaves: try Store.leafCount(db))
    }
  }

  /// Exchanges, newest first.
  ///
  /// - Parameters:
  ///   - before: the place of the last one seen; nil to begin with the newest.
  ///   - since: only those received at or after this moment.
  ///   - state: only those in this state: `waiting`, an ending's word, or `on-hold`.
  package func exchanges(
    before: Int64? = nil, since: Instant? = nil, state: String? = nil, limit: Int
  ) async throws(StoreError) -> [ExchangeLine] {
    try await read { db in
      // Numbers rise as times do, but for neighbours that changed places on their way in: the lowest
      // number of the first thousand bounds the search, so that it never walks the whole table.
      let lowest = try since.flatMap { since in
        try db.number(
          """
          SELECT min(number) FROM
            (SELECT number FROM exchange WHERE received_at >= ? ORDER BY received_at LIMIT 1000)
          """, [since.milliseconds]) ?? Int64.max
      }
      var condition = "number < ? AND number >= ? AND received_at >= ?"
      var arguments: StatementArguments = [
        before ?? Int64.max, lowest ?? 0, since?.milliseconds ?? Int64.min,
      ]
      if state == "on-hold" {
        condition += " AND number IN (SELECT exchange FROM hold)"
      } else if let state {
        condition += " AND state = ?"
        arguments += [state]
      }
      arguments += [limit]
      return try db.rows(
        """
        SELECT number, id, inbox, state, code, received_at, recorded_at, erased_at, c.sender,
          c.submission, EXISTS (SELECT 1 FROM hold h WHERE h.exchange = number) AS on_hold
        FROM exchange LEFT JOIN content c USING (number)
        WHERE \(condition) ORDER BY number DESC LIMIT ?
        """, arguments
      ).map { row in
        let number = row.number("number") ?? 0
        let exchange: ExchangeID = try row.id("id", in: "exchange")
        let key = try exchangeKey(db, number, exchange)
        return ExchangeLine(
          place: number, exchange: exchange, inbox: row.text("inbox") ?? "",
          party: try key.flatMap { try row.sender($0) ?? row.submission($0)?.submittedBy },
          receivedAt: row.instant("received_at") ?? Instant(milliseconds: 0),
          recordedAt: row.instant("recorded_at"), ending: try row.ending(),
          isOnHold: row.number("on_hold") == 1, erasedAt: row.instant("erased_at"))
      }
    }
  }

  /// One exchange by its id, the id of one of its deliveries, or the first characters of either.
  ///
  /// - Throws: STOR-015 when there is none, STOR-016 when these characters begin several.
  package func exchange(_ idOrPrefix: String) async throws(StoreError) -> ExchangeView {
    try await read { db in
      try exchangeView(db, Store.exchangeNumber(db, idOrPrefix))
    }
  }

  private func exchangeView(_ db: Database, _ number: Int64) throws -> ExchangeView {
    guard
      let row = try db.row(
        """
        SELECT e.*, f.id AS first_id, s.id AS case_id, c.sender, c.notification, c.verdict,
          c.decision, c.confirmations
        FROM exchange e LEFT JOIN content c USING (number)
          LEFT JOIN exchange f ON f.number = e.first
          LEFT JOIN subject_case s ON s.number = e.subject_case
        WHERE e.number = ?
        """, [number])
    else { throw StoreError.damaged(table: "exchange", number: number) }
    let exchange: ExchangeID = try row.id("id", in: "exchange")
    let key = try exchangeKey(db, number, exchange)
    let content = try key.map { try ExchangeContent(row, $0, number) }
    return ExchangeView(
      exchange: exchange, carrier: try row.carrier(),
      receivedAt: row.instant("received_at") ?? Instant(milliseconds: 0),
      recordedAt: row.instant("recorded_at"), erasedAt: row.instant("erased_at"),
      ending: try row.ending(), first: row.text("first_id").flatMap(ExchangeID.init),
      sender: content?.sender, type: content?.notification?.type ?? content?.decision?.type,
      notification: content?.notification, verdict: content?.verdict,
      decision: content?.decision, caseID: try row.optionalCaseID(),
      confirmations: content?.confirmations ?? [], isOnHold: try Store.isOnHold(db, number),
      deliveries: try deliveryViews(db, number, key),
      deadlines: try db.rows(
        "\(Store.deadlineColumns) WHERE l.exchange = ? ORDER BY l.number", [number]
      )
      .compactMap { try deadlineView(db, $0) },
      receipts: try receiptViews(db, number, key),
      leaves: try db.rows("SELECT number FROM leaf WHERE exchange = ? ORDER BY number", [number])
        .compactMap { $0.number("number").map(Int.init) })
  }

  private func deliveryViews(
    _ db: Database, _ exchange: Int64, _ key: OwnerKey?
  ) throws -> [DeliveryView] {
    try db.rows(
      """
      SELECT number, id, party, state, machine FROM delivery d
      WHERE exchange = ? AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.delivery = d.id)
      ORDER BY number
      """, [exchange]
    ).map { row in
      let id: DeliveryID = try row.id("id", in: "delivery")
      guard let state = row.text("state").flatMap(Delivery.State.init(rawValue:)) else {
        throw StoreError.damaged(table: "delivery", number: row.number("number") ?? 0)
      }
      return DeliveryView(
        id: id, party: try row.id("party", in: "delivery"), state: state,
        delivery: try key.map {
          try $0.mustOpen(
            row.bytes("machine") ?? [], as: "delivery.machine \(id)", row.number("number") ?? 0)
        })
    }
  }
}

/// The sealed columns of one exchange, opened.
private struct ExchangeContent {
  let sender: PartyID?
  let notification: Notification?
  let verdict: Verdict?
  let decision: Decision?
  let confirmations: Set<String>

  init(_ row: Row, _ key: OwnerKey, _ number: Int64) throws {
    sender = try row.sender(key)
    notification = try row.bytes("notification").map { try key.notification($0, number) }
    verdict = try row.bytes("verdict").map {
      try key.mustOpen($0, as: "content.verdict", number)
    }
    decision = try row.bytes("decision").map { sealed in
      let json = try key.mustOpenJSON(sealed, "content.decision", number)
      guard let decision = Decision(json: json) else {
        throw StoreError.damaged(table: "content.decision", number: number)
      }
      return decision
    }
    confirmations = try row.confirmations(key)
  }
}
