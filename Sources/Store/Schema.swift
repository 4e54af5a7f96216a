import GRDB

/// The tables, and how they became what they are. Steps go forward only and are never edited once
/// released: a change is a new step.
///
/// Columns in the clear are those that look-ups, lists and clocks need: random ids, party ids, state
/// words, codes, times, digests of rules. All else is sealed under the key of its exchange or case
/// (`Vault`), and looked up by keyed hash.
enum Schema {
  /// "Slyp": says that the file is a store of ours (SQLite file format 1.3.15).
  static let applicationID: Int32 = 0x536C_7970

  /// The schema that this program reads and writes.
  static var version: Int { steps.count }

  /// Step n makes schema n + 1 of schema n.
  static let steps: [String] = [
    first, second, keysOfOneLength, carriages, operators, uploads, receipts, attachments,
  ]

  private static let first = """
    CREATE TABLE meta (
      name TEXT NOT NULL PRIMARY KEY,
      value ANY NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- Keys have tables of their own, filled at the end only and with rows of one length: a key that is
    -- destroyed is overwritten where it lies, and the b-tree never moves (so never copies) a row.
    CREATE TABLE exchange_key (
      number INTEGER PRIMARY KEY,
      version INTEGER NOT NULL,
      wrapped BLOB NOT NULL
    ) STRICT;
    CREATE TABLE case_key (
      number INTEGER PRIMARY KEY,
      version INTEGER NOT NULL,
      wrapped BLOB NOT NULL
    ) STRICT;
    CREATE TABLE entry_key (
      number INTEGER PRIMARY KEY,
      version INTEGER NOT NULL,
      wrapped BLOB NOT NULL
    ) STRICT;

    CREATE TABLE subject_case (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      version INTEGER NOT NULL,
      facts BLOB NOT NULL,
      changed_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE identifier (
      key BLOB NOT NULL PRIMARY KEY,
      subject_case INTEGER NOT NULL REFERENCES subject_case,
      kind BLOB NOT NULL,
      UNIQUE (subject_case, kind)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE reference (
      key BLOB NOT NULL PRIMARY KEY,
      subject_case INTEGER NOT NULL REFERENCES subject_case
    ) STRICT, WITHOUT ROWID;

    -- By which identifiers an exchange that is held may yet find its case.
    CREATE TABLE awaited (
      key BLOB NOT NULL,
      exchange INTEGER NOT NULL REFERENCES exchange,
      PRIMARY KEY (key, exchange)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX awaited_exchange ON awaited (exchange);

    -- One row a message. `state` is `waiting` or the word of how it ended.
    CREATE TABLE exchange (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      inbox TEXT NOT NULL,
      message TEXT NOT NULL,
      state TEXT NOT NULL,
      code TEXT,
      received_at INTEGER NOT NULL,
      recorded_at INTEGER,
      erased_at INTEGER,
      first INTEGER REFERENCES exchange,
      subject_case INTEGER REFERENCES subject_case,
      case_version INTEGER,
      policy BLOB,
      look_again INTEGER NOT NULL DEFAULT 0,
      submitter BLOB,
      submission BLOB,
      UNIQUE (inbox, message)
    ) STRICT;
    CREATE INDEX exchange_state ON exchange (state, number);
    CREATE INDEX exchange_received ON exchange (received_at);
    CREATE INDEX exchange_submission ON exchange (submission) WHERE submission IS NOT NULL;
    CREATE TABLE original (
      number INTEGER PRIMARY KEY REFERENCES exchange,
      length INTEGER NOT NULL,
      sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE content (
      number INTEGER PRIMARY KEY REFERENCES exchange,
      sender BLOB,
      submission BLOB,
      notification BLOB,
      verdict BLOB,
      decision BLOB,
      confirmations BLOB
    ) STRICT;

    -- The sender's ids, for ever: these rows outlive an erasure.
    CREATE TABLE notification (
      key BLOB NOT NULL PRIMARY KEY,
      content BLOB NOT NULL,
      exchange INTEGER NOT NULL REFERENCES exchange
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE attempt (
      inbox TEXT NOT NULL,
      message TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (inbox, message)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE delivery (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      exchange INTEGER NOT NULL REFERENCES exchange,
      party TEXT NOT NULL,
      place INTEGER NOT NULL,
      workflow TEXT NOT NULL,
      state TEXT NOT NULL,
      listed INTEGER NOT NULL,
      next_clock INTEGER,
      machine BLOB NOT NULL,
      local_id BLOB,
      UNIQUE (party, place)
    ) STRICT;
    CREATE INDEX delivery_exchange ON delivery (exchange);
    CREATE INDEX delivery_listed ON delivery (party, place) WHERE listed = 1;
    CREATE INDEX delivery_clock ON delivery (next_clock) WHERE next_clock IS NOT NULL;
    CREATE TABLE sealed_copy (
      number INTEGER PRIMARY KEY REFERENCES delivery,
      sealed BLOB NOT NULL
    ) STRICT;

    CREATE TABLE deadline (
      number INTEGER PRIMARY KEY,
      exchange INTEGER NOT NULL REFERENCES exchange,
      delivery INTEGER REFERENCES delivery,
      subject_case INTEGER REFERENCES subject_case,
      owed_by TEXT NOT NULL,
      state TEXT NOT NULL,
      next_clock INTEGER,
      machine BLOB NOT NULL
    ) STRICT;
    CREATE INDEX deadline_exchange ON deadline (exchange);
    CREATE INDEX deadline_delivery ON deadline (delivery) WHERE delivery IS NOT NULL;
    CREATE INDEX deadline_case ON deadline (subject_case) WHERE subject_case IS NOT NULL;
    CREATE INDEX deadline_clock ON deadline (next_clock) WHERE next_clock IS NOT NULL;

    -- The ledger: entry n is row n, counted from 0, without a gap.
    CREATE TABLE leaf (
      number INTEGER PRIMARY KEY,
      exchange INTEGER REFERENCES exchange,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX leaf_exchange ON leaf (exchange) WHERE exchange IS NOT NULL;
    CREATE TABLE leaf_detail (
      number INTEGER PRIMARY KEY REFERENCES leaf,
      sealed BLOB NOT NULL
    ) STRICT;

    -- Counts by state, kept by the triggers below, so that status costs the same at any size.
    CREATE TABLE tally (
      scope TEXT NOT NULL,
      name TEXT NOT NULL,
      state TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (scope, name, state)
    ) STRICT, WITHOUT ROWID;
    """ + ["exchange inbox", "delivery party", "deadline owed_by"].map(tallyTriggers).joined()

  /// Copies that took the place of others: by what each was made. All other copies were made by what
  /// their exchange says.
  private static let second = """
    CREATE TABLE replacement (
      number INTEGER PRIMARY KEY REFERENCES delivery,
      policy BLOB NOT NULL,
      case_version INTEGER,
      decision BLOB NOT NULL
    ) STRICT;
    """

  static func tallyTriggers(_ tableAndName: String) -> String {
    let parts = tableAndName.split(separator: " ")
    let (table, name) = (parts[0], parts[1])
    let count = { (row: String, change: String) in
      """
        INSERT INTO tally VALUES ('\(table)', \(row).\(name), \(row).state, \(change))
          ON CONFLICT DO UPDATE SET count = count + excluded.count;
      """
    }
    return """

      CREATE TRIGGER \(table)_added AFTER INSERT ON \(table) BEGIN
      \(count("new", "1"))
      END;
      CREATE TRIGGER \(table)_changed AFTER UPDATE OF state ON \(table)
        WHEN old.state <> new.state BEGIN
      \(count("old", "-1"))
      \(count("new", "1"))
      END;
      """
  }

  /// The schema of a database: 0 for an empty one. Throws STOR-002 and 003.
  static func version(of db: Database, file: String) throws -> Int {
    let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0
    guard application == applicationID || (isEmpty && version == 0 && application == 0) else {
      throw StoreError.notAStore(file: file)
    }
    guard version <= Schema.version else {
      throw StoreError.newerSchema(found: version, known: Schema.version)
    }
    return version
  }

  /// Takes the database forward, each step in a transaction of its own.
  static func migrate(_ db: Database, from version: Int) throws {
    for (place, step) in steps.enumerated().dropFirst(version) {
      try db.inTransaction(.immediate) {
        try db.execute(sql: step)
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(place + 1)")
        return .commit
      }
    }
  }
}

/// Single values of the store.
enum Meta {
  static func set(_ name: String, to value: some DatabaseValueConvertible, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value
        """
    ).execute(arguments: [name, value])
  }

  static func value<Value: DatabaseValueConvertible>(
    _ name: String, _ db: Database, as type: Value.Type = Value.self
  ) throws -> Value? {
    try Value.fetchOne(
      db.cachedStatement(sql: "SELECT value FROM meta WHERE name = ?"), arguments: [name])
  }
}
