import Exchange
import Logging
import Mailbox
import ServiceLifecycle
import Store

/// Takes what parties put into our own mailbox through the pipeline.
struct SubmissionWorker: Service {
  let store: Store
  let pipeline: IntakePipeline
  let recovery: Recovery
  let wakeup: Wakeup
  let flight: BytesInFlight
  let largest: Int
  let log: Logger
  /// Whose service each polled inbox is: what an operator puts again came from there.
  let inboxParties: [String: PartyID]
  let onRecorded: @Sendable () -> Void

  func run() async throws {
    try await Rounds(wakeup: wakeup, interval: .seconds(2), log: log).run {
      var place: Int64 = 0
      while true {
        // One in memory at a time, and none before there is room for it.
        let share = try await flight.share(of: largest)
        guard let message = try await store.rawWaiting(after: place, limit: 1).first else {
          recovery.ended(StoreKeeper.inbox)
          return
        }
        share.shrink(to: message.bytes.count)
        try await take(message)
        withExtendedLifetime(share) {}
        // What could not be finished now waits for the next round; the rest goes on.
        place = message.place
      }
    }
  }

  private func take(_ message: RawMessage) async throws {
    let arrived = ArrivedMessage(
      carrier: message.carrier, origin: .mailbox, exchange: message.exchange,
      bytes: message.bytes, receivedAt: message.receivedAt, confirmations: message.confirmations,
      handedInBy: message.submittedBy ?? inboxParties[message.carrier.inbox])
    try await log.surviving(["exchange": "\(message.exchange)"]) {
      _ = try await recovery.attempt(
        StoreKeeper.inbox, store: store, carrier: message.carrier
      ) { number in try await pipeline.take(arrived, attempt: number) }
      onRecorded()
    }
  }
}

extension Logger {
  /// Runs one piece of work; a failure that touches it alone is logged and it waits for the next round,
  /// so that its neighbours go on. What the store cannot survive is thrown on.
  ///
  /// - Parameter subject: the exchange's or delivery's id, under its own key.
  /// - Returns: whether it was done.
  @discardableResult
  fileprivate func surviving(
    _ subject: Logger.Metadata, _ work: () async throws -> Void
  ) async throws -> Bool {
    do {
      try await work()
      return true
    } catch let error as StoreError where !error.isFinal {
      self.error(
        "waits after a failure", metadata: subject.merging(["code": "\(error.code)"]) { $1 })
      return false
    }
  }
}

/// Decides held exchanges anew when their case, the rules or a person's word changed.
struct HeldWorker: Service {
  /// Its name among the inboxes of the recovery; none of them can be called so.
  static let inbox = "(held)"

  let store: Store
  let pipeline: IntakePipeline
  let recovery: Recovery
  let wakeup: Wakeup
  let flight: BytesInFlight
  let now: @Sendable () -> Instant
  let log: Logger

  private static let batch = 64
  /// Anything held is looked at again so often, whatever else happens.
  private static let patience = Duration.seconds(6 * 3600)

  func run() async throws {
    try await Rounds(wakeup: wakeup, interval: .seconds(5), log: log).run {
      var place: Int64 = 0
      // Each is tried once a round, so that those which cannot be committed hold up no other.
      while !Task.isShuttingDownGracefully {
        let due = try await store.heldDue(
          decidedBefore: now() - HeldWorker.patience, after: place, limit: HeldWorker.batch)
        for held in due { try await reconsider(held.exchange) }
        guard due.count == HeldWorker.batch, let last = due.last else {
          recovery.ended(HeldWorker.inbox)
          return
        }
        place = last.place
      }
    }
  }

  private func reconsider(_ exchange: ExchangeID) async throws {
    try await log.surviving(["exchange": "\(exchange)"]) {
      guard let held = try await stillHeld(exchange) else { return }
      // Its documents are what is large of it, and are read only now.
      let references = Attachments.references(in: held.notification.data)
      let share = try await flight.share(of: references.reduce(0) { $0 + $1.length })
      try await recovery.attempt(HeldWorker.inbox, store: store, carrier: held.carrier) { number in
        try await pipeline.reconsider(held, attempt: number)
      }
      withExtendedLifetime(share) {}
    }
    FaultPoint.afterReconsider.reached()
  }

  /// Nil where an operator was quicker.
  private func stillHeld(_ exchange: ExchangeID) async throws(StoreError) -> HeldExchange? {
    do throws(StoreError) {
      return try await store.heldExchange(exchange)
    } catch {
      guard case .notFinished = error else { throw error }
      return nil
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
    let wakeup = Wakeup()
    try await Rounds(wakeup: wakeup, interval: .seconds(30), log: log).run {
      let moment = now()
      var done = 0
      let due = try await store.deadlinesOpen(dueBefore: moment, limit: ClockWorker.batch)
      for view in due {
        let isDone = try await log.surviving(["exchange": "\(view.exchange)"]) {
          let change = DeadlineChange(view.number, .clockReached)
          report(view, try await store.recordDeadline(change, at: moment))
        }
        if isDone { done += 1 }
      }
      let deliveries = try await store.deliveriesDue(before: moment, limit: ClockWorker.batch)
      for delivery in deliveries {
        let isDone = try await log.surviving(["delivery": "\(delivery)"]) {
          report(delivery, try await store.deliveryClockReached(delivery, at: moment))
        }
        if isDone { done += 1 }
      }
      // More may be due. Where nothing could be done, the next round is soon enough.
      if max(due.count, deliveries.count) == ClockWorker.batch, done > 0 { wakeup.signal() }
    }
  }

  private func report(_ view: DeadlineView, _ actions: [Deadline.Action]) {
    guard actions.contains(.recordOverdue) else { return }
    log.warning(
      "deadline overdue",
      metadata: ["exchange": "\(view.exchange)", "party": "\(view.deadline.owedBy)"])
  }

  private func report(_ delivery: DeliveryID, _ actions: [Delivery.Action]) {
    guard actions.contains(.alarmUncollected) else { return }
    log.warning("delivery not collected", metadata: ["delivery": "\(delivery)"])
  }
}

/// Publishes committed entries: tiles and a signed checkpoint, within a second.
struct LedgerWorker: Service {
  let sequencer: Sequencer
  let log: Logger
  let onPublished: @Sendable () -> Void

  func run() async throws {
    try await Rounds(wakeup: Wakeup(), interval: .milliseconds(500), log: log).run {
      FaultPoint.beforePublish.reached()
      if let published = try await sequencer.publish() {
        FaultPoint.afterPublish.reached()
        onPublished()
        log.debug("checkpoint published", metadata: ["size": "\(published.size)"])
      }
    }
    _ = try await sequencer.publish()
  }
}
