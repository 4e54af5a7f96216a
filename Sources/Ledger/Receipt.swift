/// Proof that one entry is in the ledger, in one file that can be checked without the ledger
/// (C2SP tlog-proof; `.tlog-proof`).
package struct Receipt: Hashable, Sendable {
  /// The number of the entry, from 0.
  package let index: Int
  /// The inclusion proof; at most 63.
  package let hashes: [LedgerHash]
  /// The checkpoint's note, byte for byte.
  package let checkpoint: [UInt8]
  /// Whatever the writer of the receipt added. Nothing vouches for it: never trust it.
  package let extra: [UInt8]?

  private static let header = "c2sp.org/tlog-proof@v1"
  private static let mostHashes = 63
  /// The most bytes that are read: a note, and as much again for the lines above it.
  package static let longest = 2 * SignedNote.longest

  /// The receipt for `entry`, number `index` of the ledger, read from its tiles. It is verified
  /// before it is given out. Throws LEDG-040 to 042 for the tiles, LEDG-051 if the tiles do not
  /// prove the entry, LEDG-052 if the checkpoint has no such entry.
  package init(
    proving entry: [UInt8], index: Int, in checkpoint: SignedCheckpoint, files: any LedgerFiles
  ) throws(LedgerProblem) {
    let tree = MerkleTree(size: checkpoint.size, files: files)
    let proof = try tree.inclusionProof(of: index)
    guard proof.proves(.leaf(entry), under: checkpoint.root) else {
      throw LedgerProblem(.notIncluded, index: index, "the ledger's tiles do not prove it")
    }
    self.index = index
    hashes = proof.hashes
    self.checkpoint = checkpoint.bytes
    extra = nil
  }

  /// Reads a receipt; what it says is not yet believed. Throws LEDG-050.
  package init(_ bytes: [UInt8]) throws(LedgerProblem) {
    guard bytes.count <= Self.longest else {
      throw LedgerProblem(.receipt, "it has more than \(Self.longest) bytes")
    }
    guard
      let blank = bytes.indices.dropFirst().first(where: {
        bytes[$0] == Byte.lineFeed && bytes[$0 - 1] == Byte.lineFeed
      })
    else { throw LedgerProblem(.receipt, "it has no empty line before the checkpoint") }
    var lines = bytes[..<(blank - 1)]
      .split(separator: Byte.lineFeed, omittingEmptySubsequences: false)[...]
    guard lines.popFirst().map({ $0.elementsEqual(Self.header.utf8) }) == true else {
      throw LedgerProblem(.receipt, "its first line is not \(Self.header)")
    }
    var extra: [UInt8]?
    if let line = lines.first, let text = Self.value(of: line, after: "extra ") {
      extra = StrictText.bytes(base64: text)
      guard extra != nil else { throw LedgerProblem(.receipt, "its extra line is not base64") }
      lines = lines.dropFirst()
    }
    guard let line = lines.popFirst(), let text = Self.value(of: line, after: "index "),
      let index = StrictText.number(text.utf8)
    else { throw LedgerProblem(.receipt, "it has no line \"index\" with a plain number") }
    guard lines.count <= Self.mostHashes else {
      throw LedgerProblem(.receipt, "it has more than \(Self.mostHashes) hashes")
    }
    var hashes: [LedgerHash] = []
    for line in lines {
      guard let text = Self.value(of: line, after: ""), let hash = LedgerHash(base64: text) else {
        throw LedgerProblem(.receipt, "hash \(hashes.count) is not the base64 text of 32 bytes")
      }
      hashes.append(hash)
    }
    self.index = index
    self.hashes = hashes
    self.extra = extra
    checkpoint = Array(bytes[(blank + 1)...])
  }

  /// The file.
  package var bytes: [UInt8] {
    var lines = [Self.header]
    if let extra { lines.append("extra \(StrictText.base64(extra))") }
    lines += ["index \(index)"] + hashes.map(\.base64) + [""]
    return lines.flatMap { Array($0.utf8) + [Byte.lineFeed] } + checkpoint
  }

  /// Checks that `entry` is in the ledger of this key, and gives the checkpoint with the witnesses
  /// that vouch for it. Throws LEDG-010 to 021 for the checkpoint, LEDG-052 if it has no such
  /// entry, LEDG-051 if the proof does not hold.
  package func verify(
    entry: [UInt8], ledger: VerifierKey, witnesses: [VerifierKey] = []
  ) throws(LedgerProblem) -> SignedCheckpoint {
    let signed = try SignedCheckpoint(
      verifying: checkpoint, ledger: ledger, witnesses: witnesses)
    guard index < signed.size else {
      throw LedgerProblem(.notInTree, index: index, "the checkpoint has \(signed.size) entries")
    }
    let proof = InclusionProof(index: index, size: signed.size, hashes: hashes)
    guard proof.proves(.leaf(entry), under: signed.root) else {
      throw LedgerProblem(.notIncluded, index: index, "the proof does not lead to the signed root")
    }
    return signed
  }

  private static func value(of line: ArraySlice<UInt8>, after prefix: String) -> String? {
    guard line.starts(with: prefix.utf8) else { return nil }
    return String(validating: line.dropFirst(prefix.utf8.count), as: UTF8.self)
  }
}
