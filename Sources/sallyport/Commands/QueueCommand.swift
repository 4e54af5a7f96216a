import ArgumentParser
import Exchange
import Store

/// What waits for somebody or something.
enum QueueState: String, ExpressibleByArgument, CaseIterable {
  case held, waiting
  case setAside = "set-aside"
}

struct QueueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queue", abstract: "What is held, set aside or waits to be opened.",
    subcommands: [QueueListCommand.self])
}

struct QueueListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Exchanges that are held, set aside or wait, newest first. Reads only.",
    discussion: """
      With the daemon up or down.

      Examples:
        sallyport queue list --config /etc/sallyport/sallyport.yaml
        sallyport queue list --state held --json

      Exit codes: 0 told, even if there is nothing; 65 the store cannot be read.
      """)

  @OptionGroup var option: ConfigurationOption
  @Option(help: "held, set-aside or waiting; all three unless told.") var state: QueueState?
  @Option(help: "How many of each at most, 1 to 1000.") var limit = 100
  @Flag(help: "One JSON document.") var json = false

  func run() async throws {
    let states = state.map { [$0] } ?? QueueState.allCases
    try await QueueTable.tell(states, option, limit: limit, json: json)
  }
}

struct SetAsideCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-aside", abstract: "What was not acted upon, and why.",
    subcommands: [SetAsideListCommand.self, SetAsideShowCommand.self])
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
  @Option(help: "How many at most, 1 to 1000.") var limit = 100
  @Flag(help: "One JSON document.") var json = false

  func run() async throws {
    try await QueueTable.tell([.setAside], option, limit: limit, json: json)
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
    let store = try await option.store()
    let view = try await exchange.view(in: store)
    guard case .setAside(let code) = view.ending else {
      throw Say.failure(
        "\(view.exchange) is \(view.ending?.word ?? "waiting"), not set aside",
        next: "sallyport show \(view.exchange)", exit: Exit.badAnswer)
    }
    let kept: Int?
    do {
      kept = try await store.original(of: view.exchange)?.count
    } catch {
      throw Say.failure(error.description, next: "sallyport check", exit: Exit.data)
    }
    let next = "sallyport requeue \(view.exchange) --reason …"
    if json {
      return Say.answer(
        JSONText.of(
          Document(
            id: view.exchange.text, inbox: view.carrier.inbox,
            receivedAt: view.receivedAt.description,
            setAsideAt: OrNull(view.recordedAt?.description),
            code: code, sender: OrNull(view.sender?.text), type: OrNull(view.type?.text),
            keptBytes: OrNull(kept),
            ledgerEntries: view.leaves, next: next)))
    }
    Say.answer("\(view.exchange)")
    Say.answer("  received   \(view.receivedAt)  from inbox \(view.carrier.inbox)")
    Say.answer("  set aside  \(view.recordedAt?.description ?? "-")  \(code)")
    if let sender = view.sender { Say.answer("  sender     \(sender)") }
    if let type = view.type { Say.answer("  type       \(type)") }
    Say.answer("  kept       \(kept.map { "\($0) bytes, as they came, unread" } ?? "erased")")
    Say.answer("  ledger     entries \(view.leaves.map(String.init).joined(separator: ", "))")
    Say.answer("  why        \(code) in docs/errors.md")
    if kept != nil { Say.answer("  once mended  \(next)") }
  }
}

/// Lines of what waits, by state.
enum QueueTable {
  private struct Line: Encodable {
    let id: String
    let state: String
    let code: OrNull<String>
    let inbox: String
    let receivedAt: String
  }

  private struct Document: Encodable {
    let exchanges: [Line]
    /// There are more than were asked for.
    let more: Bool
  }

  static func tell(
    _ states: [QueueState], _ option: ConfigurationOption, limit: Int, json: Bool
  ) async throws {
    guard (1...1000).contains(limit) else {
      throw Say.failure("--limit is to be 1 to 1000", next: "--limit 100", exit: Exit.usage)
    }
    let store = try await option.store()
    var lines: [Line] = []
    var more = false
    do throws(StoreError) {
      for state in states {
        let found = try await store.exchanges(state: state.rawValue, limit: limit + 1)
        more = more || found.count > limit
        lines += found.prefix(limit).map { line in
          Line(
            id: line.exchange.text, state: state.rawValue, code: OrNull(line.ending?.code),
            inbox: line.inbox, receivedAt: line.receivedAt.description)
        }
      }
    } catch {
      throw Say.failure(error.description, next: "sallyport check", exit: Exit.data)
    }
    if json { return Say.answer(JSONText.of(Document(exchanges: lines, more: more))) }
    for line in lines {
      Say.answer(
        "\(line.id)  \(line.state.padded(to: 9))  \((line.code.value ?? "-").padded(to: 8))  "
          + "\(line.receivedAt)  \(line.inbox)")
    }
    if lines.isEmpty {
      return Say.answer("Nothing: \(states.map(\.rawValue).joined(separator: ", ")).")
    }
    if more { Say.answer("There are more: --limit 1000") }
    Say.answer("sallyport explain ID   release ID --reason …   requeue ID --reason …")
  }
}
