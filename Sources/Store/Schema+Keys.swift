import GRDB

extension Schema {
  /// Wrapped keys get rows of one length whatever the version of the store key (`KeyTable.base`), and
  /// what the ledger was last told of each key of the ring.
  ///
  /// The rows are put into new tables in order, so that none of them is moved once it is written; what
  /// the old ones leave behind is overwritten (`secure_delete`).
  static let keysOfOneLength =
    ["exchange_key", "case_key", "entry_key"].map { table in
      """
      CREATE TABLE \(table)_next (
        number INTEGER PRIMARY KEY,
        version INTEGER NOT NULL,
        wrapped BLOB NOT NULL
      ) STRICT;
      INSERT INTO \(table)_next
        SELECT number, version + 16777216, wrapped FROM \(table) ORDER BY number;
      DROP TABLE \(table);
      ALTER TABLE \(table)_next RENAME TO \(table);

      """
    }.joined() + """
      CREATE TABLE known_key (
        id TEXT NOT NULL PRIMARY KEY,
        state TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      """
}

/// The tables of wrapped keys.
enum KeyTable: String, CaseIterable {
  case exchange = "exchange_key"
  case subjectCase = "case_key"
  case entry = "entry_key"
  case upload = "upload_key"

  /// Versions lie in the table with this added: SQLite then keeps each in four bytes (file format 2.1),
  /// so that no row changes its length when its key is wrapped anew or destroyed, and both happen where
  /// it lies.
  static let base = 1 << 24

  func add(_ wrapped: Vault.WrappedKey, _ db: Database, _ number: Int64) throws {
    try db.cachedStatement(sql: "INSERT INTO \(rawValue) VALUES (?, ?, ?)")
      .execute(arguments: [number, KeyTable.base + wrapped.version, Blob(wrapped.bytes)])
  }

  /// Nil when it was destroyed, or never was.
  func key(
    _ db: Database, _ number: Int64, of owner: Vault.Owner, _ vault: Vault
  ) throws -> OwnerKey? {
    guard let wrapped = try wrapped(db, number) else { return nil }
    return try vault.unwrap(wrapped, of: owner)
  }

  func wrapped(_ db: Database, _ number: Int64) throws -> Vault.WrappedKey? {
    let row = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT version, wrapped FROM \(rawValue) WHERE number = ?"),
      arguments: [number])
    guard let row, let version: Int = row["version"], version > KeyTable.base else { return nil }
    return Vault.WrappedKey(
      version: version - KeyTable.base, bytes: row.bytes("wrapped") ?? [])
  }

  /// Puts the same key, wrapped anew, where it lies.
  func replace(_ wrapped: Vault.WrappedKey, _ db: Database, _ number: Int64) throws {
    try db.cachedStatement(
      sql: "UPDATE \(rawValue) SET version = ?, wrapped = ? WHERE number = ?"
    ).execute(arguments: [KeyTable.base + wrapped.version, Blob(wrapped.bytes), number])
  }

  /// Overwrites the key where it lies.
  func destroy(_ db: Database, _ number: Int64) throws {
    try db.cachedStatement(
      sql: """
        UPDATE \(rawValue) SET version = \(KeyTable.base), wrapped = zeroblob(length(wrapped))
        WHERE number = ?
        """
    ).execute(arguments: [number])
  }
}
