import Exchange
import GRDB
import Glibc
import Synchronization
import Testing

@testable import Store

/// What is another's must not be told from what is not there by the work that it makes: the same
/// statements run, in the same order, on both.
@Suite struct SameWorkTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  /// The statements that a piece of work runs, with `?` for each value.
  private func statements(
    of store: Store, _ work: () async throws -> Void
  ) async throws -> [String] {
    let lines = StatementLog()
    // Readers are taken up one after the other, so each is asked until all have been seen.
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for _ in 0..<4 {
        tasks.addTask {
          try await store.pool.read { db in
            db.trace { lines.add("\($0)") }
            // Holds this reader until the others are held too.
            usleep(20_000)
          }
        }
      }
      try await tasks.waitForAll()
    }
    try await store.pool.writeWithoutTransaction { db in db.trace { lines.add("\($0)") } }
    lines.clear()
    try await work()
    return lines.all
  }

  @Test func `for what is another's the same statements run as for what is not there`() async throws
  {
    let store = try await fixture.open()
    let (owner, stranger) = (StoreFixture.probation, StoreFixture.police)
    let delivery = DeliveryID.random()
    var message = Message(recipients: [owner])
    message.deliveries = [message.newDelivery(owner, id: delivery)]
    _ = try await store.record(message.record())
    let submission = Submission(submittedBy: owner, localID: "ref-1")
    let sent = StoreFixture.carrier(7, inbox: "host")
    _ = try await store.keepSubmission(
      sent, bytes: [1], submission: submission, quota: 9, at: .start)
    let upload = try #require(CarrierMessageID("M8"))
    _ = try await store.openUpload(
      NewUpload(
        message: upload, submitter: owner, submission: submission, total: 2, encoding: nil,
        firstPart: [1]), quota: 9, at: .start)
    let absent = try #require(CarrierMessageID("M9"))

    /// Whether anything was found of a thing by its name.
    let questions: [(String, @Sendable (Bool) async throws -> Bool)] = [
      (
        "download",
        { try await store.delivery($0 ? delivery : .random(), party: stranger) != nil }
      ),
      (
        "acknowledge",
        {
          let id = $0 ? delivery : DeliveryID.random()
          return try await store.recordCollected(id, party: stranger, at: .start) != nil
        }
      ),
      (
        "cursor",
        { try await store.mailboxPlace(of: $0 ? delivery : .random(), party: stranger) != nil }
      ),
      (
        "track",
        {
          let id = $0 ? sent.message : absent
          return try await store.submission(id, inbox: "host", by: stranger) != nil
        }
      ),
      ("part", { try await store.upload($0 ? upload : absent, by: stranger) != nil }),
      (
        "track by local id",
        {
          let local = $0 ? "ref-1" : "ref-2"
          let whole = try await store.submissions(localID: local, by: stranger)
          let open = try await store.uploads(localID: local, by: stranger)
          return !whole.isEmpty || !open.isEmpty
        }
      ),
    ]
    for (name, ask) in questions {
      var isFound = true
      let another = try await statements(of: store) { isFound = try await ask(true) }
      #expect(!isFound, "\(name)")
      let nobody = try await statements(of: store) { isFound = try await ask(false) }
      #expect(!isFound, "\(name)")
      #expect(another == nobody, "\(name)")
      #expect(!another.isEmpty, "\(name)")
    }
  }
}

private final class StatementLog: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  func clear() { lines.withLock { $0 = [] } }
}
