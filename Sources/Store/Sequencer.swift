import Dispatch
import GRDB
import Glibc
package import Ledger
import Synchronization

/// Turns the store's committed entries into the ledger that outsiders read: bundles, tiles and a signed
/// checkpoint (C2SP tlog-tiles), in a folder.
///
/// The store's commit is the record; this publishes it, and can rebuild forward whatever part of the
/// folder is behind. It signs nothing that does not continue the largest checkpoint ever signed, which
/// it keeps in a second place. Any failure to write is final: the process ends and starts again from
/// what is committed (protocol: a failed fsync is never tried again).
package final class Sequencer: Sendable {
  private struct Progress: Sendable {
    var state: LedgerState
    /// The checkpoint that is published; nil before the first.
    var published: SignedCheckpoint?
    /// The largest ever signed.
    var guarded: SignedCheckpoint?
    var failure: StoreError?
    /// The key that the folder names to readers: what is published bears it.
    var told: VerifierKey?
  }

  private let store: Store
  private let folder: LedgerFolder
  private let guardFile: String
  private let keys: Mutex<LedgerKeys>
  private let writer: DurableWriter
  private let progress: Mutex<Progress>
  private let queue = DispatchQueue(label: "sallyport.sequencer")

  /// Entries of one checkpoint: bounds what is held in memory.
  private static let batch = 2048

  /// Opens the ledger's folder, checks it against its own signature, the store and the guard, and writes
  /// the verifier key into it (`vkey`, and earlier ones into `vkey.former`).
  ///
  /// - Parameters:
  ///   - directory: bundles, tiles, `checkpoint` and `checkpoints/`; created when it is not there.
  ///   - guardFile: the largest checkpoint ever signed; on another file system than the ledger's.
  ///   - keys: give the ledger its name. What is there already may bear any of them.
  /// - Throws: STOR-007 for a store that was opened for reading; STOR-030 to 033, all final.
  package static func open(
    store: Store, directory: String, guardFile: String, keys: LedgerKeys
  ) async throws(StoreError) -> Sequencer {
    try await open(
      store: store, directory: directory, guardFile: guardFile, keys: keys, writer: DurableWriter())
  }

  static func open(
    store: Store, directory: String, guardFile: String, keys: LedgerKeys, writer: DurableWriter
  ) async throws(StoreError) -> Sequencer {
    guard store.isOwner else { throw .readOnly }
    let leaves = try await store.leafCount()
    let folder = LedgerFolder(directory)
    var progress: Progress
    do {
      progress = try Sequencer.read(folder, guardFile, keys)
    } catch { throw Sequencer.problem(error) }

    let sequencer = Sequencer(
      store: store, folder: folder, guardFile: guardFile, keys: keys, writer: writer,
      progress: progress)
    try await sequencer.mustContinue(&progress, leaves: leaves)
    // Readers are told of a key once something bears it; of the first one, at once.
    if progress.told != nil || progress.published == nil { try sequencer.tell(keys) }
    return sequencer
  }

  private init(
    store: Store, folder: LedgerFolder, guardFile: String, keys: LedgerKeys, writer: DurableWriter,
    progress: Progress
  ) {
    self.store = store
    self.folder = folder
    self.guardFile = guardFile
    self.keys = Mutex(keys)
    self.writer = writer
    self.progress = Mutex(progress)
  }

  /// Publishes all entries committed so far; nil when there are none beyond the last checkpoint. Called
  /// by one worker, about once a second.
  ///
  /// - Throws: STOR-030 to 033, final: the caller ends the process. What the store throws while it
  ///   reads may be tried again.
  package func publish() async throws(StoreError) -> PublishedCheckpoint? {
    let result: Result<PublishedCheckpoint?, StoreError> = await withCheckedContinuation { answer in
      // File by file with a sync each: on a thread of its own, not one of those that serve everybody.
      queue.async { [self] in
        answer.resume(returning: Result { () throws(StoreError) in try publishNow() })
      }
    }
    return try result.get()
  }

  /// Signs with other keys from the next checkpoint on, and makes one if the present one does not bear
  /// the newest.
  package func use(_ keys: LedgerKeys) async throws(StoreError) {
    self.keys.withLock { $0 = keys }
    _ = try await publish()
  }

  /// Whether what is published bears a key, so that those before it can be given up.
  package func bears(_ key: VerifierKey) -> Bool {
    guard let checkpoint = progress.withLock({ $0.published }) else { return false }
    return (try? SignedCheckpoint(verifying: checkpoint.bytes, ledger: key)) != nil
  }

  /// The checkpoint that is published now; nil before the first.
  package var published: PublishedCheckpoint? {
    progress.withLock { $0.published.map(PublishedCheckpoint.init) }
  }

  /// The proof that an entry is in the published ledger, with the checkpoint that covers it; nil when
  /// none covers it yet.
  package func receipt(for leaf: Int) async throws(StoreError) -> Receipt? {
    guard let checkpoint = progress.withLock({ $0.published }), leaf < checkpoint.size else {
      return nil
    }
    guard let entry = try await store.leaves(from: leaf, limit: 1).first else {
      throw .unknown("entry \(leaf)")
    }
    do {
      return try Receipt(proving: entry, index: leaf, in: checkpoint, files: folder)
    } catch { throw .ledger(error) }
  }
}

// Publishing.
extension Sequencer {
  private func publishNow() throws(StoreError) -> PublishedCheckpoint? {
    var now = progress.withLock { $0 }
    if let failure = now.failure { throw failure }
    do {
      var isNew = false
      let keys = keys.withLock { $0 }
      while let batch = try nextBatch(now, keys) {
        try write(batch, &now, keys)
        let written = now
        progress.withLock { $0 = written }
        isNew = true
        if batch.isEmpty { break }
      }
      return isNew ? now.published.map(PublishedCheckpoint.init) : nil
    } catch {
      let failure = Sequencer.problem(error)
      if failure.isFinal { progress.withLock { $0.failure = failure } }
      throw failure
    }
  }

  /// The next entries; an empty batch for the first checkpoint of an empty ledger, or the first that
  /// bears a new key; nil when all is published. A batch ends where the guard stands, so that its root
  /// can be compared there.
  private func nextBatch(_ now: Progress, _ keys: LedgerKeys) throws -> [[UInt8]]? {
    let size = now.state.size
    var limit = Sequencer.batch
    if let signed = now.guarded?.size, signed > size { limit = min(limit, signed - size) }
    let entries = try store.leavesNow(from: size, limit: limit)
    if !entries.isEmpty { return entries }
    return now.published == nil || now.told != keys.key.verifierKey ? [] : nil
  }

  private func write(_ batch: [[UInt8]], _ now: inout Progress, _ keys: LedgerKeys) throws {
    let append = try now.state.appending(batch, key: keys.key, nextKey: keys.outgoing)
    let size = append.checkpoint.size
    let signed = now.guarded
    if let signed, size == signed.size, append.checkpoint.root != signed.root {
      throw StoreError.ledgerDiffers(size: size)
    }
    for file in append.tiles { try writer.write(file.bytes, to: "\(folder.path)/\(file.path)") }
    now.state = append.state
    // While the folder is being rebuilt up to what was signed before, there is nothing new to sign.
    if let signed, size < signed.size { return }

    // From here on somebody else may hold it: first the guard, then the checkpoint kept under its
    // size, then the one that readers ask for.
    if signed != append.checkpoint {
      try writer.write(append.checkpoint.bytes, to: guardFile, mode: 0o600)
      now.guarded = append.checkpoint
    }
    for file in append.files.dropFirst(append.tiles.count) + [append.commit] {
      try writer.write(file.bytes, to: "\(folder.path)/\(file.path)")
    }
    now.published = append.checkpoint
    if now.told != keys.key.verifierKey {
      try tell(keys)
      now.told = keys.key.verifierKey
    }
    removePartials(append.tiles)
  }

  /// Writes which keys readers need, where the folder does not say so yet.
  private func tell(_ keys: LedgerKeys) throws(StoreError) {
    for file in keys.files {
      let (path, text) = ("\(folder.path)/\(file.name)", Array(file.text.utf8))
      if try readFile(path, limit: text.count) != text { try writer.write(text, to: path) }
    }
  }

  /// Once a tile is full its partial files may go (C2SP tlog-tiles); one a second would fill the disk's
  /// table of files. Readers take the full one instead. That it fails does no harm.
  private func removePartials(_ tiles: [LedgerFile]) {
    for tile in tiles where !tile.path.contains(".p/") {
      let partials = "\(folder.path)/\(tile.path).p"
      for width in 1..<TilePath.full { unlink("\(partials)/\(width)") }
      rmdir(partials)
    }
  }
}

// The check at the start.
extension Sequencer {
  private static func read(
    _ folder: LedgerFolder, _ guardFile: String, _ keys: LedgerKeys
  ) throws -> Progress {
    var progress = Progress(state: LedgerState())
    if let bytes = try folder.read(Checkpoint.path, limit: SignedNote.longest) {
      let checkpoint = try keys.believed(bytes)
      if keys.isNewest(checkpoint) { progress.told = keys.key.verifierKey }
      progress.state = try LedgerState(at: checkpoint, files: folder)
      progress.published = checkpoint
    }
    if let bytes = try readFile(guardFile, limit: SignedNote.longest) {
      progress.guarded = try keys.believed(bytes)
    }
    return progress
  }

  /// Refuses a store that is older than, or other than, what was signed: a backup restored over a
  /// running ledger would fork it.
  private func mustContinue(_ now: inout Progress, leaves: Int) async throws(StoreError) {
    let signed = max(now.published?.size ?? 0, now.guarded?.size ?? 0)
    guard leaves >= signed else { throw .ledgerWentBack(signed: signed, found: leaves) }
    if let published = now.published {
      if let guarded = now.guarded, guarded.size <= published.size {
        // The guard may be behind by a crash, and must then be a beginning of what is published.
        let tree = MerkleTree(size: guarded.size, files: folder)
        let root: LedgerHash
        do { root = try tree.root() } catch { throw .ledger(error) }
        guard root == guarded.root else { throw .ledgerDiffers(size: guarded.size) }
      }
      // The last entries of the folder must be the store's own: a store that was put back and then
      // went on differs here.
      guard try await lastHashes(published.size) == storedHashes(published.size) else {
        throw .ledgerDiffers(size: published.size)
      }
    }
    if let guarded = now.guarded, guarded.size > now.state.size {
      // The folder is behind what was signed: it is rebuilt, if the store gives the same root.
      var frontier = now.state.frontier
      while frontier.size < guarded.size {
        let entries = try await store.leaves(
          from: frontier.size, limit: min(Sequencer.batch, guarded.size - frontier.size))
        guard !entries.isEmpty else {
          throw .ledgerWentBack(signed: guarded.size, found: frontier.size)
        }
        for entry in entries { frontier.append(.leaf(entry)) }
      }
      guard frontier.root == guarded.root else { throw .ledgerDiffers(size: guarded.size) }
    }
  }

  /// The hashes of the ledger's last 1 to 256 entries, as the folder has them.
  private func lastHashes(_ size: Int) throws(StoreError) -> [UInt8] {
    guard size > 0 else { return [] }
    let index = (size - 1) / TilePath.full
    let tile = TilePath(.hashes(level: 0), index: index, width: size - index * TilePath.full)
    let limit = TilePath.full * LedgerHash.length
    var bytes = try readFile("\(folder.path)/\(tile)", limit: limit)
    if bytes == nil {
      // The full tile stands in for a partial one that was removed.
      bytes = try readFile("\(folder.path)/\(TilePath(tile.content, index: index))", limit: limit)
    }
    return Array((bytes ?? []).prefix(tile.width * LedgerHash.length))
  }

  private func storedHashes(_ size: Int) async throws(StoreError) -> [UInt8] {
    guard size > 0 else { return [] }
    let first = (size - 1) / TilePath.full * TilePath.full
    return try await store.leaves(from: first, limit: size - first)
      .flatMap { LedgerHash.leaf($0).bytes }
  }

  fileprivate static func problem(_ error: any Error) -> StoreError {
    if let problem = error as? LedgerProblem { return .ledger(problem) }
    return StoreError(reading: error)
  }
}

extension PublishedCheckpoint {
  init(_ checkpoint: SignedCheckpoint) {
    self.init(size: checkpoint.size, root: checkpoint.root, bytes: checkpoint.bytes)
  }
}

extension Store {
  var isOwner: Bool { committer != nil }

  /// On the calling thread; for one that may wait.
  func leavesNow(from first: Int, limit: Int) throws(StoreError) -> [[UInt8]] {
    do {
      return try pool.read { db in try Store.leaves(db, from: first, limit: limit) }
    } catch { throw StoreError(reading: error) }
  }
}
