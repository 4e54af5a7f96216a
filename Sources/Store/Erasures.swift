import Exchange
import GRDB
import Glibc

/// The list of what was erased, kept beside the database and out of its backups: a restored backup must
/// forget again what it still knows, before it serves.
///
/// One line an exchange, appended and synced before its key is destroyed. Random ids only.
struct Erasures {
  private let path: String
  /// An id and a line feed.
  private static let lineLength = 37

  init(directory: String) { path = directory + "/erased" }

  /// Appends a line; answers the length of the file. Throws STOR-009 when it cannot be made durable.
  func append(_ exchange: ExchangeID) throws(StoreError) -> Int {
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .cannotOpen(file: path, errno: errno) }
    defer { Glibc.close(file) }
    let line = Array("\(exchange)\n".utf8)
    guard write(file, line, line.count) == line.count, fsync(file) == 0 else {
      throw .diskFailed(sqlite: 0)
    }
    return Int(lseek(file, 0, SEEK_END))
  }

  /// Destroys the keys of everything listed beyond what this database knows of. Answers how many lines
  /// were new to it.
  func replay(_ db: Database) throws -> Int {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      guard errno == ENOENT else { throw StoreError.cannotOpen(file: path, errno: errno) }
      return 0
    }
    defer { Glibc.close(file) }
    let length = Int(lseek(file, 0, SEEK_END))
    var offset = try Meta.value("erasures-known", db, as: Int.self) ?? 0
    var replayed = 0
    while offset + Erasures.lineLength <= length {
      var line = [UInt8](repeating: 0, count: Erasures.lineLength)
      guard pread(file, &line, line.count, off_t(offset)) == line.count else {
        throw StoreError.cannotOpen(file: path, errno: errno)
      }
      offset += line.count
      guard let id = ExchangeID(String(decoding: line.dropLast(), as: UTF8.self)) else { continue }
      try db.inTransaction(.immediate) {
        try Erasures.erase(id, at: nil, db)
        try Meta.set("erasures-known", to: offset, db)
        return .commit
      }
      replayed += 1
    }
    return replayed
  }

  /// Destroys the key, and what it opened. What is kept of the exchange: ids, states, times, entries.
  static func erase(_ exchange: ExchangeID, at now: Instant?, _ db: Database) throws {
    guard
      let row = try db.row(
        "SELECT number, received_at FROM exchange WHERE id = ?", [exchange.text]),
      let number = row.number("number")
    else { return }
    try KeyTable.exchange.destroy(db, number)
    try db.run("DELETE FROM original WHERE number = ?", [number])
    try db.run("DELETE FROM content WHERE number = ?", [number])
    try db.run("DELETE FROM attachment WHERE exchange = ?", [number])
    try db.run(
      "DELETE FROM sealed_copy WHERE number IN (SELECT number FROM delivery WHERE exchange = ?)",
      [number])
    try db.run(
      "DELETE FROM replacement WHERE number IN (SELECT number FROM delivery WHERE exchange = ?)",
      [number])
    try db.run(
      "UPDATE receipt SET state = 'erased', content = x'' WHERE exchange = ?", [number])
    try db.run(
      """
      DELETE FROM leaf_detail WHERE number IN (SELECT number FROM leaf WHERE exchange = ?)
        AND number NOT IN (SELECT number FROM entry_key)
      """, [number])
    try db.run(
      "UPDATE delivery SET listed = 0, next_clock = NULL, machine = x'' WHERE exchange = ?",
      [number])
    try db.run(
      "UPDATE deadline SET next_clock = NULL, machine = x'' WHERE exchange = ?", [number])
    // A replayed erasure does not say when it was; the message's own time stands in.
    try db.run(
      "UPDATE exchange SET erased_at = ?, submitter = NULL, submission = NULL WHERE id = ?",
      [now?.milliseconds ?? row.number("received_at"), exchange.text])
  }
}
