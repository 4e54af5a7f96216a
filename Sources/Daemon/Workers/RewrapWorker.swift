import Logging
import ServiceLifecycle
import Store

/// Wraps what earlier store keys hold with the one in force, some at a time beside the other work: at the
/// start, since a crash may have come between, and after each rotation.
struct RewrapWorker: Service {
  let store: Store
  let wakeup: Wakeup
  let log: Logger

  /// What is missed between two rotations is found at the latest then.
  private static let interval = Duration.seconds(3600)

  func run() async throws {
    try await Rounds(wakeup: wakeup, interval: RewrapWorker.interval, log: log).run {
      var place: RewrapPlace? = .beginning
      while let next = place, !Task.isCancelled, !Task.isShuttingDownGracefully {
        place = try await store.rewrap(from: next, limit: RewrapWorker.batch)
        FaultPoint.duringRewrap.reached()
      }
    }
  }

  private static let batch = 64
}
