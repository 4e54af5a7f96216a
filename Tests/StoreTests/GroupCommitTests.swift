import Exchange
import GRDB
import Rules
import Testing

@testable import Store

@Suite struct GroupCommitTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  /// Lets so many calls gather as if a commit were syncing, then goes on.
  private func gathering(
    _ store: Store, _ count: Int, _ calls: (inout TaskGroup<Void>) -> Void
  ) async throws {
    let committer = try #require(store.committer)
    committer.hold()
    await withTaskGroup(of: Void.self) { group in
      calls(&group)
      while committer.waitingCount < count { await Task.yield() }
      committer.letGo()
    }
  }

  @Test func `what becomes ready while a commit runs shares the next one`() async throws {
    let store = try await fixture.open()
    let before = store.commitStatistics
    try await gathering(store, 20) { group in
      for number in 1...20 {
        group.addTask {
          let result = try? await store.record(
            Message(number: number, event: "evt-\(number)").record())
          #expect(result != nil)
        }
      }
    }
    let after = store.commitStatistics
    #expect(after.commits - before.commits == 1)
    #expect(after.members - before.members == 20)
    #expect(after.largestGroup == 20)
    #expect(try await store.leafCount() == 21)
  }

  @Test func `a member that fails undoes itself alone`() async throws {
    struct Broken: Error {}
    let store = try await fixture.open()
    try await gathering(store, 21) { group in
      for number in 1...20 {
        group.addTask {
          _ = try? await store.record(Message(number: number, event: "evt-\(number)").record())
        }
      }
      group.addTask {
        await #expect(throws: StoreError.self) {
          try await store.commit { db in
            try db.execute(sql: "DELETE FROM leaf_detail")
            try db.execute(sql: "DELETE FROM leaf")
            throw Broken()
          }
        }
      }
    }
    #expect(try await store.leafCount() == 21)
    #expect(store.commitStatistics.largestGroup == 21)
    let counts = try await store.counts()
    #expect(counts.exchanges == ["durham": ["shared": 20]])
  }

  @Test func `two decisions upon one version of a case: one is written, the other is stale`()
    async throws
  {
    let store = try await fixture.open()
    let id = CaseID.random()
    _ = try await store.record(
      Message(subjectCase: .new(id, identifiers: StoreFixture.identifiers)).record())
    let change = FactChange(name: "level", value: 2)
    let results = try await withThrowingTaskGroup(of: RecordResult.self) { group in
      for number in 2...3 {
        group.addTask {
          try await store.record(
            Message(
              number: number, event: "evt-\(number)", facts: [change],
              subjectCase: .existing(id, version: 1, newIdentifiers: [])
            ).record())
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.count { $0 == .stale } == 1)
    #expect(results.contains(.recorded(leaf: 2)))
    #expect(try await store.subjectCase(id).version == 2)
  }

  @Test
  func `a member that ends the transaction takes its group with it and nobody is told otherwise`()
    async throws
  {
    let store = try await fixture.open()
    let count = try await store.leafCount()
    try await gathering(store, 2) { group in
      group.addTask {
        await #expect(throws: StoreError.self) {
          _ = try await store.record(Message().record())
        }
      }
      group.addTask {
        await #expect(throws: StoreError.self) {
          try await store.commit { db in
            // As SQLite does by itself when the disk is full.
            try db.execute(sql: "ROLLBACK")
            throw DatabaseError(resultCode: .SQLITE_FULL)
          }
        }
      }
    }
    // Whichever ran first, nothing that failed was kept, and the store goes on.
    let after = try await store.leafCount()
    #expect(after == count)
    #expect(
      try await store.record(Message(number: 2, event: "evt-2").record()) == .recorded(leaf: after))
  }

  @Test func `a full disk keeps nothing of the message, and work goes on once there is room`()
    async throws
  {
    let store = try await fixture.open()
    let limit = { (pages: Int) throws in
      try store.pool.writeWithoutTransaction { db in
        _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(pages)")
      }
    }
    let pages = try #require(
      try await store.pool.read { try Int.fetchOne($0, sql: "PRAGMA page_count") })
    try limit(pages + 2)
    var message = Message()
    message.marker = String(repeating: "x", count: 100_000)
    let record = message.record()
    await #expect(throws: StoreError.diskFull) { _ = try await store.record(record) }
    #expect(try await store.carrierMessage(record.carrier) == nil)
    #expect(try await store.leafCount() == 1)
    try limit(1_000_000)
    #expect(try await store.record(record) == .recorded(leaf: 1))
  }

  @Test func `after a disk error nothing is written any more`() async throws {
    let store = try await fixture.open()
    let failure = StoreError.diskFailed(sqlite: 10)
    await #expect(throws: failure) {
      try await store.commit { _ in throw DatabaseError(resultCode: .SQLITE_IOERR) }
    }
    #expect(failure.isFinal)
    await #expect(throws: failure) { _ = try await store.record(Message().record()) }
    #expect(try await store.leafCount() == 1)
  }
}
