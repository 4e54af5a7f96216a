import Logging
import ServiceLifecycle
import Store
import Synchronization

/// Wakes a worker; any number of signals before it looks count as one.
package final class Wakeup: Sendable {
  fileprivate let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  package init() {
    (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  package func signal() { continuation.yield() }
}

/// Wakes several workers at once.
final class Wakeups: Sendable {
  private let all = Mutex<[String: Wakeup]>([:])

  /// In the place of the one that was made for this name before.
  func make(for name: String) -> Wakeup {
    let wakeup = Wakeup()
    all.withLock { $0[name] = wakeup }
    return wakeup
  }

  func signal() {
    for wakeup in all.withLock({ $0.values }) { wakeup.signal() }
  }
}

/// Ends the group that it belongs to when it is signalled.
package struct StopSwitch: Service {
  let stop: Wakeup

  package init(stop: Wakeup) { self.stop = stop }

  package func run() async throws {
    for await _ in stop.stream.cancelOnGracefulShutdown() { return }
  }
}

/// Does a piece of work whenever it is woken and at least once an interval, until the daemon stops.
struct Rounds {
  let wakeup: Wakeup
  let interval: Duration
  let log: Logger

  func run(_ work: @Sendable () async throws -> Void) async throws {
    let wakeup = wakeup
    let interval = interval
    let log = log
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while !Task.isCancelled {
          wakeup.signal()
          do { try await Task.sleep(for: interval) } catch { return }
        }
      }
      for await _ in wakeup.stream.cancelOnGracefulShutdown() {
        do {
          try await work()
        } catch let error as StoreError where !error.isFinal {
          // A busy or full disk passes, a damaged row is one row: the next round goes on.
          log.error("round broken off", metadata: ["code": "\(error.code)"])
        }
      }
      group.cancelAll()
    }
  }
}
