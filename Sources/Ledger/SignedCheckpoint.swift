/// A checkpoint that carries the ledger's signature. Made only by verifying or by signing.
package struct SignedCheckpoint: Hashable, Sendable {
  package let checkpoint: Checkpoint
  /// The witnesses, of those asked for, that vouch for it.
  package let cosignatures: [Cosignature]
  /// The note, with every signature line it came with, known or not.
  private let note: SignedNote

  /// A trusted witness saw this checkpoint continue all that it saw before.
  package struct Cosignature: Hashable, Sendable {
    package let witness: VerifierKey
    /// Seconds since 1970-01-01T00:00:00Z, by the witness's clock.
    package let time: Int
  }

  package var origin: String { checkpoint.origin }
  package var size: Int { checkpoint.size }
  package var root: LedgerHash { checkpoint.root }
  /// The file, byte for byte.
  package var bytes: [UInt8] { note.bytes }

  /// Believes a note. `ledger` must have signed it and be its origin. Of `witnesses` none need have
  /// signed, but a wrong signature of one is refused. Throws LEDG-010 to 012, 020, 021; LEDG-004
  /// if a key is of the wrong type.
  package init(
    verifying bytes: [UInt8], ledger: VerifierKey, witnesses: [VerifierKey] = []
  ) throws(LedgerProblem) {
    try self.init(verifying: try SignedNote(bytes), ledger: ledger, witnesses: witnesses)
  }

  private init(
    verifying note: SignedNote, ledger: VerifierKey, witnesses: [VerifierKey]
  ) throws(LedgerProblem) {
    guard ledger.kind == .ledger, witnesses.allSatisfy({ $0.kind == .witness }) else {
      throw LedgerProblem(.keyType, "one type 1 key and any number of type 4 keys are needed")
    }
    let verified = try note.verified(by: [ledger] + witnesses)
    guard verified.contains(where: { $0.key == ledger }) else {
      throw LedgerProblem(.signatureMissing, "no line is of \(ledger)")
    }
    checkpoint = try Checkpoint(text: note.text)
    guard checkpoint.origin.utf8.elementsEqual(ledger.name.utf8) else {
      throw LedgerProblem(.origin, "its origin is not \(ledger.name)")
    }
    // One witness counts once, whatever number of lines it has.
    cosignatures = witnesses.compactMap { witness in
      verified.filter { $0.key == witness }.compactMap(\.signature.witnessTime).max()
        .map { Cosignature(witness: witness, time: $0) }
    }
    self.note = note
  }

  /// Signs the state of a ledger, with the key that gives it its name and, while readers are being
  /// moved to a new key, with that one too. Throws LEDG-021 if the keys do not share a name.
  package init(
    size: Int, root: LedgerHash, key: SigningKey, nextKey: SigningKey? = nil
  ) throws(LedgerProblem) {
    guard nextKey == nil || nextKey?.name == key.name else {
      throw LedgerProblem(.origin, "the next key has another name")
    }
    checkpoint = Checkpoint(origin: key.name, size: size, root: root)
    cosignatures = []
    var signatures = [try key.line(signing: checkpoint.text)]
    if let nextKey { signatures.append(try nextKey.line(signing: checkpoint.text)) }
    note = SignedNote(text: checkpoint.text, signatures: signatures)
  }

  /// Refuses this checkpoint where it does not continue `held`, one believed earlier. Throws
  /// LEDG-021 for another ledger, LEDG-030 if it is smaller, LEDG-031 if it has the same size and
  /// another root, LEDG-032 if `proof` does not show it to begin with all of `held`.
  ///
  /// LEDG-031 and LEDG-032 with both checkpoints are proof that the ledger's key was misused.
  package func mustContinue(
    _ held: SignedCheckpoint, proof: ConsistencyProof
  ) throws(LedgerProblem) {
    try mustNotContradict(held)
    guard proof.oldSize == held.size, proof.newSize == size,
      proof.proves(held.root, isPrefixOf: root)
    else {
      throw LedgerProblem(.notPrefix, "no proof from size \(held.size) to size \(size)")
    }
  }

  /// The same with the proof read from the ledger's tiles: what a writer asks before it goes on
  /// after a start, and a reader before it replaces the checkpoint that it holds. Throws LEDG-040
  /// to 042 as well.
  package func mustContinue(
    _ held: SignedCheckpoint, files: any LedgerFiles
  ) throws(LedgerProblem) {
    try mustNotContradict(held)
    let tree = MerkleTree(size: size, files: files)
    try mustContinue(held, proof: try tree.consistencyProof(from: held.size))
  }

  private func mustNotContradict(_ held: SignedCheckpoint) throws(LedgerProblem) {
    guard origin.utf8.elementsEqual(held.origin.utf8) else {
      throw LedgerProblem(.origin, "its origin is not \(held.origin)")
    }
    guard size >= held.size else {
      throw LedgerProblem(.wentBack, "it has \(size) entries and had \(held.size)")
    }
    guard size > held.size || root == held.root else {
      throw LedgerProblem(.forked, "at size \(size) the roots are \(root) and \(held.root)")
    }
  }
}
