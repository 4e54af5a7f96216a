import ArgumentParser
import Daemon
import Exchange

struct RequeueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "requeue",
    abstract: "What was set aside, discarded, refused or held is opened anew. Changes state.",
    discussion: """
      For when what was wrong was mended here: a certificate, the rulebook, a clock, the program. One by its
      id, or all that are in a state; look with --dry-run first.

      Examples:
        sallyport requeue 7c1f --reason "new certificate of Durham pinned, ticket 8812"
        sallyport requeue --state set-aside --party police:durham --dry-run

      Exit codes: 0 done, 1 not in a state for it (of several: at least one), 69 the daemon cannot be
      reached, 75 busy, 77 not allowed.
      """)

  @Argument(help: "The exchange's id, or at least its first four characters.") var id: String?
  @Option(help: "All that are set-aside, refused, held or discarded, instead of one by its id.")
  var state: QueueState?
  @Option(help: "With --state: only what this party sent.") var party: String?
  @Flag(help: "With --state: say what would be done, and do nothing.") var dryRun = false
  @Option(help: "Why: one line, kept in the ledger's encrypted detail.") var reason: String?
  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  private static let states: [QueueState] = [.setAside, .refused, .held, .discarded]

  func run() async throws {
    guard (id == nil) != (state == nil) else {
      throw Say.failure(
        "name one exchange, or a state", next: "sallyport requeue --state set-aside --dry-run",
        exit: Exit.usage)
    }
    guard id == nil || (party == nil && !dryRun) else {
      throw Say.failure(
        "--party and --dry-run go with --state",
        next: "sallyport requeue --state set-aside --dry-run", exit: Exit.usage)
    }
    if !dryRun { try checkReason() }
    if let state { return try await several(in: state) }
    let exchange = ExchangeArgument(id ?? "")
    let daemon = try Operator(
      option, again: "sallyport requeue \(exchange.id) --reason …", json: json)
    let standing = try await daemon.look(exchange)
    try await Act.requeue(standing, reason: reason ?? "", of: daemon)
  }

  private func checkReason() throws {
    guard let reason, ControlRequest.isReason(reason) else {
      throw Say.failure(
        ControlProblem.reasonForm.description, next: "--reason \"who said what, and when\"",
        exit: Exit.usage)
    }
  }

  private struct Outcome: Encodable {
    let exchange: String
    let done: Bool
    /// Why it was not done.
    let code: OrNull<String>
    let entry: OrNull<Int>
  }

  private struct Document: Encodable {
    let dryRun: Bool
    let state: String
    let matched: Int
    let oldest: OrNull<String>
    let exchanges: [Outcome]
    /// There are more: the same again puts those too.
    let more: Bool
  }

  /// Each is an act of its own: what fails holds up no other, and what is done stays done.
  private func several(in state: QueueState) async throws {
    guard RequeueCommand.states.contains(state) else {
      throw Say.failure(
        "what is \(state.rawValue) is not put again", next: "--state set-aside", exit: Exit.usage)
    }
    let party = try party.map(PartyArgument.parse)
    let reading = try await Reading(option)
    let table = try await QueueTable.read([state], reading, party: party, limit: 1000)
    var outcomes: [Outcome] = []
    for line in table.exchanges where !dryRun {
      guard let exchange = ExchangeID(line.id) else { continue }
      outcomes.append(try await put(exchange))
    }
    let oldest = table.exchanges.map(\.receivedAt).min()
    if json {
      Say.answer(
        JSONText.of(
          Document(
            dryRun: dryRun, state: state.rawValue, matched: table.exchanges.count,
            oldest: OrNull(oldest), exchanges: outcomes, more: table.more)))
    } else {
      tell(table, outcomes, oldest: oldest)
    }
    if outcomes.contains(where: { !$0.done }) { throw Exit.badAnswer }
  }

  private func put(_ exchange: ExchangeID) async throws -> Outcome {
    let daemon = try Operator(
      option, again: "sallyport requeue --state … --reason …", json: false)
    let answer = try await daemon.ask(
      .requeue(exchange, reason: reason ?? ""), look: "sallyport queue list")
    switch answer {
    case .done(let done):
      return Outcome(
        exchange: exchange.text, done: true, code: OrNull(nil), entry: OrNull(done.entry))
    case .refused(let refusal):
      // Who may not do one, may do none.
      if Act.exit(refusal.code) == Exit.denied {
        throw daemon.failure(
          refusal.code, refusal.text, exit: Exit.denied, next: "sudo -u sallyport …")
      }
      return Outcome(
        exchange: exchange.text, done: false, code: OrNull(refusal.code), entry: OrNull(nil))
    case .running, .standing, .polled, .keys, .reloaded: throw daemon.unexpected()
    }
  }

  private func tell(_ table: QueueTable, _ outcomes: [Outcome], oldest: String?) {
    guard let oldest else { return Say.answer("Nothing matches.") }
    let count = table.exchanges.count
    guard !dryRun else {
      Say.answer("would requeue \(count). The oldest came \(oldest).")
      for line in table.exchanges.prefix(10) {
        Say.answer(
          "  \(line.id)  \((line.code.value ?? "-").padded(to: 8))  \(line.party.value ?? line.inbox)"
        )
      }
      if count > 10 { Say.answer("  … sallyport queue list --state \(table.exchanges[0].state)") }
      return Say.answer("do it: the same with --reason \"…\" instead of --dry-run")
    }
    let failed = outcomes.filter { !$0.done }
    Say.answer("requeued \(outcomes.count - failed.count) of \(count). They are opened again now.")
    for outcome in failed {
      Say.answer("  \(outcome.exchange)  not done: \(outcome.code.value ?? "-")")
    }
    Say.answer("undo: sallyport hold ID --reason … for each")
  }
}

extension Act {
  /// One message, opened anew.
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
