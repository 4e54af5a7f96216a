import Exchange
import Mailbox
import Synchronization

/// What a carrier's worker remembers from one round to the next, and what is said of it in `status`.
final class CarrierCourse: Sendable {
  /// How a carrier is doing.
  struct Health: Sendable {
    var lastSuccess: Instant?
    var lastErrorCode: String?
    var troubleSince: Instant?
    /// It is left alone until then.
    var pausedUntil: Instant?
  }

  private struct State {
    var health = Health()
    var backoff: Backoff?
  }

  private let state = Mutex(State())
  private let random: @Sendable () -> Double

  init(random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }) {
    self.random = random
  }

  var health: Health { state.withLock { $0.health } }

  func mayTry(at now: Instant) -> Bool {
    state.withLock { $0.health.pausedUntil.map { $0 <= now } ?? true }
  }

  func succeeded(at now: Instant) {
    state.withLock { state in
      state.health = Health(lastSuccess: now)
      state.backoff = nil
    }
  }

  /// Whether the carrier as a whole is left alone for a while: it does not answer, asks for patience or
  /// refuses us. What it says of one message touches that one alone.
  func failed(_ error: MeshError, _ settings: CarrierWorker.Settings, at now: Instant) -> Bool {
    state.withLock { state in
      state.health.lastErrorCode = error.code
      state.health.troubleSince = state.health.troubleSince ?? now
      switch error.kind {
      case .credential:
        state.health.pausedUntil = now + settings.credentialPause
        return true
      case .later(let retryAfter):
        var backoff = state.backoff ?? settings.backoff
        let pause = max(backoff.failed(random: random()), retryAfter ?? .zero)
        state.backoff = backoff
        state.health.pausedUntil = now + pause
        return true
      case .gone, .refused, .malformed, .tooLarge, .unconfirmed: return false
      }
    }
  }
}
