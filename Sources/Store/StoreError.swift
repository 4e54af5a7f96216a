package import Exchange
package import Ledger

/// Why the store cannot do what it was asked. Holds no content, no key and nothing of a person.
///
/// `isFinal` errors end the process: after a failed sync nobody knows what the disk holds, and trying
/// the same sync again may report a success that is none. Start again from what is committed.
package enum StoreError: Error, Equatable, Sendable {
  /// STOR-001: another process owns this store.
  case owned(directory: String)
  /// STOR-002: written by a newer version of the program.
  case newerSchema(found: Int, known: Int)
  /// STOR-003: the file is there and is not a store of ours, or is damaged.
  case notAStore(file: String)
  /// STOR-004: the store or look-up key is not the one that this store was written with.
  case wrongKey
  /// STOR-005: a file of the store cannot be opened or created.
  case cannotOpen(file: String, errno: Int32)
  /// STOR-006: the database does not sync every commit, whatever we told it.
  case notDurable
  /// STOR-007: opened for reading only.
  case readOnly
  /// STOR-008: the disk is full. Nothing was kept; may be tried again.
  case diskFull
  /// STOR-009: the disk failed. Final.
  case diskFailed(sqlite: Int32)
  /// STOR-010: too much waits for the disk, or a lock was not to be had in time. Try again later.
  case busy
  /// STOR-011: what is kept does not open under its key, or does not read as what it was.
  case damaged(table: String, number: Int64)
  /// STOR-012: the database refused a statement.
  case database(sqlite: Int32)
  /// STOR-013: a row was closed with a key version that the ring no longer has.
  case keyMissing(version: Int)
  /// STOR-014: the task was cancelled while it read.
  case cancelled
  /// STOR-015: there is no such exchange, delivery or deadline.
  case unknown(String)
  /// STOR-016: more than one exchange begins with these characters.
  case ambiguous(prefix: String)
  /// STOR-017: no rulebook and agreement were recorded as in force yet.
  case policyUnknown
  /// STOR-018: not finished, so that it cannot be erased, released or put again.
  case notFinished(ExchangeID)
  /// STOR-019: the key is destroyed, and older copies of it may still lie in the write-ahead log.
  case eraseIncomplete
  /// STOR-020: the record contradicts itself or what is stored.
  case malformedRecord(String)
  /// STOR-021: a key is not 32 bytes, or its version not positive.
  case keyForm
  /// STOR-022: an operator put it on hold.
  case onHold(ExchangeID)
  /// STOR-030: a file of the ledger could not be written or synced. Final.
  case ledgerWrite(file: String, errno: Int32)
  /// STOR-031: the store or the ledger is older than what was signed before. Nothing is signed. Final.
  case ledgerWentBack(signed: Int, found: Int)
  /// STOR-032: the store's leaves are not those that were signed. Nothing is signed. Final.
  case ledgerDiffers(size: Int)
  /// STOR-033: the ledger's own files or keys are not in order. Final.
  case ledger(LedgerProblem)

  /// Stable; each has a paragraph in the manual.
  package var code: String {
    switch self {
    case .owned: "STOR-001"
    case .newerSchema: "STOR-002"
    case .notAStore: "STOR-003"
    case .wrongKey: "STOR-004"
    case .cannotOpen: "STOR-005"
    case .notDurable: "STOR-006"
    case .readOnly: "STOR-007"
    case .diskFull: "STOR-008"
    case .diskFailed: "STOR-009"
    case .busy: "STOR-010"
    case .damaged: "STOR-011"
    case .database: "STOR-012"
    case .keyMissing: "STOR-013"
    case .cancelled: "STOR-014"
    case .unknown: "STOR-015"
    case .ambiguous: "STOR-016"
    case .policyUnknown: "STOR-017"
    case .notFinished: "STOR-018"
    case .eraseIncomplete: "STOR-019"
    case .malformedRecord: "STOR-020"
    case .keyForm: "STOR-021"
    case .onHold: "STOR-022"
    case .ledgerWrite: "STOR-030"
    case .ledgerWentBack: "STOR-031"
    case .ledgerDiffers: "STOR-032"
    case .ledger: "STOR-033"
    }
  }

  /// Whose turn it is.
  package var turn: Turn {
    switch self {
    case .owned, .newerSchema, .notAStore, .wrongKey, .cannotOpen, .diskFull, .diskFailed, .damaged,
      .keyMissing, .unknown, .ambiguous, .notFinished, .keyForm, .onHold, .ledgerWrite,
      .ledgerWentBack, .ledgerDiffers, .ledger:
      .operator
    case .busy, .cancelled, .eraseIncomplete: .network
    case .notDurable, .readOnly, .database, .policyUnknown, .malformedRecord: .us
    }
  }

  /// Whether the process must end.
  package var isFinal: Bool {
    switch self {
    case .diskFailed, .ledgerWrite, .ledgerWentBack, .ledgerDiffers, .ledger: true
    default: false
    }
  }
}

extension StoreError: CustomStringConvertible {
  /// The code, what failed and what to do next.
  package var description: String { "\(code) \(text)" }

  /// What failed and what to do next, without the code.
  package var text: String {
    switch self {
    case .owned(let directory):
      "another process owns the store in \(directory); stop it first (systemctl stop sallyport)"
    case .newerSchema(let found, let known):
      "the store has schema \(found), this program knows \(known); install the newer version"
    case .notAStore(let file): "\(file) is not a store or is damaged; restore a backup"
    case .wrongKey: "the store was written with other keys; give the key ring it belongs to"
    case .cannotOpen(let file, let errno):
      "cannot open \(file) (errno \(errno)); check owner, permissions and free space"
    case .notDurable: "the database does not sync every commit; report it"
    case .readOnly: "the store was opened for reading only; report it"
    case .diskFull: "the disk is full; free space, work goes on by itself"
    case .diskFailed(let code):
      "the disk failed (SQLite \(code)); check the disk, then start the daemon again"
    case .busy: "too much waits for the disk; it is tried again"
    case .damaged(let table, let number):
      "row \(number) of \(table) does not open; check the disk, restore a backup beside it"
    case .database(let code): "the database refused a statement (SQLite \(code)); report it"
    case .keyMissing(let version):
      "store key version \(version) is missing from the key ring; put it back"
    case .cancelled: "reading was broken off"
    case .unknown(let what): "there is no such \(what); look with sallyport show"
    case .ambiguous(let prefix): "\(prefix) begins more than one id; give more characters"
    case .policyUnknown: "no rules were recorded as in force before this; report it"
    case .notFinished(let exchange):
      "exchange \(exchange) is not in a state for this; look with sallyport show \(exchange)"
    case .eraseIncomplete: "erased, but the log could not be truncated yet; erase again"
    case .malformedRecord(let what): "a record contradicts the store (\(what)); report it"
    case .keyForm: "a store key must have 32 bytes and a version from 1"
    case .onHold(let exchange):
      "exchange \(exchange) is on hold; sallyport release \(exchange) --reason …"
    case .ledgerWrite(let file, let errno):
      "cannot write \(file) of the ledger (errno \(errno)); check the disk, then start again"
    case .ledgerWentBack(let signed, let found):
      "\(signed) entries were signed and only \(found) are here; a backup was restored, sign nothing"
    case .ledgerDiffers(let size):
      "the first \(size) entries are not those that were signed; keep everything as evidence"
    case .ledger(let problem): problem.description
    }
  }
}
