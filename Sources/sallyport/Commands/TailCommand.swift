import ArgumentParser
import Daemon
import Exchange
import Store
import UnixSignals

struct TailCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail",
    abstract: "What happens, as it happens: one line an event, no content ever. Reads only.",
    discussion: """
      Follows the ledger's entries until Ctrl-C. With the daemon up or down.

      Examples:
        sallyport tail --recipient jobcentre:durham
        sallyport tail --since 1h --state held --jsonl

      Exit codes: 0 after --count events, 130 interrupted, 65 the store cannot be read.
      """)

  @OptionGroup var option: ConfigurationOption
  @Option(help: "Only of notices that this party sent.") var sender: String?
  @Option(help: "Only what goes to this party, or is owed by it.") var recipient: String?
  @Option(help: "Only notices of this type.") var type: String?
  @Option(help: "Only in this state: shared, held, set-aside, pending, collected, overdue, …")
  var state: String?
  @Option(help: "Begin so long ago: 30m, 1h, 2d. From now on unless told.") var since: String?
  @Option(help: "End after so many events.") var count: Int?
  @Flag(help: "One JSON document a line.") var jsonl = false

  private static let pause = Duration.milliseconds(250)
  private static let page = 256

  func run() async throws {
    guard count.map({ $0 > 0 }) ?? true else {
      throw Say.failure("--count is to be 1 or more", next: "--count 10", exit: Exit.usage)
    }
    let filter = try EventFilter(self)
    let ago = try since.map(TailCommand.duration)
    let reading = try await Reading(option)
    reading.noteDaemon()
    let first = try await reading.ask { () async throws(StoreError) in
      guard let ago else { return try await reading.store.leafCount() }
      return try await reading.store.firstEntry(since: .wallClock - ago)
    }
    // Before anything is told: who reads a line may interrupt at once.
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let interrupted = try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        for await _ in signals { return true }
        return true
      }
      group.addTask {
        try await follow(reading, from: first, filter)
        return false
      }
      defer { group.cancelAll() }
      return try await group.next() ?? false
    }
    if interrupted { throw Exit.interrupted }
  }

  private func follow(_ reading: Reading, from first: Int, _ filter: EventFilter) async throws {
    var (next, told) = (first, 0)
    while !Task.isCancelled {
      let start = next
      let events = try await reading.ask { () async throws(StoreError) in
        try await reading.store.events(from: start, limit: TailCommand.page)
      }
      for event in events where filter.takes(event) {
        Say.answer(jsonl ? JSONText.line(EventDocument(event)) : event.line)
        told += 1
        if told == count { return }
      }
      next = events.last.map { $0.entry + 1 } ?? next
      if events.count < TailCommand.page { try? await Task.sleep(for: TailCommand.pause) }
    }
  }

  /// `90s`, `30m`, `1h`, `2d`.
  private static func duration(_ text: String) throws -> Duration {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()),
      (1...100_000).contains(number)
    else {
      throw Say.failure(
        "\(text.prefix(16)) is not a time such as 30m, 1h or 2d", next: "--since 1h",
        exit: Exit.usage)
    }
    return .seconds(number * unit)
  }
}

/// Which events are told.
private struct EventFilter: Sendable {
  private let sender: PartyID?
  private let recipient: PartyID?
  private let type: NotificationType?
  private let state: String?

  init(_ command: TailCommand) throws {
    sender = try command.sender.map(PartyArgument.parse)
    recipient = try command.recipient.map(PartyArgument.parse)
    type = try command.type.map { text in
      guard let type = NotificationType(text) else {
        throw Say.failure(
          "\(text.prefix(64)) is not a type", next: "--type release-date.changed",
          exit: Exit.usage)
      }
      return type
    }
    state = command.state
  }

  func takes(_ event: LedgerEvent) -> Bool {
    (sender == nil || event.sender == sender)
      && recipient.map(event.recipients.contains) ?? true
      && (type == nil || event.type == type) && (state == nil || event.state == state)
  }
}

/// An event as `--jsonl` and `show --json` print it.
struct EventDocument: Encodable {
  let entry: Int
  let time: String
  let event: String
  let exchange: OrNull<String>
  let type: OrNull<String>
  let sender: OrNull<String>
  let recipients: [String]
  let delivery: OrNull<String>
  let state: OrNull<String>
  let code: OrNull<String>

  init(_ event: LedgerEvent) {
    (entry, time, self.event) = (event.entry, event.time.description, event.event)
    exchange = OrNull(event.exchange?.text)
    type = OrNull(event.type?.text)
    sender = OrNull(event.sender?.text)
    recipients = event.recipients.map(\.text)
    delivery = OrNull(event.delivery?.text)
    (state, code) = (OrNull(event.state), OrNull(event.code))
  }
}

extension LedgerEvent {
  /// `10:02:11  7c1f…  decided  shared  release-date.changed  prison:durham → police:durham`.
  var line: String {
    let told = recipients.map(\.text).joined(separator: ", ")
    let way = [sender?.text, told.isEmpty ? nil : "→ " + told].compactMap { $0 }
    let rest = ([type?.text].compactMap { $0 } + way).joined(separator: "  ")
    let outcome = [state, code].compactMap { $0 }.joined(separator: " ")
    let name = exchange?.text ?? "sallyport"
    let line =
      "\(time.localTime)  \(name.padded(to: 36))  \(event.padded(to: 16))  "
      + "\(outcome.padded(to: 20))  \(rest)"
    return line.trimmedEnd
  }
}

extension String {
  fileprivate var trimmedEnd: String {
    var text = self[...]
    while text.last == " " { text = text.dropLast() }
    return String(text)
  }
}
