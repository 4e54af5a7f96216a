package import Exchange
import Logging
import Rules
import Seal
package import Store

/// A message at hand, with where it came from.
package struct ArrivedMessage: Sendable {
  package let carrier: CarrierKey
  package let origin: Intake.Origin
  /// The exchange's id: new for a polled message, as kept for one that the store has already.
  package let exchange: ExchangeID
  /// As it came; empty for a held one that is not opened again.
  package let bytes: [UInt8]
  package let receivedAt: Instant
  /// Rule ids that a person confirmed for it.
  package let confirmations: Set<String>
  /// Whom the transport authenticated as the sender, whatever was signed; nil where it does not say.
  package let handedInBy: PartyID?

  package init(
    carrier: CarrierKey, origin: Intake.Origin, exchange: ExchangeID, bytes: [UInt8],
    receivedAt: Instant, confirmations: Set<String> = [], handedInBy: PartyID? = nil
  ) {
    self.carrier = carrier
    self.origin = origin
    self.exchange = exchange
    self.bytes = bytes
    self.receivedAt = receivedAt
    self.confirmations = confirmations
    self.handedInBy = handedInBy
  }
}

/// Takes messages through the machine `Intake`: does what its action says, and reports what came of it as
/// the next event. Holds no policy of its own, and nothing between two messages.
package struct IntakePipeline: Sendable {
  let store: Store
  let regime: RegimeInForce
  let now: @Sendable () -> Instant
  let log: Logger

  /// Takes one message as far as it goes.
  ///
  /// - Parameter attempt: the number of this try, counted durably after an unclean exit; else 1.
  /// - Returns: whether it may be acknowledged upstream: it is committed, or was before.
  /// - Throws: `StoreError` when the store can take no more: the process is to end.
  package func take(_ message: ArrivedMessage, attempt: Int = 1) async throws -> Bool {
    var intake = Intake(origin: message.origin)
    let first = intake.attempted(attempt)
    var passage = IntakePassage(message: message, regime: regime.current, attempt: attempt)
    return try await run(&intake, &passage, from: first)
  }

  /// Decides a held exchange anew, now that its case, the rules or a person's word changed.
  ///
  /// - Parameter attempt: the number of this try, counted durably after an unclean exit; else 1. What
  ///   ended the process each time is set aside like a message that does so when it is opened.
  package func reconsider(_ held: HeldExchange, attempt: Int = 1) async throws {
    let regime = regime.current
    // Its age is for a person to judge; every other hold is decided by what has changed meanwhile.
    let age = IntakeReason.signedLongAgo.rawValue
    let waitsForPerson = held.code == age && !held.confirmations.contains(age)
    var intake = Intake(
      ended: .held(code: held.code), isUrgent: regime.policy.isUrgent(held.notification.type))
    let first = waitsForPerson ? Intake.Action.none : intake.released(confirmed: held.confirmations)
    // Where it is opened again, by what waits (a revocation list), the original is needed; otherwise the
    // verdict of then stands, and the documents that were kept with it are enough.
    var bytes: [UInt8] = []
    var notification = held.notification
    if case .open = first {
      bytes = try await store.original(of: held.exchange) ?? []
    } else if !waitsForPerson {
      notification = notification.with(
        try await store.attachments(of: held.exchange, named: notification.data))
    }
    var passage = IntakePassage(
      message: ArrivedMessage(
        carrier: held.carrier, origin: .store, exchange: held.exchange, bytes: bytes,
        receivedAt: held.receivedAt, confirmations: held.confirmations),
      regime: regime, attempt: attempt)
    passage.opened = (notification, held.verdict)
    passage.wasHeld = true
    passage.lookAgainSeen = held.lookAgain
    guard attempt < Intake.maximumAttempts else {
      let ending = Intake.Ending.setAside(code: IntakeReason.triedTooOften.rawValue)
      _ = try await store.record(passage.record(ending, at: now()))
      report(passage, ending)
      return
    }
    FaultPoint.beforeReconsider.reached(with: held.carrier.message)
    guard !waitsForPerson else {
      _ = try await store.record(passage.record(.held(code: held.code), at: now()))
      return
    }
    _ = try await run(&intake, &passage, from: first)
  }

  private func run(
    _ intake: inout Intake, _ passage: inout IntakePassage, from first: Intake.Action
  ) async throws -> Bool {
    var action = first
    // The machine ends by itself: `maximumRestarts` bounds how often it goes back.
    while true {
      switch action {
      case .open:
        action = open(&intake, &passage)
        FaultPoint.afterOpen.reached(with: passage.message.carrier.message)
      case .identify:
        // What is in force may have been swapped since the last time.
        passage.regime = regime.current
        action = try await identify(&intake, &passage)
      case .decide(let flags):
        action = decide(&intake, &passage, flags: flags)
        FaultPoint.afterDecide.reached()
      case .seal:
        action = seal(&intake, &passage)
        FaultPoint.afterSeal.reached()
      case .commit(let ending):
        FaultPoint.beforeCommit.reached()
        action = try await commit(&intake, &passage, ending)
        FaultPoint.afterCommit.reached()
      case .acknowledgeUpstream:
        return true
      case .leave(let reason):
        log.warning(
          "message left for the next poll",
          metadata: [
            "code": "\(reason.rawValue)", "inbox": "\(passage.message.carrier.inbox)",
            "exchange": "\(passage.message.exchange)",
          ])
        return false
      case .none:
        return false
      }
    }
  }

  private func open(_ intake: inout Intake, _ passage: inout IntakePassage) -> Intake.Action {
    let verified: VerifiedMessage
    do {
      verified = try passage.regime.sealer.open(passage.message.bytes, now: now())
    } catch {
      passage.problem = error
      log.warning(
        "message could not be opened",
        metadata: [
          "code": "\(error.code)", "turn": "\(error.turn.rawValue)",
          "inbox": "\(passage.message.carrier.inbox)", "exchange": "\(passage.message.exchange)",
        ])
      // A missing or long stale revocation list, or a fault of our own, says nothing about the message:
      // it stays where it is, and is tried again.
      if error.isHold || error.turn == .us { return intake.interrupted() }
      return intake.refusedToOpen(code: error.code)
    }
    passage.opened = (verified.notification, verified.verdict)
    passage.openedBy = passage.regime.sealer
    let policy = passage.regime.policy
    let type = verified.notification.type
    if policy.knows(type), let problem = policy.check(verified.notification).first {
      log.warning(
        "notification does not fit its type",
        metadata: [
          "code": "\(problem.code)", "field": "\(problem.field)", "turn": "sender",
          "inbox": "\(passage.message.carrier.inbox)", "exchange": "\(passage.message.exchange)",
        ])
      return intake.refusedToOpen(code: problem.code)
    }
    return intake.opened(
      Intake.Opened(
        signedAt: verified.verdict.signingTime, statedAt: verified.notification.time,
        isKnownType: policy.knows(type),
        isUrgent: policy.isUrgent(type), revocation: verified.verdict.revocation), at: now())
  }

  private func commit(
    _ intake: inout Intake, _ passage: inout IntakePassage, _ ending: Intake.Ending
  ) async throws -> Intake.Action {
    let result = try await store.record(passage.record(ending, at: now()))
    switch result {
    case .recorded:
      report(passage, ending)
      return intake.committed()
    case .duplicate(let first):
      // Recorded meanwhile, by an earlier try or under another carrier id. Once this carrier id has its
      // own record as a repeat, nothing is left to be written.
      if case .duplicate = ending { return intake.committed() }
      passage.firstExchange = first
      return passage.opened == nil ? intake.committed() : intake.duplicate(sameContent: true)
    case .conflict:
      // Set aside by that very commit.
      report(passage, .setAside(code: IntakeReason.conflict.rawValue))
      return intake.committed()
    case .unchanged:
      return intake.committed()
    case .stale:
      return intake.stale()
    }
  }

  private func report(_ passage: IntakePassage, _ ending: Intake.Ending) {
    log.info(
      "message recorded",
      metadata: [
        "outcome": "\(ending.word)", "code": "\(ending.code ?? "-")",
        "inbox": "\(passage.message.carrier.inbox)", "exchange": "\(passage.message.exchange)",
        "recipients": "\(passage.deliveries.count)",
      ])
  }
}
