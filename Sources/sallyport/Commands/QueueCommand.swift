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
