import Exchange
import Logging
import ServiceLifecycle
import Store

/// Drops what parties began to send in parts and never finished.
struct UploadWorker: Service {
  let store: Store
  /// How long an upload may stay open.
  let lifetime: Duration
  let now: @Sendable () -> Instant
  let log: Logger

  private static let batch = 16

  func run() async throws {
    let wakeup = Wakeup()
    try await Rounds(wakeup: wakeup, interval: .seconds(60), log: log).run {
      let count = try await store.dropUploads(
        openedBefore: now() - lifetime, limit: UploadWorker.batch)
      guard count > 0 else { return }
      log.notice("uploads dropped", metadata: ["count": "\(count)"])
      if count == UploadWorker.batch { wakeup.signal() }
    }
  }
}
