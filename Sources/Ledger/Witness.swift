/// What a ledger and a witness say to each other (C2SP tlog-witness): the witness signs that this
/// checkpoint continues all that it signed before, so that no reader can be shown another ledger.
extension SignedCheckpoint {
  /// The body of `POST <prefix>/add-checkpoint`. `proof` starts at the size that the witness holds
  /// (0 to ask for it) and ends at this checkpoint's.
  package func witnessRequest(_ proof: ConsistencyProof) -> [UInt8] {
    let lines = ["old \(proof.oldSize)"] + proof.hashes.map(\.base64) + [""]
    return lines.flatMap { Array($0.utf8) + [Byte.lineFeed] } + bytes
  }

  /// The same checkpoint with the signature lines that a witness answered. Throws LEDG-010 if they
  /// are not signature lines, LEDG-011 if one of `witnesses` signed something else.
  package func adding(
    cosignatures lines: [UInt8], ledger: VerifierKey, witnesses: [VerifierKey]
  ) throws(LedgerProblem) -> SignedCheckpoint {
    let cosigned = try SignedCheckpoint(
      verifying: bytes + lines, ledger: ledger, witnesses: witnesses)
    // An answer with an empty line in it would move the border between text and signatures.
    guard cosigned.checkpoint == checkpoint else {
      throw LedgerProblem(.note, "the answer is more than signature lines")
    }
    return cosigned
  }
}
