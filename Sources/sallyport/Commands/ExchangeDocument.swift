import Exchange
import Rules
import Store

/// An exchange as `--json` prints it: names and states, no content.
struct ExchangeDocument: Encodable {
  struct Recipient: Encodable {
    let party: String
    let delivery: String
    /// Names of the fields that it was told.
    let shared: [String]
    let withheld: [Withheld]
    let state: String
    /// The last day for its answer, if one is owed.
    let ackBy: OrNull<String>
    /// Its way to a mailbox elsewhere; null where it lies in one of ours, or was not posted yet.
    let carriage: OrNull<CarriageDocument>
  }

  struct CarriageDocument: Encodable {
    /// sending, sent, failed, returned.
    let state: String
    let since: String
    let attempts: Int
    let returns: Int
    /// The carrier's own id of it.
    let message: OrNull<String>
    let code: OrNull<String>

    init(_ carriage: Carriage) {
      (state, since) = (carriage.state.rawValue, carriage.since.description)
      (attempts, returns) = (carriage.attempts, carriage.returns)
      (message, code) = (OrNull(carriage.message?.text), OrNull(carriage.code))
    }
  }

  struct Withheld: Encodable {
    let field: String
    let reason: String
  }

  let id: String
  let type: OrNull<String>
  let sender: OrNull<String>
  /// shared, held, refused, set-aside.
  let outcome: String
  let code: OrNull<String>
  let reasons: [String]
  let recipients: [Recipient]
  /// What its sender was told of it, or is to be; oldest first.
  let receipts: [ReceiptPart]

  struct WithheldCode: Encodable {
    let code: String
    let reason: String
  }

  struct ReceiptPart: Encodable {
    let party: String
    let delivery: String
    /// due, made, withheld, erased; or how the party's mailbox has it.
    let state: String
    let outcome: OrNull<String>
    /// Codes.
    let told: [String]
    let withheld: [WithheldCode]

    init(_ view: ReceiptView) {
      party = view.party.text
      delivery = view.delivery.text
      state = view.deliveryState?.rawValue ?? view.state.rawValue
      outcome = OrNull(view.decision?.outcome.rawValue)
      // Of a repeat, what is told is what was told of the first.
      let decision = view.first?.decision ?? view.decision
      told = decision?.told ?? []
      withheld =
        decision?.codes.filter { !$0.isTold }.map {
          WithheldCode(code: $0.text, reason: "\($0.reason.rule), \($0.reason.source)")
        } ?? []
    }
  }

  /// - Parameter first: of a repeat, the exchange that came first.
  init(_ view: ExchangeView, first: ExchangeView? = nil) {
    id = view.exchange.text
    type = OrNull((view.type ?? first?.type)?.text)
    sender = OrNull((view.sender ?? first?.sender)?.text)
    // To the reader a repeat is something that was put aside without effect.
    let isDuplicate = view.ending == .duplicate
    outcome = isDuplicate ? "set-aside" : view.ending?.word ?? "waiting"
    let rule = view.decision?.outcome == .shared ? nil : view.decision?.reasons.first?.rule
    code = OrNull(isDuplicate ? "duplicate" : view.ending?.code ?? rule)
    reasons = view.decision?.reasons.map { "\($0.rule): \($0.text) (\($0.source))" } ?? []
    receipts = view.receipts.map(ReceiptPart.init)
    recipients = view.deliveries.map { delivery in
      let decided = view.decision?.recipients.first { $0.party == delivery.party }
      return Recipient(
        party: delivery.party.text, delivery: delivery.id.text, shared: decided?.released ?? [],
        withheld: decided?.fields.filter { $0.outcome != .released }.map { field in
          Withheld(
            field: field.field,
            reason: "\(field.outcome.rawValue): \(field.reason.rule), \(field.reason.source)")
        } ?? [],
        state: delivery.state.rawValue,
        ackBy: OrNull(delivery.delivery?.answerDue?.day.description),
        carriage: OrNull(delivery.delivery?.carriage.map(CarriageDocument.init)))
    }
  }
}

/// A deadline as `--json` prints it.
struct DeadlineDocument: Encodable {
  let exchange: String
  let delivery: OrNull<String>
  let kind: String
  let owedBy: String
  let owedTo: String
  let due: String
  let state: String

  init(_ view: DeadlineView) {
    exchange = view.exchange.text
    delivery = OrNull(view.delivery?.text)
    kind = view.deadline.kind.text
    owedBy = view.deadline.owedBy.text
    owedTo = view.deadline.owedTo.text
    due = view.deadline.schedule.due.description
    state = view.deadline.state.rawValue
  }
}
