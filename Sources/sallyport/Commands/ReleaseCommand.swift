import ArgumentParser
import Daemon
import Exchange
import Rules
import Store

struct ReleaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract:
      "A person answers for what a held exchange waits for; it is decided again. Changes state.",
    discussion: """
      Only what the rulebook leaves to a person: a note that was read (FREE-01), a signature of long ago
      (INTK-007), a guard that is confirmable. What is told then cannot be called back.

      Examples:
        sallyport release 7c1f --reason "note read, nothing of the offence; duty officer, 14:10"
        sallyport release 7c1f --reason "still holds, asked Durham by telephone" --json

      Exit codes: 0 done, 1 not in a state for it, 69 the daemon cannot be reached, 75 busy, 77 not allowed.
      """)

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @OptionGroup var act: ActOptions

  func run() async throws {
    try act.check()
    let (configuration, store) = try option.opened()
    let view = try await exchange.view(in: store)
    guard case .held(let code) = view.ending else {
      throw Say.failure(
        "\(view.exchange) is \(view.ending?.word ?? "waiting"), not held",
        next: "sallyport show \(view.exchange)", exit: Exit.badAnswer)
    }
    try await Act(
      event: "confirmed", exchange: view.exchange, delivery: nil, code: code,
      before: "held for \(code)", after: "It is decided again now."
    ).ask(
      .confirm(view.exchange, rule: code, reason: act.reason), configuration, json: act.json,
      again: "sallyport release \(view.exchange) --reason …")
  }
}

struct RequeueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "requeue",
    abstract: "What was set aside, refused or held is opened and decided anew. Changes state.",
    discussion: """
      For when what was wrong was mended here: a certificate, the rulebook, a clock, the program.

      Examples:
        sallyport requeue 7c1f --reason "new certificate of Durham pinned, ticket 8812"
        sallyport requeue 7c1f --reason "rulebook 4 installed" --json

      Exit codes: 0 done, 1 not in a state for it, 69 the daemon cannot be reached, 75 busy, 77 not allowed.
      """)

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @OptionGroup var act: ActOptions

  func run() async throws {
    try act.check()
    let (configuration, store) = try option.opened()
    let view = try await exchange.view(in: store)
    let code = view.ending?.code ?? view.decision?.reasons.first?.rule
    let word = view.ending?.word ?? "waiting"
    try await Act(
      event: "requeued", exchange: view.exchange, delivery: nil, code: code,
      before: code.map { "\(word) for \($0)" } ?? word, after: "It is opened again now."
    ).ask(
      .requeue(view.exchange, reason: act.reason), configuration, json: act.json,
      again: "sallyport requeue \(view.exchange) --reason …")
  }
}

struct WithdrawCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "withdraw",
    abstract: "Takes one delivery back: it is given out no more. Cannot be undone.",
    discussion: """
      The reason is a code, such as a rule's, never words. A recipient who has it already is not told.

      Examples:
        sallyport withdraw 0b52f1c6-77d0-4c9e-9f52-6d2d4c6ef001 --reason ACC-02
        sallyport withdraw 0b52f1c6-77d0-4c9e-9f52-6d2d4c6ef001 --reason ACC-02 --json

      Exit codes: 0 done, 1 over already, 69 the daemon cannot be reached, 75 busy, 77 not allowed.
      """)

  @Argument(help: "The delivery's whole id, as `sallyport show` prints it.") var delivery: String
  @OptionGroup var option: ConfigurationOption
  @OptionGroup var act: ActOptions

  func run() async throws {
    guard ControlRequest.isCode(act.reason) else {
      throw Say.failure(
        ControlProblem.reasonForm.description, next: "--reason ACC-02", exit: Exit.usage)
    }
    guard let id = DeliveryID(delivery) else {
      throw Say.failure(
        "\(delivery) is not the whole id of a delivery", next: "sallyport show EXCHANGE",
        exit: Exit.usage)
    }
    let (configuration, store) = try option.opened()
    let view: ExchangeView
    do {
      view = try await store.exchange(id.text)
    } catch {
      throw Say.failure(error.description, next: "sallyport status", exit: Exit.badAnswer)
    }
    guard let found = view.deliveries.first(where: { $0.id == id }) else {
      throw Say.failure(
        "\(id) is an exchange, not a delivery", next: "sallyport show \(id)", exit: Exit.badAnswer)
    }
    try await Act(
      event: "withdrawn", exchange: view.exchange, delivery: id, code: act.reason,
      before: "\(found.state.rawValue) for \(found.party)", after: "It is given out no more."
    ).ask(
      .withdraw(id, reason: act.reason), configuration, json: act.json,
      again: "sallyport withdraw \(id) --reason \(act.reason)")
  }
}
