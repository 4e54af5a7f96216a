import Exchange
import GRDB
import Ledger
import Rules

/// One record with everything sealed that can be sealed before the transaction begins.
struct RecordDraft: Sendable {
  let store: Store
  let record: IntakeRecord
  /// The rows of a message that is not kept yet; nil for one that is.
  private let newExchange: ExchangeDraft?
  private let key: OwnerKey
  private let content: ContentDraft
  private let attachments: AttachmentDraft
  private let leaf: LeafDraft
  private let hashes: NotificationHashes?
  private let deliveries: [DeliveryDraft]
  private let deadlines: [DeadlineDraft]
  private let receipt: ReceiptDraft?

  /// - Parameter kept: the key of the message when it is kept already.
  init(_ record: IntakeRecord, kept: OwnerKey?, _ store: Store) throws {
    let policy = try record.policy ?? store.policy.orThrow(StoreError.policyUnknown)
    let vault = store.vault
    self.store = store
    self.record = record
    if let kept {
      (key, newExchange) = (kept, nil)
    } else {
      let draft = try ExchangeDraft(
        record.exchange, carrier: record.carrier, receivedAt: record.receivedAt,
        original: record.original, vault)
      (key, newExchange) = (draft.key, draft)
    }
    let (key, time) = (key, record.recordedAt)
    content = try ContentDraft(
      sender: record.sender, notification: record.notification, verdict: record.verdict,
      decision: record.decided?.decision, key)
    attachments = try AttachmentDraft(record.attachmentsToKeep, key)
    hashes = record.notification.flatMap { notification in
      record.verdict.map { verdict in
        NotificationHashes(
          source: notification.source, event: notification.id,
          contentDigest: verdict.contentDigest, vault)
      }
    }
    deliveries = try record.copies.map {
      try DeliveryDraft($0, at: time, key)
    }
    deadlines = try (record.decided?.deadlines ?? []).map { try DeadlineDraft($0, key) }
    receipt = try record.receipt.map { try ReceiptDraft($0, key: key, store) }
    leaf = try LeafDraft(
      .message, exchange: record.exchange, at: time, policy: policy, detail: record.detail,
      key: key, vault)
  }

  /// Writes it, inside a transaction; what it finds to be stale it leaves untouched.
  func write(_ db: Database) throws -> RecordResult {
    let known = try db.row(
      "SELECT number, id, state, code FROM exchange WHERE inbox = ? AND message = ?",
      [record.carrier.inbox, record.carrier.message.text])
    if let known {
      let id: ExchangeID = try known.id("id", in: "exchange")
      let state = known.text("state")
      let isOpen = state == waitingState || (state == "held" && record.mayFollowHold)
      guard id == record.exchange && isOpen else {
        guard state != waitingState else { throw StoreError.malformedRecord("exchange") }
        return .duplicate(of: id)
      }
    }
    guard (known == nil) == (newExchange != nil) else {
      throw StoreError.malformedRecord("carrier")
    }
    let number = known?.number("number")
    if let hashes, let earlier = try hashes.find(db), earlier.number != number {
      return try writeRepeat(db, number, of: earlier)
    }
    guard let decided = record.decided else {
      guard try isStillUnknown(db) else { return .stale }
      return try finish(db, number, subjectCase: try heldCase(db))
    }
    guard try Store.policy(db) == record.policy else { return .stale }
    let writer = CaseWriter(
      store: store, record: decided, exchange: record.exchange, now: record.recordedAt)
    switch try writer.write(db) {
    case .stale: return .stale
    case .written(let row, let version):
      return try finish(db, number, subjectCase: row.map { ($0, version) })
    }
  }

  private typealias CaseRow = (number: Int64, version: Int?)

  private func finish(
    _ db: Database, _ kept: Int64?, subjectCase: CaseRow?
  ) throws -> RecordResult {
    if let kept, try isUnchanged(db, kept, subjectCase) {
      try noteLook(db, kept)
      return .unchanged
    }
    let number = try kept ?? insertExchange(db, record.ending)
    try content.write(db, number)
    try attachments.insert(db, exchange: number)
    if let hashes, kept == nil { try hashes.insert(db, exchange: number) }
    if let hashes, kept != nil, try hashes.find(db) == nil {
      try hashes.insert(db, exchange: number)
    }
    var first: Int64?
    if case .duplicate(let earlier, _) = record.outcome {
      first = try db.number("SELECT number FROM exchange WHERE id = ?", [earlier.text])
    }
    try end(db, number, record.ending, first: first, subjectCase: subjectCase)
    for identifier in record.awaited {
      try db.run(
        "INSERT INTO awaited VALUES (?, ?) ON CONFLICT DO NOTHING",
        [Blob(IdentifierHash(identifier, store.vault).key), number])
    }
    var numbers: [DeliveryID: Int64] = [:]
    for delivery in deliveries {
      numbers[delivery.id] = try delivery.insert(db, exchange: number)
      if let subjectCase { try makeKnown(db, to: delivery.party, subjectCase.number) }
    }
    for deadline in deadlines {
      try deadline.insert(
        db, exchange: number, deliveries: numbers, subjectCase: subjectCase?.number)
    }
    let entry = try leaf.insert(db, exchange: number)
    try receipt?.insert(db, exchange: number, leaf: entry, first: first, at: record.recordedAt)
    if let decided = record.decided { try follow(db, decided) }
    // Put on hold while it was being opened: what came of it waits too.
    if kept != nil, try Store.isOnHold(db, number) {
      _ = try store.keepBack(db, exchange: number, at: record.recordedAt)
    }
    return .recorded(leaf: entry)
  }

  /// What the notification does to earlier deliveries and clocks.
  private func follow(_ db: Database, _ decided: DecidedRecord) throws {
    if let answered = decided.answers {
      try store.answer(
        db, answered, by: decided.notification, receivedAt: record.receivedAt,
        now: record.recordedAt)
    }
    for change in decided.deadlineChanges {
      _ = try store.change(db, change, at: record.recordedAt)
    }
  }

  private func insertExchange(_ db: Database, _ ending: Intake.Ending) throws -> Int64 {
    guard let newExchange else { throw StoreError.malformedRecord("exchange") }
    return try newExchange.insert(db, as: ending.word)
  }

  private func end(
    _ db: Database, _ number: Int64, _ ending: Intake.Ending, first: Int64? = nil,
    subjectCase: CaseRow? = nil
  ) throws {
    try db.run(
      """
      UPDATE exchange SET state = ?, code = ?, recorded_at = ?, first = ?, subject_case = ?,
        case_version = ?, policy = ?, look_again = max(0, look_again - ?), looked_at = NULL
      WHERE number = ?
      """,
      [
        ending.word, ending.code, record.recordedAt.milliseconds, first, subjectCase?.number,
        subjectCase?.version, Blob(try Store.policy(db).bytes), record.lookAgainSeen, number,
      ])
    try db.run(
      "DELETE FROM attempt WHERE inbox = ? AND message = ?",
      [record.carrier.inbox, record.carrier.message.text])
    try db.run("DELETE FROM awaited WHERE exchange = ?", [number])
  }

  /// Whether it is held still for the same, and nothing of what that rests on has moved.
  private func isUnchanged(
    _ db: Database, _ number: Int64, _ subjectCase: CaseRow?
  ) throws -> Bool {
    guard case .held(let code) = record.ending else { return false }
    return try db.number(
      """
      SELECT 1 FROM exchange WHERE number = ? AND state = 'held' AND code = ? AND policy IS ?
        AND subject_case IS ? AND case_version IS ?
      """,
      [
        number, code, Blob(try Store.policy(db).bytes), subjectCase?.number, subjectCase?.version,
      ]) != nil
  }

  private func noteLook(_ db: Database, _ number: Int64) throws {
    try db.run(
      "UPDATE exchange SET looked_at = ?, look_again = max(0, look_again - ?) WHERE number = ?",
      [record.recordedAt.milliseconds, record.lookAgainSeen, number])
    try db.run(
      "DELETE FROM attempt WHERE inbox = ? AND message = ?",
      [record.carrier.inbox, record.carrier.message.text])
  }

  /// The sender's id turned out to be known: a repeat, or a contradiction that is set aside.
  private func writeRepeat(
    _ db: Database, _ kept: Int64?,
    of earlier: (exchange: ExchangeID, number: Int64, isSame: Bool)
  ) throws -> RecordResult {
    let ending =
      earlier.isSame
      ? Intake.Ending.duplicate : .setAside(code: IntakeReason.conflict.rawValue)
    let number = try kept ?? insertExchange(db, ending)
    try ContentDraft(sender: record.sender, verdict: record.verdict, key).write(db, number)
    try end(db, number, ending, first: earlier.number)
    let entry = try LeafDraft(
      .message, exchange: record.exchange, at: record.recordedAt, policy: try Store.policy(db),
      detail: IntakeRecord.detail(
        ending, sender: record.sender, first: earlier.exchange, verdict: record.verdict), key: key,
      store.vault
    ).insert(db, exchange: number)
    if let receipt, let told = earlier.isSame ? receipt.onRepeat : receipt.onConflict {
      try receipt.insert(
        db, exchange: number, leaf: entry, as: told, first: earlier.isSame ? earlier.number : nil,
        at: record.recordedAt)
    }
    return earlier.isSame
      ? .duplicate(of: earlier.exchange) : .conflict(with: earlier.exchange, leaf: entry)
  }

  /// The recipient may answer by the reference that it is given.
  private func makeKnown(_ db: Database, to party: PartyID, _ subjectCase: Int64) throws {
    let reference = store.subjectReference(of: try store.caseID(db, subjectCase), for: party)
    let hash = store.vault.lookup(.referenceLookup, party.text, reference.text)
    try db.run(
      "INSERT INTO reference VALUES (?, ?) ON CONFLICT DO NOTHING", [Blob(hash), subjectCase])
  }

  private func isStillUnknown(_ db: Database) throws -> Bool {
    guard case .held(_, let held) = record.outcome, held.caseID == nil else { return true }
    let hashes = held.identifiers.map { IdentifierHash($0, store.vault) }
    if case .one = try store.findCase(db, by: hashes) { return false }
    return true
  }

  private func heldCase(_ db: Database) throws -> CaseRow? {
    guard case .held(_, let held) = record.outcome, let id = held.caseID else { return nil }
    guard let number = try db.number("SELECT number FROM subject_case WHERE id = ?", [id.text])
    else { throw StoreError.malformedRecord("case") }
    return (number, held.caseVersion)
  }
}

extension Optional {
  func orThrow(_ error: StoreError) throws(StoreError) -> Wrapped {
    guard let self else { throw error }
    return self
  }
}
