/// Growing pauses between attempts, with full jitter: the pause after the nth failure in a row is drawn
/// evenly from zero to `base * 2^(n-1)`, at most `cap`. A success starts anew.
///
/// Full jitter spreads clients that failed together; the mean pause is half the ceiling.
package struct Backoff: Equatable, Sendable {
  package let base: Duration
  package let cap: Duration
  /// Failures in a row.
  package private(set) var failures = 0
  /// The most that the pause after the next failure can be.
  package private(set) var ceiling: Duration

  package init(base: Duration, cap: Duration) {
    (self.base, self.cap) = (base, max(base, cap))
    ceiling = base
  }

  /// The pause after one more failure.
  /// - Parameter random: from 0 up to, and without, 1.
  package mutating func failed(random: Double) -> Duration {
    let pause = ceiling * min(max(random, 0), 1)
    failures += 1
    ceiling = min(ceiling * 2, cap)
    return pause
  }

  package mutating func succeeded() {
    failures = 0
    ceiling = base
  }
}
