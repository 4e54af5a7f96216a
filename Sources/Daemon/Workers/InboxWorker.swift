import Exchange
import Logging
import Mailbox
import ServiceLifecycle
import Store
import Synchronization

/// Polls one inbox and takes what it finds through the pipeline.
struct InboxWorker: Service {
  let name: String
  /// Who hands in what lies there: whose service it is, where nobody else has a mailbox at it.
  let party: PartyID?
  let inbox: any PolledInbox
  let settings: InboxPoller.Settings
  let store: Store
  let pipeline: IntakePipeline
  let recovery: Recovery
  let board: InboxBoard
  let now: @Sendable () -> Instant
  let log: Logger
  let onRecorded: @Sendable () -> Void
  /// Bytes were kept that wait to be opened.
  let onKept: @Sendable () -> Void
  let reports: ReportIntake

  func run() async throws {
    let poller = InboxPoller(
      inbox: inbox, settings: settings, now: now, sleep: { try await Task.sleep(for: $0) },
      known: { id in
        FaultPoint.afterList.reached()
        return await recognised(id)
      }, giveUp: { id, error in await giveUp(id, error) }, demand: board.demand(name),
      report: { state in
        board.note(name, state)
        if state.lastSuccess != nil { recovery.ended(name) }
        if let code = state.lastErrorCode {
          log.warning("inbox has trouble", metadata: ["inbox": "\(name)", "code": "\(code)"])
        }
      })
    await cancelWhenGracefulShutdown {
      await poller.run { message in await handle(message) }
    }
  }

  private func recognised(_ id: CarrierMessageID) async -> Recognition {
    let known: KnownMessage?
    do {
      known = try await store.carrierMessage(CarrierKey(inbox: name, message: id))
    } catch {
      // Not known for now: downloaded again, and recognised at the commit at the latest.
      return .new
    }
    switch known?.ending {
    // Its bytes are not here: what set it aside stands in the way of the download.
    case .setAside(let code) where code.hasPrefix(MeshError.codePrefix): return .givenUp
    case nil: return .new
    default: return .finished
    }
  }

  /// Records, without bytes, that a message cannot be had. It stays in the inbox, unacknowledged: whoever
  /// mends the cause puts it again, and if nobody does, the carrier tells its sender in the end.
  private func giveUp(_ id: CarrierMessageID, _ error: MeshError) async -> Bool {
    let carrier = CarrierKey(inbox: name, message: id)
    do {
      // Put again after it was given up before, it has its exchange.
      let known = try await store.carrierMessage(carrier)
      let record = IntakeRecord(
        exchange: known?.exchange ?? .random(), carrier: carrier, receivedAt: now(),
        recordedAt: now(), original: [], outcome: .setAside(code: error.code, sender: nil))
      _ = try await store.record(record)
      log.warning(
        "message could not be fetched", metadata: ["inbox": "\(name)", "code": "\(error.code)"])
      return true
    } catch {
      return false
    }
  }

  private func handle(_ message: InboundMessage) async -> Disposition {
    FaultPoint.afterDownload.reached()
    // What is in flight counts until the message is settled.
    defer { withExtendedLifetime(message.share) {} }
    let carrier = CarrierKey(inbox: name, message: message.id)
    guard message.kind == .data else { return await reports.take(message) }
    do {
      if let known = try await store.carrierMessage(carrier), !known.isFinished {
        // Put again by an operator, and here at last: opened like one that came by itself.
        try await store.keepDownload(carrier, bytes: message.body)
        onKept()
        return .acknowledge
      }
      let arrived = ArrivedMessage(
        carrier: carrier, origin: .inbox, exchange: .random(), bytes: message.body,
        receivedAt: now(), handedInBy: party)
      let mayAcknowledge = try await recovery.attempt(name, store: store, carrier: carrier) {
        number in
        try await pipeline.take(arrived, attempt: number)
      }
      onRecorded()
      guard mayAcknowledge else { return .leave }
      FaultPoint.beforeAcknowledge.reached()
      return .acknowledge
    } catch let error as StoreError {
      log.error(
        "message could not be recorded", metadata: ["inbox": "\(name)", "code": "\(error.code)"])
      return .leave
    } catch {
      log.error("message could not be recorded", metadata: ["inbox": "\(name)"])
      return .leave
    }
  }
}

/// After an unclean exit messages go one at a time, each with its attempt counted first: one of them may
/// be what ended the process. Over when each inbox was polled once.
package final class Recovery: Sendable {
  private let waiting: Mutex<Set<String>>
  private let gate = OneAtATime()

  package init(needed: Bool, inboxes: [String]) { waiting = Mutex(needed ? Set(inboxes) : []) }

  func ended(_ inbox: String) { waiting.withLock { _ = $0.remove(inbox) } }

  func attempt<Value: Sendable>(
    _ inbox: String, store: Store, carrier: CarrierKey,
    _ work: @Sendable (_ number: Int) async throws -> Value
  ) async throws -> Value {
    guard waiting.withLock({ $0.contains(inbox) }) else { return try await work(1) }
    return try await gate.run {
      let number = try await store.beginAttempt(carrier)
      FaultPoint.afterAttempt.reached()
      return try await work(number)
    }
  }
}

/// Lets one piece of work in at a time, in the order of asking.
actor OneAtATime {
  private var isBusy = false
  private var queue: [CheckedContinuation<Void, Never>] = []

  func run<Value: Sendable>(_ work: @Sendable () async throws -> Value) async throws -> Value {
    if isBusy {
      // Bounded by the pollers' parallel downloads.
      await withCheckedContinuation { queue.append($0) }
    }
    isBusy = true
    defer {
      if queue.isEmpty { isBusy = false } else { queue.removeFirst().resume() }
    }
    return try await work()
  }
}

/// Watches for a fault after which nothing may be written (a failed sync is never tried again), whoever
/// met it, and ends the daemon on it.
struct FailureWatch: Service {
  let store: Store
  let log: Logger

  func run() async throws {
    try await Rounds(wakeup: Wakeup(), interval: .milliseconds(500), log: log).run {
      if let failure = store.failure { throw failure }
    }
  }
}
