import ArgumentParser
import Exchange
import Rules
import Store

struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract:
      "One exchange's whole life: names of fields, parties and states, no content. Reads only.",
    discussion:
      "Examples:\n  sallyport show 7c1f --config sallyport.yaml\n  sallyport show 7c1f --json")

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  func run() async throws {
    let store = try await option.store()
    let view = try await exchange.view(in: store)
    if json {
      let first = try await exchange.first(of: view, in: store)
      return Say.answer(JSONText.of(ExchangeDocument(view, first: first)))
    }
    Say.answer("\(view.exchange)")
    Say.answer("  received   \(view.receivedAt)  from inbox \(view.carrier.inbox)")
    Say.answer(
      "  \((view.ending?.word ?? "waiting").padded(to: 10)) \(view.recordedAt?.description ?? "-")"
        + "  \(view.ending?.code ?? "")")
    if let type = view.type, let sender = view.sender { Say.answer("  \(type) from \(sender)") }
    if let erased = view.erasedAt { Say.answer("  erased     \(erased)") }
    for delivery in view.deliveries {
      Say.answer(
        "  → \(delivery.party.text.padded(to: 24)) \(delivery.state.rawValue)  \(delivery.id)")
      if let carriage = delivery.delivery?.carriage {
        let more = [
          carriage.code, carriage.message.map { "as \($0)" },
          carriage.returns > 0 ? "came back \(carriage.returns) times" : nil,
        ]
        Say.answer(
          "    by carrier \(carriage.state.rawValue) \(carriage.since)  "
            + more.compactMap { $0 }.joined(separator: "  "))
      }
    }
    for deadline in view.deadlines {
      Say.answer(
        "  ⏲ \(deadline.deadline.kind) by \(deadline.deadline.owedBy), due "
          + "\(deadline.deadline.schedule.due): \(deadline.deadline.state.rawValue)")
    }
    for receipt in view.receipts {
      let state = receipt.deliveryState?.rawValue ?? receipt.state.rawValue
      let outcome = receipt.decision?.outcome.rawValue ?? "-"
      Say.answer(
        "  ✉ \(receipt.party.text.padded(to: 24)) receipt: \(outcome), \(state)  \(receipt.delivery)"
      )
    }
    Say.answer("  ledger     entries \(view.leaves.map(String.init).joined(separator: ", "))")
    Say.answer("  why        sallyport explain \(view.exchange)")
  }
}

struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Why each field was shared or withheld, with rule and paragraph. Reads only.",
    discussion:
      "Examples:\n  sallyport explain 7c1f --config sallyport.yaml\n  sallyport explain 7c1f --json"
  )

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  func run() async throws {
    let view = try await exchange.view(in: option.store())
    guard let decision = view.decision else {
      if json { return Say.answer(JSONText.of(ExchangeDocument(view))) }
      Say.answer("Not decided: \(view.ending?.word ?? "waiting").")
      if let first = view.first { Say.answer("The same came before as exchange \(first).") }
      if let code = view.ending?.code { Say.answer("\(code) is explained in docs/errors.md.") }
      tell(view.receipts)
      return
    }
    if json { return Say.answer(decision.summary.canonicalText) }
    Say.answer("exchange \(view.exchange)")
    for line in Explanation.text(of: decision) { Say.answer(line) }
    tell(view.receipts)
  }

  /// What the sender was told of it, by which rule.
  private func tell(_ receipts: [ReceiptView]) {
    for receipt in receipts {
      guard let decision = receipt.decision else { continue }
      for line in Explanation.text(of: decision, to: receipt.party) { Say.answer(line) }
      guard let first = receipt.first else { continue }
      Say.answer("Receipt: it is told what it was told of exchange \(first.exchange).")
    }
  }
}
