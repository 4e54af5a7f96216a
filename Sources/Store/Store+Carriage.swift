package import Exchange
import GRDB

/// What happened to a delivery on its way by a carrier.
package enum CarriageEvent: Equatable, Sendable {
  case began
  /// - Parameter message: the carrier's id of it.
  case sent(CarrierMessageID)
  /// - Parameter code: why; never free text.
  case notSent(code: String)
  /// - Parameter message: the post that came back, where the carrier names it.
  case returned(CarrierMessageID?, code: String)
}

/// A delivery that a carrier's worker is to look at.
package struct DueCarriage: Equatable, Sendable {
  package let delivery: DeliveryID
  package let party: PartyID
}

/// Deliveries to parties whose mailboxes are at other services. Committed like any other; from there a
/// worker carries each to its carrier.
extension Store {
  /// Hands to a carrier what waits for these parties and is with none yet, oldest first, a thousand a party
  /// at a time.
  ///
  /// - Returns: whether there was any.
  @discardableResult
  package func enrol(
    _ parties: [PartyID], with carrier: String
  ) async throws(StoreError) -> Bool {
    let isNew = try await read { db in
      try parties.contains { try !Store.notEnrolled(db, $0, limit: 1).isEmpty }
    }
    guard isNew else { return false }
    return try await commit { db in
      for party in parties {
        for number in try Store.notEnrolled(db, party, limit: 1000) {
          try db.run(
            "INSERT INTO carriage (number, carrier, state, next_at) VALUES (?, ?, 'queued', 0)",
            [number, carrier])
        }
      }
      return true
    }
  }

  /// What left for its carrier is listed no more, so that few are looked through.
  private static func notEnrolled(
    _ db: Database, _ party: PartyID, limit: Int
  ) throws -> [Int64] {
    try db.rows(
      """
      SELECT number FROM delivery d WHERE party = ? AND listed = 1
        AND NOT EXISTS (SELECT 1 FROM carriage c WHERE c.number = d.number)
      ORDER BY place LIMIT ?
      """, [party.text, limit]
    ).compactMap { $0.number("number") }
  }

  /// What a carrier's worker is to look at now, the longest due first.
  package func carriagesDue(
    by carrier: String, before now: Instant, limit: Int
  ) async throws(StoreError) -> [DueCarriage] {
    try await read { db in
      try db.rows(
        """
        SELECT d.number, d.id, d.party FROM carriage c JOIN delivery d USING (number)
        WHERE c.carrier = ? AND c.next_at <= ? ORDER BY c.next_at, c.number LIMIT ?
        """, [carrier, now.milliseconds, limit]
      ).map { row in
        DueCarriage(
          delivery: try row.id("id", in: "delivery"), party: try row.id("party", in: "delivery"))
      }
    }
  }

  /// The delivery that a carrier speaks of: by its own id of the post, else by ours.
  package func delivery(
    carriedBy carrier: String, message: CarrierMessageID?, localID: String?
  ) async throws(StoreError) -> DeliveryID? {
    try await read { db in
      var row: Row?
      if let message {
        row = try db.row(
          """
          SELECT d.number, d.id FROM carriage c JOIN delivery d USING (number)
          WHERE c.carrier = ? AND c.message = ?
          """, [carrier, message.text])
      }
      if row == nil, let id = localID.flatMap({ DeliveryID($0) }) {
        row = try db.row(
          """
          SELECT d.number, d.id FROM carriage c JOIN delivery d USING (number)
          WHERE c.carrier = ? AND d.id = ?
          """, [carrier, id.text])
      }
      return try row?.id("id", in: "delivery")
    }
  }

  /// Tells a delivery what happened on its way, and records what it says; durable before it returns.
  ///
  /// - Parameter next: when its worker looks at it again, unless nothing is left to do.
  /// - Throws: STOR-015 for one that is unknown, erased, or of no carrier.
  package func carried(
    _ id: DeliveryID, _ event: CarriageEvent, next: Instant, at now: Instant
  ) async throws(StoreError) -> Carriage.Action {
    try await commit { [self] db in
      var open = try OpenDelivery(db, id, self).orThrow(.unknown("delivery \(id)"))
      guard
        let carrier = try db.row(
          "SELECT carrier FROM carriage WHERE number = ?", [open.number])?.text("carrier")
      else { throw StoreError.unknown("carriage of \(id)") }
      let action = open.delivery.apply(event, at: now)
      switch action {
      case .none, .refuse, .lookUp: break
      case .post, .recordSent, .alarmSentAfterEnd, .recordFailure, .sendAgain:
        try open.write(db, event: event.word, at: now, more: event.detail(carrier), self)
      }
      // What is over is not looked at again.
      try db.run(
        "UPDATE carriage SET next_at = iif(state = 'done', NULL, ?) WHERE number = ?",
        [next.milliseconds, open.number])
      if case .sent(let message) = event, action != .refuse {
        try db.run(
          "UPDATE carriage SET message = ? WHERE number = ?", [message.text, open.number])
      }
      return action
    }
  }

  /// Looks at a delivery's carriage again at this moment, and not before. Nil: never, nothing is left to
  /// do for it (it was erased, or had ended before it was posted).
  package func carriageWaits(
    _ id: DeliveryID, until next: Instant?
  ) async throws(StoreError) {
    try await commit { db in
      try db.run(
        """
        UPDATE carriage SET next_at = ?1, state = iif(?1 IS NULL, 'done', state)
        WHERE number = (SELECT number FROM delivery WHERE id = ?2)
        """, [next?.milliseconds, id.text])
    }
  }
}

extension Delivery {
  fileprivate mutating func apply(_ event: CarriageEvent, at now: Instant) -> Carriage.Action {
    switch event {
    case .began: sendBegan(at: now)
    case .sent(let message): sent(as: message, at: now)
    case .notSent(let code): notSent(code: code, at: now)
    case .returned(let message, let code): returned(message, code: code, at: now)
    }
  }

  /// As the table of carriages has it.
  var carriageWord: String {
    isCarriageDone ? "done" : carriage?.state.rawValue ?? "queued"
  }
}

extension CarriageEvent {
  fileprivate var word: String {
    switch self {
    case .began: "send-began"
    case .sent: "sent"
    case .notSent: "not-sent"
    case .returned: "returned"
    }
  }

  fileprivate func detail(_ carrier: String) -> [String: JSONValue] {
    var members: [String: JSONValue] = ["carrier": .string(carrier)]
    switch self {
    case .began: break
    case .sent(let message): members["message"] = .string(message.text)
    case .notSent(let code): members["code"] = .string(code)
    case .returned(let message, let code):
      members["code"] = .string(code)
      members["message"] = message.map { .string($0.text) }
    }
    return members
  }
}
