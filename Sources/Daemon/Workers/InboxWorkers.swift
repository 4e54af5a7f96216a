import Exchange
import Logging
import Mailbox
import ServiceLifecycle
import Synchronization

/// The polls of all inboxes: which there are can change while they run. What stays the same is not
/// disturbed; what changed is stopped, as at the daemon's end, and started anew.
final class InboxWorkers: Service {
  private let make: @Sendable (InboxSource) -> [any Service]
  private let board: InboxBoard
  private let wanted: AsyncStream<[InboxSource]>
  private let continuation: AsyncStream<[InboxSource]>.Continuation

  /// - Parameter make: the workers of one inbox.
  init(
    _ sources: [InboxSource], board: InboxBoard,
    make: @escaping @Sendable (InboxSource) -> [any Service]
  ) {
    self.make = make
    self.board = board
    // Only the latest set is of interest.
    (wanted, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    continuation.yield(sources)
  }

  /// From here on these inboxes are polled, and no others.
  func poll(_ sources: [InboxSource]) { continuation.yield(sources) }

  private struct Running {
    let source: InboxSource
    let tasks: [Task<Void, any Error>]

    func cancel() { for task in tasks { task.cancel() } }
  }

  func run() async throws {
    var running: [String: Running] = [:]
    for await sources in wanted.cancelOnGracefulShutdown() {
      let byName = Dictionary(sources.map { ($0.settings.name, $0) }) { first, _ in first }
      for (name, one) in running {
        if let next = byName[name], next.isSame(as: one.source) { continue }
        one.cancel()
        for task in one.tasks { _ = await task.result }
        running[name] = nil
        if byName[name] == nil { board.forget(name) }
      }
      for (name, source) in byName where running[name] == nil {
        // The tasks inherit the group's graceful shutdown, and end with it.
        let tasks = make(source).map { worker in Task { try await worker.run() } }
        running[name] = Running(source: source, tasks: tasks)
      }
    }
    for one in running.values {
      if Task.isCancelled { one.cancel() }
      for task in one.tasks { try await task.value }
    }
  }
}
