import ArgumentParser
import Daemon
import Exchange
import Store

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "What came in, what waits, what is overdue. Reads only, with the daemon up or down.",
    discussion: """
      Examples:
        sallyport status --config /etc/sallyport/sallyport.yaml
        sallyport status --config sallyport.yaml --json

      Exit codes: 0 all is well, 1 something needs a person.
      """)

  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let inboxes: [String: [String: Int]]
    let recipients: [String: [String: Int]]
    let deadlines: [String: [String: Int]]
    let ledgerEntries: Int
    let polls: [InboxBoard.Line]
    let needsAPerson: Bool
    let exchanges: [Line]
  }

  private struct Line: Encodable {
    let id: String
    let inbox: String
    let receivedAt: String
    let outcome: String
    let code: OrNull<String>
  }

  func run() async throws {
    let (configuration, store) = try option.opened()
    let polls = InboxBoard.read(stateDirectory: configuration.stateDirectory)
    let counts: StoreCounts
    let recent: [ExchangeLine]
    do {
      counts = try await store.counts()
      recent = try await store.exchanges(limit: 10)
    } catch {
      throw Say.failure(error.description, next: "sallyport check", exit: Exit.data)
    }
    let troubled = StatusCommand.needsAPerson(counts, polls)
    if json {
      Say.answer(
        JSONText.of(
          Document(
            inboxes: counts.exchanges, recipients: counts.deliveries, deadlines: counts.deadlines,
            ledgerEntries: counts.leaves, polls: polls, needsAPerson: troubled,
            exchanges: recent.map { line in
              Line(
                id: line.exchange.text, inbox: line.inbox, receivedAt: line.receivedAt.description,
                outcome: line.ending?.word ?? "waiting", code: OrNull(line.ending?.code))
            })))
    } else {
      tell(counts, polls, recent, troubled)
    }
    if troubled { throw Exit.badAnswer }
  }

  /// Something was set aside, is held, is overdue or expired, or an inbox cannot be polled.
  private static func needsAPerson(_ counts: StoreCounts, _ polls: [InboxBoard.Line]) -> Bool {
    let exchanges = counts.exchanges.values.contains {
      ($0["set-aside"] ?? 0) + ($0["held"] ?? 0) > 0
    }
    let deliveries = counts.deliveries.values.contains {
      ($0["overdue"] ?? 0) + ($0["expired"] ?? 0) > 0
    }
    let inboxes = polls.contains { $0.lastErrorCode != nil }
    let deadlines = counts.deadlines.values.contains {
      ($0["overdue"] ?? 0) + ($0["escalated"] ?? 0) > 0
    }
    return exchanges || deliveries || deadlines || inboxes
  }

  private func tell(
    _ counts: StoreCounts, _ polls: [InboxBoard.Line], _ recent: [ExchangeLine], _ troubled: Bool
  ) {
    if !polls.isEmpty { Say.answer("Polls") }
    for line in polls {
      let last = line.lastSuccess?.description ?? "never"
      let waiting = line.waiting.map { "\($0) waiting" } ?? ""
      Say.answer(
        "  \(line.inbox.padded(to: 24)) last good \(last)  \(waiting)  \(line.lastErrorCode ?? "")")
    }
    table("Inboxes", counts.exchanges)
    table("Recipients", counts.deliveries)
    table("Deadlines", counts.deadlines)
    Say.answer("Ledger        \(counts.leaves) entries")
    Say.answer("Latest")
    for line in recent {
      let outcome = (line.ending?.word ?? "waiting").padded(to: 10)
      Say.answer(
        "  \(line.exchange)  \(line.inbox.padded(to: 12)) \(outcome) \(line.ending?.code ?? "")")
    }
    Say.answer(
      troubled
        ? "Something needs a person.   sallyport show ID   sallyport explain ID" : "All is well.")
  }

  private func table(_ title: String, _ rows: [String: [String: Int]]) {
    Say.answer(title)
    for (name, states) in rows.sorted(by: { $0.key < $1.key }) {
      let text = states.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        .map { "\($0.key) \($0.value)" }.joined(separator: "  ")
      Say.answer("  \(name.padded(to: 24)) \(text)")
    }
  }
}
