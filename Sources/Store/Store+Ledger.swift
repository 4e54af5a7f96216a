package import Exchange
import GRDB
import Ledger

/// An entry of the ledger with its sealed detail, before it has a number.
struct LeafDraft: Sendable {
  let bytes: [UInt8]
  /// The commitment's key, then the detail.
  private let sealed: [UInt8]

  init(
    _ eventClass: LedgerEntry.EventClass, exchange: ExchangeID, at now: Instant,
    policy: PolicyDigests, detail: JSONValue, key: OwnerKey, _ vault: Vault
  ) throws {
    let detail = detail.canonicalBytes
    let commitmentKey = vault.randomBytes(32)
    let entry = try LedgerEntry(
      eventClass, exchange: exchange.text, agreement: policy.agreement, rulebook: policy.rulebook,
      commitment: Commitment(to: detail, key: try CommitmentKey(commitmentKey)),
      time: now.description)
    bytes = entry.bytes
    // Bound to the entry itself, whatever number it gets.
    sealed = try key.seal(commitmentKey + detail, LeafDraft.column(of: bytes))
  }

  static func column(of entry: [UInt8]) -> String {
    "leaf_detail " + String(decoding: entry, as: UTF8.self)
  }

  /// Gives the entry the next number of the ledger.
  func insert(_ db: Database, exchange number: Int64?) throws -> Int {
    // Numbers go with the transaction's savepoints: what is undone leaves no gap.
    let next = try db.number("SELECT coalesce(max(number) + 1, 0) FROM leaf") ?? 0
    try db.run("INSERT INTO leaf VALUES (?, ?, ?)", [next, number, Blob(bytes)])
    try db.run("INSERT INTO leaf_detail VALUES (?, ?)", [next, Blob(sealed)])
    return Int(next)
  }
}

extension Store {
  /// How many entries the ledger has.
  package func leafCount() async throws(StoreError) -> Int {
    try await read { db in try Store.leafCount(db) }
  }

  static func leafCount(_ db: Database) throws -> Int {
    Int(try db.number("SELECT coalesce(max(number) + 1, 0) FROM leaf") ?? 0)
  }

  /// Entries in order, from one number on.
  package func leaves(from first: Int, limit: Int) async throws(StoreError) -> [[UInt8]] {
    try await read { db in try Store.leaves(db, from: first, limit: limit) }
  }

  static func leaves(_ db: Database, from first: Int, limit: Int) throws -> [[UInt8]] {
    let rows = try db.rows(
      "SELECT number, bytes FROM leaf WHERE number >= ? ORDER BY number LIMIT ?", [first, limit])
    for (place, row) in rows.enumerated() where row.number("number") != Int64(first + place) {
      throw StoreError.damaged(table: "leaf", number: Int64(first + place))
    }
    return rows.map { $0.bytes("bytes") ?? [] }
  }

  /// An entry with its detail, opened for an auditor. Throws STOR-015 when there is no such entry.
  /// Whoever asks records it (`recordService`).
  package func detail(of leaf: Int) async throws(StoreError) -> LedgerDetail {
    try await read { db in
      guard
        let row = try db.row(
          """
          SELECT l.number, l.exchange, l.bytes, d.sealed, e.id
          FROM leaf l LEFT JOIN leaf_detail d USING (number)
            LEFT JOIN exchange e ON e.number = l.exchange
          WHERE l.number = ?
          """, [leaf]), let entry = row.bytes("bytes")
      else { throw StoreError.unknown("entry \(leaf)") }
      let erased = LedgerDetail(entry: entry, detail: nil, commitmentKey: nil)
      guard let sealed = row.bytes("sealed"), let key = try leafKey(db, row, entry) else {
        return erased
      }
      let opened = try key.mustOpen(sealed, LeafDraft.column(of: entry), Int64(leaf))
      return LedgerDetail(
        entry: entry, detail: Array(opened.dropFirst(32)), commitmentKey: Array(opened.prefix(32)))
    }
  }

  func leafKey(_ db: Database, _ row: Row, _ entry: [UInt8]) throws -> OwnerKey? {
    let number = row.number("number") ?? 0
    if let id = ExchangeID(try LedgerEntry(entry).exchange),
      let key = try KeyTable.entry.key(db, number, of: .entry(id), vault)
    {
      return key
    }
    guard let exchange = row.number("exchange") else { return nil }
    return try exchangeKey(db, exchange, row.id("id", in: "exchange"))
  }

  /// Records what happened to the program, the rules or the ledger itself; answers the entry's number.
  ///
  /// - Parameter exchange: the random id that stands in the entry.
  /// - Throws: STOR-017 unless the first that is ever recorded is `started`.
  @discardableResult
  package func recordService(
    _ event: ServiceEvent, at now: Instant, as exchange: ExchangeID = .random()
  ) async throws(StoreError) -> Int {
    let newPolicy = event.policy
    let leaf = try await commit { [self] db in
      if let newPolicy { try Meta.set("policy", to: Blob(newPolicy.bytes), db) }
      return try addEntry(db, event.eventClass, exchange, of: nil, detail: event.detail, at: now)
    }
    if let newPolicy { setPolicy(newPolicy) }
    return leaf
  }

  /// An entry whose detail has a key of its own, and so outlives the exchange's.
  func addEntry(
    _ db: Database, _ eventClass: LedgerEntry.EventClass, _ exchange: ExchangeID, of number: Int64?,
    detail: JSONValue, at now: Instant
  ) throws -> Int {
    let (key, wrapped) = try vault.newKey(for: .entry(exchange))
    let leaf = try LeafDraft(
      eventClass, exchange: exchange, at: now, policy: try Store.policy(db), detail: detail,
      key: key, vault
    ).insert(db, exchange: number)
    try KeyTable.entry.add(wrapped, db, Int64(leaf))
    return leaf
  }

  /// The rules in force. Throws STOR-017.
  static func policy(_ db: Database) throws -> PolicyDigests {
    guard let bytes = try Meta.value("policy", db, as: Blob.self)?.bytes,
      let policy = PolicyDigests(bytes: bytes)
    else { throw StoreError.policyUnknown }
    return policy
  }
}

extension ServiceEvent {
  var policy: PolicyDigests? {
    switch self {
    case .started(_, let policy), .policyChanged(let policy, _): policy
    case .stopped, .keyChanged, .ledgerRead, .contentViewed: nil
    }
  }

  var eventClass: LedgerEntry.EventClass {
    switch self {
    case .policyChanged, .keyChanged: .policy
    case .contentViewed: .delivery
    case .started, .stopped, .ledgerRead: .service
    }
  }

  var detail: JSONValue {
    switch self {
    case .started(let version, let policy):
      [
        "event": "started", "version": .string(version),
        "rulebook": .string("sha256:\(policy.rulebook)"),
        "agreement": .string("sha256:\(policy.agreement)"),
      ]
    case .stopped: ["event": "stopped"]
    case .policyChanged(let policy, let departures):
      [
        "event": "policy-changed", "departures": .array(departures.map { .string($0) }),
        "rulebook": .string("sha256:\(policy.rulebook)"),
        "agreement": .string("sha256:\(policy.agreement)"),
      ]
    case .keyChanged(let key):
      [
        "event": "key-changed", "key": .string(key.id), "state": .string(key.state),
        "by": .string(key.by), "reason": .string(key.reason),
        "publicName": key.publicName.map { .string($0) } ?? .null,
      ]
    case .ledgerRead(let by, let what):
      ["event": "ledger-read", "by": .string(by), "what": .string(what)]
    case .contentViewed(let by, let party, let delivery):
      [
        "event": "content-viewed", "by": .string(by), "party": .string(party.text),
        "delivery": .string(delivery.text),
      ]
    }
  }
}
