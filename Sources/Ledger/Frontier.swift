/// The right edge of the tree: as much of a ledger as is needed to append to it and to know its
/// root. About log2(size) hashes.
package struct Frontier: Hashable, Sendable {
  /// The number of entries.
  package private(set) var size: Int
  /// The hashes of the complete parts of the tree, largest (left-most) first: one for each 1 in
  /// the binary form of `size`.
  private var parts: [LedgerHash]

  /// The ledger without entries.
  package init() {
    size = 0
    parts = []
  }

  /// The frontier of a tree whose right-most incomplete tiles, from level 0 upwards, hold `edge`:
  /// at level L the last (size / 256^L) mod 256 hashes. Nil if a width does not fit the size.
  init?(size: Int, edge: [[LedgerHash]]) {
    guard size >= 0 else { return nil }
    var parts: [LedgerHash] = []
    for (level, row) in edge.enumerated().reversed() {
      guard row.count == TilePath.edgeWidth(level: level, size: size) else { return nil }
      var rest = row[...]
      for height in (0..<8).reversed() where row.count & (1 << height) != 0 {
        guard let part = LedgerHash.complete(rest.prefix(1 << height)) else { return nil }
        parts.append(part)
        rest = rest.dropFirst(1 << height)
      }
    }
    guard parts.count == size.nonzeroBitCount else { return nil }
    self.size = size
    self.parts = parts
  }

  /// Takes in the next entry by its leaf hash.
  package mutating func append(_ leaf: LedgerHash) {
    var hash = leaf
    var number = size
    while number & 1 == 1, let left = parts.popLast() {
      hash = .node(left, hash)
      number >>= 1
    }
    parts.append(hash)
    size += 1
  }

  /// The root of the tree (RFC 9162 2.1.1).
  package var root: LedgerHash {
    guard var root = parts.last else { return .empty }
    for left in parts.dropLast().reversed() { root = .node(left, root) }
    return root
  }
}
