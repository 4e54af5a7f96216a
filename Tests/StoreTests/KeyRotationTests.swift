import Exchange
import Foundation
import GRDB
import Ledger
import Testing

@testable import Store

/// Store and ledger keys that follow one another while the store is in use.
@Suite struct KeyRotationTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  private static func storeKey(_ version: Int) throws -> StoreKeys.StoreKey {
    try StoreKeys.StoreKey(
      version: version, bytes: [UInt8](repeating: UInt8(version & 0xff), count: 32))
  }

  private static func keys(_ current: Int, earlier: [Int] = []) throws -> StoreKeys {
    try StoreKeys(
      store: storeKey(current), earlier: earlier.map(storeKey),
      lookup: [UInt8](repeating: 2, count: 32))
  }

  private func rewrapAll(_ store: Store, limit: Int = 512) async throws {
    var place: RewrapPlace? = .beginning
    while let next = place { place = try await store.rewrap(from: next, limit: limit) }
  }

  private func messages(_ store: Store, _ numbers: ClosedRange<Int>) async throws -> [IntakeRecord]
  {
    var records: [IntakeRecord] = []
    for number in numbers {
      let record = Message(number: number, event: "evt-\(number)").record()
      _ = try await store.record(record)
      records.append(record)
    }
    return records
  }

  @Test(arguments: [1, 3, 512])
  func `what an earlier key held opens under the next one alone, once all is wrapped anew`(
    limit: Int
  ) async throws {
    var store: Store? = try await fixture.open()
    let records = try await messages(try #require(store), 1...5)
    let used = try #require(try await store?.keysUnder(version: 1))
    #expect(used > 5)
    try await store?.use(try Self.keys(2, earlier: [1]))
    // Readable before and during.
    #expect(try await store?.original(of: records[0].exchange) == records[0].original)
    let later = try await messages(try #require(store), 6...6)
    #expect(try await store?.keysUnder(version: 1) == used)
    try await rewrapAll(try #require(store), limit: limit)
    #expect(try await store?.keysUnder(version: 1) == 0)
    store = nil

    let reopened = try Store.open(
      directory: fixture.directory, keys: Self.keys(2), mode: .owner)
    for record in records + later {
      #expect(try await reopened.original(of: record.exchange) == record.original)
    }
    for leaf in 0..<(try await reopened.leafCount()) {
      let opened = try await reopened.detail(of: leaf)
      let detail = try #require(opened.detail)
      let key = try CommitmentKey(try #require(opened.commitmentKey))
      #expect(try LedgerEntry(opened.entry).commitment == Commitment(to: detail, key: key))
    }
  }

  @Test func `broken off anywhere, it goes on from the beginning and finishes`() async throws {
    let store = try await fixture.open()
    let records = try await messages(store, 1...4)
    try await store.use(try Self.keys(2, earlier: [1]))
    // One key a call: some are under the one, some under the other.
    var place: RewrapPlace? = .beginning
    for _ in 0..<3 { place = try await store.rewrap(from: try #require(place), limit: 1) }
    let image = try fixture.image()
    let recovered = try Store.open(
      directory: image.directory, keys: Self.keys(2, earlier: [1]), mode: .owner)
    for record in records {
      #expect(try await recovered.original(of: record.exchange) == record.original)
    }
    try await rewrapAll(recovered)
    #expect(try await recovered.keysUnder(version: 1) == 0)
    for record in records {
      #expect(try await recovered.original(of: record.exchange) == record.original)
    }
  }

  @Test func `a key wrapped anew lies where it lay, at the same length`() async throws {
    let store = try await fixture.open()
    _ = try await messages(store, 1...80)
    let before = try await store.pool.read { db in
      try Int.fetchOne(db, sql: "PRAGMA page_count")
    }
    try await store.use(try Self.keys(2, earlier: [1]))
    try await rewrapAll(store)
    try await store.use(try Self.keys(300, earlier: [2]))
    try await rewrapAll(store)
    try await store.truncateLog()
    #expect(
      try await store.pool.read { db in try Int.fetchOne(db, sql: "PRAGMA page_count") } == before)
    // No file holds a wrapped key twice: whoever destroys one destroys it everywhere.
    let wrapped = try await store.pool.read { db in
      try KeyTable.allCases.flatMap { table in
        try Data.fetchAll(db, sql: "SELECT wrapped FROM \(table.rawValue)")
      }
    }
    let bytes = Data(try fixture.allBytes())
    for key in wrapped {
      let first = try #require(bytes.range(of: key))
      #expect(bytes[first.upperBound...].range(of: key) == nil)
    }
  }

  @Test func `what was erased stays erased`() async throws {
    let store = try await fixture.open()
    let record = Message().record()
    _ = try await store.record(record)
    try await store.pool.write { db in try KeyTable.exchange.destroy(db, 1) }
    try await store.use(try Self.keys(2, earlier: [1]))
    try await rewrapAll(store)
    #expect(try await store.original(of: record.exchange) == nil)
  }

  @Test func `keys of another store are not taken into use`() async throws {
    let store = try await fixture.open()
    let record = Message().record()
    _ = try await store.record(record)
    let other = try StoreKeys(
      store: Self.storeKey(1), lookup: [UInt8](repeating: 9, count: 32))
    await #expect(throws: StoreError.wrongKey) { try await store.use(other) }
    // The key that wraps the store's own check is gone.
    await #expect(throws: StoreError.keyMissing(version: 1)) {
      try await store.use(try Self.keys(2))
    }
    #expect(try await store.original(of: record.exchange) == record.original)
  }

  @Test func `each change of a key is an entry, once; a ring seen first is none`() async throws {
    let store = try await fixture.open()
    func key(_ id: String, _ state: String) -> KeyRecord {
      KeyRecord(id: id, state: state, by: "uid 0 (root)", reason: "yearly", publicName: "sha256:1")
    }
    #expect(try await store.recordKeys([key("ledger-1", "active")], at: .start).isEmpty)
    let rotated = [key("ledger-1", "accepted"), key("ledger-2", "active")]
    let entries = try await store.recordKeys(rotated, at: .start)
    #expect(entries == [1, 2])
    #expect(try await store.recordKeys(rotated, at: .start).isEmpty)
    let detail = try #require(try await store.detail(of: 2).detail)
    #expect(
      try JSONValue.parse(detail) == [
        "event": "key-changed", "key": "ledger-2", "state": "active", "by": "uid 0 (root)",
        "reason": "yearly", "publicName": "sha256:1",
      ])
  }
}

@Suite struct LedgerKeyRotationTests {
  let fixture: StoreFixture
  private let keys: [SigningKey]
  private var directory: String { fixture.directory + ".ledger" }
  private var guardFile: String { fixture.directory + ".guard/largest" }

  init() throws {
    fixture = try StoreFixture()
    keys = try (1...3).map {
      try SigningKey(
        name: "relay.example.org/audit", seed: [UInt8](repeating: UInt8($0), count: 32))
    }
  }

  private func sequencer(_ store: Store, _ keys: LedgerKeys) async throws -> Sequencer {
    try await Sequencer.open(
      store: store, directory: directory, guardFile: guardFile, keys: keys)
  }

  private func report(_ newest: Int, former: [Int] = []) throws -> LedgerReport {
    let folder = LedgerFolder(directory)
    return LedgerVerifier(
      files: folder, ledger: keys[newest].verifierKey,
      formerKeys: former.map { keys[$0].verifierKey }
    ).check(kept: try folder.keptCheckpoints())
  }

  private func file(_ name: String) -> String? {
    try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
  }

  @Test func `both keys sign until the old one is given up, and outsiders follow`() async throws {
    defer {
      for path in [directory, fixture.directory + ".guard"] {
        try? FileManager.default.removeItem(atPath: path)
      }
    }
    let store = try await fixture.open()
    let first = try await sequencer(store, LedgerKeys(key: keys[0]))
    _ = try await first.publish()
    #expect(try report(0).isSound)
    #expect(!first.bears(keys[1].verifierKey))

    // A checkpoint with both signatures is made at once, though nothing new happened.
    let both = LedgerKeys(key: keys[1], outgoing: keys[0])
    try await first.use(both)
    #expect(first.bears(keys[1].verifierKey))
    #expect(first.bears(keys[0].verifierKey))
    #expect(try report(0).isSound)
    #expect(try report(1).isSound)
    #expect(file("vkey") == "\(keys[1].verifierKey)\n")
    #expect(file("vkey.former") == "\(keys[0].verifierKey)\n")

    try await store.recordService(.stopped, at: .start)
    _ = try await first.publish()
    #expect(try report(0).isSound)

    // Given up: who has only the old key sees no more; who has both sees everything.
    let alone = LedgerKeys(key: keys[1], former: [keys[0].verifierKey])
    try await first.use(alone)
    try await store.recordService(.stopped, at: .start)
    _ = try await first.publish()
    #expect(try report(0).problems.map(\.code) == [.signatureMissing])
    #expect(try report(1, former: [0]).isSound)
    #expect(try report(1, former: [0]).size == 3)

    // A start goes on, and so does the next rotation.
    let restarted = try await sequencer(store, alone)
    #expect(try await restarted.publish() == nil)
    try await restarted.use(
      LedgerKeys(key: keys[2], outgoing: keys[1], former: [keys[0].verifierKey]))
    #expect(try report(2, former: [1, 0]).isSound)
    #expect(file("vkey.former") == "\(keys[1].verifierKey)\n\(keys[0].verifierKey)\n")
  }

  @Test func `a start between the new key and its first checkpoint makes it`() async throws {
    let store = try await fixture.open()
    _ = try await sequencer(store, LedgerKeys(key: keys[0])).publish()
    let restarted = try await sequencer(store, LedgerKeys(key: keys[1], outgoing: keys[0]))
    #expect(file("vkey") == "\(keys[0].verifierKey)\n")
    #expect(try await restarted.publish()?.size == 1)
    #expect(file("vkey") == "\(keys[1].verifierKey)\n")
    #expect(try report(1).isSound)
  }

  @Test func `a ledger of none of the keys is refused`() async throws {
    let store = try await fixture.open()
    _ = try await sequencer(store, LedgerKeys(key: keys[0])).publish()
    let failure = await #expect(throws: StoreError.self) {
      _ = try await sequencer(
        store, LedgerKeys(key: keys[2], outgoing: keys[1], former: []))
    }
    #expect(failure?.code == "STOR-033")
  }
}
