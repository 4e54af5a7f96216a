import ArgumentParser
import Daemon
import Exchange

struct HoldCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hold",
    abstract: "Keeps an exchange back until it is released. Changes state.",
    discussion: """
      What waits is not opened, what is held is not decided again, and copies that were not collected are
      neither listed nor given. Deadlines go on. Whoever has a copy already, has it.

      Examples:
        sallyport hold 7c1f --reason "Durham rang: wrong person named; ticket 8812"
        sallyport hold 7c1f --reason "asked by the duty officer" --json

      Exit codes: 0 done, 1 nothing to keep back, 69 the daemon cannot be reached, 75 busy, 77 not allowed.
      """)

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @OptionGroup var act: ActOptions

  func run() async throws {
    try act.check()
    let daemon = try Operator(
      option, again: "sallyport hold \(exchange.id) --reason …", json: act.json)
    let standing = try await daemon.look(exchange)
    let id = standing.exchange
    try await Act(
      event: "put-on-hold", standing: standing, code: standing.code,
      after: "It is kept back until it is released.", undo: "sallyport release \(id) --reason …"
    ).ask(.hold(id, reason: act.reason), of: daemon)
  }
}

struct ReleaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Ends a hold; or a person answers for what a held exchange waits for. Changes state.",
    discussion: """
      What an operator put on hold goes on from where it was. Else: only what the rulebook leaves to a
      person is confirmed, a note that was read (FREE-01), a signature of long ago (INTK-007), a guard that
      is confirmable; it is decided again. What is told then cannot be called back.

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
    let daemon = try Operator(
      option, again: "sallyport release \(exchange.id) --reason …", json: act.json)
    let standing = try await daemon.look(exchange)
    let id = standing.exchange
    if standing.isOnHold {
      return try await Act(
        event: "released", standing: standing, code: standing.code,
        after: standing.code.map { "It still waits for \($0)." } ?? "It goes on from where it was.",
        undo: "sallyport hold \(id) --reason …"
      ).ask(.endHold(id, reason: act.reason), of: daemon)
    }
    guard standing.state == "held", let code = standing.code else {
      throw daemon.failure(
        "STOR-018", "\(id) is \(standing.state), neither held nor on hold", exit: Exit.badAnswer,
        next: "sallyport show \(id)")
    }
    try await Act(
      event: "confirmed", standing: standing, code: code, after: "It is decided again now.",
      undo: nil
    ).ask(.confirm(id, rule: code, reason: act.reason), of: daemon)
  }
}

struct WithdrawCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "withdraw",
    abstract: "Takes one delivery back: it is given out no more. Cannot be undone.",
    discussion: """
      Ends the delivery and its deadlines; closes one that has expired, too. The reason is a code, such as a
      rule's, never words. A recipient who has it already is not told.

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
    let daemon = try Operator(
      option, again: "sallyport withdraw \(id) --reason \(act.reason)", json: act.json)
    let standing = try await daemon.look(ExchangeArgument(id.text))
    guard let named = standing.delivery, named.id == id else {
      throw daemon.failure(
        "STOR-015", "\(id) is an exchange, not a delivery", exit: Exit.badAnswer,
        next: "sallyport show \(id)")
    }
    try await Act(
      event: "withdrawn", standing: standing, delivery: named, code: act.reason,
      after: "It is given out no more.", undo: nil
    ).ask(.withdraw(id, reason: act.reason), of: daemon)
  }
}
