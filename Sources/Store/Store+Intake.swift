package import Exchange
import GRDB

/// The state of a message that is kept and waits to be opened.
let waitingState = "waiting"

extension Store {
  /// Whether a carrier's message is in the store already: listed again, it only wants acknowledging.
  package func carrierMessage(_ key: CarrierKey) async throws(StoreError) -> KnownMessage? {
    try await read { db in
      let row = try db.row(
        "SELECT number, id, state, code FROM exchange WHERE inbox = ? AND message = ?",
        [key.inbox, key.message.text])
      return try row.map { row in
        let ending = try row.ending()
        return KnownMessage(
          exchange: try row.id("id", in: "exchange"), isFinished: ending != nil, ending: ending)
      }
    }
  }

  /// Counts a try at opening a message, durably, before the try: a message that ends the process is
  /// set aside at its third (`Intake.maximumAttempts`). Only used after an unclean exit.
  package func beginAttempt(_ key: CarrierKey) async throws(StoreError) -> Int {
    try await commit { db in
      let count = try db.number(
        """
        INSERT INTO attempt VALUES (?, ?, 1)
          ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count
        """, [key.inbox, key.message.text])
      return Int(count ?? 1)
    }
  }

  /// Keeps a message that was put into our mailbox, before the sender has its answer. `record`
  /// finishes it. A second time changes nothing.
  ///
  /// - Parameter exchange: the id it gets, unless it is kept already.
  /// - Returns: the id it has.
  package func keepRaw(
    _ key: CarrierKey, bytes: [UInt8], submission: Submission, at now: Instant,
    as exchange: ExchangeID = .random()
  ) async throws(StoreError) -> ExchangeID {
    let draft: ExchangeDraft
    do {
      draft = try ExchangeDraft(
        exchange, carrier: key, receivedAt: now, original: bytes, submission: submission, vault)
    } catch { throw StoreError(reading: error) }
    return try await commit { db in
      if let row = try db.row(
        "SELECT number, id FROM exchange WHERE inbox = ? AND message = ?",
        [key.inbox, key.message.text])
      {
        return try row.id("id", in: "exchange")
      }
      _ = try draft.insert(db, as: waitingState)
      return exchange
    }
  }

  /// Keeps what was downloaded at last of a message that had been given up and was put again: from here
  /// on it waits to be opened (`rawWaiting`). Changes nothing where its bytes are kept already.
  ///
  /// - Throws: STOR-015 when no such message waits.
  package func keepDownload(_ key: CarrierKey, bytes: [UInt8]) async throws(StoreError) {
    try await commit { [self] db in
      guard
        let row = try db.row(
          """
          SELECT e.number, e.id, o.length FROM exchange e JOIN original o USING (number)
          WHERE e.inbox = ? AND e.message = ? AND e.state = 'waiting'
          """, [key.inbox, key.message.text]), let number = row.number("number"),
        let owner = try exchangeKey(db, number, row.id("id", in: "exchange"))
      else { throw StoreError.unknown("waiting message \(key.message)") }
      guard row.number("length") == 0, !bytes.isEmpty else { return }
      try db.run(
        "UPDATE original SET length = ?, sealed = ? WHERE number = ?",
        [bytes.count, Blob(try owner.seal(bytes, "original")), number])
    }
  }

  /// Messages that are kept and not finished, oldest first. One whose bytes are still to be downloaded
  /// is not among them.
  ///
  /// - Parameters:
  ///   - after: the place of the last one seen; 0 to begin.
  ///   - limit: how many at most; each is held in memory.
  package func rawWaiting(after: Int64 = 0, limit: Int) async throws(StoreError) -> [RawMessage] {
    try await read { db in
      let rows = try db.rows(
        """
        SELECT e.number, e.id, e.inbox, e.message, e.received_at, e.recorded_at, o.sealed,
          c.submission, c.confirmations
        FROM exchange e JOIN original o USING (number) LEFT JOIN content c USING (number)
        WHERE e.state = 'waiting' AND o.length > 0 AND e.number > ?
          AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.exchange = e.number)
        ORDER BY e.number LIMIT ?
        """, [after, limit])
      return try rows.map { row in
        let number = row.number("number") ?? 0
        let exchange: ExchangeID = try row.id("id", in: "exchange")
        guard let key = try exchangeKey(db, number, exchange) else {
          throw StoreError.damaged(table: "exchange_key", number: number)
        }
        let submission = try row.submission(key)
        return RawMessage(
          place: number, exchange: exchange, carrier: try row.carrier(),
          bytes: try key.mustOpen(row.bytes("sealed") ?? [], "original", number),
          submittedBy: submission?.submittedBy, localID: submission?.localID,
          receivedAt: row.instant("received_at") ?? Instant(milliseconds: 0),
          confirmations: try row.confirmations(key), isRequeued: row.number("recorded_at") != nil)
      }
    }
  }

  /// The message as it was received; nil once erased. Throws STOR-015 when there is none.
  package func original(of exchange: ExchangeID) async throws(StoreError) -> [UInt8]? {
    try await read { db in
      guard
        let row = try db.row(
          """
          SELECT e.number, o.sealed FROM exchange e LEFT JOIN original o USING (number)
          WHERE e.id = ?
          """, [exchange.text]), let number = row.number("number")
      else { throw StoreError.unknown("exchange \(exchange)") }
      guard let sealed = row.bytes("sealed"), let key = try exchangeKey(db, number, exchange) else {
        return nil
      }
      return try key.mustOpen(sealed, "original", number)
    }
  }

  /// Whether a sender used an event id before. A look-up only: `record` asks again by itself.
  package func notificationKnown(
    source: PartyID, event: EventID, contentDigest: [UInt8]
  ) async throws(StoreError) -> NotificationMatch {
    let hashes = NotificationHashes(
      source: source, event: event, contentDigest: contentDigest, vault)
    return try await read { db in
      guard let known = try hashes.find(db) else { return .new }
      return known.isSame ? .same(known.exchange) : .different(known.exchange)
    }
  }
}

/// The hashes under which a notification is known for ever.
struct NotificationHashes: Sendable {
  let key: [UInt8]
  let content: [UInt8]

  init(source: PartyID, event: EventID, contentDigest: [UInt8], _ vault: Vault) {
    key = vault.lookup(.notification, source.text, event.text)
    content = vault.lookup(.content, [contentDigest])
  }

  /// The first exchange that carried this event id.
  func find(_ db: Database) throws -> (exchange: ExchangeID, number: Int64, isSame: Bool)? {
    try db.row(
      """
      SELECT e.number, e.id, n.content FROM notification n JOIN exchange e ON e.number = n.exchange
      WHERE n.key = ?
      """, [Blob(key)]
    ).map { row in
      (try row.id("id", in: "exchange"), row.number("number") ?? 0, row.bytes("content") == content)
    }
  }

  func insert(_ db: Database, exchange number: Int64) throws {
    try db.run(
      "INSERT INTO notification VALUES (?, ?, ?)", [Blob(key), Blob(content), number])
  }
}

/// Columns of `exchange` and `content`, read.
extension Row {
  func ending() throws -> Intake.Ending? {
    let state = text("state") ?? ""
    guard state != waitingState else { return nil }
    let words = [state, text("code")].compactMap { $0 }.joined(separator: " ")
    guard let ending = Intake.Ending(rawValue: words) else {
      throw StoreError.damaged(table: "exchange", number: number("number") ?? -1)
    }
    return ending
  }

  func carrier() throws -> CarrierKey {
    CarrierKey(inbox: text("inbox") ?? "", message: try id("message", in: "exchange"))
  }

  func submission(_ key: OwnerKey) throws -> Submission? {
    try bytes("submission").map { sealed in
      let number = number("number") ?? 0
      let json = try key.mustOpenJSON(sealed, "content.submission", number)
      guard let submission = Submission(json: json) else {
        throw StoreError.damaged(table: "content.submission", number: number)
      }
      return submission
    }
  }

  func confirmations(_ key: OwnerKey) throws -> Set<String> {
    guard let sealed = bytes("confirmations") else { return [] }
    let json = try key.mustOpenJSON(sealed, "content.confirmations", number("number") ?? 0)
    return Set((json.array ?? []).compactMap(\.string))
  }
}

extension Submission {
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "headers": .string(String(decoding: headers, as: UTF8.self))
    ]
    members["submittedBy"] = submittedBy.map { .string($0.text) }
    members["localID"] = localID.map { .string($0) }
    members["workflow"] = workflow.map { .string($0) }
    return .object(members)
  }

  init?(json: JSONValue) {
    guard let headers = json["headers"]?.string else { return nil }
    self.init(
      submittedBy: json["submittedBy"]?.string.flatMap(PartyID.init),
      localID: json["localID"]?.string, workflow: json["workflow"]?.string,
      headers: Array(headers.utf8))
  }
}
