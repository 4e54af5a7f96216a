/// The full check of a ledger by somebody who does not trust its keeper and has its public key.
///
/// It reads every bundle, hashes every entry again, compares every tile of every level with what
/// lies below it, and the whole with the signed root. Comparing roots alone would miss an entry
/// that was edited after its hash was stored. It holds one bundle and one tile of each level at a
/// time, whatever the size.
package struct LedgerVerifier: Sendable {
  private let files: any LedgerFiles
  private let keys: [VerifierKey]
  private let witnesses: [VerifierKey]
  private let mostProblems: Int

  /// - Parameters:
  ///   - files: The ledger's folder.
  ///   - ledger: The key that must have signed the newest checkpoint.
  ///   - formerKeys: Earlier keys of the same ledger, good for earlier checkpoints only.
  ///   - witnesses: Keys whose cosignatures count; a wrong one is a problem, a missing one is not.
  ///   - mostProblems: After how many problems the check is broken off; at least 1.
  package init(
    files: any LedgerFiles, ledger: VerifierKey, formerKeys: [VerifierKey] = [],
    witnesses: [VerifierKey] = [], mostProblems: Int = 100
  ) {
    self.files = files
    keys = [ledger] + formerKeys
    self.witnesses = witnesses
    self.mostProblems = max(1, mostProblems)
  }

  /// Checks the ledger.
  ///
  /// - Parameters:
  ///   - kept: The names of the files in the folder `checkpoints`; each must be an exact beginning
  ///     of the ledger. List them before calling.
  ///   - held: Checkpoints that the reader holds from elsewhere. They are what shows that a ledger
  ///     was cut short or exchanged as a whole.
  package func check(kept: [String] = [], held: [HeldCheckpoint] = []) -> LedgerReport {
    let published: SignedCheckpoint
    do {
      published = try newest()
    } catch {
      return LedgerReport(problems: [error])
    }
    var walk = LedgerWalk(
      of: self, files: files, published: published, mostProblems: mostProblems)
    var sizes: [Int] = []
    for name in kept {
      guard let size = StrictText.number(name.utf8) else {
        walk.found(
          LedgerProblem(
            .checkpointName, file: "\(Checkpoint.keptFolder)/\(name)", "its name is not a size"))
        continue
      }
      sizes.append(size)
    }
    var earlier: [LedgerWalk.Earlier] = []
    for note in held {
      do {
        earlier.append(LedgerWalk.Earlier(name: note.name, checkpoint: try believed(note.bytes)))
      } catch {
        walk.found(error.found(in: note.name))
      }
    }
    walk.run(meeting: sizes, and: earlier)
    return walk.report
  }

  /// The published checkpoint.
  func newest() throws(LedgerProblem) -> SignedCheckpoint {
    let bytes = try files.required(Checkpoint.path, limit: SignedNote.longest)
    do {
      return try SignedCheckpoint(verifying: bytes, ledger: keys[0], witnesses: witnesses)
    } catch {
      throw error.found(in: Checkpoint.path)
    }
  }

  /// A kept checkpoint, which must be of the size that its name says.
  func kept(size: Int) throws(LedgerProblem) -> SignedCheckpoint {
    let path = Checkpoint.keptPath(size: size)
    let checkpoint: SignedCheckpoint
    do {
      checkpoint = try believed(try files.required(path, limit: SignedNote.longest))
    } catch {
      throw error.found(in: path)
    }
    guard checkpoint.size == size else {
      throw LedgerProblem(.checkpointName, file: path, "it is of size \(checkpoint.size)")
    }
    return checkpoint
  }

  /// An earlier checkpoint, signed by any of the ledger's keys.
  private func believed(_ bytes: [UInt8]) throws(LedgerProblem) -> SignedCheckpoint {
    for key in keys.dropLast() {
      do {
        return try SignedCheckpoint(verifying: bytes, ledger: key, witnesses: witnesses)
      } catch  where error.code == .signatureMissing {
        continue
      }
    }
    return try SignedCheckpoint(
      verifying: bytes, ledger: keys[keys.count - 1], witnesses: witnesses)
  }
}
