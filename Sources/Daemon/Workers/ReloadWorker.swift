import Logging
import ServiceLifecycle
import UnixSignals

/// Reads everything again, on SIGHUP and once an hour: whole or not at all.
struct ReloadWorker: Service {
  let installation: InstallationInForce
  let log: Logger
  /// Signalled when something that is read here has changed.
  let wakeup: Wakeup

  /// Files are replaced beside us, without a signal.
  private static let interval = Duration.seconds(3600)

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
          wakeup.signal()
        }
      }
      try await Rounds(wakeup: wakeup, interval: ReloadWorker.interval, log: log).run {
        // What is wrong is in the log, and what was in force stays in force.
        _ = try await installation.reload()
      }
      group.cancelAll()
    }
  }
}
