package import Exchange
import Foundation
package import Logging

/// Logs as JSON lines on standard error, for the journal: `time level event message` and the facts.
///
/// Messages are fixed texts; facts are metadata. Metadata under a key that is not on the list below is
/// replaced by `(kept out)`: a log line never holds personal data, a key or a payload, whoever forgets it.
package struct JSONLogHandler: LogHandler {
  package var logLevel: Logger.Level = .info
  package var metadata: Logger.Metadata = [:]
  private let label: String
  private let now: @Sendable () -> Instant
  private let write: @Sendable (String) -> Void

  /// The facts that may stand in a log line: ids that are random, names of parties and inboxes, codes
  /// and figures. Libraries log other things; those are not ours to judge.
  package static let allowedKeys: Set<String> = [
    "event", "code", "exchange", "delivery", "inbox", "mailbox", "party", "outcome", "status",
    "count", "size", "port", "address", "route", "method", "attempt", "duration", "version",
    "rulebook", "agreement", "carrier", "state", "recipients", "turn", "hint", "field",
  ]

  package init(
    label: String, now: @escaping @Sendable () -> Instant = { .wallClock },
    write: @escaping @Sendable (String) -> Void = { line in
      FileHandle.standardError.write(Data(line.utf8))
    }
  ) {
    (self.label, self.now, self.write) = (label, now, write)
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var members: [String: JSONValue] = [
      "time": .string(now().description), "level": .string(event.level.rawValue),
      "part": .string(label), "message": .string(event.message.description),
    ]
    let facts = metadata.merging(event.metadata ?? [:]) { _, new in new }
    for (key, value) in facts {
      let told =
        JSONLogHandler.allowedKeys.contains(key)
        ? String(value.description.prefix(256)) : "(kept out)"
      members[key] = .string(told)
    }
    write(JSONValue.object(members).canonicalText + "\n")
  }
}

extension Instant {
  /// What the machine's clock shows.
  package static var wallClock: Instant {
    Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
  }
}
