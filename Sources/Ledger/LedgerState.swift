/// All that a writer has to keep of a ledger in order to append to it: the frontier, the hashes of
/// the right-most incomplete tile of each level, and the entries of the right-most incomplete
/// bundle. Less than 256 entries and 2,048 hashes, whatever the size.
package struct LedgerState: Hashable, Sendable {
  package private(set) var frontier: Frontier
  /// For each level 0 to 7 the hashes of its incomplete tile: 0 to 255.
  private var edge: [[LedgerHash]]
  /// The entries of the incomplete bundle, as many as `edge[0]` has hashes.
  private var openEntries: [[UInt8]]

  private static let levels = 8

  /// A ledger without entries.
  package init() {
    frontier = Frontier()
    edge = Array(repeating: [], count: Self.levels)
    openEntries = []
  }

  /// The state that a published checkpoint stands for, from its files. Files of a batch that was
  /// never committed are not looked at.
  ///
  /// Throws LEDG-040 to 043 for a file that is missing or malformed, LEDG-044 if an entry of the
  /// last bundle is not the one in the tile, LEDG-046 if the tiles do not give the signed root. A
  /// writer that sees any of these must not sign anything.
  package init(
    at checkpoint: SignedCheckpoint, files: any LedgerFiles
  ) throws(LedgerProblem) {
    let size = checkpoint.size
    var edge: [[LedgerHash]] = []
    for level in 0..<Self.levels {
      let width = TilePath.edgeWidth(level: level, size: size)
      let index = TilePath.hashCount(level: level, size: size) / TilePath.full
      edge.append(
        width == 0
          ? [] : try files.hashes(TilePath(.hashes(level: level), index: index, width: width)))
    }
    guard let frontier = Frontier(size: size, edge: edge), frontier.root == checkpoint.root else {
      throw LedgerProblem(
        .rootChanged, file: Checkpoint.path,
        "the tiles of size \(size) do not give the root \(checkpoint.root)")
    }
    self.frontier = frontier
    self.edge = edge
    openEntries = []
    guard let width = edge.first?.count, width > 0 else { return }
    let bundle = TilePath(.entries, index: size / TilePath.full, width: width)
    openEntries = try files.entries(bundle)
    for (number, entry) in openEntries.enumerated() where .leaf(entry) != edge[0][number] {
      throw LedgerProblem(
        .entryChanged, file: bundle.description, index: bundle.first + number,
        "its hash is not the one in the tile")
    }
  }

  package var size: Int { frontier.size }
  package var root: LedgerHash { frontier.root }

  /// Takes `entries` in and gives the bundles and tiles that change, in the order in which they
  /// must be written. Throws LEDG-047 for an entry that is too long; the state is then unchanged.
  mutating func take(_ entries: [[UInt8]]) throws(LedgerProblem) -> [LedgerFile] {
    guard !entries.isEmpty else { return [] }
    var files: [LedgerFile] = []
    var bundle: [[UInt8]] = []
    for (offset, piece) in Self.pieces(of: openEntries + entries).enumerated() {
      let path = TilePath(.entries, index: size / TilePath.full + offset, width: piece.count)
      files.append(LedgerFile(path: path.description, bytes: try EntryBundle(piece).bytes))
      bundle = path.isFull ? [] : piece
    }
    openEntries = bundle

    let oldSize = size
    var fresh = entries.map { LedgerHash.leaf($0) }
    for leaf in fresh { frontier.append(leaf) }
    var level = 0
    while !fresh.isEmpty {
      let first = TilePath.hashCount(level: level, size: oldSize) / TilePath.full
      let pieces = Self.pieces(of: edge[level] + fresh)
      fresh = []
      edge[level] = []
      for (offset, piece) in pieces.enumerated() {
        let path = TilePath(.hashes(level: level), index: first + offset, width: piece.count)
        files.append(LedgerFile(path: path.description, bytes: piece.flatMap(\.bytes)))
        if path.isFull, let hash = LedgerHash.complete(piece) {
          fresh.append(hash)
        } else {
          edge[level] = piece
        }
      }
      level += 1
    }
    return files
  }

  private static func pieces<Element>(of row: [Element]) -> [[Element]] {
    stride(from: 0, to: row.count, by: TilePath.full).map {
      Array(row[$0..<min($0 + TilePath.full, row.count)])
    }
  }
}
