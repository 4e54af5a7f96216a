import ArgumentParser
import Daemon
import Exchange
import Store

struct SetAsideCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-aside", abstract: "What was not acted upon, why, and what becomes of it.",
    discussion: """
      Examples:
        sallyport set-aside list
        sallyport set-aside retry 7c1f --reason "certificate pinned, ticket 8812"

      `list` and `show` read only, `retry` and `discard` change state.
      Exit codes: 0 good, 1 no such message, 65 the store cannot be read, 69 the daemon cannot be reached.
      """,
    subcommands: [
      SetAsideListCommand.self, SetAsideShowCommand.self, SetAsideRetryCommand.self,
      SetAsideDiscardCommand.self,
    ])
}

struct SetAsideListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Messages that were set aside, newest first. Reads only.",
    discussion: """
      With the daemon up or down.

      Examples:
        sallyport set-aside list --config /etc/sallyport/sallyport.yaml
        sallyport set-aside list --json

      Exit codes: 0 told, even if there is nothing; 65 the store cannot be read.
      """)

  @OptionGroup var option: ConfigurationOption
  @Option(help: "Only what this party sent.") var party: String?
  @OptionGroup var limit: LimitOption
  @Flag(help: "One JSON document.") var json = false

  func run() async throws {
    try limit.check()
    let party = try party.map(PartyArgument.parse)
    let reading = try await Reading(option)
    try await QueueTable.read([.setAside], reading, party: party, limit: limit.limit)
      .tell([.setAside], reading, json: json)
  }
}

struct SetAsideShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Why one message was set aside, and what to do. Reads only.",
    discussion: """
      Examples:
        sallyport set-aside show 7c1f --config /etc/sallyport/sallyport.yaml
        sallyport set-aside show 7c1f --json

      Exit codes: 0 told, 1 there is none or it is not set aside, 65 the store cannot be read.
      """)

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let daemon: String
    let id: String
    let inbox: String
    let receivedAt: String
    let setAsideAt: OrNull<String>
    let code: String
    let sender: OrNull<String>
    let type: OrNull<String>
    /// Bytes kept as they came, sealed; null once erased.
    let keptBytes: OrNull<Int>
    let ledgerEntries: [Int]
    let next: String
  }

  func run() async throws {
    let reading = try await Reading(option)
    let view = try await exchange.view(in: reading.store)
    guard case .setAside(let code) = view.ending else {
      throw Say.failure(
        "\(view.exchange) is \(view.ending?.word ?? "waiting"), not set aside",
        next: "sallyport show \(view.exchange)", exit: Exit.badAnswer)
    }
    let kept = try await reading.ask { () async throws(StoreError) in
      try await reading.store.original(of: view.exchange)?.count
    }
    let next = "sallyport set-aside retry \(view.exchange) --reason …"
    if json {
      return Say.answer(
        JSONText.of(
          Document(
            daemon: reading.daemon, id: view.exchange.text, inbox: view.carrier.inbox,
            receivedAt: view.receivedAt.description,
            setAsideAt: OrNull(view.recordedAt?.description),
            code: code, sender: OrNull(view.sender?.text), type: OrNull(view.type?.text),
            keptBytes: OrNull(kept),
            ledgerEntries: view.leaves, next: next)))
    }
    reading.noteDaemon()
    Say.answer("\(view.exchange)")
    Say.answer("  received   \(view.receivedAt)  from inbox \(view.carrier.inbox)")
    Say.answer("  set aside  \(view.recordedAt?.description ?? "-")  \(code)")
    if let sender = view.sender { Say.answer("  sender     \(sender)") }
    if let type = view.type { Say.answer("  type       \(type)") }
    Say.answer("  kept       \(kept.map { "\($0) bytes, as they came, unread" } ?? "erased")")
    Say.answer("  ledger     entries \(view.leaves.map(String.init).joined(separator: ", "))")
    Say.answer("  why        sallyport errors \(code)")
    if kept != nil { Say.answer("  once mended  \(next)") }
    Say.answer("  else         sallyport set-aside discard \(view.exchange) --reason …")
  }
}

struct SetAsideRetryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Opens a message that was set aside or discarded anew, now. Changes state.",
    discussion: """
      Examples:
        sallyport set-aside retry 7c1f --reason "new certificate of Durham pinned, ticket 8812"
        sallyport set-aside retry 7c1f --reason "clock mended" --json

      Exit codes: 0 done, 1 not set aside, 69 the daemon cannot be reached, 75 busy, 77 not allowed.
      """)

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @OptionGroup var act: ActOptions

  func run() async throws {
    try act.check()
    let daemon = try Operator(
      option, again: "sallyport set-aside retry \(exchange.id) --reason …", json: act.json)
    let standing = try await daemon.look(exchange)
    guard ["set-aside", "discarded"].contains(standing.state) else {
      throw daemon.failure(
        "STOR-018", "\(standing.exchange) is \(standing.state), not set aside",
        exit: Exit.badAnswer, next: "sallyport show \(standing.exchange)")
    }
    try await Act.requeue(standing, reason: act.reason, of: daemon)
  }
}

struct SetAsideDiscardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Closes what was set aside, or is held, and nobody will mend. Changes state.",
    discussion: """
      Nobody is told of it any more and `status` counts it no more. Its bytes and its history are kept;
      `set-aside retry` or `requeue` takes it up again. Tell the sender first.

      Examples:
        sallyport set-aside discard 7c1f --reason "Durham sent it again, mended, as 9a40; ticket 8812"
        sallyport set-aside discard 7c1f --reason "a test of Durham's, not a notice" --json

      Exit codes: 0 done, 1 neither set aside nor held, 69 the daemon cannot be reached, 75 busy,
      77 not allowed.
      """)

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @OptionGroup var act: ActOptions

  func run() async throws {
    try act.check()
    let daemon = try Operator(
      option, again: "sallyport set-aside discard \(exchange.id) --reason …", json: act.json)
    let standing = try await daemon.look(exchange)
    let id = standing.exchange
    try await Act(
      event: "discarded", standing: standing, code: standing.code,
      after: "It is closed; bytes and history are kept.",
      undo: "sallyport requeue \(id) --reason …"
    ).ask(.discard(id, reason: act.reason), of: daemon)
  }
}
