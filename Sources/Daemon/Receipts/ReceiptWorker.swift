import Exchange
import Ledger
import Logging
import Rules
import Seal
import ServiceLifecycle
import Store

/// Makes the receipts that are owed, once the published ledger covers what they tell of: proved, sealed
/// and put into the senders' mailboxes, off the way of the messages.
struct ReceiptWorker: Service {
  let store: Store
  let sequencer: Sequencer
  let regime: RegimeInForce
  /// Signalled after each checkpoint.
  let wakeup: Wakeup
  let now: @Sendable () -> Instant
  let log: Logger
  /// Called after receipts were put into mailboxes: some may lie elsewhere.
  let onMade: @Sendable () -> Void

  /// Receipts of one commit, and in memory at once.
  static let batch = 64
  /// After which one that could not be made is tried again.
  static let patience = Duration.seconds(5 * 60)

  func run() async throws {
    try await Rounds(wakeup: wakeup, interval: .seconds(5), log: log).run {
      // Each pass makes, postpones or withholds all that it took: it comes to an end.
      while try await makeSome(), !Task.isShuttingDownGracefully {}
    }
  }

  /// Makes the receipts that wait longest; false when none is left that can be made now.
  func makeSome() async throws -> Bool {
    guard let published = sequencer.published else { return false }
    let due = try await store.receiptsDue(
      coveredBy: published.size, at: now(), limit: ReceiptWorker.batch)
    guard !due.isEmpty else { return false }
    let regime = regime.current
    var made: [(due: DueReceipt, copy: NewDelivery)] = []
    var withheld: [DeliveryID] = []
    var failed: [DeliveryID] = []
    var failures: [PartyID: String] = [:]
    for receipt in due {
      guard let proof = try await sequencer.receipt(for: receipt.leaf) else {
        failed.append(receipt.delivery)
        continue
      }
      do {
        let making = ReceiptMaking(
          receipt: receipt, proof: proof,
          subject: store.subjectReference(
            of: receipt.exchange, for: receipt.recipient), regime: regime, moment: now())
        if let copy = try making.delivery() {
          made.append((receipt, copy))
          FaultPoint.beforeReceipt.reached()
        } else {
          withheld.append(receipt.delivery)
        }
      } catch {
        failures[receipt.recipient] = error.code
        failed.append(receipt.delivery)
      }
    }
    report(failures)
    if !withheld.isEmpty { try await store.withholdReceipts(withheld) }
    if !failed.isEmpty {
      try await store.postponeReceipts(failed, until: now() + ReceiptWorker.patience)
    }
    guard !made.isEmpty else { return true }
    try await store.recordReceipts(made, at: now())
    for _ in made { FaultPoint.afterReceipt.reached() }
    onMade()
    return true
  }

  private func report(_ failures: [PartyID: String]) {
    for (party, code) in failures {
      log.error(
        "receipt could not be sealed", metadata: ["code": "\(code)", "party": "\(party)"])
    }
  }
}

/// One receipt on its way to becoming a delivery.
struct ReceiptMaking {
  let receipt: DueReceipt
  let proof: Receipt
  let subject: SubjectReference
  let regime: Regime
  let moment: Instant

  /// How long it lies in its mailbox.
  private static let lifetime = Duration.seconds(30 * 86_400)

  /// Nil where the rules in force let the sender be told nothing any more.
  func delivery() throws(SealError) -> NewDelivery? {
    let policy = regime.policy
    guard let permitted = policy.permitted(receipt.decision, to: receipt.recipient) else {
      return nil
    }
    let first = receipt.first?.decision.flatMap { policy.permitted($0, to: receipt.recipient) }
    let outbound = OutboundNotification(
      receipt: permitted, first: first,
      ReceiptParticulars(
        delivery: receipt.delivery, source: policy.agreement.own.id, issuedAt: moment,
        subject: subject, event: receipt.event,
        decision: receipt.first?.exchange ?? receipt.exchange, receivedAt: receipt.receivedAt,
        entry: String(decoding: receipt.entry, as: UTF8.self),
        proof: String(decoding: proof.bytes, as: UTF8.self)))
    let expiresAt = moment + ReceiptMaking.lifetime
    // Nobody needs to be called because a receipt lies there: no alarm before its end.
    return NewDelivery(
      delivery: Delivery(
        id: receipt.delivery, recipient: receipt.recipient, answerDue: nil, expiresAt: expiresAt),
      sealed: try regime.sealer.seal(outbound, now: moment), collectDue: .moment(expiresAt),
      workflow: Workflow.acknowledgement, releasedFields: [])
  }
}
