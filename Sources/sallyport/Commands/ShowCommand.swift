import ArgumentParser
import Exchange
import Rules
import Store

struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract:
      "One exchange's whole life: names of fields, parties and states, no content. Reads only.",
    discussion: """
      With the daemon up or down.

      Examples:
        sallyport show 7c1f --config sallyport.yaml
        sallyport show 7c1f --json

      Exit codes: 0 told, 1 there is no such exchange, 65 the store cannot be read.
      """)

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let exchange: ExchangeDocument
    let daemon: String
    let onHold: Bool
    let events: [EventDocument]

    private enum Keys: CodingKey { case daemon, onHold, events }

    /// The exchange's own members, and these beside them.
    func encode(to encoder: any Encoder) throws {
      try exchange.encode(to: encoder)
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(daemon, forKey: .daemon)
      try container.encode(onHold, forKey: .onHold)
      try container.encode(events, forKey: .events)
    }
  }

  func run() async throws {
    let reading = try await Reading(option)
    let view = try await exchange.view(in: reading.store)
    let events = try await reading.ask { () async throws(StoreError) in
      try await reading.store.events(of: view.exchange)
    }
    if json {
      let first = try await exchange.first(of: view, in: reading.store)
      return Say.answer(
        JSONText.of(
          Document(
            exchange: ExchangeDocument(view, first: first), daemon: reading.daemon,
            onHold: view.isOnHold, events: events.map(EventDocument.init))))
    }
    reading.noteDaemon()
    tell(view, events)
  }

  private func tell(_ view: ExchangeView, _ events: [LedgerEvent]) {
    Say.answer("\(view.exchange)")
    Say.answer("  received   \(view.receivedAt)  from inbox \(view.carrier.inbox)")
    Say.answer(
      "  \((view.ending?.word ?? "waiting").padded(to: 10)) \(view.recordedAt?.description ?? "-")"
        + (view.ending?.code.map { "  \($0)" } ?? ""))
    if view.isOnHold {
      Say.answer("  on hold    sallyport release \(view.exchange) --reason …")
    }
    if let type = view.type, let sender = view.sender { Say.answer("  \(type) from \(sender)") }
    if let erased = view.erasedAt { Say.answer("  erased     \(erased)") }
    for delivery in view.deliveries {
      let hold = delivery.delivery?.onHoldSince == nil ? "" : " (on hold)"
      Say.answer(
        "  → \(delivery.party.text.padded(to: 24)) \(delivery.state.rawValue)\(hold)  \(delivery.id)"
      )
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
    Say.answer("  ledger")
    for event in events {
      let outcome = [event.state, event.code].compactMap { $0 }.joined(separator: " ")
      let whom = event.recipients.map(\.text).joined(separator: ", ")
      let rest = [outcome, whom.isEmpty ? "" : "→ \(whom)"].filter { !$0.isEmpty }
      Say.answer(
        "    \(event.entry)  \(event.time)  "
          + ([event.event.padded(to: rest.isEmpty ? 0 : 16)] + rest).joined(separator: "  "))
    }
    Say.answer("  why        sallyport explain \(view.exchange)")
  }
}
