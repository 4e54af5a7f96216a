import Glibc
import Ledger

/// A ledger that lies in a folder: read by its keeper and by auditors alike.
package struct LedgerFolder: LedgerFiles, Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  /// Throws STOR-005 for what is there and cannot be read.
  package func read(_ name: String, limit: Int) throws -> [UInt8]? {
    try readFile("\(path)/\(name)", limit: limit)
  }

  /// The names of the files in the folder of kept checkpoints, for a full check. Throws STOR-005.
  package func keptCheckpoints() throws(StoreError) -> [String] {
    let folder = "\(path)/\(Checkpoint.keptFolder)"
    guard let directory = opendir(folder) else {
      guard errno == ENOENT else { throw .cannotOpen(file: folder, errno: errno) }
      return []
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      // Temporary files of a write that was broken off begin with a dot.
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}

/// At most `limit` + 1 bytes of a file; nil when there is none. Throws STOR-005.
func readFile(_ path: String, limit: Int) throws(StoreError) -> [UInt8]? {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else {
    guard errno == ENOENT || errno == ENOTDIR else { throw .cannotOpen(file: path, errno: errno) }
    return nil
  }
  defer { close(file) }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 65_536)
  while bytes.count <= limit {
    let count = Glibc.read(file, &piece, min(piece.count, limit + 1 - bytes.count))
    if count < 0 {
      if errno == EINTR { continue }
      throw .cannotOpen(file: path, errno: errno)
    }
    if count == 0 { break }
    bytes += piece.prefix(count)
  }
  return bytes
}

/// Writes whole files so that a crash leaves the old one or the new one, and a power cut does too:
/// temporary file beside it, sync, rename, sync of the folder. Any failure is final (STOR-030).
struct DurableWriter {
  /// One system call on the way; for tests that stop at each.
  enum Step: String, CaseIterable { case makeFolder, create, write, syncFile, rename, syncFolder }

  /// Called before each step with the file's path; what it throws stands for the step's failure.
  var before: @Sendable (Step, String) throws(StoreError) -> Void = { _, _ throws(StoreError) in }

  func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(StoreError) {
    let cut = path.lastIndex(of: "/") ?? path.startIndex
    let folder = cut == path.startIndex ? "." : String(path[..<cut])
    try makeFolder(folder)
    let name = cut == path.startIndex ? path : String(path[path.index(after: cut)...])
    let temporary = "\(folder)/.new-\(name)"

    try before(.create, path)
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard file >= 0 else { throw .ledgerWrite(file: path, errno: errno) }
    do {
      defer { close(file) }
      try before(.write, path)
      var offset = 0
      while offset < bytes.count {
        let count = bytes.withUnsafeBytes { buffer in
          Glibc.write(file, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
        }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw StoreError.ledgerWrite(file: path, errno: errno) }
        offset += count
      }
      try before(.syncFile, path)
      guard fsync(file) == 0 else { throw StoreError.ledgerWrite(file: path, errno: errno) }
    }
    try before(.rename, path)
    guard rename(temporary, path) == 0 else { throw .ledgerWrite(file: path, errno: errno) }
    try sync(folder: folder, for: path)
  }

  /// Makes a folder and those above it, each entry durable before anything is put into it.
  private func makeFolder(_ folder: String) throws(StoreError) {
    var status = stat()
    if stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
    let cut = folder.lastIndex(of: "/") ?? folder.startIndex
    let parent = cut == folder.startIndex ? "." : String(folder[..<cut])
    if cut != folder.startIndex { try makeFolder(parent) }
    try before(.makeFolder, folder)
    guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
      throw .ledgerWrite(file: folder, errno: errno)
    }
    try sync(folder: parent, for: folder)
  }

  private func sync(folder: String, for path: String) throws(StoreError) {
    try before(.syncFolder, path)
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw .ledgerWrite(file: folder, errno: errno) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw .ledgerWrite(file: folder, errno: errno) }
  }
}
