/// A batch of entries on its way into the ledger: what to write, in which order, and what the
/// ledger then is. Nothing in it has happened yet.
///
/// Write the files of ``files`` one after the other, each to a temporary name, synced, renamed,
/// its folder synced; then ``commit`` in the same manner. A crash before the commit leaves files
/// that no checkpoint implies, which the next attempt overwrites; after it, the batch is published.
package struct LedgerAppend: Sendable {
  /// The bundles and tiles that change: bundles, then tiles from level 0 upwards.
  package let tiles: [LedgerFile]
  /// The state after the commit; keep the old one until then.
  package let state: LedgerState
  package let checkpoint: SignedCheckpoint

  /// All that must be durable before the commit, in order: the tiles, then the checkpoint under
  /// its size, kept for auditors.
  package var files: [LedgerFile] {
    tiles + [
      LedgerFile(path: Checkpoint.keptPath(size: checkpoint.size), bytes: checkpoint.bytes)
    ]
  }

  /// The file whose renaming into place publishes the batch.
  package var commit: LedgerFile {
    LedgerFile(path: Checkpoint.path, bytes: checkpoint.bytes)
  }

  /// The same batch with a checkpoint that witnesses have signed too. Throws as
  /// ``SignedCheckpoint/adding(cosignatures:ledger:witnesses:)`` does.
  package func adding(
    cosignatures lines: [UInt8], ledger: VerifierKey, witnesses: [VerifierKey]
  ) throws(LedgerProblem) -> LedgerAppend {
    LedgerAppend(
      tiles: tiles, state: state,
      checkpoint: try checkpoint.adding(
        cosignatures: lines, ledger: ledger, witnesses: witnesses))
  }
}

extension LedgerState {
  /// The batch that adds `entries`, in this order, and signs the result. An empty batch signs the
  /// present state: that is how a new ledger begins. The caller bounds the batch, which is held in
  /// memory. Throws LEDG-047 for an entry over 65,535 bytes, LEDG-021 if the keys differ in name.
  package func appending(
    _ entries: [[UInt8]], key: SigningKey, nextKey: SigningKey? = nil
  ) throws(LedgerProblem) -> LedgerAppend {
    var state = self
    let tiles = try state.take(entries)
    return LedgerAppend(
      tiles: tiles, state: state,
      checkpoint: try SignedCheckpoint(
        size: state.size, root: state.root, key: key, nextKey: nextKey))
  }
}
