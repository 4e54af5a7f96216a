package import Exchange
import GRDB
import Ledger

/// What happened, entry by entry of the ledger, in words that hold no content: `tail` and `show`.
extension Store {
  /// Events in order, from one entry on.
  package func events(from first: Int, limit: Int) async throws(StoreError) -> [LedgerEvent] {
    try await read { db in
      try db.rows(
        "\(Store.eventColumns) WHERE l.number >= ? ORDER BY l.number LIMIT ?", [first, limit]
      ).map { try event(db, $0) }
    }
  }

  /// The events of one exchange, oldest first.
  package func events(
    of exchange: ExchangeID, limit: Int = 1000
  ) async throws(StoreError) -> [LedgerEvent] {
    try await read { db in
      try db.rows(
        "\(Store.eventColumns) WHERE e.id = ? ORDER BY l.number LIMIT ?", [exchange.text, limit]
      ).map { try event(db, $0) }
    }
  }

  /// The first entry that was written at or after a moment; one past the last where there is none.
  package func firstEntry(since moment: Instant) async throws(StoreError) -> Int {
    try await read { db in
      var (low, high) = (0, try Store.leafCount(db))
      // Entries are written in the order of their times, but for what the clock was set back.
      while low < high {
        let middle = (low + high) / 2
        let bytes = try db.row("SELECT number, bytes FROM leaf WHERE number = ?", [middle])?
          .bytes("bytes")
        guard let bytes, let time = Instant(try LedgerEntry(bytes).time) else {
          throw StoreError.damaged(table: "leaf", number: Int64(middle))
        }
        if time < moment { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  private static let eventColumns = """
    SELECT l.number, l.exchange, l.bytes, d.sealed, e.id, c.sender, c.notification
    FROM leaf l LEFT JOIN leaf_detail d USING (number)
      LEFT JOIN exchange e ON e.number = l.exchange LEFT JOIN content c ON c.number = l.exchange
    """

  private func event(_ db: Database, _ row: Row) throws -> LedgerEvent {
    let number = row.number("number") ?? 0
    guard let bytes = row.bytes("bytes"), let time = Instant(try LedgerEntry(bytes).time) else {
      throw StoreError.damaged(table: "leaf", number: number)
    }
    var event = LedgerEvent(entry: Int(number), time: time, event: "erased")
    event.exchange = row.text("id").flatMap(ExchangeID.init)
    if let exchangeNumber = row.number("exchange"), let exchange = event.exchange,
      let key = try exchangeKey(db, exchangeNumber, exchange)
    {
      event.sender = try row.sender(key)
      event.type = try row.bytes("notification").map {
        try key.notification($0, exchangeNumber).type
      }
    }
    guard let sealed = row.bytes("sealed"), let key = try leafKey(db, row, bytes) else {
      return event
    }
    let opened = try key.mustOpen(sealed, LeafDraft.column(of: bytes), number)
    // What we wrote ourselves may be longer than what we take from others.
    let limits = JSONLimits(bytes: opened.count, depth: 32)
    guard let detail = try? JSONValue.parse(opened.dropFirst(32), limits: limits) else {
      throw StoreError.damaged(table: "leaf_detail", number: number)
    }
    event.take(detail, class: try LedgerEntry(bytes).eventClass)
    return event
  }
}

/// One thing that happened: who, to whom, what state, which code. Never content, reasons in words, or who
/// of the operators acted.
package struct LedgerEvent: Equatable, Sendable {
  package let entry: Int
  package let time: Instant
  /// `decided`, `received`, `collected`, `answered`, `deadline-met`, `requeued`, `started`, …; `erased` where
  /// nobody can tell any more.
  package var event: String
  /// Nil for what concerns the program.
  package var exchange: ExchangeID?
  package var type: NotificationType?
  package var sender: PartyID?
  package var recipients: [PartyID] = []
  package var delivery: DeliveryID?
  /// Of the exchange, the delivery or the deadline, by what happened.
  package var state: String?
  /// For what it is held, set aside or withdrawn.
  package var code: String?

  init(entry: Int, time: Instant, event: String) {
    (self.entry, self.time, self.event) = (entry, time, event)
  }

  fileprivate mutating func take(_ detail: JSONValue, class eventClass: LedgerEntry.EventClass) {
    let word = detail["event"]?.string ?? "unknown"
    event = eventClass == .deadline ? "deadline-\(word)" : word
    if let ending = detail["ending"]?.string.flatMap(Intake.Ending.init(rawValue:)) {
      (state, code) = (ending.word, ending.code ?? detail["decision"]?.refusalRule)
    } else {
      state = detail["state"]?.string
      code = detail["rule"]?.string ?? detail["code"]?.string
      // Of a delivery the reason is a code; of an operator's act it is words.
      if eventClass == .delivery { code = detail["reason"]?.string }
    }
    sender = sender ?? detail["sender"]?.string.flatMap(PartyID.init)
    type = type ?? detail["decision"]?["type"]?.string.flatMap(NotificationType.init)
    delivery = detail["delivery"]?.string.flatMap(DeliveryID.init)
    let told = detail["deliveries"]?.array?.compactMap { $0["party"]?.string } ?? []
    let one = [detail["party"]?.string ?? detail["owedBy"]?.string].compactMap { $0 }
    recipients = (told + one).compactMap(PartyID.init)
  }
}

extension JSONValue {
  /// The rule of the first reason of a decision to refuse.
  fileprivate var refusalRule: String? {
    guard self["outcome"]?.string == "refused" else { return nil }
    return self["reasons"]?.array?.first?["rule"]?.string
  }
}
