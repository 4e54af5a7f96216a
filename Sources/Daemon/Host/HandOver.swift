import Exchange
import Logging
import Rules
import Seal
import Store

/// The moment at which a recipient asks for its copy. What was not collected yet is given only if it may
/// still be told by the rules in force and the case as it is; otherwise it is taken back, and what of it
/// may still be told waits in the same mailbox as a delivery of its own.
struct HandOver {
  let store: Store
  let regime: Regime
  let moment: Instant
  let log: Logger

  /// How often it is asked anew when the case moves while it is asked.
  private static let maximumTries = 3

  /// Whether this copy may be given out. False once it is taken back.
  ///
  /// - Throws: `StoreError`, `SealError`, `CopyNotMade`, and `CaseKeepsMoving`: then neither is known, and the copy stays
  ///   where it is.
  func mayGive(_ copy: DeliveryCopy) async throws -> Bool {
    let delivery = copy.delivery
    // What the recipient has, it has: the same bytes again tell it nothing.
    guard delivery.collectedAt == nil, delivery.answeredAt == nil else { return true }
    // A receipt: it goes to the sender, of whose own message it speaks.
    guard let decidedBy = copy.decidedBy else { return true }
    guard decidedBy != regime.digests || copy.caseMoved else { return true }
    for _ in 0..<HandOver.maximumTries {
      guard let inputs = try await store.handoverInputs(of: delivery.id, party: delivery.recipient)
      else { return false }
      if inputs.decision.sender == delivery.recipient { return true }
      let retelling = regime.policy.retelling(
        of: inputs.decision, to: delivery.recipient, inputs.notification,
        facts: inputs.subjectCase?.facts, now: moment)
      guard let reason = retelling.objection else { return true }
      let replacement = try await replacement(for: copy, inputs, retelling)
      guard let policy = regime.digests else { throw CaseKeepsMoving() }
      let result = try await store.replace(
        delivery.id, with: replacement, inputs: inputs, policy: policy, reason: reason.rule,
        at: moment)
      switch result {
      case .done:
        report(delivery.id, reason, successor: replacement?.delivery.delivery.id)
        return false
      case .delivered: return true
      case .over: return false
      case .stale: continue
      }
    }
    throw CaseKeepsMoving()
  }

  /// The copy of what may still be told; nil where that is nothing.
  private func replacement(
    for copy: DeliveryCopy, _ inputs: HandoverInputs, _ retelling: Retelling
  ) async throws -> Replacement? {
    guard case .part(let decision, _) = retelling, let recipient = decision.recipients.first
    else { return nil }
    let notification = inputs.notification.with(
      try await store.attachments(of: inputs.exchange, named: inputs.notification.data))
    // Something may be told, so that a copy of it must be: without one the old copy stays.
    guard let permitted = regime.policy.permitted(decision, notification).first else {
      throw CopyNotMade()
    }
    var answered: AnsweredExchange?
    if let id = inputs.notification.correlationID.flatMap({ DeliveryID($0.text) }) {
      answered = try await store.answered(delivery: id, by: inputs.notification.source)
    }
    let subject =
      inputs.subjectCase.map { store.subjectReference(of: $0.id, for: recipient.party) }
      ?? store.subjectReference(of: inputs.exchange, for: recipient.party)
    let sealing = CopySealing(
      notification: notification, exchange: inputs.exchange, decision: decision,
      recipient: recipient, answered: answered, flags: decision.flags, regime: regime,
      moment: moment)
    return Replacement(
      try sealing.replacement(of: permitted, for: copy, subject: subject), decision: decision)
  }

  private func report(_ delivery: DeliveryID, _ reason: Reason, successor: DeliveryID?) {
    log.warning(
      successor == nil ? "delivery withdrawn" : "delivery replaced",
      metadata: [
        "code": "\(reason.rule)", "delivery": "\(delivery)",
        "successor": "\(successor?.text ?? "-")",
      ])
  }
}

/// Rules or case changed each time that it was asked.
struct CaseKeepsMoving: Error {}

/// A document that belongs to what may still be told is not kept.
struct CopyNotMade: Error {}
