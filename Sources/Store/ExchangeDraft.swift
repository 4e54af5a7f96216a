import Exchange
import GRDB
import Rules

/// The rows of one new exchange, sealed before the transaction begins: the one writer has better things
/// to do than cryptography.
struct ExchangeDraft: Sendable {
  let exchange: ExchangeID
  let key: OwnerKey
  private let wrapped: Vault.WrappedKey
  private let carrier: CarrierKey
  private let receivedAt: Instant
  private let original: [UInt8]
  private let length: Int
  private let submission: [UInt8]?
  let submitterHash: [UInt8]?
  private let submissionHash: [UInt8]?

  init(
    _ exchange: ExchangeID, carrier: CarrierKey, receivedAt: Instant, original: [UInt8],
    submission: Submission? = nil, _ vault: Vault
  ) throws {
    self.exchange = exchange
    self.carrier = carrier
    self.receivedAt = receivedAt
    let (key, wrapped) = try vault.newKey(for: .exchange(exchange))
    (self.key, self.wrapped) = (key, wrapped)
    self.original = try key.seal(original, "original")
    length = original.count
    self.submission = try submission.map {
      try key.seal($0.json.canonicalBytes, "content.submission")
    }
    let party = submission?.submittedBy
    submitterHash = party.map { vault.lookup(.submitter, $0.text) }
    submissionHash = party.flatMap { party in
      submission?.localID.map { vault.lookup(.submission, party.text, $0) }
    }
  }

  /// Inserts the exchange in this state (`waiting`, or how it ends); answers its number.
  func insert(_ db: Database, as state: String) throws -> Int64 {
    try db.run(
      """
      INSERT INTO exchange (id, inbox, message, state, received_at, submitter, submission)
        VALUES (?, ?, ?, ?, ?, ?, ?)
      """,
      [
        exchange.text, carrier.inbox, carrier.message.text, state, receivedAt.milliseconds,
        Blob(submitterHash), Blob(submissionHash),
      ])
    let number = db.lastInsertedRowID
    try KeyTable.exchange.add(wrapped, db, number)
    try db.run("INSERT INTO original VALUES (?, ?, ?)", [number, length, Blob(original)])
    try db.run(
      "INSERT INTO content (number, submission) VALUES (?, ?)", [number, Blob(submission)])
    return number
  }
}

/// What a finished exchange keeps beside its original, sealed.
struct ContentDraft: Sendable {
  private(set) var sender: [UInt8]?
  private(set) var notification: [UInt8]?
  private(set) var verdict: [UInt8]?
  private(set) var decision: [UInt8]?

  init(
    sender: PartyID?, notification: Notification? = nil, verdict: Verdict? = nil,
    decision: Decision? = nil, _ key: OwnerKey
  ) throws {
    self.sender = try sender.map { try key.seal(Array($0.text.utf8), "content.sender") }
    self.notification = try notification.map { try key.seal($0.content, "content.notification") }
    self.verdict = try verdict.map { try key.seal($0, as: "content.verdict") }
    self.decision = try decision.map {
      try key.seal($0.json.canonicalBytes, "content.decision")
    }
  }

  func write(_ db: Database, _ number: Int64) throws {
    try db.run(
      """
      UPDATE content SET sender = ?, notification = ?, verdict = ?, decision = ? WHERE number = ?
      """, [Blob(sender), Blob(notification), Blob(verdict), Blob(decision), number])
  }
}
