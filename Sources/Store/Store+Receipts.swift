package import Exchange
import GRDB
import Ledger
import Rules

/// Receipts to senders: owed with the outcome, made once the ledger covers it.
extension Store {
  /// Receipts that are owed and can be made, those that wait longest first.
  ///
  /// - Parameters:
  ///   - size: of the published ledger: what it does not cover yet waits.
  ///   - limit: how many at most.
  package func receiptsDue(
    coveredBy size: Int, at now: Instant, limit: Int
  ) async throws(StoreError) -> [DueReceipt] {
    try await read { db in
      try db.rows(
        """
        SELECT r.number, r.exchange, r.leaf, r.delivery, r.party, r.content, e.id, e.received_at,
          l.bytes
        FROM receipt r JOIN exchange e ON e.number = r.exchange JOIN leaf l ON l.number = r.leaf
        WHERE r.state = 'due' AND r.try_at <= ? AND r.leaf < ?
        ORDER BY r.try_at, r.number LIMIT ?
        """, [now.milliseconds, size, limit]
      ).map { row in
        let number = row.number("exchange") ?? 0
        let exchange: ExchangeID = try row.id("id", in: "exchange")
        let delivery: DeliveryID = try row.id("delivery", in: "receipt")
        guard let key = try exchangeKey(db, number, exchange) else {
          throw StoreError.damaged(table: "exchange_key", number: number)
        }
        let content = try ReceiptContent(row, key, delivery)
        return DueReceipt(
          delivery: delivery, recipient: try row.id("party", in: "receipt"), event: content.event,
          decision: content.decision, first: content.first, exchange: exchange,
          receivedAt: row.instant("received_at") ?? Instant(milliseconds: 0),
          leaf: Int(row.number("leaf") ?? 0), entry: row.bytes("bytes") ?? [],
          exchangeNumber: number, key: key)
      }
    }
  }

  /// Puts made receipts into their mailboxes, each with an entry of the ledger, in one commit. One that
  /// is not owed any more, since it was made before or its exchange was erased, is passed over.
  ///
  /// - Returns: how many were written.
  /// - Throws: STOR-020 for a copy under another id, or to somebody else, than is owed.
  @discardableResult
  package func recordReceipts(
    _ made: [(due: DueReceipt, copy: NewDelivery)], at now: Instant
  ) async throws(StoreError) -> Int {
    let drafts: [(DueReceipt, DeliveryDraft, LeafDraft)]
    do {
      let policy = try policy.orThrow(StoreError.policyUnknown)
      drafts = try made.map { due, copy in
        guard copy.delivery.id == due.delivery, copy.delivery.recipient == due.recipient else {
          throw StoreError.malformedRecord("receipt")
        }
        let leaf = try LeafDraft(
          .delivery, exchange: due.exchange, at: now, policy: policy, detail: due.detail,
          key: due.key, vault)
        return (due, try DeliveryDraft(copy, at: now, due.key), leaf)
      }
    } catch { throw StoreError(reading: error) }
    return try await commit { db in
      var written = 0
      for (due, delivery, leaf) in drafts {
        try db.run(
          "UPDATE receipt SET state = 'made' WHERE delivery = ? AND state = 'due'",
          [due.delivery.text])
        guard db.changesCount == 1 else { continue }
        _ = try delivery.insert(db, exchange: due.exchangeNumber)
        _ = try leaf.insert(db, exchange: due.exchangeNumber)
        written += 1
      }
      return written
    }
  }

  /// Receipts that cannot be made now are left until a moment; the others go before them.
  package func postponeReceipts(
    _ deliveries: [DeliveryID], until moment: Instant
  ) async throws(StoreError) {
    try await commit { db in
      for delivery in deliveries {
        try db.run(
          "UPDATE receipt SET try_at = ? WHERE delivery = ? AND state = 'due'",
          [moment.milliseconds, delivery.text])
      }
    }
  }

  /// Receipts of which the rules in force let nothing be told any more.
  package func withholdReceipts(_ deliveries: [DeliveryID]) async throws(StoreError) {
    try await commit { db in
      for delivery in deliveries {
        try db.run(
          "UPDATE receipt SET state = 'withheld' WHERE delivery = ? AND state = 'due'",
          [delivery.text])
      }
    }
  }

  /// Since when the receipt that waits longest is owed; nil when none is.
  package func oldestReceiptDue() async throws(StoreError) -> Instant? {
    try await read { db in
      try db.row(
        """
        SELECT r.number, e.recorded_at FROM receipt r JOIN exchange e ON e.number = r.exchange
        WHERE r.state = 'due' ORDER BY r.number LIMIT 1
        """
      )?.instant("recorded_at")
    }
  }

  func receiptViews(_ db: Database, _ exchange: Int64, _ key: OwnerKey?) throws -> [ReceiptView] {
    try db.rows(
      """
      SELECT r.number, r.delivery, r.party, r.state, r.content, d.state AS delivery_state
      FROM receipt r LEFT JOIN delivery d ON d.id = r.delivery
      WHERE r.exchange = ? ORDER BY r.number
      """, [exchange]
    ).map { row in
      let delivery: DeliveryID = try row.id("delivery", in: "receipt")
      guard let state = row.text("state").flatMap(ReceiptView.State.init(rawValue:)) else {
        throw StoreError.damaged(table: "receipt", number: row.number("number") ?? 0)
      }
      let content = try state == .erased ? nil : key.map { try ReceiptContent(row, $0, delivery) }
      return ReceiptView(
        delivery: delivery, party: try row.id("party", in: "receipt"), state: state,
        deliveryState: row.text("delivery_state").flatMap(Delivery.State.init(rawValue:)),
        decision: content?.decision, first: content?.first)
    }
  }
}

extension DueReceipt {
  /// Codes alone: never with the content of a message.
  fileprivate var detail: JSONValue {
    var members: [String: JSONValue] = [
      "event": "receipted", "delivery": .string(delivery.text), "party": .string(recipient.text),
      "of": .integer(Int64(leaf)), "receipt": decision.json,
    ]
    if let first {
      members["first"] = .string(first.exchange.text)
      members["firstReceipt"] = first.decision?.json
    }
    return .object(members)
  }
}
