import Exchange
import Logging
import Mailbox
import Seal
import ServiceLifecycle
import Synchronization

/// Keeps published revocation lists current, apart from everything that handles messages. What is fetched,
/// judged and new is written into the state directory; then certificates and lists are loaded anew.
final class RevocationWorker: Service {
  let source: any RevocationSource
  let cache: RevocationCache
  let regime: RegimeInForce
  let now: @Sendable () -> Instant
  let log: Logger
  /// Called when a list changed.
  let onChange: @Sendable () -> Void

  private let schedules = Mutex<[String: RevocationSchedule]>([:])

  init(
    source: any RevocationSource, cache: RevocationCache, regime: RegimeInForce,
    now: @escaping @Sendable () -> Instant, log: Logger, onChange: @escaping @Sendable () -> Void
  ) {
    (self.source, self.cache, self.regime) = (source, cache, regime)
    (self.now, self.log, self.onChange) = (now, log, onChange)
  }

  func run() async throws {
    try await Rounds(wakeup: Wakeup(), interval: .seconds(20), log: log).run { await round() }
  }

  /// Fetches what is due, side by side: a publisher that hangs keeps no other waiting.
  func round() async {
    let feeds = regime.current.feeds
    let moment = now()
    let due = schedules.withLock { schedules in
      schedules = schedules.filter { url, _ in feeds.contains { $0.url == url } }
      return feeds.filter { (schedules[$0.url]?.due ?? moment) <= moment }
    }
    let changed = await withTaskGroup(of: Bool.self) { group in
      for feed in due { group.addTask { await self.refresh(feed) } }
      return await group.reduce(false) { $0 || $1 }
    }
    if changed { onChange() }
  }

  /// - Returns: whether another list lies there now.
  private func refresh(_ feed: RevocationFeed) async -> Bool {
    let known = cache.read(feed.url).flatMap { try? RevocationFile(Array($0.utf8)) }
    let party = feed.parties.first.map { "\($0)" } ?? "-"
    do {
      let fresh = try RevocationFile(await source.fetch(feed))
      try fresh.judge(authorities: feed.authorities.sorted(), known: known, now: now())
      let isNew = fresh.pem != known?.pem
      guard !isNew || cache.write(fresh, of: feed.url) else { throw SealError.listNotKept }
      settle(feed) { $0.succeeded(nextUpdate: fresh.nextUpdate, at: $1) }
      if isNew { log.info("revocation list replaced", metadata: ["party": "\(party)"]) }
      return isNew
    } catch {
      // The list at hand stays: this matters once that one ends.
      let code = (error as? SealError)?.code ?? (error as? TransportError)?.code ?? "-"
      log.warning(
        "revocation list not fetched", metadata: ["code": "\(code)", "party": "\(party)"])
    }
    settle(feed) { $0.failed(at: $1) }
    return false
  }

  private func settle(
    _ feed: RevocationFeed, _ change: (inout RevocationSchedule, Instant) -> Void
  ) {
    let moment = now()
    schedules.withLock { change(&$0[feed.url, default: RevocationSchedule(at: moment)], moment) }
  }
}
