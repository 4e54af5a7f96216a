package import Exchange
import GRDB
import Ledger

extension Store {
  /// Erases what one exchange held: its key is destroyed where it lies, what it opened is deleted, and
  /// the write-ahead log is truncated, so that no file of the store has a copy. Ids, states, times, the
  /// hash of the sender's id and the ledger's entries stay, and say nothing any more.
  ///
  /// The id goes into a list outside the database first, so that a restored backup forgets it again.
  /// Erasing twice is good for one whose log could not be truncated.
  ///
  /// - Parameter reason: a code of the retention rules or the officer's list.
  /// - Throws: STOR-015 when there is none; STOR-018 while a copy (not a receipt) lies uncollected, a clock runs, or it
  ///   waits; STOR-019 when a reader kept the log from being truncated.
  package func erase(
    _ exchange: ExchangeID, by officer: String, reason: String, at now: Instant
  ) async throws(StoreError) {
    try await commit { [self] db in
      let row = try db.row(
        "SELECT number, state, erased_at FROM exchange WHERE id = ?", [exchange.text]
      ).orThrow(.unknown("exchange \(exchange)"))
      let number = row.number("number") ?? 0
      guard row.number("erased_at") == nil else { return }
      let open = try db.number(
        """
        SELECT (SELECT count(*) FROM delivery WHERE exchange = ? AND next_clock IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.delivery = delivery.id))
          + (SELECT count(*) FROM deadline WHERE exchange = ? AND next_clock IS NOT NULL)
        """, [number, number])
      guard open == 0, !["held", waitingState].contains(row.text("state") ?? "") else {
        throw StoreError.notFinished(exchange)
      }
      let known = try Erasures(directory: directory).append(exchange)
      try Erasures.erase(exchange, at: now, db)
      try Meta.set("erasures-known", to: known, db)
      _ = try addEntry(
        db, .message, exchange, of: number,
        detail: ["event": "erased", "by": .string(officer), "reason": .string(reason)], at: now)
    }
    try await truncateLog()
  }

  /// Writes the write-ahead log into the database and empties it. Throws STOR-019 while a reader of
  /// another process holds it.
  package func truncateLog() async throws(StoreError) {
    do {
      try await pool.writeWithoutTransaction { db in
        _ = try db.checkpoint(.truncate)
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      throw .eraseIncomplete
    } catch { throw StoreError(writing: error) }
  }
}
