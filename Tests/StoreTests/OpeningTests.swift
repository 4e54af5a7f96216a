import Exchange
import Foundation
import GRDB
import Testing

@testable import Store

@Suite struct OpeningTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  @Test func `a second owner is refused while the first lives`() throws {
    let first = try fixture.openPlain()
    #expect(throws: StoreError.owned(directory: fixture.directory)) {
      _ = try fixture.openPlain()
    }
    _ = first
  }

  @Test func `a dropped owner leaves the store to the next`() async throws {
    var first: Store? = try await fixture.open()
    first = nil
    _ = first
    #expect(try await fixture.openPlain().leafCount() == 1)
  }

  @Test func `a reader beside the owner sees what is committed and can write nothing`()
    async throws
  {
    let owner = try await fixture.open()
    let reader = try fixture.openPlain(.reader)
    _ = try await owner.record(Message().record())
    #expect(try await reader.leafCount() == 2)
    #expect(reader.policy == StoreFixture.policy)
    await #expect(throws: StoreError.readOnly) { try await reader.markCleanExit() }
  }

  @Test func `a reader opens a store that nobody owns`() async throws {
    do { _ = try await fixture.open() }
    #expect(try await fixture.openPlain(.reader).leafCount() == 1)
  }

  @Test func `a reader of an empty folder is refused`() throws {
    #expect(throws: StoreError.self) { _ = try fixture.openPlain(.reader) }
    let exists = FileManager.default.fileExists(atPath: fixture.directory + "/sallyport.db")
    #expect(!exists)
  }

  @Test func `the connection that writes syncs every commit`() throws {
    let store = try fixture.openPlain()
    try store.pool.writeWithoutTransaction { db throws in
      #expect(try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2)
      #expect(try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal")
      #expect(try Int.fetchOne(db, sql: "PRAGMA secure_delete") == 1)
      #expect(try Int.fetchOne(db, sql: "PRAGMA foreign_keys") == 1)
    }
  }

  @Test func `the files are for their owner alone`() async throws {
    let store = try await fixture.open()
    for name in try FileManager.default.contentsOfDirectory(atPath: fixture.directory) {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: "\(fixture.directory)/\(name)")
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
    }
    let folder = try FileManager.default.attributesOfItem(atPath: fixture.directory)
    #expect(folder[.posixPermissions] as? Int == 0o700)
    _ = store
  }

  @Test func `every table is strict`() throws {
    let store = try fixture.openPlain()
    let lax = try store.pool.read { db in
      try String.fetchAll(
        db,
        sql: """
          SELECT name FROM pragma_table_list
          WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite%'
          """)
    }
    #expect(lax.isEmpty)
  }

  @Test func `a newer schema is refused and left untouched`() throws {
    do { _ = try fixture.openPlain() }
    let path = fixture.directory + "/sallyport.db"
    try DatabaseQueue(path: path).write { try $0.execute(sql: "PRAGMA user_version = 99") }
    let error = StoreError.newerSchema(found: 99, known: Schema.version)
    #expect(throws: error) { _ = try fixture.openPlain() }
    #expect(throws: error) { _ = try fixture.openPlain(.reader) }
    let version = try DatabaseQueue(path: path).read {
      try Int.fetchOne($0, sql: "PRAGMA user_version")
    }
    #expect(version == 99)
  }

  @Test func `somebody else's database is refused`() throws {
    try FileManager.default.createDirectory(
      atPath: fixture.directory, withIntermediateDirectories: true)
    try DatabaseQueue(path: fixture.directory + "/sallyport.db").write { db in
      try db.execute(sql: "CREATE TABLE theirs (a)")
    }
    #expect(throws: StoreError.notAStore(file: fixture.directory + "/sallyport.db")) {
      _ = try fixture.openPlain()
    }
  }

  @Test func `a file that is no database is refused`() throws {
    try FileManager.default.createDirectory(
      atPath: fixture.directory, withIntermediateDirectories: true)
    try Data(repeating: 0x41, count: 9000).write(
      to: URL(fileURLWithPath: fixture.directory + "/sallyport.db"))
    #expect(throws: StoreError.notAStore(file: "sallyport.db")) { _ = try fixture.openPlain() }
  }

  @Test(arguments: [(9, 2), (1, 9)])
  func `other keys are refused`(store: Int, lookup: Int) throws {
    do { _ = try fixture.openPlain() }
    let other = try StoreFixture.keys(store: UInt8(store), lookup: UInt8(lookup))
    #expect(throws: StoreError.wrongKey) {
      _ = try Store.open(directory: fixture.directory, keys: other, mode: .owner)
    }
  }

  @Test func `a new store key opens what the earlier one closed`() async throws {
    let message = Message(subjectCase: .new(.random(), identifiers: StoreFixture.identifiers))
    let record = message.record()
    do { _ = try await fixture.open().record(record) }
    let earlier = try StoreKeys.StoreKey(version: 1, bytes: [UInt8](repeating: 1, count: 32))
    let next = try StoreKeys.StoreKey(version: 2, bytes: [UInt8](repeating: 5, count: 32))
    let lookup = [UInt8](repeating: 2, count: 32)
    do {
      let rotated = try StoreKeys(store: next, earlier: [earlier], lookup: lookup)
      let store = try Store.open(directory: fixture.directory, keys: rotated, mode: .owner)
      #expect(try await store.original(of: record.exchange) == record.original)
      _ = try await store.record(Message(number: 2, event: "evt-2").record())
    }
    let alone = try StoreKeys(store: next, lookup: lookup)
    #expect(throws: StoreError.keyMissing(version: 1)) {
      _ = try Store.open(directory: fixture.directory, keys: alone, mode: .owner)
    }
  }

  @Test func `an exit is clean only when it was said, and only once`() async throws {
    #expect(try fixture.openPlain().wasCleanExit)
    #expect(try !fixture.openPlain().wasCleanExit)
    do {
      let store = try fixture.openPlain()
      try await store.markCleanExit()
    }
    #expect(try fixture.openPlain().wasCleanExit)
    #expect(try !fixture.openPlain().wasCleanExit)
  }

  @Test func `what was answered survives a power cut`() async throws {
    let store = try await fixture.open()
    let record = Message().record()
    _ = try await store.record(record)
    // The files as they are on the disk now, with the store still open and its log not written back.
    let image = try fixture.image()
    let after = try image.openPlain()
    #expect(try await after.original(of: record.exchange) == record.original)
    #expect(try await after.leafCount() == 2)
    #expect(!after.wasCleanExit)
    let sound = try await after.pool.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
    #expect(sound == "ok")
  }
}
