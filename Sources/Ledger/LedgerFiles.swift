/// The files of one ledger, wherever they lie: a folder, a web server, a dictionary in a test.
package protocol LedgerFiles: Sendable {
  /// The bytes of the file at `path`, relative to the ledger's folder; nil if there is none.
  ///
  /// An implementation stops after `limit` + 1 bytes, so that a file that is too long is seen to be
  /// too long without being read whole. It throws what kept it from reading.
  func read(_ path: String, limit: Int) throws -> [UInt8]?
}

/// One file to be written, whole.
package struct LedgerFile: Hashable, Sendable {
  /// Relative to the ledger's folder, parts divided by `/`.
  package let path: String
  package let bytes: [UInt8]

  package init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }
}

extension LedgerFiles {
  /// A file that must be there. Throws LEDG-040 if it is not, LEDG-041 if it cannot be read
  /// or is longer than `limit`.
  func required(_ path: String, limit: Int) throws(LedgerProblem) -> [UInt8] {
    guard let bytes = try optional(path, limit: limit) else {
      throw LedgerProblem(.fileMissing, file: path, "there is no such file")
    }
    return bytes
  }

  func optional(_ path: String, limit: Int) throws(LedgerProblem) -> [UInt8]? {
    let bytes: [UInt8]?
    do {
      bytes = try read(path, limit: limit)
    } catch {
      throw LedgerProblem(.fileUnreadable, file: path, "reading failed: \(error)")
    }
    if let bytes, bytes.count > limit {
      throw LedgerProblem(.fileUnreadable, file: path, "it has more than \(limit) bytes")
    }
    return bytes
  }

  /// The hashes of a tile. The full tile stands in for a partial one that was since removed.
  /// Throws LEDG-040 to 042.
  func hashes(_ tile: TilePath) throws(LedgerProblem) -> [LedgerHash] {
    let (bytes, found) = try content(tile, limit: 2 * TilePath.full * LedgerHash.length)
    guard bytes.count == found.width * LedgerHash.length else {
      throw LedgerProblem(
        .tile, file: found.description,
        "it has \(bytes.count) bytes and must have \(found.width * LedgerHash.length)")
    }
    return (0..<tile.width).compactMap {
      LedgerHash(bytes: bytes[$0 * LedgerHash.length..<($0 + 1) * LedgerHash.length])
    }
  }

  /// The entries of a bundle. The full bundle stands in for a partial one that was since removed.
  /// Throws LEDG-040, 041 and 043, with the number of the entry in the whole ledger.
  func entries(_ bundle: TilePath) throws(LedgerProblem) -> [[UInt8]] {
    let (bytes, found) = try content(bundle, limit: EntryBundle.longest)
    do {
      return Array(
        try EntryBundle(decoding: bytes, count: found.width).entries.prefix(bundle.width))
    } catch {
      throw LedgerProblem(
        error.code, file: found.description, index: error.index.map { found.first + $0 },
        error.detail)
    }
  }

  private func content(
    _ tile: TilePath, limit: Int
  ) throws(LedgerProblem) -> (bytes: [UInt8], found: TilePath) {
    if let bytes = try optional(tile.description, limit: limit) { return (bytes, tile) }
    guard !tile.isFull, let bytes = try optional(tile.whenFull.description, limit: limit) else {
      throw LedgerProblem(.fileMissing, file: tile.description, "there is no such file")
    }
    return (bytes, tile.whenFull)
  }
}
