import Exchange
import Logging
import ServiceLifecycle
import Store

/// Takes what parties put into our own mailbox through the pipeline.
struct SubmissionWorker: Service {
  let store: Store
  let pipeline: IntakePipeline
  let recovery: Recovery
  let wakeup: Wakeup
  let log: Logger
  let onRecorded: @Sendable () -> Void

  /// Messages looked at in one round.
  private static let batch = 64

  func run() async throws {
    try await Rounds(wakeup: wakeup, interval: .seconds(2)).run {
      while true {
        let messages = try await store.rawWaiting(limit: SubmissionWorker.batch)
        for message in messages {
          let arrived = ArrivedMessage(
            carrier: message.carrier, origin: .mailbox, exchange: message.exchange,
            bytes: message.bytes, receivedAt: message.receivedAt,
            confirmations: message.confirmations)
          _ = try await recovery.attempt(
            StoreKeeper.inbox, store: store, carrier: message.carrier
          ) { number in try await pipeline.take(arrived, attempt: number) }
          onRecorded()
        }
        recovery.ended(StoreKeeper.inbox)
        if messages.count < SubmissionWorker.batch { return }
      }
    }
  }
}

/// Decides held exchanges anew when their case, the rules or a person's word changed.
struct HeldWorker: Service {
  let store: Store
  let pipeline: IntakePipeline
  let wakeup: Wakeup
  let now: @Sendable () -> Instant

  private static let batch = 64
  /// Anything held is looked at again so often, whatever else happens.
  private static let patience = Duration.seconds(6 * 3600)

  func run() async throws {
    try await Rounds(wakeup: wakeup, interval: .seconds(5)).run {
      let held = try await store.heldExchanges(
        decidedBefore: now() - HeldWorker.patience, limit: HeldWorker.batch)
      for exchange in held {
        FaultPoint.beforeReconsider.reached()
        let original = try await store.original(of: exchange.exchange)
        try await pipeline.reconsider(exchange, bytes: original ?? [])
        FaultPoint.afterReconsider.reached()
      }
      if held.count == HeldWorker.batch { wakeup.signal() }
    }
  }
}

/// Tells deadlines and deliveries what the clock shows.
struct ClockWorker: Service {
  let store: Store
  let now: @Sendable () -> Instant
  let log: Logger

  private static let batch = 256

  func run() async throws {
    try await Rounds(wakeup: Wakeup(), interval: .seconds(30)).run {
      let moment = now()
      for _ in 0..<1000 {
        let due = try await store.deadlinesOpen(dueBefore: moment, limit: ClockWorker.batch)
        guard !due.isEmpty else { break }
        for view in due {
          let actions = try await store.recordDeadline(
            DeadlineChange(view.number, .clockReached), at: moment)
          report(view, actions)
        }
      }
      for _ in 0..<1000 {
        let due = try await store.deliveriesDue(before: moment, limit: ClockWorker.batch)
        guard !due.isEmpty else { break }
        for delivery in due { _ = try await store.deliveryClockReached(delivery, at: moment) }
      }
    }
  }
}

extension ClockWorker {
  private func report(_ view: DeadlineView, _ actions: [Deadline.Action]) {
    guard actions.contains(.recordOverdue) else { return }
    log.warning(
      "deadline overdue",
      metadata: ["exchange": "\(view.exchange)", "party": "\(view.deadline.owedBy)"])
  }
}

/// Publishes committed entries: tiles and a signed checkpoint, within a second.
struct LedgerWorker: Service {
  let sequencer: Sequencer
  let log: Logger

  func run() async throws {
    try await Rounds(wakeup: Wakeup(), interval: .milliseconds(500)).run {
      FaultPoint.beforePublish.reached()
      if let published = try await sequencer.publish() {
        FaultPoint.afterPublish.reached()
        log.debug("checkpoint published", metadata: ["size": "\(published.size)"])
      }
    }
    _ = try await sequencer.publish()
  }
}
