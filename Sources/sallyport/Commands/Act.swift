import ArgumentParser
import Daemon
import Exchange
import Store

/// What every command needs that asks the daemon to act.
struct ActOptions: ParsableArguments {
  @Option(help: "Why: one line, kept in the ledger's encrypted detail.") var reason: String
  @Flag(help: "One JSON document.") var json = false

  func check() throws {
    guard ControlRequest.isReason(reason) else {
      throw Say.failure(
        ControlProblem.reasonForm.description, next: "--reason \"who said what, and when\"",
        exit: Exit.usage)
    }
  }
}

/// One act: asked of the daemon, and told.
struct Act {
  /// `confirmed`, `requeued`, `withdrawn`.
  let event: String
  let exchange: ExchangeID
  let delivery: DeliveryID?
  /// What it was held, set aside or refused for.
  let code: String?
  let before: String
  let after: String

  private struct Document: Encodable {
    let done: Bool
    let event: String
    let exchange: String
    let delivery: OrNull<String>
    /// Of what is done, what it was held or set aside for; else why it was not done.
    let code: OrNull<String>
    let by: OrNull<String>
    let entry: OrNull<Int>
    let recipientHasIt: OrNull<Bool>
    let text: String
    let next: String
  }

  /// Asks, and says what changed and how to look.
  ///
  /// - Parameter again: what to type when the daemon runs.
  func ask(
    _ request: ControlRequest, _ configuration: Configuration, json: Bool, again: String
  ) async throws {
    let look = "sallyport show \(exchange)"
    let answer: ControlAnswer
    do throws(ControlProblem) {
      let client = ControlClient(stateDirectory: configuration.stateDirectory)
      answer = try await client.ask(request)
    } catch {
      let next =
        switch error {
        case .notReached: "systemctl start sallyport; then: \(again)"
        case .noAnswer: look
        default: again
        }
      throw failure(error.code, error.text, json: json, next: next)
    }
    switch answer {
    case .done(let done): tell(done, json: json, look: look)
    case .refused(let refusal):
      throw failure(refusal.code, refusal.text, json: json, next: Act.next(refusal.code, look))
    // No act is answered so.
    case .polled:
      throw failure(
        ControlProblem.noAnswer.code, ControlProblem.noAnswer.text, json: json, next: look)
    }
  }

  private func tell(_ done: ControlAnswer.Done, json: Bool, look: String) {
    if json {
      return Say.answer(
        JSONText.of(
          Document(
            done: true, event: event, exchange: exchange.text, delivery: OrNull(delivery?.text),
            code: OrNull(code),
            by: OrNull(done.by), entry: OrNull(done.entry),
            recipientHasIt: OrNull(done.recipientHasIt), text: after,
            next: look)))
    }
    Say.answer("\(delivery?.text ?? exchange.text)  \(before) → \(event) by \(done.by). \(after)")
    if done.recipientHasIt {
      Say.answer("The recipient has it already and is not told by Sallyport: ring them.")
    }
    let entry = done.entry.map { "as entry \($0) of the ledger" } ?? "in the ledger"
    Say.answer("Recorded \(entry).   look: \(look)")
  }

  private func failure(_ code: String, _ text: String, json: Bool, next: String) -> ExitCode {
    if json {
      Say.answer(
        JSONText.of(
          Document(
            done: false, event: event, exchange: exchange.text, delivery: OrNull(delivery?.text),
            code: OrNull(code), by: OrNull(nil), entry: OrNull(nil), recipientHasIt: OrNull(nil),
            text: text, next: next)))
    }
    return Say.failure("\(code) \(text)", next: next, exit: Act.exit(code))
  }

  private static func next(_ code: String, _ look: String) -> String {
    switch code {
    case ControlProblem.notAllowed.code: "ask whoever runs Sallyport: sudo -u sallyport …"
    case ControlProblem.notConfirmable(rule: "").code:
      "mend what it waits for (\(look)), or have the sender send a mended notification"
    case ControlProblem.malformed("").code: "run the program of the daemon's own version"
    default: look
    }
  }

  /// The daemon's refusals as exit codes.
  static func exit(_ code: String) -> ExitCode {
    switch code {
    case "CTRL-001", "CTRL-006": Exit.denied
    case "CTRL-004", "CTRL-005", "STOR-008", "STOR-010": Exit.busy
    case "CTRL-007", "CTRL-012", "STOR-015", "STOR-016", "STOR-018": Exit.badAnswer
    case "CTRL-008": Exit.usage
    case "CTRL-009", "CTRL-010", "CTRL-011": Exit.unreachable
    default: Exit.bug
    }
  }
}
