import Exchange
import GRDB
import Glibc
import Ledger

/// Opens a store, step by step: lock, file, durability, schema, keys, erasures.
struct StoreOpening {
  let directory: String
  let mode: Store.Mode
  private var path: String { directory + "/" + Store.databaseName }

  init(directory: String, mode: Store.Mode) {
    self.directory = directory
    self.mode = mode
  }

  func open(vault: Vault) throws(StoreError) -> Store {
    do {
      switch mode {
      case .owner: return try openAsOwner(vault)
      case .reader: return try openAsReader(vault)
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
      throw .cannotOpen(file: path, errno: 0)
    } catch { throw StoreError(reading: error) }
  }

  private func openAsOwner(_ vault: Vault) throws -> Store {
    if mkdir(directory, 0o700) != 0 && errno != EEXIST {
      throw StoreError.cannotOpen(file: directory, errno: errno)
    }
    let lock = try StoreLock(directory: directory)
    // Made here, so that it and the files that SQLite makes after it are for this user alone.
    let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StoreError.cannotOpen(file: path, errno: errno) }
    let isNew = lseek(file, 0, SEEK_END) == 0
    Glibc.close(file)
    if !isNew { try refuseNewer() }

    let pool = try DatabasePool(path: path, configuration: configuration())
    // GRDB sets NORMAL when it turns the write-ahead log on, which would lose commits at a power cut:
    // FULL must be set after opening, on the one connection that writes, and is read back.
    try pool.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA synchronous = FULL")
      let level = try Int.fetchOne(db, sql: "PRAGMA synchronous")
      let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode")
      guard level == 2, journal == "wal" else { throw StoreError.notDurable }
    }
    let wasCleanExit = try pool.writeWithoutTransaction { db in
      let version = try Schema.version(of: db, file: path)
      if version > 0 && version < Schema.version {
        // A backup like any other: it still knows what is erased after it, so that it must go when
        // the new schema has proved itself.
        try db.execute(sql: "VACUUM INTO ?", arguments: ["\(path).schema-\(version)"])
      }
      try Schema.migrate(db, from: version)
      var wasClean = true
      try db.inTransaction(.immediate) {
        try checkKeys(db, vault, mayWrite: true)
        wasClean = try Meta.value("clean-exit", db, as: Int.self) ?? 1 == 1
        try Meta.set("clean-exit", to: 0, db)
        return .commit
      }
      return wasClean
    }
    let replayed = try pool.writeWithoutTransaction { db in
      try Erasures(directory: directory).replay(db)
    }
    if replayed > 0 { try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) } }
    return Store(
      pool: pool, vault: vault, lock: lock, directory: directory,
      policy: try pool.read(storedPolicy), wasCleanExit: wasCleanExit)
  }

  private func openAsReader(_ vault: Vault) throws -> Store {
    var settings = configuration()
    settings.readonly = true
    settings.maximumReaderCount = 2
    let pool = try DatabasePool(path: path, configuration: settings)
    return try pool.read { db in
      guard try Schema.version(of: db, file: path) == Schema.version else {
        throw StoreError.notAStore(file: path)
      }
      try checkKeys(db, vault, mayWrite: false)
      return Store(
        pool: pool, vault: vault, lock: nil, directory: directory, policy: try storedPolicy(db),
        wasCleanExit: try Meta.value("clean-exit", db, as: Int.self) == 1)
    }
  }

  private func configuration() -> Configuration {
    var settings = Configuration()
    settings.label = "sallyport-store"
    settings.busyMode = .timeout(5)
    settings.maximumReaderCount = 4
    settings.prepareDatabase { db in
      // What is deleted is overwritten; what SQLite sets aside while it works stays in memory.
      try db.execute(sql: "PRAGMA secure_delete = ON")
      try db.execute(sql: "PRAGMA temp_store = MEMORY")
      try db.execute(sql: "PRAGMA trusted_schema = OFF")
      try db.execute(sql: "PRAGMA cell_size_check = ON")
      // A log that grew under a long read is cut back at the next checkpoint. Bytes.
      try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
    }
    return settings
  }

  /// Looks before anything is changed: opening for writing would turn the write-ahead log on.
  private func refuseNewer() throws {
    var settings = Configuration()
    settings.readonly = true
    let queue = try DatabaseQueue(path: path, configuration: settings)
    try queue.read { db in _ = try Schema.version(of: db, file: path) }
  }

  private func checkKeys(_ db: Database, _ vault: Vault, mayWrite: Bool) throws {
    let lookup = vault.lookup(.keyCheck, [])
    guard let stored = try Meta.value("lookup-check", db, as: Blob.self) else {
      guard mayWrite else { throw StoreError.notAStore(file: path) }
      let wrapped = try vault.keyCheck()
      try Meta.set("lookup-check", to: Blob(lookup), db)
      try Meta.set("key-check", to: Blob(wrapped.bytes), db)
      try Meta.set("key-check-version", to: wrapped.version, db)
      return
    }
    guard stored.bytes == lookup, let wrapped = try Meta.value("key-check", db, as: Blob.self),
      let version = try Meta.value("key-check-version", db, as: Int.self),
      try vault.opensKeyCheck(Vault.WrappedKey(version: version, bytes: wrapped.bytes))
    else { throw StoreError.wrongKey }
  }

  private func storedPolicy(_ db: Database) throws -> PolicyDigests? {
    guard let bytes = try Meta.value("policy", db, as: Blob.self)?.bytes else { return nil }
    return PolicyDigests(bytes: bytes)
  }
}
