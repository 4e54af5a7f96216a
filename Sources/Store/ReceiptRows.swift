import Exchange
import GRDB
import Rules

/// What a row of `receipt` keeps under the exchange's key.
struct ReceiptContent: Sendable {
  let event: EventID?
  let decision: ReceiptDecision
  let first: FirstReceipt?

  static func column(_ delivery: DeliveryID) -> String { "receipt.content \(delivery)" }

  func sealed(_ key: OwnerKey, _ delivery: DeliveryID) throws -> [UInt8] {
    var members: [String: JSONValue] = ["decision": decision.json]
    members["event"] = event.map { .string($0.text) }
    members["first"] = first.map { first in
      var members: [String: JSONValue] = ["exchange": .string(first.exchange.text)]
      members["decision"] = first.decision?.json
      return .object(members)
    }
    return try key.seal(JSONValue.object(members).canonicalBytes, ReceiptContent.column(delivery))
  }

  init(event: EventID?, decision: ReceiptDecision, first: FirstReceipt?) {
    (self.event, self.decision, self.first) = (event, decision, first)
  }

  /// Throws STOR-011 for what does not open.
  init(_ row: Row, _ key: OwnerKey, _ delivery: DeliveryID) throws {
    let number = row.number("number") ?? 0
    let json = try key.mustOpenJSON(
      row.bytes("content") ?? [], ReceiptContent.column(delivery), number)
    guard let decision = json["decision"].flatMap(ReceiptDecision.init(json:)) else {
      throw StoreError.damaged(table: "receipt", number: number)
    }
    self.decision = decision
    event = json["event"]?.string.flatMap(EventID.init)
    first = json["first"].flatMap { first in
      first["exchange"]?.string.flatMap(ExchangeID.init).map {
        FirstReceipt(
          exchange: $0, decision: first["decision"].flatMap(ReceiptDecision.init(json:)))
      }
    }
  }
}

/// An order on its way into the store.
struct ReceiptDraft: Sendable {
  private let store: Store
  private let order: ReceiptOrder
  private let key: OwnerKey
  /// Sealed before the transaction, for the outcome as it was when the record was made.
  private let sealed: [UInt8]

  init(_ order: ReceiptOrder, key: OwnerKey, _ store: Store) throws {
    (self.order, self.key, self.store) = (order, key, store)
    sealed = try ReceiptContent(event: order.event, decision: order.decision, first: nil)
      .sealed(key, order.delivery)
  }

  /// Writes it beside the entry that it tells of, unless the sender was told the same before.
  ///
  /// - Parameters:
  ///   - decision: where the commit found something else than the record says.
  ///   - first: the number of the exchange that this repeats.
  func insert(
    _ db: Database, exchange number: Int64, leaf: Int, as decision: ReceiptDecision? = nil,
    first: Int64? = nil, at now: Instant
  ) throws {
    let told = decision ?? order.decision
    let first = try first.map { try store.firstReceipt(db, $0) }
    if let last = try store.lastReceipt(db, number, key), last.party == order.recipient,
      last.content.decision.saysTheSame(as: told), last.content.first == first
    {
      return
    }
    let content =
      decision == nil && first == nil
      ? sealed
      : try ReceiptContent(event: order.event, decision: told, first: first)
        .sealed(key, order.delivery)
    try db.run(
      """
      INSERT INTO receipt (exchange, leaf, delivery, party, state, try_at, content)
        VALUES (?, ?, ?, ?, ?, ?, ?)
      """,
      [
        number, leaf, order.delivery.text, order.recipient.text,
        (told.isTold ? ReceiptView.State.due : .withheld).rawValue, now.milliseconds,
        Blob(content),
      ])
  }

  var onConflict: ReceiptDecision? { order.onConflict }
  var onRepeat: ReceiptDecision? { order.onRepeat }
}

extension Store {
  /// Orders another receipt for whoever was last told that an exchange is held: a person closed it.
  func oweReceipt(
    _ db: Database, closing number: Int64, _ key: OwnerKey, leaf: Int, at now: Instant,
    _ decide: (PartyID) -> ReceiptDecision
  ) throws {
    guard let last = try lastReceipt(db, number, key), last.content.decision.outcome == .held
    else { return }
    let order = ReceiptOrder(to: last.party, event: last.content.event, decide(last.party))
    try ReceiptDraft(order, key: key, self).insert(db, exchange: number, leaf: leaf, at: now)
  }

  /// The last thing that an exchange's sender was told, or is to be.
  fileprivate func lastReceipt(
    _ db: Database, _ exchange: Int64, _ key: OwnerKey
  ) throws -> (party: PartyID, content: ReceiptContent)? {
    guard
      let row = try db.row(
        """
        SELECT number, delivery, party, content FROM receipt
        WHERE exchange = ? AND state <> 'erased' ORDER BY number DESC LIMIT 1
        """, [exchange])
    else { return nil }
    return (
      try row.id("party", in: "receipt"),
      try ReceiptContent(row, key, row.id("delivery", in: "receipt"))
    )
  }

  /// What was decided of an exchange that another repeats.
  fileprivate func firstReceipt(_ db: Database, _ exchange: Int64) throws -> FirstReceipt {
    let row = try db.row("SELECT number, id FROM exchange WHERE number = ?", [exchange])
      .orThrow(.damaged(table: "exchange", number: exchange))
    let id: ExchangeID = try row.id("id", in: "exchange")
    let key = try exchangeKey(db, exchange, id)
    return FirstReceipt(
      exchange: id,
      decision: try key.flatMap { try lastReceipt(db, exchange, $0)?.content.decision })
  }
}
