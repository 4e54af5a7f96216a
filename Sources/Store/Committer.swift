import GRDB
import Synchronization

/// How commits were shared since the store was opened.
package struct CommitStatistics: Equatable, Sendable {
  /// Transactions synced to the disk.
  package var commits = 0
  /// Calls that they answered.
  package var members = 0
  package var largestGroup = 0
}

/// Group commit: what became ready while the last commit was syncing goes into the next transaction.
///
/// Each member has a savepoint, so that one that fails never undoes its group. Everybody is answered
/// after the sync that covers them, and never before.
final class Committer: Sendable {
  /// A call that waits for its transaction.
  private struct Member: Sendable {
    /// Runs the work; the answer is given by the closure returned, once the fate of the group is known.
    let run: @Sendable (Database) -> Ran
    /// Answers without having run.
    let refuse: @Sendable (StoreError) -> Void
  }

  private struct Ran {
    /// Why its own work failed; the savepoint is then undone.
    let failure: StoreError?
    let answer: (StoreError?) -> Void
  }

  private struct State {
    var waiting: [Member] = []
    var isRunning = false
    /// Set by an error after which nothing may be written any more.
    var failure: StoreError?
    var statistics = CommitStatistics()
  }

  /// Calls that may wait; more are turned away with STOR-010.
  static let maximumWaiting = 10_000
  /// Members of one transaction: bounds the time that a member waits for its neighbours.
  static let maximumGroup = 512

  private let pool: DatabasePool
  private let state = Mutex(State())

  init(pool: DatabasePool) { self.pool = pool }

  var statistics: CommitStatistics { state.withLock { $0.statistics } }
  var failure: StoreError? { state.withLock { $0.failure } }
  var waitingCount: Int { state.withLock { $0.waiting.count } }

  func commit<Value: Sendable>(
    _ work: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      enqueue(
        Member(
          run: { db in
            do {
              let value = try work(db)
              return Ran(failure: nil) { lost in
                continuation.resume(returning: lost.map { .failure($0) } ?? .success(value))
              }
            } catch {
              let failure = StoreError(writing: error)
              return Ran(failure: failure) { lost in
                continuation.resume(returning: .failure(lost ?? failure))
              }
            }
          },
          refuse: { continuation.resume(returning: .failure($0)) }))
    }
    return try result.get()
  }

  /// For tests: calls gather as they do while a commit is syncing, until `letGo`. Before any other call.
  func hold() { state.withLock { $0.isRunning = true } }

  func letGo() { schedule() }

  private func enqueue(_ member: Member) {
    enum Next {
      case wait, start
      case refuse(StoreError)
    }
    let next = state.withLock { state -> Next in
      if let failure = state.failure { return .refuse(failure) }
      guard state.waiting.count < Committer.maximumWaiting else { return .refuse(.busy) }
      state.waiting.append(member)
      if state.isRunning { return .wait }
      state.isRunning = true
      return .start
    }
    switch next {
    case .wait: break
    case .start: schedule()
    case .refuse(let error): member.refuse(error)
    }
  }

  private func schedule() {
    // One group a turn: whatever else needs the writer (truncating the log) gets its turn between.
    pool.asyncWriteWithoutTransaction { [self] db in
      let group = state.withLock { state -> [Member] in
        let group = Array(state.waiting.prefix(Committer.maximumGroup))
        state.waiting.removeFirst(group.count)
        return group
      }
      commitGroup(group, db)
      let refused = state.withLock { state -> [Member]? in
        if state.failure != nil {
          defer { state.waiting = [] }
          state.isRunning = false
          return state.waiting
        }
        state.isRunning = !state.waiting.isEmpty
        return state.isRunning ? nil : []
      }
      guard let refused else { return schedule() }
      guard let failure = state.withLock({ $0.failure }) else { return }
      for member in refused { member.refuse(failure) }
    }
  }

  private func commitGroup(_ group: [Member], _ db: Database) {
    guard !group.isEmpty else { return }
    var ran: [Ran] = []
    do {
      try db.beginTransaction(.immediate)
      for member in group { try run(member, db, &ran) }
      try db.commit()
    } catch {
      // Nothing of the group was kept, and everybody is told so; what may be tried again, is.
      let failure = StoreError(writing: error)
      note(failure)
      if db.isInsideTransaction { try? db.rollback() }
      for member in ran { member.answer(failure) }
      for member in group.dropFirst(ran.count) { member.refuse(failure) }
      return
    }
    state.withLock { state in
      state.statistics.commits += 1
      state.statistics.members += group.count
      state.statistics.largestGroup = max(state.statistics.largestGroup, group.count)
    }
    for member in ran { member.answer(nil) }
  }

  /// Runs one member in a savepoint of its own. Throws only what ends the whole group.
  private func run(_ member: Member, _ db: Database, _ ran: inout [Ran]) throws {
    var failure: StoreError?
    do {
      try db.inSavepoint {
        let result = member.run(db)
        ran.append(result)
        failure = result.failure
        return failure == nil ? .commit : .rollback
      }
    } catch { throw failure ?? error }
    // For some errors (a full disk) SQLite undoes the whole transaction by itself; what comes after
    // must not run outside a transaction.
    if let failure, failure.isFinal || !db.isInsideTransaction { throw failure }
  }

  private func note(_ failure: StoreError) {
    guard failure.isFinal else { return }
    state.withLock { $0.failure = $0.failure ?? failure }
  }
}
