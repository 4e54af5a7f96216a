package import Exchange
import GRDB
import Ledger
package import Rules

/// What operators do to an exchange. Each act is one commit with its entry in the ledger.
extension Store {
  /// Puts a message again that was set aside, discarded, refused or held: it waits to be opened like one
  /// that just came (`rawWaiting`). For when a key, the rules or the program were mended.
  ///
  /// - Parameters:
  ///   - officer: who did it; goes into the encrypted detail, as the reason does.
  /// - Returns: the entry of the ledger.
  /// - Throws: STOR-015 when there is no such exchange, STOR-018 when it is in another state or erased,
  ///   STOR-022 when it is on hold.
  @discardableResult
  package func requeue(
    _ exchange: ExchangeID, by officer: String, reason: String, at now: Instant
  ) async throws(StoreError) -> Int {
    try await commit { [self] db in
      let open = try openEnding(db, exchange)
      guard try !Store.isOnHold(db, open.number) else { throw StoreError.onHold(exchange) }
      var intake = Intake(ended: open.ending, isUrgent: false)
      guard intake.requeued() == .open else { throw StoreError.notFinished(exchange) }
      try db.run(
        """
        UPDATE exchange SET state = 'waiting', code = NULL, look_again = 0, looked_at = NULL
        WHERE number = ?
        """, [open.number])
      return try addEntry(
        db, exchange, open.number, open.key,
        ["event": "requeued", "by": .string(officer), "reason": .string(reason)], at: now)
    }
  }

  /// Closes what was set aside or is held and nobody will mend: it is open no more. Bytes and history are
  /// kept; `requeue` takes it up again.
  ///
  /// - Parameter receipt: what a sender may be told of it by whose receipt it is held, with the code that
  ///   it waited for.
  /// - Throws: STOR-015 when there is no such exchange, STOR-018 when it is in another state or erased.
  package func discard(
    _ exchange: ExchangeID, by officer: String, reason: String, at now: Instant,
    receipt: (@Sendable (_ code: String, _ sender: PartyID) -> ReceiptDecision)? = nil
  ) async throws(StoreError) -> Int {
    try await commit { [self] db in
      let open = try openEnding(db, exchange)
      var intake = Intake(ended: open.ending, isUrgent: false)
      guard case .commit(let ending) = intake.discarded() else {
        throw StoreError.notFinished(exchange)
      }
      try db.run(
        "UPDATE exchange SET state = ?, code = ?, look_again = 0, looked_at = NULL WHERE number = ?",
        [ending.word, ending.code, open.number])
      try db.run("DELETE FROM awaited WHERE exchange = ?", [open.number])
      try db.run("DELETE FROM hold WHERE exchange = ?", [open.number])
      var detail: [String: JSONValue] = [
        "event": "discarded", "by": .string(officer), "reason": .string(reason),
      ]
      detail["code"] = ending.code.map { .string($0) }
      let entry = try addEntry(db, exchange, open.number, open.key, .object(detail), at: now)
      if let receipt, let code = ending.code {
        try oweReceipt(db, closing: open.number, open.key, leaf: entry, at: now) { sender in
          receipt(code, sender)
        }
      }
      return entry
    }
  }

  /// Puts an exchange on hold: what waits is not opened, what is held is not decided again, and copies that
  /// were not collected are neither listed nor given, until it is released. Deadlines go on.
  ///
  /// - Throws: STOR-015 when there is no such exchange, STOR-018 when nothing of it can be kept back any
  ///   more, STOR-022 when it is on hold already.
  package func hold(
    _ exchange: ExchangeID, by officer: String, reason: String, at now: Instant
  ) async throws(StoreError) -> HoldChange {
    try await commit { [self] db in
      let (number, state, key) = try openExchange(db, exchange)
      guard try !Store.isOnHold(db, number) else { throw StoreError.onHold(exchange) }
      let kept = try keepBack(db, exchange: number, at: now)
      guard [waitingState, "held"].contains(state) || !kept.isEmpty else {
        throw StoreError.notFinished(exchange)
      }
      try db.run("INSERT INTO hold VALUES (?, ?)", [number, now.milliseconds])
      return HoldChange(
        deliveries: kept,
        entry: try addEntry(
          db, exchange, number, key, holdDetail("hold-placed", officer, reason, kept), at: now))
    }
  }

  /// Ends a hold: everything goes on from where it was.
  ///
  /// - Throws: STOR-015 when there is no such exchange, STOR-018 when it is not on hold.
  package func endHold(
    _ exchange: ExchangeID, by officer: String, reason: String, at now: Instant
  ) async throws(StoreError) -> HoldChange {
    try await commit { [self] db in
      let (number, _, key) = try openExchange(db, exchange)
      guard try Store.isOnHold(db, number) else { throw StoreError.notFinished(exchange) }
      try db.run("DELETE FROM hold WHERE exchange = ?", [number])
      let released = try change(db, deliveriesOf: number) { $0.released() == .offer }
      return HoldChange(
        deliveries: released,
        entry: try addEntry(
          db, exchange, number, key, holdDetail("hold-ended", officer, reason, released), at: now))
    }
  }

  /// Keeps back what was not collected; answers which deliveries. A receipt tells its sender no more than
  /// codes of its own message, and goes on.
  func keepBack(
    _ db: Database, exchange number: Int64, at now: Instant
  ) throws -> [DeliveryID] {
    try change(db, deliveriesOf: number) { $0.heldBack(at: now) == .keepBack }
  }

  private func change(
    _ db: Database, deliveriesOf number: Int64, _ event: (inout Delivery) -> Bool
  ) throws -> [DeliveryID] {
    var changed: [DeliveryID] = []
    for row in try db.rows(
      """
      SELECT d.number, d.id FROM delivery d WHERE d.exchange = ?
        AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.delivery = d.id) ORDER BY d.number
      """, [number])
    {
      guard var open = try OpenDelivery(db, row.id("id", in: "delivery"), self),
        event(&open.delivery)
      else { continue }
      try open.writeState(db)
      changed.append(open.delivery.id)
    }
    return changed
  }

  static func isOnHold(_ db: Database, _ number: Int64) throws -> Bool {
    try db.number("SELECT 1 FROM hold WHERE exchange = ?", [number]) != nil
  }

  private func holdDetail(
    _ event: String, _ officer: String, _ reason: String, _ deliveries: [DeliveryID]
  ) -> JSONValue {
    [
      "event": .string(event), "by": .string(officer), "reason": .string(reason),
      "deliveries": .array(deliveries.map { .string($0.text) }),
    ]
  }

  private func openEnding(
    _ db: Database, _ exchange: ExchangeID
  ) throws -> (number: Int64, ending: Intake.Ending, key: OwnerKey) {
    let (number, _, key) = try openExchange(db, exchange)
    let row = try db.row("SELECT number, state, code FROM exchange WHERE number = ?", [number])
    guard let ending = try row?.ending() else { throw StoreError.notFinished(exchange) }
    return (number, ending, key)
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

  func addEntry(
    _ db: Database, _ exchange: ExchangeID, _ number: Int64, _ key: OwnerKey, _ detail: JSONValue,
    at now: Instant
  ) throws -> Int {
    try LeafDraft(
      .message, exchange: exchange, at: now, policy: try Store.policy(db), detail: detail, key: key,
      vault
    ).insert(db, exchange: number)
  }
}
