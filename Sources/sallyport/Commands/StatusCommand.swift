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

      Exit codes: 0 all is well, 1 something needs a person, 65 the store cannot be read.
      """)

  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let daemon: String
    let inboxes: [String: [String: Int]]
    let recipients: [String: [String: Int]]
    let deadlines: [String: [String: Int]]
    let onHold: Int
    let receipts: [String: [String: Int]]
    /// Since when the receipt that waits longest is owed.
    let receiptDueSince: OrNull<String>
    let ledgerEntries: Int
    let polls: [Poll]
    let carriers: [Carrier]
    let needsAPerson: Bool
    let exchanges: [Line]
  }

  private struct Poll: Encodable {
    let inbox: String
    let lastPoll: OrNull<String>
    let lastSuccess: OrNull<String>
    let nextPoll: OrNull<String>
    let lastHandshake: OrNull<String>
    let lastErrorCode: OrNull<String>
    let troubleSince: OrNull<String>
    let waiting: OrNull<Int>
    let troubled: Int
    let givenUp: Int
    let needsOperator: Bool

    init(_ line: InboxBoard.Line) {
      inbox = line.inbox
      lastPoll = OrNull(line.lastPoll?.description)
      lastSuccess = OrNull(line.lastSuccess?.description)
      nextPoll = OrNull(line.nextPoll?.description)
      lastHandshake = OrNull(line.lastHandshake?.description)
      lastErrorCode = OrNull(line.lastErrorCode)
      troubleSince = OrNull(line.troubleSince?.description)
      waiting = OrNull(line.waiting)
      (troubled, givenUp, needsOperator) = (line.troubled, line.givenUp, line.needsOperator)
    }
  }

  private struct Carrier: Encodable {
    let carrier: String
    /// By state: queued, sending, sent (and not collected yet), failed, returned, done.
    let deliveries: [String: Int]
    let lastSuccess: OrNull<String>
    let lastErrorCode: OrNull<String>
    let troubleSince: OrNull<String>
    let pausedUntil: OrNull<String>

    init(_ name: String, _ line: InboxBoard.CarrierLine?, _ counts: StoreCounts) {
      carrier = name
      deliveries = counts.carriages[name] ?? [:]
      lastSuccess = OrNull(line?.lastSuccess?.description)
      lastErrorCode = OrNull(line?.lastErrorCode)
      troubleSince = OrNull(line?.troubleSince?.description)
      pausedUntil = OrNull(line?.pausedUntil?.description)
    }
  }

  private struct Line: Encodable {
    let id: String
    let inbox: String
    let receivedAt: String
    let outcome: String
    let code: OrNull<String>
  }

  func run() async throws {
    let reading = try await Reading(option)
    let (configuration, store) = (reading.configuration, reading.store)
    let board = InboxBoard.read(stateDirectory: configuration.stateDirectory)
    let counts: StoreCounts
    let recent: [ExchangeLine]
    let receiptDue: Instant?
    do {
      counts = try await store.counts()
      receiptDue = try await store.oldestReceiptDue()
      recent = try await store.exchanges(limit: 10)
    } catch {
      throw Say.failure(error.description, next: "sallyport check", exit: Exit.data)
    }
    let isLate = receiptDue.map { $0 + StatusCommand.patience < .wallClock } ?? false
    let troubled =
      !reading.daemonIsRunning || isLate || StatusCommand.needsAPerson(counts, board)
    let carriers = Set(board.carriers.map(\.carrier)).union(counts.carriages.keys).sorted()
      .map { name in Carrier(name, board.carriers.first { $0.carrier == name }, counts) }
    if json {
      Say.answer(
        JSONText.of(
          Document(
            daemon: reading.daemon, inboxes: counts.exchanges, recipients: counts.deliveries,
            deadlines: counts.deadlines,
            onHold: counts.onHold, receipts: counts.receipts,
            receiptDueSince: OrNull(receiptDue?.description), ledgerEntries: counts.leaves,
            polls: board.inboxes.map(Poll.init), carriers: carriers,
            needsAPerson: troubled,
            exchanges: recent.map { line in
              Line(
                id: line.exchange.text, inbox: line.inbox, receivedAt: line.receivedAt.description,
                outcome: line.ending?.word ?? "waiting", code: OrNull(line.ending?.code))
            })))
    } else {
      Say.answer("Daemon        \(reading.daemon)")
      tell(board.inboxes)
      tell(carriers)
      tell(counts, recent, receiptDue, troubled)
    }
    if troubled { throw Exit.badAnswer }
  }

  /// A receipt is made a second or so after the ledger has what it tells of.
  private static let patience = Duration.seconds(10 * 60)

  /// Something was set aside, is held or on hold, is overdue or expired, came back or was not taken by a
  /// carrier, or a service cannot be reached. What was discarded is closed.
  private static func needsAPerson(_ counts: StoreCounts, _ board: InboxBoard.Page) -> Bool {
    let exchanges = counts.exchanges.values.contains {
      ($0["set-aside"] ?? 0) + ($0["held"] ?? 0) > 0
    }
    let deliveries = counts.deliveries.values.contains {
      ($0["overdue"] ?? 0) + ($0["expired"] ?? 0) > 0
    }
    let services =
      board.inboxes.contains { $0.lastErrorCode != nil }
      || board.carriers.contains { $0.lastErrorCode != nil }
    let carriages = counts.carriages.values.contains {
      ($0["failed"] ?? 0) + ($0["returned"] ?? 0) > 0
    }
    let deadlines = counts.deadlines.values.contains {
      ($0["overdue"] ?? 0) + ($0["escalated"] ?? 0) > 0
    }
    return counts.onHold > 0 || exchanges || deliveries || deadlines || services || carriages
  }

  private func tell(_ polls: [InboxBoard.Line]) {
    if !polls.isEmpty { Say.answer("Polls") }
    for line in polls {
      var words = ["last good \(line.lastSuccess?.description ?? "never")"]
      if let waiting = line.waiting { words.append("\(waiting) waiting") }
      if line.troubled > 0 { words.append("\(line.troubled) tried again") }
      if line.givenUp > 0 { words.append("\(line.givenUp) given up") }
      if let code = line.lastErrorCode {
        words.append("\(code) since \(line.troubleSince?.description ?? "-")")
      }
      if let next = line.nextPoll { words.append("next \(next)") }
      Say.answer("  \(line.inbox.padded(to: 24)) \(words.joined(separator: "  "))")
    }
  }

  private func tell(_ carriers: [Carrier]) {
    if !carriers.isEmpty { Say.answer("Carriers") }
    for line in carriers {
      var words = StatusCommand.words(of: line.deliveries)
      if let code = line.lastErrorCode.value {
        words += "  \(code) since \(line.troubleSince.value ?? "-")"
      }
      Say.answer("  \(line.carrier.padded(to: 24)) \(words)")
    }
  }

  private func tell(
    _ counts: StoreCounts, _ recent: [ExchangeLine], _ receiptDue: Instant?, _ troubled: Bool
  ) {
    table("Inboxes", counts.exchanges)
    table("Recipients", counts.deliveries)
    table("Deadlines", counts.deadlines)
    if counts.onHold > 0 {
      Say.answer("On hold       \(counts.onHold)   sallyport queue list --state on-hold")
    }
    table("Receipts", counts.receipts)
    if let receiptDue { Say.answer("  the one that waits longest is owed since \(receiptDue)") }
    Say.answer("Ledger        \(counts.leaves) entries")
    Say.answer("Latest")
    for line in recent {
      let outcome = (line.ending?.word ?? "waiting").padded(to: 10)
      Say.answer(
        "  \(line.exchange)  \(line.inbox.padded(to: 12)) \(outcome) \(line.ending?.code ?? "")")
    }
    Say.answer(
      troubled
        ? "Something needs a person.   sallyport queue list   sallyport deadlines --overdue"
        : "All is well.")
  }

  private func table(_ title: String, _ rows: [String: [String: Int]]) {
    Say.answer(title)
    for (name, states) in rows.sorted(by: { $0.key < $1.key }) {
      Say.answer("  \(name.padded(to: 24)) \(StatusCommand.words(of: states))")
    }
  }

  private static func words(of states: [String: Int]) -> String {
    states.filter { $0.value > 0 }.sorted { $0.key < $1.key }
      .map { "\($0.key) \($0.value)" }.joined(separator: "  ")
  }
}
