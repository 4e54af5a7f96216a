package import Exchange
import GRDB

/// Lists of what is open, for operators.
extension Store {
  /// Copies in one state, newest first.
  ///
  /// - Parameters:
  ///   - party: only this recipient's.
  package func deliveries(
    in state: Delivery.State, party: PartyID? = nil, limit: Int
  ) async throws(StoreError) -> [DeliveryLine] {
    try await read { db in
      try db.rows(
        """
        SELECT d.number, d.id, d.party, e.id AS exchange_id, e.recorded_at,
          EXISTS (SELECT 1 FROM hold h WHERE h.exchange = e.number) AS on_hold
        FROM delivery d JOIN exchange e ON e.number = d.exchange
        WHERE d.state = ? AND (? IS NULL OR d.party = ?) ORDER BY d.number DESC LIMIT ?
        """, [state.rawValue, party?.text, party?.text, limit]
      ).map { row in
        DeliveryLine(
          delivery: try row.id("id", in: "delivery"),
          exchange: try row.id("exchange_id", in: "exchange"),
          party: try row.id("party", in: "delivery"),
          since: row.instant("recorded_at") ?? Instant(milliseconds: 0), state: state,
          isOnHold: row.number("on_hold") == 1)
      }
    }
  }

  /// How many copies wait to be collected, by recipient and age.
  ///
  /// - Parameter limits: the upper ends of the buckets, rising; what is older goes into one more.
  package func queueShape(
    at now: Instant, limits: [Duration]
  ) async throws(StoreError) -> [QueueShapeLine] {
    let ages = limits.map { Int64($0 / .milliseconds(1)) }
    let passed = repeatElement("(? - e.recorded_at >= ?)", count: ages.count)
    let bounds = StatementArguments(ages.flatMap { [now.milliseconds, $0] })
    return try await read { [self] db in
      var lines: [PartyID: QueueShapeLine] = [:]
      let empty = Array(repeating: 0, count: ages.count + 1)
      for row in try db.rows(
        """
        SELECT d.number, d.party, \(passed.joined(separator: " + ")) AS bucket, count(*) AS count
        FROM delivery d JOIN exchange e ON e.number = d.exchange WHERE d.listed = 1 GROUP BY 2, 3
        """, bounds)
      {
        let party: PartyID = try row.id("party", in: "delivery")
        lines[party, default: QueueShapeLine(party: party, buckets: empty, onHold: 0)]
          .buckets[Int(row.number("bucket") ?? 0)] += Int(row.number("count") ?? 0)
      }
      // What is on hold is not listed, and waits all the same.
      for row in try db.rows(
        """
        SELECT d.number, d.id, e.recorded_at FROM hold h JOIN exchange e ON e.number = h.exchange
          JOIN delivery d ON d.exchange = e.number WHERE d.listed = 0
        """)
      {
        guard let open = try OpenDelivery(db, row.id("id", in: "delivery"), self),
          open.delivery.onHoldSince != nil
        else { continue }
        let age = now.milliseconds - (row.number("recorded_at") ?? now.milliseconds)
        let party = open.delivery.recipient
        var line = lines[party] ?? QueueShapeLine(party: party, buckets: empty, onHold: 0)
        line.buckets[ages.firstIndex { age < $0 } ?? ages.count] += 1
        line.onHold += 1
        lines[party] = line
      }
      return lines.values.sorted { ($1.total, $0.party.text) < ($0.total, $1.party.text) }
    }
  }

  /// Deadlines that run, the soonest due first; those that are overdue begin the list.
  package func deadlinesRunning(limit: Int) async throws(StoreError) -> [RunningDeadline] {
    try await read { db in
      let numbers = try db.rows(
        """
        SELECT number, exchange FROM deadline
        WHERE state IN ('owed', 'reminded', 'overdue', 'escalated')
        ORDER BY next_clock IS NOT NULL, next_clock, number LIMIT ?
        """, [limit])
      return try numbers.compactMap { row -> RunningDeadline? in
        guard
          let full = try db.row(
            "\(Store.deadlineColumns) WHERE l.number = ?", [row.number("number")]),
          let view = try deadlineView(db, full)
        else { return nil }
        return RunningDeadline(
          view: view, isOnHold: try Store.isOnHold(db, row.number("exchange") ?? 0))
      }.sorted {
        ($0.limit, $0.view.number.value) < ($1.limit, $1.view.number.value)
      }
    }
  }
}

/// One line of a list of deliveries.
package struct DeliveryLine: Equatable, Sendable {
  package let delivery: DeliveryID
  package let exchange: ExchangeID
  /// The recipient.
  package let party: PartyID
  /// When the exchange was decided.
  package let since: Instant
  package let state: Delivery.State
  package let isOnHold: Bool
}

/// How many copies wait for one recipient, by age.
package struct QueueShapeLine: Equatable, Sendable {
  package let party: PartyID
  /// The youngest first.
  package var buckets: [Int]
  /// Of all of them, those that an operator keeps back.
  package var onHold: Int

  package var total: Int { buckets.reduce(0, +) }
}

/// A deadline that nobody has met or withdrawn yet.
package struct RunningDeadline: Equatable, Sendable {
  package let view: DeadlineView
  /// What it is owed for is kept back by an operator: the deadline goes on.
  package let isOnHold: Bool

  /// The first moment that is too late.
  package var limit: Instant { view.deadline.schedule.due.limit }
}
