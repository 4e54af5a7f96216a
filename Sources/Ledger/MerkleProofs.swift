/// The hashes that tie one entry to the root of a ledger of `size` entries.
package struct InclusionProof: Hashable, Sendable {
  /// The number of the entry, from 0.
  package let index: Int
  package let size: Int
  /// From the entry's neighbour up to below the root; at most 63.
  package let hashes: [LedgerHash]

  package init(index: Int, size: Int, hashes: [LedgerHash]) {
    self.index = index
    self.size = size
    self.hashes = hashes
  }

  /// Whether an entry with this leaf hash is number `index` of the ledger with this root (RFC 9162
  /// 2.1.3.2).
  package func proves(_ leaf: LedgerHash, under root: LedgerHash) -> Bool {
    guard index >= 0, index < size else { return false }
    var number = index
    var last = size - 1
    var hash = leaf
    for sibling in hashes {
      guard last != 0 else { return false }
      if number & 1 == 1 || number == last {
        hash = .node(sibling, hash)
        while number & 1 == 0 && number != 0 {
          number >>= 1
          last >>= 1
        }
      } else {
        hash = .node(hash, sibling)
      }
      number >>= 1
      last >>= 1
    }
    return last == 0 && hash == root
  }
}

/// The hashes that show a ledger of `newSize` entries to begin with all of one of `oldSize`.
package struct ConsistencyProof: Hashable, Sendable {
  package let oldSize: Int
  package let newSize: Int
  /// From the lowest part up; at most 64.
  package let hashes: [LedgerHash]

  package init(oldSize: Int, newSize: Int, hashes: [LedgerHash]) {
    self.oldSize = oldSize
    self.newSize = newSize
    self.hashes = hashes
  }

  /// Whether the ledger with root `new` continues the one with root `old` (RFC 9162 2.1.4.2).
  package func proves(_ old: LedgerHash, isPrefixOf new: LedgerHash) -> Bool {
    guard oldSize >= 0, oldSize <= newSize else { return false }
    if oldSize == newSize { return hashes.isEmpty && old == new }
    if oldSize == 0 { return hashes.isEmpty && old == .empty }
    guard !hashes.isEmpty else { return false }
    // An old tree of 2^n entries is a complete part of the new one: its root begins the proof.
    var path = hashes[...]
    if oldSize & (oldSize - 1) == 0 { path = [old] + path }
    var number = oldSize - 1
    var last = newSize - 1
    while number & 1 == 1 {
      number >>= 1
      last >>= 1
    }
    guard let first = path.popFirst() else { return false }
    var (oldHash, newHash) = (first, first)
    for hash in path {
      guard last != 0 else { return false }
      if number & 1 == 1 || number == last {
        oldHash = .node(hash, oldHash)
        newHash = .node(hash, newHash)
        while number & 1 == 0 && number != 0 {
          number >>= 1
          last >>= 1
        }
      } else {
        newHash = .node(newHash, hash)
      }
      number >>= 1
      last >>= 1
    }
    return last == 0 && oldHash == old && newHash == new
  }
}
