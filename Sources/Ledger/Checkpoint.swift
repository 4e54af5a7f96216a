/// What the ledger signs: its name, its size, and the root that fixes every entry (C2SP
/// tlog-checkpoint).
package struct Checkpoint: Hashable, Sendable {
  /// The ledger's name; the same as that of its key.
  package let origin: String
  /// The number of entries.
  package let size: Int
  package let root: LedgerHash
  /// Further lines in other people's ledgers, kept as they are; this one never writes any.
  package let extensions: [String]

  package init(origin: String, size: Int, root: LedgerHash) {
    self.origin = origin
    self.size = size
    self.root = root
    extensions = []
  }

  /// Reads the text of a note. Throws LEDG-020.
  package init(text: [UInt8]) throws(LedgerProblem) {
    guard let whole = String(validating: text, as: UTF8.self), text.last == Byte.lineFeed else {
      throw LedgerProblem(.checkpoint, "it is not UTF-8 text ended by a line feed")
    }
    let lines = whole.utf8.dropLast()
      .split(separator: Byte.lineFeed, omittingEmptySubsequences: false)
    guard lines.count >= 3, lines.allSatisfy({ !$0.isEmpty }) else {
      throw LedgerProblem(.checkpoint, "it has fewer than three lines, or an empty one")
    }
    guard let size = StrictText.number(lines[1]) else {
      throw LedgerProblem(.checkpoint, "the size is not a plain decimal number")
    }
    guard let root = LedgerHash(base64: String(Substring(lines[2]))) else {
      throw LedgerProblem(.checkpoint, "the root is not the base64 text of 32 bytes")
    }
    origin = String(Substring(lines[0]))
    self.size = size
    self.root = root
    extensions = lines[3...].map { String(Substring($0)) }
  }

  /// The bytes that are signed.
  package var text: [UInt8] {
    let lines = [origin, String(size), root.base64] + extensions
    return lines.flatMap { Array($0.utf8) + [Byte.lineFeed] }
  }

  /// Where the newest checkpoint lies. Writing it is what commits a batch.
  package static let path = "checkpoint"

  /// Where the checkpoint of each size is kept for auditors.
  package static func keptPath(size: Int) -> String { "\(keptFolder)/\(size)" }

  /// The folder of the kept checkpoints.
  package static let keptFolder = "checkpoints"
}
