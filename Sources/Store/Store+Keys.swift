package import Exchange
import GRDB
import Ledger

/// A key of the ring, as the ledger is told of it. Never the key itself.
package struct KeyRecord: Equatable, Sendable {
  /// `signing-2`.
  package let id: String
  /// Its state's word.
  package let state: String
  /// Who changed it last, as the system named them, and why.
  package let by: String
  package let reason: String
  /// What others know it by: a certificate's SHA-256, or a verifier key; nil for keys that nobody else
  /// ever sees.
  package let publicName: String?

  package init(id: String, state: String, by: String, reason: String, publicName: String?) {
    (self.id, self.state) = (id, state)
    (self.by, self.reason, self.publicName) = (by, reason, publicName)
  }
}

/// Where the rewrapping of keys has come to.
package struct RewrapPlace: Equatable, Sendable {
  let table: KeyTable
  let number: Int64

  /// Before the first key.
  package static let beginning = RewrapPlace(table: .exchange, number: Int64.min)
}

extension Store {
  /// Other store keys from here on. What is kept under a key that they lack does not open any more.
  ///
  /// - Throws: STOR-004 when they are not of this store.
  package func use(_ keys: StoreKeys) async throws(StoreError) {
    let tried = vault.trying(keys)
    try await read { db in
      guard try Meta.value("lookup-check", db, as: Blob.self)?.bytes == tried.lookup(.keyCheck, []),
        try tried.opensKeyCheck(try Store.keyCheck(db))
      else { throw StoreError.wrongKey }
    }
    vault.use(keys)
  }

  private static func keyCheck(_ db: Database) throws -> Vault.WrappedKey {
    guard let wrapped = try Meta.value("key-check", db, as: Blob.self),
      let version = try Meta.value("key-check-version", db, as: Int.self)
    else { throw StoreError.wrongKey }
    return Vault.WrappedKey(version: version, bytes: wrapped.bytes)
  }

  /// Tells the ledger which keys changed their state since it was last told: one entry a key, all in
  /// one commit. Of a ring that the store sees for the first time nothing is told.
  ///
  /// - Returns: the entries' numbers, in the order of the keys.
  @discardableResult
  package func recordKeys(_ keys: [KeyRecord], at now: Instant) async throws(StoreError) -> [Int] {
    try await commit { [self] db in
      let known = Dictionary(
        try db.rows("SELECT id, state FROM known_key").compactMap { row in
          row.text("id").flatMap { id in row.text("state").map { (id, $0) } }
        }, uniquingKeysWith: { _, last in last })
      var entries: [Int] = []
      for key in keys where known[key.id] != key.state {
        try db.run(
          "INSERT INTO known_key VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state",
          [key.id, key.state])
        if known.isEmpty { continue }
        let event = ServiceEvent.keyChanged(key)
        entries.append(
          try addEntry(
            db, event.eventClass, .random(), of: nil, detail: event.detail, at: now))
      }
      return entries
    }
  }
}

// Store keys that were followed by others.
extension Store {
  /// Wraps the next keys that an earlier store key holds with the one in force, at most `limit` of
  /// them looked at and in one commit. A crash leaves each under the one or the other.
  ///
  /// - Returns: where to go on; nil when all was looked at.
  package func rewrap(
    from place: RewrapPlace, limit: Int = 512
  ) async throws(StoreError) -> RewrapPlace? {
    let current = vault.version
    let (last, numbers) = try await read { db in
      let rows = try db.rows(
        """
        SELECT number, version FROM \(place.table.rawValue) WHERE number > ? ORDER BY number
        LIMIT ?
        """, [place.number, limit])
      let earlier = rows.filter {
        ![Int64(KeyTable.base), Int64(KeyTable.base + current)].contains($0.number("version"))
      }
      return (rows.last?.number("number"), earlier.compactMap { $0.number("number") })
    }
    if !numbers.isEmpty {
      try await commit { [self] db in
        for number in numbers { try rewrap(db, place.table, number) }
      }
    }
    if let last { return RewrapPlace(table: place.table, number: last) }
    let tables = KeyTable.allCases
    if let next = tables.firstIndex(of: place.table).map({ $0 + 1 }), next < tables.count {
      return RewrapPlace(table: tables[next], number: Int64.min)
    }
    try await rewrapKeyCheck()
    return nil
  }

  /// How many keys are wrapped with a version of the store key: none may be left when it is given up.
  package func keysUnder(version: Int) async throws(StoreError) -> Int {
    try await read { db in
      var count = try Store.keyCheck(db).version == version ? 1 : 0
      for table in KeyTable.allCases {
        count += Int(
          try db.number(
            "SELECT count(*) FROM \(table.rawValue) WHERE version = ?", [KeyTable.base + version])
            ?? 0)
      }
      return count
    }
  }

  /// A key that does not open stays as it is: nothing under it can be read, and its neighbours go on.
  private func rewrap(_ db: Database, _ table: KeyTable, _ number: Int64) throws {
    guard let wrapped = try table.wrapped(db, number), wrapped.version != vault.version,
      let owner = try owner(db, table, number)
    else { return }
    do {
      try table.replace(try vault.rewrap(wrapped, of: owner), db, number)
    } catch is StoreError {}
  }

  private func owner(_ db: Database, _ table: KeyTable, _ number: Int64) throws -> Vault.Owner? {
    switch table {
    case .exchange:
      try db.row("SELECT id FROM exchange WHERE number = ?", [number])
        .map { .exchange(try $0.id("id", in: "exchange")) }
    case .subjectCase:
      try db.row("SELECT id FROM subject_case WHERE number = ?", [number])
        .map { .subjectCase(try $0.id("id", in: "subject_case")) }
    case .entry:
      try db.row("SELECT bytes FROM leaf WHERE number = ?", [number])?.bytes("bytes")
        .flatMap { ExchangeID(try LedgerEntry($0).exchange) }.map { .entry($0) }
    case .upload:
      try db.row("SELECT exchange FROM upload WHERE number = ?", [number])
        .map { .exchange(try $0.id("exchange", in: "upload")) }
    }
  }

  private func rewrapKeyCheck() async throws(StoreError) {
    try await commit { [self] db in
      guard try Store.keyCheck(db).version != vault.version else { return }
      let wrapped = try vault.keyCheck()
      try Meta.set("key-check", to: Blob(wrapped.bytes), db)
      try Meta.set("key-check-version", to: wrapped.version, db)
    }
  }
}

// What still needs a certificate of ours.
extension Store {
  /// How many copies that were made before a moment wait in mailboxes: their readers need the
  /// certificate that they were signed under. Receipts do not count: who never collects them loses
  /// nothing but the knowledge, and must not keep a key in use.
  package func copiesUncollected(madeBefore moment: Instant) async throws(StoreError) -> Int {
    try await read { db in
      Int(
        try db.number(
          """
          SELECT count(*) FROM delivery d JOIN exchange e ON e.number = d.exchange
          WHERE d.listed = 1 AND coalesce(e.recorded_at, e.received_at) < ?
            AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.delivery = d.id)
          """, [moment.milliseconds]) ?? 0)
    }
  }

  /// Messages that may have to be opened (again): waiting, held or set aside, and not erased, beyond a
  /// place in the order of arrival.
  package func unread(
    after place: Int64, limit: Int
  ) async throws(StoreError) -> [(place: Int64, exchange: ExchangeID)] {
    try await read { db in
      try db.rows(
        """
        SELECT number, id FROM exchange
        WHERE number > ? AND state IN ('waiting', 'held', 'set-aside') AND erased_at IS NULL
        ORDER BY number LIMIT ?
        """, [place, limit]
      ).map { ($0.number("number") ?? 0, try $0.id("id", in: "exchange")) }
    }
  }
}
