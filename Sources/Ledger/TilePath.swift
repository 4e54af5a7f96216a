/// The place of one tile or bundle: what it holds, which of its row it is, and how much is in it.
///
/// A tile holds 1 to 256 consecutive hashes of one level (level 0: the leaf hashes; each level
/// above, one hash for every full tile below); a bundle holds the entries of a level 0 tile.
/// Names as in C2SP tlog-tiles: `tile/0/x001/234.p/17`, `tile/entries/000`.
package struct TilePath: Hashable, Sendable, CustomStringConvertible {
  package enum Content: Hashable, Sendable {
    case entries
    /// Hashes of one level, 0 to 7: a size of 63 bits has no more.
    case hashes(level: Int)
  }

  package let content: Content
  /// From 0 upwards within its row.
  package let index: Int
  /// How many hashes or entries it holds: 1 to 256.
  package let width: Int

  /// The number of hashes or entries in a full tile or bundle.
  package static let full = 256

  package init(_ content: Content, index: Int, width: Int = TilePath.full) {
    self.content = content
    self.index = index
    self.width = width
  }

  /// True unless it is the right-most tile of its row and not yet full.
  package var isFull: Bool { width == Self.full }

  /// The number, within the row, of its first hash or entry.
  package var first: Int { index * Self.full }

  /// The path relative to the ledger's folder.
  package var description: String {
    let row =
      switch content {
      case .entries: "entries"
      case .hashes(let level): String(level)
      }
    return "tile/\(row)/\(Self.grouped(index))" + (isFull ? "" : ".p/\(width)")
  }

  /// The full tile at the same place, which may stand in for a partial one once it exists.
  var whenFull: TilePath { TilePath(content, index: index) }

  /// A number in groups of three figures, each but the last with a leading x: `x001/x234/067`.
  static func grouped(_ number: Int) -> String {
    var groups: [String] = []
    var rest = number
    repeat {
      let group = String(rest % 1000)
      groups.append(String(repeating: "0", count: 3 - group.count) + group)
      rest /= 1000
    } while rest > 0
    return groups.reversed().enumerated()
      .map { $0.offset < groups.count - 1 ? "x" + $0.element : $0.element }
      .joined(separator: "/")
  }
}

extension TilePath {
  /// The number of hashes at a level of a tree: floor(size / 256^level).
  static func hashCount(level: Int, size: Int) -> Int { size >> (8 * level) }

  /// The number of hashes in the right-most, incomplete tile of a level: 0 to 255.
  static func edgeWidth(level: Int, size: Int) -> Int { hashCount(level: level, size: size) % full }

  /// The number of levels with any hash: 0 to 8.
  static func levelCount(size: Int) -> Int {
    (Int.bitWidth - size.leadingZeroBitCount + 7) / 8
  }

  /// The tile that holds hash `number` of `level` in a tree of `size`.
  static func holding(_ number: Int, level: Int, size: Int) -> TilePath {
    let index = number / full
    let width = min(full, hashCount(level: level, size: size) - index * full)
    return TilePath(.hashes(level: level), index: index, width: width)
  }

  /// One row of a tree of `size`, from left to right, made as it is walked.
  package static func row(_ content: Content, size: Int) -> some Sequence<TilePath> {
    let level = if case .hashes(let level) = content { level } else { 0 }
    let count = hashCount(level: level, size: size)
    return (0..<(count / full + (count % full == 0 ? 0 : 1))).lazy.map { index in
      TilePath(content, index: index, width: min(full, count - index * full))
    }
  }

  /// Every file that a checkpoint of `size` implies: the bundles, then the tiles from level 0
  /// upwards. Made as it is walked.
  package static func implied(bySize size: Int) -> some Sequence<TilePath> {
    let rows = [Content.entries] + (0..<levelCount(size: size)).map { .hashes(level: $0) }
    return rows.lazy.flatMap { row($0, size: size) }
  }
}
