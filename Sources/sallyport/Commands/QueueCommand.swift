import ArgumentParser
import Daemon
import Exchange
import Store

/// What waits for somebody or something. The first four are of exchanges, the others of copies.
enum QueueState: String, ExpressibleByArgument, CaseIterable {
  case held, waiting
  case setAside = "set-aside"
  case onHold = "on-hold"
  case pending, overdue, expired
  /// Told only when asked for: they are open no more.
  case refused, discarded

  /// What is listed when none is named.
  static let open: [QueueState] = [.held, .setAside, .waiting, .onHold, .overdue, .expired]

  /// Nil for the states of exchanges.
  var ofDelivery: Delivery.State? {
    switch self {
    case .pending: .pending
    case .overdue: .overdue
    case .expired: .expired
    case .held, .waiting, .setAside, .onHold, .refused, .discarded: nil
    }
  }
}

struct QueueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queue", abstract: "What is open: held, set aside, waiting, overdue. Reads only.",
    discussion: """
      Examples:
        sallyport queue list --state held
        sallyport queue shape

      Exit codes: 0 told, even if there is nothing; 65 the store cannot be read.
      """,
    subcommands: [QueueListCommand.self, QueueShapeCommand.self])
}

struct QueueListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Exchanges and copies that are open, newest first. Reads only.",
    discussion: """
      Without --state: all that is held, set-aside, waiting, on-hold, overdue or expired. With the daemon up
      or down.

      Examples:
        sallyport queue list --config /etc/sallyport/sallyport.yaml
        sallyport queue list --state pending --party jobcentre:durham --json

      Exit codes: 0 told, even if there is nothing; 65 the store cannot be read.
      """)

  @OptionGroup var option: ConfigurationOption
  @Option(
    help: """
      held, set-aside, waiting, on-hold, refused or discarded (exchanges); pending, overdue or expired (copies).
      """)
  var state: QueueState?
  @Option(help: "Only what this party sent, or is to collect.") var party: String?
  @OptionGroup var limit: LimitOption
  @Flag(help: "One JSON document.") var json = false

  func run() async throws {
    try limit.check()
    let states = state.map { [$0] } ?? QueueState.open
    let party = try party.map(PartyArgument.parse)
    let reading = try await Reading(option)
    let queue = try await QueueTable.read(states, reading, party: party, limit: limit.limit)
    queue.tell(states, reading, json: json)
  }
}

/// Lines of what waits, by state.
struct QueueTable {
  struct Line: Encodable {
    let id: String
    let state: String
    let code: OrNull<String>
    let party: OrNull<String>
    let onHold: Bool
    let inbox: String
    let receivedAt: String
  }

  struct Copy: Encodable {
    let id: String
    let exchange: String
    let state: String
    let party: String
    let onHold: Bool
    let since: String
  }

  private struct Document: Encodable {
    let daemon: String
    let exchanges: [Line]
    let deliveries: [Copy]
    /// There are more than were asked for.
    let more: Bool
  }

  private(set) var exchanges: [Line] = []
  private(set) var deliveries: [Copy] = []
  private(set) var more = false

  /// - Parameter limit: of each state.
  static func read(
    _ states: [QueueState], _ reading: Reading, party: PartyID?, limit: Int
  ) async throws -> QueueTable {
    var table = QueueTable()
    for state in states {
      if let ofDelivery = state.ofDelivery {
        let found = try await reading.ask { () async throws(StoreError) in
          try await reading.store.deliveries(in: ofDelivery, party: party, limit: limit + 1)
        }
        table.more = table.more || found.count > limit
        table.deliveries += found.prefix(limit).map { line in
          Copy(
            id: line.delivery.text, exchange: line.exchange.text, state: line.state.rawValue,
            party: line.party.text, onHold: line.isOnHold, since: line.since.description)
        }
      } else {
        let found = try await table.exchanges(in: state, reading, party: party, limit: limit + 1)
        table.more = table.more || found.count > limit
        table.exchanges += found.prefix(limit).map { line, party in
          Line(
            id: line.exchange.text, state: line.ending?.word ?? "waiting",
            code: OrNull(line.ending?.code), party: OrNull(party?.text), onHold: line.isOnHold,
            inbox: line.inbox, receivedAt: line.receivedAt.description)
        }
      }
    }
    return table
  }

  /// Page by page: who sent it is sealed, and no index knows it.
  private func exchanges(
    in state: QueueState, _ reading: Reading, party wanted: PartyID?, limit: Int
  ) async throws -> [(ExchangeLine, PartyID?)] {
    let owners = Dictionary(
      reading.configuration.inboxes.map { ($0.name, $0.party) },
      uniquingKeysWith: { first, _ in first })
    var found: [(ExchangeLine, PartyID?)] = []
    var place: Int64?
    while found.count < limit {
      let before = place
      let page = try await reading.ask { () async throws(StoreError) in
        try await reading.store.exchanges(before: before, state: state.rawValue, limit: 256)
      }
      for line in page {
        let party = line.party ?? owners[line.inbox]
        if wanted == nil || party == wanted { found.append((line, party)) }
      }
      guard page.count == 256, let last = page.last else { break }
      place = last.place
    }
    return Array(found.prefix(limit))
  }

  func tell(_ states: [QueueState], _ reading: Reading, json: Bool) {
    if json {
      return Say.answer(
        JSONText.of(
          Document(
            daemon: reading.daemon, exchanges: exchanges, deliveries: deliveries, more: more)))
    }
    reading.noteDaemon()
    for line in exchanges {
      let state = line.onHold ? line.state + " (on hold)" : line.state
      Say.answer(
        "\(line.id)  \(state.padded(to: 9))  \((line.code.value ?? "-").padded(to: 8))  "
          + "\(line.receivedAt)  \(line.party.value ?? line.inbox)")
    }
    for copy in deliveries {
      let state = copy.onHold ? copy.state + " (on hold)" : copy.state
      Say.answer(
        "\(copy.id)  \(state.padded(to: 9))  \("copy".padded(to: 8))  \(copy.since)  "
          + "→ \(copy.party)")
    }
    if exchanges.isEmpty && deliveries.isEmpty {
      return Say.answer("Nothing: \(states.map(\.rawValue).joined(separator: ", ")).")
    }
    if more { Say.answer("There are more: --limit 1000") }
    Say.answer("sallyport explain ID   release ID --reason …   requeue ID --reason …")
  }
}
