import ArgumentParser
import Daemon
import Exchange

struct RequeueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "requeue",
    abstract: "What was set aside, discarded, refused or held is opened anew. Changes state.",
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
    let daemon = try Operator(
      option, again: "sallyport requeue \(exchange.id) --reason …", json: act.json)
    let standing = try await daemon.look(exchange)
    try await Act.requeue(standing, reason: act.reason, of: daemon)
  }
}

extension Act {
  static func requeue(
    _ standing: ControlAnswer.Standing, reason: String, of daemon: Operator
  ) async throws {
    let id = standing.exchange
    try await Act(
      event: "requeued", standing: standing, code: standing.code, after: "It is opened again now.",
      undo: "sallyport hold \(id) --reason …"
    ).ask(.requeue(id, reason: reason), of: daemon)
  }
}
