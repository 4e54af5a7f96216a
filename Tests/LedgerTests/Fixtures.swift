import Ledger
import Testing

/// The keys and entries of the published test vectors. No agency has ever used these keys.
enum Vector {
  static let name = "relay.example.org/audit"
  static let vkey =
    "relay.example.org/audit+d3284c32+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
  static let witnessVkey =
    "witness.example.org/w1+f3c080b6+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"

  static func key() throws -> SigningKey { try SigningKey(name: name, seed: Array(0...0x1F)) }
  static func ledger() throws -> VerifierKey { try VerifierKey(vkey) }
  static func witness() throws -> VerifierKey { try VerifierKey(witnessVkey) }

  /// Entry `index` of the vectors.
  static func entry(_ index: Int) -> [UInt8] { Array("audit-entry-\(index)".utf8) }
  static func entries(_ range: Range<Int>) -> [[UInt8]] { range.map(entry) }

  static let signature5 =
    "0yhMMkmJ3f3aHdbLJ4hts3pNnFKeEmLxJeV6n2LLf5tb9f5evOtAGlW8UQyK5KUtoBrE2H2pw1QXgSZ9yBFla2GmcwE="
  static let checkpoint5 = """
    relay.example.org/audit
    5
    vR8E1wOYzUxpxwI65RtudEyhyTuNfNpRCU5+klXNpRg=

    — relay.example.org/audit \(signature5)

    """
  static let witnessLine5 = """
    — witness.example.org/w1 \
    88CAtgAAAABpVbkAdSbbkU2mvcVl/HfkcKBcwidgrRjBskj8MsU7+yzD6uG1MDt4vXMhOGwve2XgDr1VaI52\
    khpkmnFjku4rt4+VAg==

    """
}

/// The files of a ledger in memory.
struct MemoryFiles: LedgerFiles {
  var contents: [String: [UInt8]] = [:]

  func read(_ path: String, limit: Int) throws -> [UInt8]? {
    contents[path].map { Array($0.prefix(limit + 1)) }
  }

  mutating func write(_ file: LedgerFile) { contents[file.path] = file.bytes }

  mutating func publish(_ append: LedgerAppend) {
    for file in append.files { write(file) }
    write(append.commit)
  }

  subscript(path: String) -> [UInt8] {
    get { contents[path] ?? [] }
    set { contents[path] = newValue }
  }
}

/// A ledger with its files, as a writer would leave it.
struct WrittenLedger {
  var state = LedgerState()
  var files = MemoryFiles()

  /// Publishes the vectors' entries, with a checkpoint at each of `sizes`.
  init(sizes: [Int]) throws {
    for size in sizes { try grow(to: size) }
  }

  /// Publishes any entries, with a checkpoint at each of `sizes`.
  init(entries: [[UInt8]], sizes: [Int]) throws {
    for size in sizes { try publish(Array(entries[state.size..<size])) }
  }

  mutating func grow(to size: Int) throws {
    try publish(Vector.entries(state.size..<size))
  }

  mutating func publish(_ entries: [[UInt8]]) throws {
    let append = try state.appending(entries, key: try Vector.key())
    files.publish(append)
    state = append.state
  }

  func checkpoint(_ size: Int) throws -> SignedCheckpoint {
    try SignedCheckpoint(
      verifying: files["checkpoints/\(size)"], ledger: try Vector.ledger())
  }
}

/// The problem that `body` throws; nil if it throws none, or anything else.
func problem(_ body: () throws -> Void) -> LedgerProblem? {
  do {
    try body()
    return nil
  } catch {
    return error as? LedgerProblem
  }
}

func hash(_ hex: String) throws -> LedgerHash { try #require(LedgerHash(hex: hex)) }

func bytes(hex: String) -> [UInt8] {
  let figures = Array(hex)
  return stride(from: 0, to: figures.count, by: 2).map {
    UInt8(String(figures[$0...$0 + 1]), radix: 16) ?? 0
  }
}
