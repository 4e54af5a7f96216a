package import Exchange
import GRDB

/// An upload as its sender began it.
package struct NewUpload: Sendable {
  package let message: CarrierMessageID
  package let submitter: PartyID
  /// What the finished message will say of itself.
  package let submission: Submission
  /// Above 1.
  package let total: Int
  /// How its parts are coded on the wire.
  package let encoding: String?
  package let firstPart: [UInt8]

  package init(
    message: CarrierMessageID, submitter: PartyID, submission: Submission, total: Int,
    encoding: String?, firstPart: [UInt8]
  ) {
    (self.message, self.submitter, self.submission) = (message, submitter, submission)
    (self.total, self.encoding, self.firstPart) = (total, encoding, firstPart)
  }
}

/// A message of which parts are still missing.
package struct UploadView: Equatable, Sendable {
  package let message: CarrierMessageID
  package let submission: Submission
  package let total: Int
  package let encoding: String?
  package let openedAt: Instant
  /// Bytes of each part that is kept, by its number.
  package let lengths: [Int: Int]
  /// Rises with each part that is kept.
  let revision: Int64
  let number: Int64
  let exchange: ExchangeID
}

/// What became of an upload with its last part.
package enum UploadEnd: Equatable, Sendable {
  /// Kept whole, and waits to be opened.
  case whole
  case overQuota
  /// A part was sent again, or the upload dropped, at the same moment: nothing was done. Look again.
  case moved
}

/// Messages that come in parts, until they are whole. Each part is durable when its call returns, and
/// nobody but its submitter can ask for anything of it.
extension Store {
  /// Begins an upload with its first part; false when the submitter has so many open already.
  package func openUpload(
    _ upload: NewUpload, quota: Int, at now: Instant
  ) async throws(StoreError) -> Bool {
    let exchange = ExchangeID.random()
    let submitter = vault.lookup(.submitter, upload.submitter.text)
    let submission = upload.submission.localID.map {
      vault.lookup(.submission, upload.submitter.text, $0)
    }
    let key: (OwnerKey, Vault.WrappedKey)
    let content: [UInt8]
    let part: [UInt8]
    do {
      key = try vault.newKey(for: .exchange(exchange))
      content = try key.0.seal(upload.submission.json.canonicalBytes, "upload.content")
      part = try key.0.seal(upload.firstPart, Store.partName(1))
    } catch { throw StoreError(reading: error) }
    let (wrapped, length) = (key.1, upload.firstPart.count)
    return try await commit { db in
      let open = try db.number("SELECT count(*) FROM upload WHERE submitter = ?", [Blob(submitter)])
      guard Int(open ?? 0) < quota else { return false }
      try db.run(
        """
        INSERT INTO upload
          (exchange, message, submitter, submission, content, total, encoding, opened_at)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          exchange.text, upload.message.text, Blob(submitter), Blob(submission), Blob(content),
          upload.total, upload.encoding, now.milliseconds,
        ])
      let number = db.lastInsertedRowID
      try KeyTable.upload.add(wrapped, db, number)
      try db.run("INSERT INTO upload_part VALUES (?, 1, ?, ?)", [number, length, Blob(part)])
      return true
    }
  }

  /// An open upload of this party; nil for others' and unknown ones alike.
  package func upload(
    _ message: CarrierMessageID, by party: PartyID
  ) async throws(StoreError) -> UploadView? {
    try await uploads("WHERE message = ? AND submitter = ?", [message.text], by: party, limit: 1)
      .first
  }

  /// The open uploads of this party, newest first; at most so many.
  package func uploads(
    by party: PartyID, since: Instant, limit: Int
  ) async throws(StoreError) -> [UploadView] {
    try await uploads(
      "WHERE opened_at >= ? AND submitter = ?", [since.milliseconds], by: party, limit: limit)
  }

  /// The open uploads of this party with this local id, newest first; at most so many.
  package func uploads(
    localID: String, by party: PartyID, limit: Int = 2
  ) async throws(StoreError) -> [UploadView] {
    let hash = vault.lookup(.submission, party.text, localID)
    return try await uploads(
      "WHERE submission = ? AND submitter = ?", [Blob(hash)], by: party, limit: limit)
  }

  private func uploads(
    _ condition: String, _ first: [any DatabaseValueConvertible & Sendable], by party: PartyID,
    limit: Int
  ) async throws(StoreError) -> [UploadView] {
    let submitter = vault.lookup(.submitter, party.text)
    return try await read { db in
      try db.rows(
        """
        SELECT number, exchange, message, content, total, encoding, opened_at, revision
        FROM upload \(condition) ORDER BY number DESC LIMIT ?
        """, StatementArguments(first) + [Blob(submitter), limit]
      ).compactMap { row in
        let number = row.number("number") ?? 0
        let exchange: ExchangeID = try row.id("exchange", in: "upload")
        guard let key = try uploadKey(db, number, exchange),
          let submission = try row.bytes("content").flatMap({
            Submission(json: try key.mustOpenJSON($0, "upload.content", number))
          })
        else { return nil }
        let parts = try db.rows("SELECT part, length FROM upload_part WHERE upload = ?", [number])
        return UploadView(
          message: try row.id("message", in: "upload"), submission: submission,
          total: Int(row.number("total") ?? 0), encoding: row.text("encoding"),
          openedAt: row.instant("opened_at") ?? Instant(milliseconds: 0),
          lengths: Dictionary(
            parts.map { (Int($0.number("part") ?? 0), Int($0.number("length") ?? 0)) }
          ) { _, last in last },
          revision: row.number("revision") ?? 0, number: number, exchange: exchange)
      }
    }
  }

  /// Keeps a part, in the place of its earlier copy if there is one; false when the upload has ended
  /// meanwhile.
  package func keepPart(
    _ part: Int, _ bytes: [UInt8], of upload: UploadView
  ) async throws(StoreError) -> Bool {
    guard let key = try await key(of: upload) else { return false }
    let sealed: [UInt8]
    do { sealed = try key.seal(bytes, Store.partName(part)) } catch {
      throw StoreError(reading: error)
    }
    let length = bytes.count
    return try await commit { db in
      try db.run(
        "UPDATE upload SET revision = revision + 1 WHERE number = ? AND exchange = ?",
        [upload.number, upload.exchange.text])
      guard db.changesCount == 1 else { return false }
      try db.run(
        """
        INSERT INTO upload_part VALUES (?, ?, ?, ?)
          ON CONFLICT DO UPDATE SET length = excluded.length, sealed = excluded.sealed
        """, [upload.number, part, length, Blob(sealed)])
      return true
    }
  }

  /// Makes the message whole with its last part: in one commit it is kept as any other that came to our
  /// mailbox, and its parts are gone.
  ///
  /// - Parameters:
  ///   - upload: with every part but the last.
  ///   - inbox: how our mailbox is called among the inboxes.
  ///   - quota: how many messages of one party may wait to be opened.
  package func finishUpload(
    _ upload: UploadView, lastPart: [UInt8], inbox: String, quota: Int, at now: Instant
  ) async throws(StoreError) -> UploadEnd {
    guard let key = try await key(of: upload) else { return .moved }
    var whole: [UInt8] = []
    whole.reserveCapacity(upload.lengths.values.reduce(lastPart.count, +))
    for part in 1..<upload.total {
      let sealed = try await read { db in
        try db.row(
          "SELECT sealed FROM upload_part WHERE upload = ? AND part = ?", [upload.number, part])?
          .bytes("sealed")
      }
      guard let sealed else { return .moved }
      // Another upload may have got the number: its parts do not open under this key.
      guard let bytes = key.open(sealed, Store.partName(part)) else { return .moved }
      whole += bytes
    }
    whole += lastPart
    let draft: ExchangeDraft
    do {
      draft = try ExchangeDraft(
        upload.exchange, carrier: CarrierKey(inbox: inbox, message: upload.message),
        receivedAt: now, original: whole, submission: upload.submission, vault)
    } catch { throw StoreError(reading: error) }
    return try await commit { db in
      let revision = try db.number(
        "SELECT revision FROM upload WHERE number = ? AND exchange = ?",
        [upload.number, upload.exchange.text])
      guard revision == upload.revision else { return .moved }
      guard try draft.insertWaiting(db, quota: quota) else { return .overQuota }
      try Store.dropUpload(db, upload.number)
      return .whole
    }
  }

  /// Drops uploads that were begun before a moment and never finished, with their keys.
  ///
  /// - Returns: how many; at most `limit`.
  package func dropUploads(
    openedBefore moment: Instant, limit: Int
  ) async throws(StoreError) -> Int {
    let due = try await read { db in
      try db.rows(
        "SELECT number FROM upload WHERE opened_at < ? ORDER BY opened_at LIMIT ?",
        [moment.milliseconds, limit]
      ).compactMap { $0.number("number") }
    }
    guard !due.isEmpty else { return 0 }
    return try await commit { db in
      for number in due {
        // One that ended since, and whose number another upload got, is too young.
        let isDue = try db.number(
          "SELECT 1 FROM upload WHERE number = ? AND opened_at < ?",
          [number, moment.milliseconds])
        if isDue != nil { try Store.dropUpload(db, number) }
      }
      return due.count
    }
  }

  private static func dropUpload(_ db: Database, _ number: Int64) throws {
    try KeyTable.upload.destroy(db, number)
    for (table, column) in [
      ("upload_part", "upload"), ("upload", "number"), ("upload_key", "number"),
    ] {
      try db.run("DELETE FROM \(table) WHERE \(column) = ?", [number])
    }
  }

  private static func partName(_ part: Int) -> String { "upload_part \(part)" }

  private func key(of upload: UploadView) async throws(StoreError) -> OwnerKey? {
    try await read { db in try uploadKey(db, upload.number, upload.exchange) }
  }

  private func uploadKey(
    _ db: Database, _ number: Int64, _ exchange: ExchangeID
  ) throws -> OwnerKey? {
    // The number may be another's by now, whose key opens for that one alone.
    do {
      return try KeyTable.upload.key(db, number, of: .exchange(exchange), vault)
    } catch StoreError.wrongKey { return nil }
  }
}
