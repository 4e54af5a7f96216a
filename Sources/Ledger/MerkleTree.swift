/// The tree of a ledger of one size, read from its tiles as they are needed.
///
/// It trusts the tiles: what it gives out must be verified against a signed root, as
/// ``InclusionProof``, ``ConsistencyProof`` and ``LedgerState`` do. Every function throws
/// LEDG-040 to 042 for a tile that is missing, unreadable or of a wrong length.
package struct MerkleTree: Sendable {
  /// The number of entries.
  package let size: Int
  private let files: any LedgerFiles

  package init(size: Int, files: any LedgerFiles) {
    self.size = max(0, size)
    self.files = files
  }

  /// The root of this tree.
  package func root() throws(LedgerProblem) -> LedgerHash {
    size == 0 ? .empty : try hash(of: 0..<size)
  }

  /// Entry `index` as published. Throws LEDG-052 unless 0 <= `index` < `size`, LEDG-040, 041 and
  /// 043 for the bundle.
  package func entry(_ index: Int) throws(LedgerProblem) -> [UInt8] {
    try mustContain(index)
    let first = index - index % TilePath.full
    let width = min(TilePath.full, size - first)
    let bundle = TilePath(.entries, index: first / TilePath.full, width: width)
    return try files.entries(bundle)[index - first]
  }

  /// The proof that entry `index` is in this tree (RFC 9162 2.1.3.1). Throws LEDG-052 unless
  /// 0 <= `index` < `size`.
  package func inclusionProof(of index: Int) throws(LedgerProblem) -> InclusionProof {
    try mustContain(index)
    var siblings: [LedgerHash] = []
    var range = 0..<size
    while range.count > 1 {
      let middle = range.lowerBound + Self.leftSize(of: range.count)
      if index < middle {
        siblings.append(try hash(of: middle..<range.upperBound))
        range = range.lowerBound..<middle
      } else {
        siblings.append(try hash(of: range.lowerBound..<middle))
        range = middle..<range.upperBound
      }
    }
    return InclusionProof(index: index, size: size, hashes: siblings.reversed())
  }

  /// The proof that the first `oldSize` entries of this tree are the whole of an older one (RFC 9162
  /// 2.1.4.1). Throws LEDG-052 unless 0 <= `oldSize` <= `size`.
  package func consistencyProof(from oldSize: Int) throws(LedgerProblem) -> ConsistencyProof {
    guard (0...size).contains(oldSize) else {
      throw LedgerProblem(.notInTree, index: oldSize, "the ledger has \(size) entries")
    }
    var hashes: [LedgerHash] = []
    if oldSize > 0 && oldSize < size {
      var range = 0..<size
      while range.upperBound != oldSize {
        let middle = range.lowerBound + Self.leftSize(of: range.count)
        if oldSize <= middle {
          hashes.append(try hash(of: middle..<range.upperBound))
          range = range.lowerBound..<middle
        } else {
          hashes.append(try hash(of: range.lowerBound..<middle))
          range = middle..<range.upperBound
        }
      }
      // An old tree that is one complete part of the new one is known to the verifier as its root.
      if range.lowerBound > 0 { hashes.append(try hash(of: range)) }
    }
    return ConsistencyProof(oldSize: oldSize, newSize: size, hashes: hashes.reversed())
  }

  private func mustContain(_ index: Int) throws(LedgerProblem) {
    guard (0..<size).contains(index) else {
      throw LedgerProblem(.notInTree, index: index, "the ledger has \(size) entries")
    }
  }

  /// The largest power of two strictly smaller than `count` (which is at least 2).
  private static func leftSize(of count: Int) -> Int {
    1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount)
  }

  /// The hash of a part of the tree. `range` is not empty and occurs in the tree's own division:
  /// a complete part, or one on the right edge.
  private func hash(of range: Range<Int>) throws(LedgerProblem) -> LedgerHash {
    guard range.count & (range.count - 1) == 0 else {
      let middle = range.lowerBound + Self.leftSize(of: range.count)
      return .node(
        try hash(of: range.lowerBound..<middle), try hash(of: middle..<range.upperBound))
    }
    // A complete part of height h is the fold of 2^(h mod 8) hashes of level h / 8, which lie in one
    // tile. Going to the top level first keeps the number of tiles read at one for each part.
    let height = range.count.trailingZeroBitCount
    let level = height / 8
    let first = range.lowerBound >> (8 * level)
    let tile = TilePath.holding(first, level: level, size: size)
    let row = try files.hashes(tile).dropFirst(first - tile.first).prefix(1 << (height % 8))
    guard row.count == 1 << (height % 8), let hash = LedgerHash.complete(row) else {
      throw LedgerProblem(.tile, file: tile.description, index: first, "it is too short")
    }
    return hash
  }
}
