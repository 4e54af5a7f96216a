import Exchange
import Foundation
import GRDB
import Ledger
import Synchronization

/// Everything that Sallyport has promised to keep: messages, decisions, sealed copies, clocks, case
/// facts and the entries of the ledger, in one SQLite database.
///
/// It speaks in events and outcomes. A call that writes is one commit, shared with whatever else became
/// ready while the last one was syncing, and answers after the sync. Nothing that could identify a
/// person, no content and no key lies in its files in the clear.
package final class Store: Sendable {
  package enum Mode: Sendable {
    /// The one process that writes.
    case owner
    /// Beside an owner or without one: reads only.
    case reader
  }

  let pool: DatabasePool
  let vault: Vault
  let committer: Committer?
  private let lock: StoreLock?
  let directory: String
  private let policyNow: Mutex<PolicyDigests?>
  /// Whether the owner before this one said goodbye (`markCleanExit`). True for a new store.
  package let wasCleanExit: Bool

  /// The database's file in the store's directory.
  static let databaseName = "sallyport.db"

  /// Opens the store, creating or migrating it as its owner.
  ///
  /// - Parameters:
  ///   - directory: created, for this user alone, when it is not there.
  ///   - random: so many fresh random bytes, for keys.
  /// - Throws: STOR-001 to 006, 008, 009, 013.
  package static func open(
    directory: String, keys: StoreKeys, mode: Mode,
    random: @escaping @Sendable (Int) -> [UInt8] = Store.systemRandom
  ) throws(StoreError) -> Store {
    try StoreOpening(directory: directory, mode: mode).open(
      vault: Vault(keys: keys, random: random))
  }

  /// Fresh random bytes from the system.
  package static let systemRandom: @Sendable (Int) -> [UInt8] = { count in
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in generator.next() }
  }

  init(
    pool: DatabasePool, vault: Vault, lock: StoreLock?, directory: String, policy: PolicyDigests?,
    wasCleanExit: Bool
  ) {
    self.pool = pool
    self.vault = vault
    self.lock = lock
    self.directory = directory
    self.wasCleanExit = wasCleanExit
    committer = lock == nil ? nil : Committer(pool: pool)
    policyNow = Mutex(policy)
  }

  /// Says that all work was finished: the next start needs no attempt counters. Nothing may be
  /// written after it.
  package func markCleanExit() async throws(StoreError) {
    try await commit { db in
      try Meta.set("clean-exit", to: 1, db)
      // Whatever was tried and left before an earlier unclean exit did not end this run.
      try db.run("DELETE FROM attempt", [])
    }
  }

  /// How well commits are shared; for metrics.
  package var commitStatistics: CommitStatistics { committer?.statistics ?? CommitStatistics() }

  /// The error after which nothing can be written any more; nil while all is well. The process is to end.
  package var failure: StoreError? { committer?.failure }

  /// The rules that are in force, as last recorded.
  package var policy: PolicyDigests? { policyNow.withLock { $0 } }

  func setPolicy(_ policy: PolicyDigests) { policyNow.withLock { $0 = policy } }
}

extension Store {
  /// Runs one member of a group commit and answers after the sync. `work` may run on another thread,
  /// sees everything that earlier members wrote, and undoes itself alone when it throws.
  func commit<Value: Sendable>(
    _ work: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    guard let committer else { throw .readOnly }
    return try await committer.commit(work)
  }

  /// Reads one consistent state.
  func read<Value: Sendable>(
    _ work: @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    do { return try await pool.read(work) } catch { throw StoreError(reading: error) }
  }

  /// Sealed under a key whose exchange has none any more.
  func exchangeKey(
    _ db: Database, _ number: Int64, _ exchange: ExchangeID
  ) throws -> OwnerKey? {
    try KeyTable.exchange.key(db, number, of: .exchange(exchange), vault)
  }
}

extension StoreError {
  /// What went wrong while reading: never final, except where the file itself is no longer one.
  init(reading error: any Error) {
    switch error {
    case let error as StoreError: self = error
    case is CancellationError: self = .cancelled
    case let problem as LedgerProblem: self = .malformedRecord(problem.code.rawValue)
    case let error as DatabaseError:
      switch error.resultCode {
      case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
      case .SQLITE_INTERRUPT: self = .cancelled
      case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .notAStore(file: Store.databaseName)
      default: self = .database(sqlite: error.extendedResultCode.rawValue)
      }
    default: self = .database(sqlite: 0)
    }
  }

  /// What went wrong while writing: a disk that fails is final.
  init(writing error: any Error) {
    if let error = error as? DatabaseError {
      switch error.resultCode {
      case .SQLITE_FULL: self = .diskFull
      case .SQLITE_IOERR, .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_CANTOPEN, .SQLITE_READONLY:
        self = .diskFailed(sqlite: error.extendedResultCode.rawValue)
      default: self = StoreError(reading: error)
      }
    } else {
      self = StoreError(reading: error)
    }
  }
}
