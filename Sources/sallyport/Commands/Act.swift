import ArgumentParser
import Daemon
import Exchange

/// What every command needs that asks the daemon to act. None of them opens the store: whoever may reach the
/// control socket may act, without its keys.
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

/// The daemon, as a command reaches it.
struct Operator {
  let client: ControlClient
  /// What to type again once the daemon runs.
  let again: String
  let json: Bool

  init(_ option: ConfigurationOption, again: String, json: Bool) throws {
    client = ControlClient(socketFile: try option.configuration().control.socketFile)
    (self.again, self.json) = (again, json)
  }

  /// How the exchange stands that is named so.
  func look(_ exchange: ExchangeArgument) async throws -> ControlAnswer.Standing {
    try exchange.check()
    switch try await ask(.look(exchange.id), look: "sallyport status") {
    case .standing(let standing): return standing
    case .refused(let refusal):
      let wrong = refusal.code == ControlProblem.malformed("").code
      throw failure(
        refusal.code, refusal.text, exit: wrong ? Exit.badAnswer : Act.exit(refusal.code),
        next: "sallyport queue list")
    case .done, .running, .polled, .keys, .reloaded: throw unexpected()
    }
  }

  func ask(_ request: ControlRequest, look: String) async throws -> ControlAnswer {
    do throws(ControlProblem) {
      return try await client.ask(request)
    } catch {
      let next =
        switch error {
        case .notReached: "systemctl start sallyport; then: \(again)"
        case .noAnswer: look
        case .notAllowed: "ask whoever runs Sallyport: sudo -u sallyport …"
        default: again
        }
      throw failure(error.code, error.text, exit: Act.exit(error.code), next: next)
    }
  }

  func unexpected() -> ExitCode {
    failure(
      ControlProblem.noAnswer.code, ControlProblem.noAnswer.text, exit: Exit.unreachable,
      next: "run the program of the daemon's own version")
  }

  private struct Refusal: Encodable {
    let done = false
    let code: String
    let text: String
    let next: String
  }

  /// Nothing was done, and why.
  func failure(_ code: String, _ text: String, exit: ExitCode, next: String) -> ExitCode {
    if json { Say.answer(JSONText.of(Refusal(code: code, text: text, next: next))) }
    return Say.failure("\(code) \(text)", next: next, exit: exit)
  }
}

/// One act: asked of the daemon, and told.
struct Act {
  /// `confirmed`, `requeued`, `withdrawn`, `put-on-hold`, `released`, `discarded`.
  let event: String
  let standing: ControlAnswer.Standing
  /// Of an act upon a delivery alone.
  var delivery: ControlAnswer.Standing.Named?
  /// What it was held, set aside or withdrawn for.
  let code: String?
  let after: String
  /// What to type to take it back; nil where nothing does.
  let undo: String?

  private struct Document: Encodable {
    let done = true
    let event: String
    let exchange: String
    let delivery: OrNull<String>
    let code: OrNull<String>
    /// How it stood before.
    let before: String
    let by: String
    let entry: OrNull<Int>
    /// Of a hold and its end: how many copies are kept back, or given again.
    let copies: OrNull<Int>
    let recipientHasIt: Bool
    let text: String
    let next: String
    let undo: OrNull<String>
  }

  /// Asks, and says what changed, how to look and how to take it back.
  func ask(_ request: ControlRequest, of daemon: Operator) async throws {
    let look = "sallyport show \(standing.exchange)"
    switch try await daemon.ask(request, look: look) {
    case .done(let done): tell(done, json: daemon.json, look: look)
    case .refused(let refusal):
      throw daemon.failure(
        refusal.code, refusal.text, exit: Act.exit(refusal.code),
        next: Act.next(refusal.code, standing.exchange))
    case .running, .standing, .polled, .keys, .reloaded: throw daemon.unexpected()
    }
  }

  private func tell(_ done: ControlAnswer.Done, json: Bool, look: String) {
    let before = delivery.map { "\($0.state) for \($0.party)" } ?? standing.words
    if json {
      return Say.answer(
        JSONText.of(
          Document(
            event: event, exchange: standing.exchange.text, delivery: OrNull(delivery?.id.text),
            code: OrNull(code), before: before, by: done.by, entry: OrNull(done.entry),
            copies: OrNull(done.copies), recipientHasIt: done.recipientHasIt, text: after,
            next: look, undo: OrNull(undo))))
    }
    let name = delivery?.id.text ?? standing.exchange.text
    Say.answer("\(name)  \(before) → \(event) by \(done.by). \(after)")
    if let copies = done.copies, copies > 0 {
      Say.answer("\(copies) uncollected \(copies == 1 ? "copy" : "copies"). Deadlines go on.")
    }
    if done.recipientHasIt {
      Say.answer("The recipient has it already and is not told by Sallyport: ring them.")
    }
    let entry = done.entry.map { "as entry \($0) of the ledger" } ?? "in the ledger"
    Say.answer("Recorded \(entry).   look: \(look)")
    Say.answer(undo.map { "undo: \($0)" } ?? "It cannot be undone.")
  }

  private static func next(_ code: String, _ exchange: ExchangeID) -> String {
    switch code {
    case ControlProblem.notAllowed.code: "ask whoever runs Sallyport: sudo -u sallyport …"
    case ControlProblem.notConfirmable(rule: "").code:
      "mend what it waits for (sallyport explain \(exchange)), or have the sender send a mended one"
    case ControlProblem.malformed("").code: "run the program of the daemon's own version"
    case "STOR-022": "sallyport release \(exchange) --reason …"
    default: "sallyport show \(exchange)"
    }
  }

  /// The daemon's refusals as exit codes.
  static func exit(_ code: String) -> ExitCode {
    switch code {
    case "CTRL-001", "CTRL-006": Exit.denied
    case "CTRL-004", "CTRL-005", "STOR-008", "STOR-010": Exit.busy
    case "CTRL-007", "CTRL-012", "STOR-015", "STOR-016", "STOR-018", "STOR-022": Exit.badAnswer
    case "CTRL-008": Exit.usage
    case "CTRL-009", "CTRL-010", "CTRL-011", "CTRL-013": Exit.unreachable
    default: Exit.bug
    }
  }
}

extension ControlAnswer.Standing {
  /// `held for FREE-01, on hold`.
  var words: String {
    let state = code.map { "\(self.state) for \($0)" } ?? self.state
    return isOnHold ? state + ", on hold" : state
  }
}
