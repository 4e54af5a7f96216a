import Synchronization

/// Lets somebody ask a poller to poll now, and wait for what came of it.
package final class PollDemand: Sendable {
  package enum Answer: Sendable {
    case polled(PollResult, InboxState)
    case failed(MeshError, InboxState)
    /// The poller has ended, or ended before the poll did.
    case over
  }

  private struct State {
    var number = 0
    var waiting: [Int: CheckedContinuation<Answer, Never>] = [:]
    /// The poller, while it waits for somebody to ask.
    var poller: CheckedContinuation<Void, Never>?
    var isOver = false
  }

  private let state = Mutex(State())

  package init() {}

  /// Answers after a poll that began after this call, or with `over` when the task is cancelled. Those who
  /// ask meanwhile share it.
  package func ask() async -> Answer {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (isOver, poller) = state.withLock { state in
          if state.isOver || Task.isCancelled { return (true, Poller?.none) }
          state.waiting[number] = continuation
          defer { state.poller = nil }
          return (false, state.poller)
        }
        poller?.resume()
        if isOver { continuation.resume(returning: .over) }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: .over)
    }
  }

  private typealias Poller = CheckedContinuation<Void, Never>

  // MARK: Called by the poller

  /// Those who wait for the poll that begins now.
  func begin() -> Asked {
    Asked(
      waiting: state.withLock { state in
        defer { state.waiting = [:] }
        return Array(state.waiting.values)
      })
  }

  /// Returns when somebody asks, or the task is cancelled.
  func arrival() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let mayWait = state.withLock { state in
          guard state.waiting.isEmpty, !Task.isCancelled else { return false }
          state.poller = continuation
          return true
        }
        if !mayWait { continuation.resume() }
      }
    } onCancel: {
      let poller = state.withLock { state in
        defer { state.poller = nil }
        return state.poller
      }
      poller?.resume()
    }
  }

  func end() {
    let waiting = state.withLock { state in
      state.isOver = true
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for continuation in waiting { continuation.resume(returning: .over) }
  }

  /// Those who wait for one poll; who is not answered when it is dropped, is told that it is over.
  final class Asked {
    private var waiting: [CheckedContinuation<Answer, Never>]

    init(waiting: [CheckedContinuation<Answer, Never>]) { self.waiting = waiting }

    func answer(_ answer: Answer) {
      for continuation in waiting { continuation.resume(returning: answer) }
      waiting = []
    }

    deinit { answer(.over) }
  }
}
