package import Exchange
import GRDB

/// What parties put into our mailbox, and what they may ask of it.
extension Store {
  /// As `keepRaw`, for a message that has an id of its own, unless too many of its submitter's wait.
  ///
  /// - Parameter quota: how many messages of one party may wait to be opened.
  /// - Returns: false when nothing was kept.
  package func keepSubmission(
    _ key: CarrierKey, bytes: [UInt8], submission: Submission, quota: Int, at now: Instant
  ) async throws(StoreError) -> Bool {
    let draft: ExchangeDraft
    do {
      draft = try ExchangeDraft(
        .random(), carrier: key, receivedAt: now, original: bytes, submission: submission, vault)
    } catch { throw StoreError(reading: error) }
    return try await commit { db in try draft.insertWaiting(db, quota: quota) }
  }

  /// The message with this id that this party submitted; nil for others' alike.
  package func submission(
    _ message: CarrierMessageID, inbox: String, by party: PartyID
  ) async throws(StoreError) -> SubmissionView? {
    let submitter = vault.lookup(.submitter, party.text)
    return try await read { db in
      try db.row(
        "\(Store.submissionColumns) WHERE e.inbox = ? AND e.message = ? AND e.submitter = ?",
        [inbox, message.text, Blob(submitter)]
      ).flatMap { try submissionView(db, $0) }
    }
  }

  /// The newest messages with this local id that this party submitted; at most so many.
  package func submissions(
    localID: String, by party: PartyID, limit: Int = 2
  ) async throws(StoreError) -> [SubmissionView] {
    let hash = vault.lookup(.submission, party.text, localID)
    return try await read { db in
      try db.rows(
        "\(Store.submissionColumns) WHERE e.submission = ? ORDER BY e.number DESC LIMIT ?",
        [Blob(hash), limit]
      ).compactMap { try submissionView(db, $0) }
    }
  }

  /// What this party submitted, newest first.
  ///
  /// - Parameters:
  ///   - before: the place of the last one seen; nil to begin.
  ///   - since: nothing that came before it.
  package func submissions(
    by party: PartyID, before: Int64? = nil, since: Instant, limit: Int
  ) async throws(StoreError) -> [SubmissionView] {
    let hash = vault.lookup(.submitter, party.text)
    return try await read { db in
      try db.rows(
        """
        \(Store.submissionColumns) WHERE e.submitter = ? AND e.number < ? AND e.received_at >= ?
        ORDER BY e.number DESC LIMIT ?
        """, [Blob(hash), before ?? .max, since.milliseconds, limit]
      ).compactMap { try submissionView(db, $0) }
    }
  }

  private static let submissionColumns = """
    SELECT e.number, e.id, e.inbox, e.message, e.state, e.code, e.received_at, e.recorded_at,
      c.submission, coalesce(o.length, 0) AS length
    FROM exchange e LEFT JOIN content c USING (number) LEFT JOIN original o USING (number)
    """

  private func submissionView(_ db: Database, _ row: Row) throws -> SubmissionView? {
    let number = row.number("number") ?? 0
    let exchange: ExchangeID = try row.id("id", in: "exchange")
    guard let key = try exchangeKey(db, number, exchange), let submission = try row.submission(key)
    else { return nil }
    return SubmissionView(
      place: number, exchange: exchange, message: try row.id("message", in: "exchange"),
      submission: submission,
      receivedAt: row.instant("received_at") ?? Instant(milliseconds: 0),
      recordedAt: row.instant("recorded_at"), ending: try row.ending(),
      length: Int(row.number("length") ?? 0))
  }
}

extension ExchangeDraft {
  /// Inserts the exchange as one that waits; false when so many of its submitter's wait already.
  func insertWaiting(_ db: Database, quota: Int) throws -> Bool {
    if let submitterHash {
      // Reads the quota's number of index entries at most, and mostly none.
      let waiting = try db.number(
        """
        SELECT count(*) FROM (
          SELECT 1 FROM exchange WHERE state = 'waiting' AND submitter = ? LIMIT ?)
        """, [Blob(submitterHash), quota])
      guard Int(waiting ?? 0) < quota else { return false }
    }
    _ = try insert(db, as: waitingState)
    return true
  }
}
