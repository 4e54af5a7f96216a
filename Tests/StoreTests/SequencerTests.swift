import Exchange
import Foundation
import Ledger
import Synchronization
import Testing

@testable import Store

@Suite struct SequencerTests {
  let fixture: StoreFixture
  private let key: SigningKey
  private var directory: String { fixture.directory + ".ledger" }
  private var guardFile: String { fixture.directory + ".guard/largest" }

  init() throws {
    fixture = try StoreFixture()
    key = try SigningKey(
      name: "relay.example.org/audit", seed: (0..<32).map { UInt8($0) })
  }

  private func sequencer(
    _ store: Store, directory: String? = nil, writer: DurableWriter = DurableWriter()
  ) async throws -> Sequencer {
    try await Sequencer.open(
      store: store, directory: directory ?? self.directory, guardFile: guardFile,
      keys: LedgerKeys(key: key), writer: writer)
  }

  private func add(_ store: Store, _ count: Int) async throws {
    for _ in 0..<count { try await store.recordService(.stopped, at: .start) }
  }

  /// Many entries by one commit.
  private func addAtOnce(_ store: Store, _ count: Int) async throws {
    _ = try await store.commit { db in
      for _ in 0..<count {
        _ = try store.addEntry(
          db, .service, .random(), of: nil, detail: ["event": "test"], at: .start)
      }
    }
  }

  /// The full check that an auditor makes with the public key alone.
  private func verify(_ directory: String? = nil) throws -> LedgerReport {
    let folder = LedgerFolder(directory ?? self.directory)
    return LedgerVerifier(files: folder, ledger: key.verifierKey)
      .check(kept: try folder.keptCheckpoints())
  }

  private func remove() {
    for path in [directory, fixture.directory + ".guard"] {
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  @Test func `what is committed is published, signed, and verifies with the public key alone`()
    async throws
  {
    defer { remove() }
    let store = try await fixture.open()
    let sequencer = try await sequencer(store)
    let first = try #require(try await sequencer.publish())
    #expect(first.size == 1)
    #expect(try await sequencer.publish() == nil)
    try await add(store, 3)
    let second = try #require(try await sequencer.publish())
    #expect(second.size == 4)
    let report = try verify()
    #expect(report.isSound, "\(report.problems)")
    #expect(report.size == 4 && report.entriesChecked == 4 && report.checkpointsChecked == 2)
    #expect(report.root == second.root)
    let leaves = try await store.leaves(from: 0, limit: 10)
    #expect(report.root == root(of: leaves.map { LedgerHash.leaf($0) }))
    let vkey = try String(contentsOfFile: directory + "/vkey", encoding: .utf8)
    #expect(vkey == "\(key.verifierKey)\n")
  }

  /// RFC 9162 2.1.1, straight from the definition.
  private func root(of leaves: [LedgerHash]) -> LedgerHash {
    guard leaves.count > 1 else { return leaves.first ?? .empty }
    var half = 1
    while half * 2 < leaves.count { half *= 2 }
    return .node(root(of: Array(leaves[..<half])), root(of: Array(leaves[half...])))
  }

  @Test func `an empty store has a signed ledger of size 0`() async throws {
    defer { remove() }
    let store = try fixture.openPlain()
    let published = try await sequencer(store).publish()
    #expect(published?.size == 0)
    #expect(try verify().isSound)
  }

  @Test func `a new start goes on where the ledger ends`() async throws {
    defer { remove() }
    do {
      let store = try await fixture.open()
      _ = try await sequencer(store).publish()
    }
    let store = try fixture.openPlain()
    let next = try await sequencer(store)
    #expect(next.published?.size == 1)
    #expect(try await next.publish() == nil)
    try await add(store, 1)
    #expect(try await next.publish()?.size == 2)
    #expect(try verify().isSound)
  }

  @Test(arguments: [255, 256, 257, 511, 512, 513, 2049, 5000])
  func `a backlog of any size is caught up with`(count: Int) async throws {
    defer { remove() }
    let store = try await fixture.open()
    try await addAtOnce(store, count - 1)
    #expect(try await sequencer(store).publish()?.size == count)
    let report = try verify()
    #expect(report.isSound, "\(report.problems)")
    #expect(report.entriesChecked == count)
    // A start on it, right at and beside the edge of a tile.
    try await add(store, 1)
    #expect(try await sequencer(store).publish()?.size == count + 1)
    #expect(try verify().isSound)
  }

  @Test func `partial tiles go when their tile is full`() async throws {
    defer { remove() }
    let store = try await fixture.open()
    let sequencer = try await sequencer(store)
    try await addAtOnce(store, 99)
    _ = try await sequencer.publish()
    #expect(FileManager.default.fileExists(atPath: directory + "/tile/0/000.p/100"))
    try await addAtOnce(store, 200)
    _ = try await sequencer.publish()
    let isThere = FileManager.default.fileExists(atPath: directory + "/tile/0/000.p")
    #expect(!isThere)
    let report = try verify()
    #expect(report.isSound && report.checkpointsChecked == 2)
  }

  @Test func `a wider tile of a batch that was never committed is written over`() async throws {
    defer { remove() }
    let store = try await fixture.open()
    let first = try await sequencer(store)
    try await add(store, 2)
    _ = try await first.publish()
    let junk = Data(repeating: 0xEE, count: 4 * 32)
    for path in ["/tile/0/000.p/4", "/tile/entries/000.p/4", "/tile/0/000.p/.new-4"] {
      try junk.write(to: URL(fileURLWithPath: directory + path))
    }
    let next = try await sequencer(store)
    try await add(store, 1)
    #expect(try await next.publish()?.size == 4)
    let report = try verify()
    #expect(report.isSound, "\(report.problems)")
  }

  @Test func `whatever step fails, the next start publishes a ledger that verifies`() async throws {
    defer { remove() }
    struct Count { var steps = 0 }
    let store = try await fixture.open()
    // How many steps one publication has: counted on a folder that is thrown away.
    var step = 0
    var isDone = false
    while !isDone {
      step += 1
      try await add(store, 1)
      let left = Mutexed(step)
      var writer = DurableWriter()
      writer.before = { _, path throws(StoreError) in
        if left.countDown() == 0 { throw .ledgerWrite(file: path, errno: 5) }
      }
      do {
        let broken = try await sequencer(store, writer: writer)
        _ = try await broken.publish()
        isDone = left.value > 0
      } catch let error as StoreError {
        #expect(error.code == "STOR-030" && error.isFinal)
      }
      let count = try await store.leafCount()
      _ = try await sequencer(store).publish()
      let report = try verify()
      #expect(report.isSound && report.size == count, "at step \(step): \(report.problems)")
    }
    // Bundle, tile, guard, two checkpoints: five files with five steps each, and no fewer.
    #expect(step >= 25)
  }

  @Test func `after a failed write nothing is tried again`() async throws {
    defer { remove() }
    let store = try await fixture.open()
    let left = Mutexed(8)
    var writer = DurableWriter()
    writer.before = { _, path throws(StoreError) in
      if left.countDown() == 0 { throw .ledgerWrite(file: path, errno: 28) }
    }
    let broken = try await sequencer(store, writer: writer)
    let failure = await #expect(throws: StoreError.self) { try await broken.publish() }
    #expect(failure?.code == "STOR-030")
    await #expect(throws: failure ?? .busy) { try await broken.publish() }
  }

  @Test func `a folder that cannot be written is final`() async throws {
    defer { remove() }
    let store = try await fixture.open()
    let sequencer = try await sequencer(store)
    // A file where a folder must be: no right helps against that, not even root's.
    try Data().write(to: URL(fileURLWithPath: directory + "/tile"))
    let failure = await #expect(throws: StoreError.self) { try await sequencer.publish() }
    #expect(failure?.code == "STOR-030")
  }

  @Test func `a store restored from before what was signed is refused and signs nothing`()
    async throws
  {
    defer { remove() }
    let backup: StoreFixture
    do {
      let store = try await fixture.open()
      let sequencer = try await sequencer(store)
      _ = try await sequencer.publish()
      try await store.truncateLog()
      backup = try fixture.image()
      try await add(store, 3)
      _ = try await sequencer.publish()
    }
    let restored = try backup.openPlain()
    let before = try Data(contentsOf: URL(fileURLWithPath: directory + "/checkpoint"))
    await #expect(throws: StoreError.ledgerWentBack(signed: 4, found: 1)) {
      _ = try await sequencer(restored)
    }
    // Nor with an empty folder: the guard remembers.
    await #expect(throws: StoreError.ledgerWentBack(signed: 4, found: 1)) {
      _ = try await sequencer(restored, directory: directory + ".other")
    }
    // Having gone on past the signed size, it is another ledger.
    try await add(restored, 5)
    await #expect(throws: StoreError.ledgerDiffers(size: 4)) {
      _ = try await sequencer(restored)
    }
    await #expect(throws: StoreError.ledgerDiffers(size: 4)) {
      _ = try await sequencer(restored, directory: directory + ".other")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: directory + "/checkpoint")) == before)
    let wasMade = FileManager.default.fileExists(atPath: directory + ".other/checkpoint")
    #expect(!wasMade)
  }

  @Test func `a ledger folder that is lost or behind is rebuilt to the same roots`() async throws {
    defer { remove() }
    let store = try await fixture.open()
    let first = try await sequencer(store)
    _ = try await first.publish()
    let copy = directory + ".early"
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.copyItem(atPath: directory, toPath: copy)
    try await addAtOnce(store, 600)
    let signed = try #require(try await first.publish())
    try await addAtOnce(store, 10)

    try FileManager.default.removeItem(atPath: directory)
    let rebuilt = try await sequencer(store)
    #expect(try await rebuilt.publish()?.size == 611)
    #expect(try verify().isSound)
    // The checkpoint that others may hold is in it again, byte for byte.
    let kept = try Data(contentsOf: URL(fileURLWithPath: directory + "/checkpoints/601"))
    #expect(Array(kept) == signed.bytes)

    #expect(try await sequencer(store, directory: copy).publish()?.size == 611)
    let report = try verify(copy)
    #expect(report.isSound, "\(report.problems)")
  }

  @Test func `a ledger of another key, or a changed one, is refused`() async throws {
    defer { remove() }
    let store = try await fixture.open()
    _ = try await sequencer(store).publish()
    let other = try SigningKey(
      name: "relay.example.org/audit", seed: [UInt8](repeating: 9, count: 32))
    let failure = await #expect(throws: StoreError.self) {
      _ = try await Sequencer.open(
        store: store, directory: directory, guardFile: guardFile, keys: LedgerKeys(key: other))
    }
    #expect(failure?.code == "STOR-033")

    let path = URL(fileURLWithPath: directory + "/tile/0/000.p/1")
    var tile = Array(try Data(contentsOf: path))
    tile[0] ^= 1
    try Data(tile).write(to: path)
    let changed = await #expect(throws: StoreError.self) { _ = try await sequencer(store) }
    #expect(changed?.code == "STOR-033")
  }

  @Test func `a receipt proves an entry to whoever holds the public key`() async throws {
    defer { remove() }
    let store = try await fixture.open()
    let sequencer = try await sequencer(store)
    #expect(try await sequencer.receipt(for: 0) == nil)
    try await addAtOnce(store, 4)
    _ = try await sequencer.publish()
    let receipt = try #require(try await sequencer.receipt(for: 2))
    let entry = try await store.leaves(from: 2, limit: 1)[0]
    let checkpoint = try Receipt(receipt.bytes).verify(entry: entry, ledger: key.verifierKey)
    #expect(checkpoint.size == 5)
    #expect(try await sequencer.receipt(for: 5) == nil)
  }

  @Test func `only the owner of the store publishes`() async throws {
    defer { remove() }
    let owner = try await fixture.open()
    let reader = try fixture.openPlain(.reader)
    await #expect(throws: StoreError.readOnly) { _ = try await sequencer(reader) }
    _ = owner
  }
}

/// A count that several threads may touch.
final class Mutexed: Sendable {
  private let count: Synchronization.Mutex<Int>

  init(_ count: Int) { self.count = Mutex(count) }

  var value: Int { count.withLock { $0 } }

  /// Takes one off; answers what is left.
  func countDown() -> Int {
    count.withLock { count in
      count -= 1
      return count
    }
  }
}
