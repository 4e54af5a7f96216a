package import Ledger

/// The keys of one ledger, all of one name.
package struct LedgerKeys: Sendable {
  /// Signs, and is what readers are given.
  package let key: SigningKey
  /// Signs too while readers are being moved from it.
  package let outgoing: SigningKey?
  /// Keys before those: they sign no more, and earlier checkpoints still bear them.
  package let former: [VerifierKey]

  package init(key: SigningKey, outgoing: SigningKey? = nil, former: [VerifierKey] = []) {
    (self.key, self.outgoing, self.former) = (key, outgoing, former)
  }

  /// All of them, the newest first.
  package var verifierKeys: [VerifierKey] {
    [key.verifierKey] + (outgoing.map { [$0.verifierKey] } ?? []) + former
  }

  /// What the ledger's folder says of them, in the order of writing: readers who find a new `vkey` find
  /// the earlier ones too.
  var files: [(name: String, text: String)] {
    let earlier = verifierKeys.dropFirst().map { "\($0)\n" }.joined()
    return (earlier.isEmpty ? [] : [("vkey.former", earlier)])
      + [("vkey", "\(key.verifierKey)\n")]
  }

  /// A checkpoint that bears one of them.
  func believed(_ bytes: [UInt8]) throws(LedgerProblem) -> SignedCheckpoint {
    for verifierKey in verifierKeys.dropLast() {
      do {
        return try SignedCheckpoint(verifying: bytes, ledger: verifierKey)
      } catch  where error.code == .signatureMissing { continue }
    }
    return try SignedCheckpoint(
      verifying: bytes, ledger: former.last ?? outgoing?.verifierKey ?? key.verifierKey)
  }

  /// Whether readers who have only the newest key believe a checkpoint.
  func isNewest(_ checkpoint: SignedCheckpoint) -> Bool {
    (try? SignedCheckpoint(verifying: checkpoint.bytes, ledger: key.verifierKey)) != nil
  }
}
