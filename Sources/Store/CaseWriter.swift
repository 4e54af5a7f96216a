import Exchange
import GRDB
import Rules

/// What one record does to a case, inside its transaction.
struct CaseWriter: Sendable {
  let store: Store
  let record: DecidedRecord
  let exchange: ExchangeID
  let now: Instant

  /// The case's row after this, or that case or rules moved since the decision.
  enum Outcome {
    case written(number: Int64?, version: Int?)
    case stale
  }

  func write(_ db: Database) throws -> Outcome {
    switch record.subjectCase {
    case .none: return .written(number: nil, version: nil)
    case .unknown(let identifiers):
      let hashes = identifiers.map { IdentifierHash($0, store.vault) }
      // Registered since: it can be decided now with what is known of the person.
      if case .one = try store.findCase(db, by: hashes) { return .stale }
      return .written(number: nil, version: nil)
    case .new(let id, let identifiers): return try register(db, id, identifiers)
    case .existing(let id, let version, let identifiers):
      return try update(db, id, version, identifiers)
    }
  }

  private func register(
    _ db: Database, _ id: CaseID, _ identifiers: [PersonIdentifier]
  ) throws -> Outcome {
    let hashes = identifiers.map { IdentifierHash($0, store.vault) }
    guard try isFree(db, hashes, for: nil) else { return .stale }
    var facts = CaseFacts()
    apply(to: &facts)
    let (key, wrapped) = try store.vault.newKey(for: .subjectCase(id))
    try db.run(
      "INSERT INTO subject_case (id, version, facts, changed_at) VALUES (?, 1, ?, ?)",
      [
        id.text, Blob(try key.seal(facts.json.canonicalBytes, OpenCase.column(1))),
        now.milliseconds,
      ])
    let number = db.lastInsertedRowID
    try KeyTable.subjectCase.add(wrapped, db, number)
    try add(db, hashes, to: number, id)
    return .written(number: number, version: 1)
  }

  private func update(
    _ db: Database, _ id: CaseID, _ version: Int, _ identifiers: [PersonIdentifier]
  ) throws -> Outcome {
    guard let number = try db.number("SELECT number FROM subject_case WHERE id = ?", [id.text])
    else { throw StoreError.malformedRecord("case") }
    let hashes = identifiers.map { IdentifierHash($0, store.vault) }
    let open = try store.openCase(db, number)
    guard open.snapshot.version == version, try isFree(db, hashes, for: number) else {
      return .stale
    }
    var facts = open.snapshot.facts
    let isChanged = apply(to: &facts)
    let isNew = try add(db, hashes, to: number, id)
    guard isChanged || isNew else { return .written(number: number, version: version) }
    let sealed = try open.key.seal(
      facts.json.canonicalBytes, OpenCase.column(Int64(version + 1)))
    try db.run(
      "UPDATE subject_case SET version = ?, facts = ?, changed_at = ? WHERE number = ?",
      [version + 1, Blob(sealed), now.milliseconds, number])
    return .written(number: number, version: version + 1)
  }

  @discardableResult
  private func apply(to facts: inout CaseFacts) -> Bool {
    var isChanged = false
    for change in record.decision.factChanges {
      let isApplied = facts.apply(
        change, owner: record.notification.source, source: exchange,
        time: record.notification.time)
      isChanged = isChanged || isApplied
    }
    return isChanged
  }

  /// Whether no other case is known by any of these.
  private func isFree(_ db: Database, _ hashes: [IdentifierHash], for number: Int64?) throws -> Bool
  {
    for hash in hashes {
      let holder = try db.number(
        "SELECT subject_case FROM identifier WHERE key = ?", [Blob(hash.key)])
      if let holder, holder != number { return false }
    }
    return true
  }

  /// Makes the case known by these, and brings up what waited for them. False when all were known.
  @discardableResult
  private func add(
    _ db: Database, _ hashes: [IdentifierHash], to number: Int64, _ id: CaseID
  ) throws -> Bool {
    var isNew = false
    for hash in hashes {
      try db.run(
        "INSERT INTO identifier VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [Blob(hash.key), number, Blob(hash.kindHash(in: id, store.vault))])
      guard db.changesCount > 0 else { continue }
      isNew = true
      try db.run(
        """
        UPDATE exchange SET look_again = look_again + 1
        WHERE number IN (SELECT exchange FROM awaited WHERE key = ?)
        """, [Blob(hash.key)])
    }
    return isNew
  }
}
