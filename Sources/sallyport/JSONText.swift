import Foundation

/// A member that stands there even when nothing is known, as `null`: a reader need not guess.
struct OrNull<Value: Encodable>: Encodable {
  let value: Value?

  init(_ value: Value?) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }
}

/// The one JSON document that `--json` prints: members sorted, times RFC 3339.
enum JSONText {
  static func of(_ document: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return text(of: document, encoder)
  }

  /// One line of `--jsonl`.
  static func line(_ document: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return text(of: document, encoder)
  }

  private static func text(of document: some Encodable, _ encoder: JSONEncoder) -> String {
    guard let bytes = try? encoder.encode(document) else { return "{}" }
    return String(decoding: bytes, as: UTF8.self)
  }
}
