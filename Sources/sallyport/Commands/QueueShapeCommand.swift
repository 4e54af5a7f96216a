import ArgumentParser
import Daemon
import Exchange
import Store

struct QueueShapeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shape",
    abstract: "Copies that wait to be collected, by recipient and age in minutes. Reads only.",
    discussion: """
      Each column doubles the one before it. What stands at the right has waited longest: a recipient whose
      row grows there does not collect.

      Examples:
        sallyport queue shape
        sallyport queue shape --json

      Exit codes: 0 told, even if there is nothing; 65 the store cannot be read.
      """)

  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  /// Upper ends, in minutes; one more column holds what is older.
  private static let minutes = [5, 10, 20, 40, 80, 160, 320, 640, 1280]

  private struct Line: Encodable {
    let party: String
    let total: Int
    /// As many as `minutes` has ends, and one more.
    let buckets: [Int]
    let onHold: Int
  }

  private struct Document: Encodable {
    let daemon: String
    let minutes: [Int]
    let recipients: [Line]
  }

  func run() async throws {
    let reading = try await Reading(option)
    let limits = QueueShapeCommand.minutes.map { Duration.seconds($0 * 60) }
    let found = try await reading.ask { () async throws(StoreError) in
      try await reading.store.queueShape(at: .wallClock, limits: limits)
    }
    if json {
      let lines = found.map {
        Line(party: $0.party.text, total: $0.total, buckets: $0.buckets, onHold: $0.onHold)
      }
      return Say.answer(
        JSONText.of(
          Document(
            daemon: reading.daemon, minutes: QueueShapeCommand.minutes, recipients: lines)))
    }
    reading.noteDaemon()
    tell(found)
  }

  private func tell(_ lines: [QueueShapeLine]) {
    guard !lines.isEmpty else { return Say.answer("Nothing waits to be collected.") }
    let width = max(5, lines.map(\.party.text.count).max() ?? 0)
    var heads = QueueShapeCommand.minutes.map(String.init)
    heads[0] = "<" + heads[0]
    heads.append("\(QueueShapeCommand.minutes.last ?? 0)+")
    Say.answer("copies that wait to be collected, by age in minutes")
    Say.answer(row("", ["total"] + heads, width))
    let sums = heads.indices.map { place in lines.reduce(0) { $0 + $1.buckets[place] } }
    Say.answer(row("TOTAL", ([sums.reduce(0, +)] + sums).map(String.init), width))
    for line in lines {
      let hold = line.onHold > 0 ? "  \(line.onHold) on hold" : ""
      Say.answer(row(line.party.text, ([line.total] + line.buckets).map(String.init), width) + hold)
    }
  }

  private func row(_ name: String, _ columns: [String], _ width: Int) -> String {
    "  " + name.padded(to: width)
      + columns.map { String(repeating: " ", count: max(1, 7 - $0.count)) + $0 }.joined()
  }
}
