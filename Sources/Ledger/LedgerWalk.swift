/// One walk along a ledger from its first entry to its last, on behalf of ``LedgerVerifier``.
///
/// Each layer is compared with the *published* layer below it, so that one changed bit is one or
/// two problems at the place where it lies, and not one at every level above. If all comparisons
/// hold, the entries give the root.
struct LedgerWalk {
  /// A checkpoint from elsewhere, already believed.
  struct Earlier {
    let name: String
    let checkpoint: SignedCheckpoint
  }

  private(set) var report: LedgerReport
  private let verifier: LedgerVerifier
  private let files: any LedgerFiles
  private let published: SignedCheckpoint
  private let mostProblems: Int
  /// The tree so far: one, or from the first difference between entries and tiles on two, by the
  /// recorded hashes and by the entries, since either may be the one that was changed. Empty once
  /// a stretch could not be read at all.
  private var trees = [Frontier()]
  /// For each level the hashes that the tiles below give for the tile not yet compared; nil where
  /// the tile below could not be read.
  private var rows: [[LedgerHash?]] = Array(repeating: [], count: 9)
  /// For each level the number of tiles compared.
  private var compared = Array(repeating: 0, count: 9)
  /// Earlier checkpoints not yet reached, by size.
  private var kept: ArraySlice<Int> = []
  private var held: ArraySlice<Earlier> = []

  init(
    of verifier: LedgerVerifier, files: any LedgerFiles, published: SignedCheckpoint,
    mostProblems: Int
  ) {
    report = LedgerReport(checkpoint: published)
    self.verifier = verifier
    self.files = files
    self.published = published
    self.mostProblems = mostProblems
  }

  /// Takes down a problem, or that there are too many.
  mutating func found(_ problem: LedgerProblem) {
    if report.problems.count < mostProblems {
      report.problems.append(problem)
    } else {
      report.stoppedEarly = true
    }
  }

  /// Walks the whole ledger, and past each earlier checkpoint, given in any order.
  mutating func run(meeting sizes: [Int], and earlier: [Earlier]) {
    kept = sizes.sorted()[...]
    held = earlier.sorted { $0.checkpoint.size < $1.checkpoint.size }[...]
    meetEarlier(at: 0)
    for bundle in TilePath.row(.entries, size: published.size) {
      take(bundle)
      if report.stoppedEarly { return }
    }
    for level in 1..<rows.count where !rows[level].isEmpty { compare(level: level) }
    if let root = contradiction(to: published.root) {
      found(
        LedgerProblem(
          .rootChanged, file: Checkpoint.path,
          "it is signed for \(published.root), the tiles give \(root)"))
    }
    reportLonger()
  }

  /// Compares one bundle with its tile of leaf hashes and climbs.
  private mutating func take(_ bundle: TilePath) {
    let recorded = hashes(
      TilePath(.hashes(level: 0), index: bundle.index, width: bundle.width))
    let leaves = entries(bundle)?.map { LedgerHash.leaf($0) }
    if let recorded, let leaves {
      for (number, (leaf, hash)) in zip(leaves, recorded).enumerated() {
        if leaf == hash {
          report.entriesChecked += 1
        } else {
          found(
            LedgerProblem(
              .entryChanged, file: bundle.description, index: bundle.first + number,
              "its hash is \(leaf), recorded is \(hash)"))
        }
      }
    }
    let bottoms = [recorded ?? leaves, leaves ?? recorded].compactMap { $0 }
    if bottoms.isEmpty { trees = [] }
    if trees.count == 1 && bottoms.first != bottoms.last { trees += trees }
    for number in 0..<bundle.width {
      for (tree, bottom) in zip(trees.indices, bottoms) { trees[tree].append(bottom[number]) }
      meetEarlier(at: bundle.first + number + 1)
    }
    if bundle.isFull { climb(to: 1, bottoms.first.flatMap { LedgerHash.complete($0) }) }
  }

  /// The root that the tree has instead of `root`; nil if it has that one or is not known.
  private func contradiction(to root: LedgerHash) -> LedgerHash? {
    let roots = trees.map(\.root)
    return roots.contains(root) ? nil : roots.first
  }

  private mutating func climb(to level: Int, _ hash: LedgerHash?) {
    rows[level].append(hash)
    if rows[level].count == TilePath.full { compare(level: level) }
  }

  /// Compares the next tile of a level with what the tiles below give.
  private mutating func compare(level: Int) {
    let computed = rows[level]
    rows[level] = []
    let tile = TilePath(
      .hashes(level: level), index: compared[level], width: computed.count)
    compared[level] += 1
    let recorded = hashes(tile)
    if let recorded {
      for (number, (below, hash)) in zip(computed, recorded).enumerated() {
        guard let below, below != hash else { continue }
        found(
          LedgerProblem(
            .hashChanged, file: tile.description, index: tile.first + number,
            "the tile below gives \(below), recorded is \(hash)"))
      }
    }
    guard tile.isFull else { return }
    let known = recorded ?? computed.compactMap { $0 }
    climb(to: level + 1, known.count == tile.width ? LedgerHash.complete(known) : nil)
  }

  /// Compares the tree as it was at `size` with every earlier checkpoint of that size.
  private mutating func meetEarlier(at size: Int) {
    while kept.first == size {
      kept = kept.dropFirst()
      do {
        let checkpoint = try verifier.kept(size: size)
        compare(checkpoint, named: Checkpoint.keptPath(size: size))
      } catch {
        found(error)
      }
    }
    while let next = held.first, next.checkpoint.size == size {
      held = held.dropFirst()
      compare(next.checkpoint, named: next.name)
    }
  }

  private mutating func compare(_ earlier: SignedCheckpoint, named name: String) {
    if earlier.size == published.size && earlier.root != published.root {
      found(
        LedgerProblem(
          .forked, file: name, index: earlier.size,
          "its root is \(earlier.root), the published one \(published.root)"))
    } else if let root = contradiction(to: earlier.root) {
      found(
        LedgerProblem(
          .notPrefix, file: name, index: earlier.size,
          "it is signed for \(earlier.root), the first \(earlier.size) entries give \(root)"))
    } else if !trees.isEmpty {
      report.checkpointsChecked += 1
    }
  }

  /// Reports earlier checkpoints that are longer than the published one.
  private mutating func reportLonger() {
    // A ledger in use may have grown since its newest checkpoint was read: a writer keeps each
    // checkpoint before it publishes it. Then the longer ones are for the next check.
    let now = (try? verifier.newest().size) ?? published.size
    for size in kept where size > now {
      found(
        LedgerProblem(
          .wentBack, file: Checkpoint.keptPath(size: size), index: size,
          "the published checkpoint has \(published.size) entries"))
    }
    for next in held where next.checkpoint.size > published.size {
      found(
        LedgerProblem(
          .wentBack, file: next.name, index: next.checkpoint.size,
          "the published checkpoint has \(published.size) entries"))
    }
  }

  private mutating func hashes(_ tile: TilePath) -> [LedgerHash]? {
    do {
      return try files.hashes(tile)
    } catch {
      found(error)
      return nil
    }
  }

  private mutating func entries(_ bundle: TilePath) -> [[UInt8]]? {
    do {
      return try files.entries(bundle)
    } catch {
      found(error)
      return nil
    }
  }
}
