import ArgumentParser
import Daemon
import Exchange
import Store

struct DeadlinesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deadlines",
    abstract: "Who owes what to whom by when, the soonest first. Reads only.",
    discussion: """
      All that run; what was met or withdrawn is told by `show`. With the daemon up or down.

      Examples:
        sallyport deadlines --overdue
        sallyport deadlines --party jobcentre:durham --json

      Exit codes: 0 none is overdue, 1 at least one is, 65 the store cannot be read.
      """)

  @OptionGroup var option: ConfigurationOption
  @Flag(help: "Only what is overdue.") var overdue = false
  @Option(help: "Only what this party owes or is owed.") var party: String?
  @OptionGroup var limit: LimitOption
  @Flag(help: "One JSON document.") var json = false

  private struct Line: Encodable {
    let exchange: String
    let delivery: OrNull<String>
    let kind: String
    let owedBy: String
    let owedTo: String
    /// The last day, or moment, in time.
    let due: String
    /// The first moment that is too late.
    let limit: String
    let state: String
    let overdue: Bool
    let onHold: Bool

    init(_ running: RunningDeadline, at now: Instant) {
      let deadline = running.view.deadline
      exchange = running.view.exchange.text
      delivery = OrNull(running.view.delivery?.text)
      (kind, owedBy, owedTo) = (deadline.kind.text, deadline.owedBy.text, deadline.owedTo.text)
      due = deadline.schedule.due.description
      limit = running.limit.description
      state = deadline.state.rawValue
      (overdue, onHold) = (running.limit <= now, running.isOnHold)
    }
  }

  private struct Document: Encodable {
    let daemon: String
    let deadlines: [Line]
    let more: Bool
  }

  func run() async throws {
    try limit.check()
    let reading = try await Reading(option)
    let now = Instant.wallClock
    let party = try party.map(PartyArgument.parse)
    let found = try await reading.ask { () async throws(StoreError) in
      try await reading.store.deadlinesRunning(limit: 10_000)
    }
    let wanted = found.filter { running in
      let deadline = running.view.deadline
      return (!overdue || running.limit <= now)
        && (party == nil || deadline.owedBy == party || deadline.owedTo == party)
    }
    let told = wanted.prefix(limit.limit)
    let more = wanted.count > told.count
    if json {
      Say.answer(
        JSONText.of(
          Document(
            daemon: reading.daemon, deadlines: told.map { Line($0, at: now) }, more: more)))
    } else {
      reading.noteDaemon()
      for running in told { Say.answer(DeadlinesCommand.words(running, at: now)) }
      if told.isEmpty { Say.answer(overdue ? "None is overdue." : "None runs.") }
      if more { Say.answer("There are more: --limit 1000") }
    }
    if wanted.contains(where: { $0.limit <= now }) { throw Exit.badAnswer }
  }

  private static func words(_ running: RunningDeadline, at now: Instant) -> String {
    let deadline = running.view.deadline
    let distance = Duration.milliseconds(abs(running.limit.milliseconds - now.milliseconds)).words
    let when = running.limit <= now ? "OVERDUE by \(distance)" : "due in \(distance)"
    let hold = running.isOnHold ? ", on hold: its clock goes on" : ""
    let last =
      switch deadline.schedule.due {
      case .day(let day): "by the end of \(day)"
      case .moment(let moment): "before \(moment.local)"
      }
    return "\(when.padded(to: 18))  \(deadline.owedBy) owes \(deadline.owedTo) "
      + "\(deadline.kind) \(last)\(hold)\n"
      + "\(String().padded(to: 18))  sallyport show \(running.view.exchange)"
  }
}

/// `--party`, `--sender` and `--recipient`.
enum PartyArgument {
  static func parse(_ text: String) throws -> PartyID {
    guard let party = PartyID(text) else {
      throw Say.failure(
        "\(text.prefix(64)) is not a party", next: "--party prison:durham", exit: Exit.usage)
    }
    return party
  }
}
