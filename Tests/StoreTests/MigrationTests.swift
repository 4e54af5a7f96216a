import Exchange
import Foundation
import GRDB
import Testing

@testable import Store

/// A store that an earlier program made.
@Suite struct MigrationTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  private var path: String { fixture.directory + "/sallyport.db" }

  /// A database as the program of that schema left it, with a row of its own.
  private func makeStore(ofSchema version: Int) throws {
    try FileManager.default.createDirectory(
      atPath: fixture.directory, withIntermediateDirectories: true)
    try DatabaseQueue(path: path).writeWithoutTransaction { db in
      for step in Schema.steps.prefix(version) { try db.execute(sql: step) }
      try db.execute(sql: "INSERT INTO attempt VALUES ('police', 'M1', 2)")
      try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
      try db.execute(sql: "PRAGMA user_version = \(version)")
    }
  }

  @Test(arguments: 1..<Schema.version)
  func `a store of an earlier schema is taken forward and goes on`(version: Int) async throws {
    try makeStore(ofSchema: version)
    let store = try await fixture.open()
    let found = try await store.pool.read { db in
      try Int.fetchOne(db, sql: "PRAGMA user_version")
    }
    #expect(found == Schema.version)
    let counted = CarrierKey(inbox: "police", message: try #require(CarrierMessageID("M1")))
    #expect(try await store.beginAttempt(counted) == 3)
    let record = Message().record()
    _ = try await store.record(record)
    #expect(try await store.original(of: record.exchange) == record.original)
  }

  @Test(arguments: 1..<Schema.version)
  func `the store as it was is kept beside it before a migration`(version: Int) throws {
    try makeStore(ofSchema: version)
    do { _ = try fixture.openPlain() }
    let kept = try DatabaseQueue(path: "\(path).schema-\(version)").read { db in
      (
        try Int.fetchOne(db, sql: "PRAGMA user_version"),
        try Int.fetchOne(db, sql: "SELECT count FROM attempt WHERE message = 'M1'")
      )
    }
    #expect(kept.0 == version)
    #expect(kept.1 == 2)
  }

  @Test func `a store of this schema is opened without a copy beside it`() throws {
    do { _ = try fixture.openPlain() }
    do { _ = try fixture.openPlain() }
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
    #expect(!names.contains { $0.contains(".schema-") })
  }
}
