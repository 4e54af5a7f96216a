import Exchange
import Logging
import Rules
import ServiceLifecycle
import Store
import UnixSignals

/// Reads rulebook, agreement, certificates, revocation lists and calendar again, on SIGHUP and once an
/// hour: whole or not at all. What is broken is told, and what was in force stays in force.
struct ReloadWorker: Service {
  let installation: Installation
  let regime: RegimeInForce
  let store: Store
  let now: @Sendable () -> Instant
  let log: Logger
  /// Signalled when something that is read here has changed.
  let wakeup: Wakeup
  /// Called after a swap: what is held may go on.
  let onReload: @Sendable () -> Void

  /// Revocation lists are replaced beside us, without a signal.
  private static let interval = Duration.seconds(3600)

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
          wakeup.signal()
        }
      }
      try await Rounds(wakeup: wakeup, interval: ReloadWorker.interval, log: log).run {
        try await reload()
      }
      group.cancelAll()
    }
  }

  private func reload() async throws {
    let fresh: Regime
    do {
      fresh = try Regime.load(installation.configuration, ring: installation.ring)
    } catch {
      for problem in error.list {
        log.error(
          "reload refused", metadata: ["code": "\(problem.code)", "hint": "\(problem.hint)"])
      }
      return
    }
    guard let digests = fresh.digests else { return }
    // Recorded first: a decision by rules that the ledger does not know is refused by the store.
    if digests != store.policy {
      try await store.recordService(
        .policyChanged(digests, departures: fresh.departures), at: now())
      log.notice(
        "rules changed",
        metadata: [
          "rulebook": "\(fresh.policy.rulebook.digest)",
          "agreement": "\(fresh.policy.agreement.digest)",
        ])
    }
    regime.swap(for: fresh)
    let ofSigners = [IntakeReason.revocationListStale, .signerWithdrawn].map(\.rawValue)
    try await store.lookAgain(codePrefixes: ["SEAL-"] + ofSigners)
    onReload()
  }
}
