import Exchange

/// When a published revocation list is fetched next: at once where none was tried, each hour, before the
/// one at hand is due to be replaced, and soon again after a failure.
struct RevocationSchedule: Equatable, Sendable {
  static let interval = Duration.seconds(3600)
  /// So long before its next update the list at hand is asked for anew.
  static let lead = Duration.seconds(15 * 60)
  /// However short-lived a list is, its publisher is left alone so long.
  static let shortest = Duration.seconds(5 * 60)

  private(set) var due: Instant
  private var failures = 0

  /// Nothing was tried yet.
  init(at now: Instant) { due = now }

  /// The list at hand, new or known before, ends then.
  mutating func succeeded(nextUpdate: Instant, at now: Instant) {
    failures = 0
    due = min(now + Self.interval, max(nextUpdate - Self.lead, now + Self.shortest))
  }

  /// It was not to be had, or what came was refused.
  mutating func failed(at now: Instant) {
    failures = min(failures + 1, 5)
    // 1, 2, 4, 8, then 16 minutes.
    due = now + .seconds(30 << failures)
  }
}
