import Foundation

/// The one JSON document that `--json` prints: members sorted, times RFC 3339.
enum JSONText {
  static func of(_ document: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    guard let bytes = try? encoder.encode(document) else { return "{}" }
    return String(decoding: bytes, as: UTF8.self)
  }
}
