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

  /// The facts that may stand in a log line: ids that are random, names of parties and inboxes, codes,
  /// files of the configuration and figures. Libraries log other things; those are not ours to judge.
  package static let allowedKeys: Set<String> = [
    "event", "code", "exchange", "delivery", "inbox", "mailbox", "party", "outcome", "status",
    "count", "size", "port", "address", "route", "method", "attempt", "duration", "version",
    "rulebook", "agreement", "carrier", "state", "recipients", "turn", "hint", "field",
    "request", "microseconds", "error", "configuration", "line",
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
    let facts = metadata.merging(event.metadata ?? [:]) { _, new in new }
    var members = facts.reduce(into: [String: JSONValue]()) { members, fact in
      let isAllowed = JSONLogHandler.allowedKeys.contains(fact.key)
      members[fact.key] = .string(
        isAllowed ? String(fact.value.description.prefix(256)) : "(kept out)")
    }
    // Last: a fact that a library calls `message` takes nobody's place.
    members["time"] = .string(now().description)
    members["level"] = .string(event.level.rawValue)
    members["part"] = .string(label)
    members["message"] = .string(event.message.description)
    write(JSONValue.object(members).canonicalText + "\n")
  }
}

extension Instant {
  /// What the machine's clock shows.
  package static var wallClock: Instant {
    Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
  }
}
