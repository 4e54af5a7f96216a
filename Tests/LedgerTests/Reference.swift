import Ledger

/// The definitions of RFC 9162 section 2.1 word by word: slow, recursive, and sharing nothing with
/// the code under test but the hashes of a leaf and of a node, which the vectors pin down.
enum Reference {
  /// 2.1.1: the Merkle tree hash.
  static func root(_ leaves: ArraySlice<LedgerHash>) -> LedgerHash {
    if leaves.isEmpty { return .empty }
    if leaves.count == 1 { return leaves[leaves.startIndex] }
    let middle = leaves.startIndex + split(leaves.count)
    return .node(root(leaves[..<middle]), root(leaves[middle...]))
  }

  /// 2.1.3.1: PATH(m, D[n]).
  static func path(_ number: Int, _ leaves: ArraySlice<LedgerHash>) -> [LedgerHash] {
    if leaves.count == 1 { return [] }
    let left = split(leaves.count)
    let middle = leaves.startIndex + left
    return number < left
      ? path(number, leaves[..<middle]) + [root(leaves[middle...])]
      : path(number - left, leaves[middle...]) + [root(leaves[..<middle])]
  }

  /// 2.1.4.1: PROOF(m, D[n]).
  static func proof(_ oldSize: Int, _ leaves: ArraySlice<LedgerHash>) -> [LedgerHash] {
    oldSize == 0 ? [] : subproof(oldSize, leaves, true)
  }

  private static func subproof(
    _ oldSize: Int, _ leaves: ArraySlice<LedgerHash>, _ isComplete: Bool
  ) -> [LedgerHash] {
    if oldSize == leaves.count { return isComplete ? [] : [root(leaves)] }
    let left = split(leaves.count)
    let middle = leaves.startIndex + left
    return oldSize <= left
      ? subproof(oldSize, leaves[..<middle], isComplete) + [root(leaves[middle...])]
      : subproof(oldSize - left, leaves[middle...], false) + [root(leaves[..<middle])]
  }

  /// The largest power of two smaller than `count`.
  private static func split(_ count: Int) -> Int {
    var power = 1
    while power * 2 < count { power *= 2 }
    return power
  }
}

/// Numbers that look random and are the same in every run (the generator of Knuth's MMIX).
struct Sequenced: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 33)
  }
}
