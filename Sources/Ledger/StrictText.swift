#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The bytes that the ledger's text files are cut at.
enum Byte {
  static let lineFeed: UInt8 = 0x0A
  static let space: UInt8 = 0x20
}

/// Number and byte texts with exactly one spelling each, so that no two files mean the same.
enum StrictText {
  /// RFC 4648 section 4: standard alphabet, padding, no line breaks, no stray bits at the end.
  static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

  /// The bytes of a base64 text; nil unless `text` is exactly what ``base64(_:)`` would write.
  static func bytes(base64 text: String) -> [UInt8]? {
    guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else {
      return nil
    }
    return [UInt8](data)
  }

  /// Lower-case hex, two figures a byte.
  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    let figures = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(figures[Int(byte >> 4)])
      text.append(figures[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of a lower-case hex text, nil for anything else.
  static func bytes(hex text: some StringProtocol) -> [UInt8]? {
    let figures = Array(text.utf8)
    guard figures.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(figures.count / 2)
    for position in stride(from: 0, to: figures.count, by: 2) {
      guard let high = value(figures[position]), let low = value(figures[position + 1]) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  /// A number from 0 to `Int.max` in decimal without sign and leading zeros; nil otherwise.
  static func number(_ text: some Collection<UInt8>) -> Int? {
    guard let first = text.first, text.count == 1 || first != UInt8(ascii: "0") else { return nil }
    var number = 0
    for figure in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(figure) else { return nil }
      let (tenfold, tooLarge) = number.multipliedReportingOverflow(by: 10)
      let (next, tooLargeStill) = tenfold.addingReportingOverflow(Int(figure - UInt8(ascii: "0")))
      guard !tooLarge, !tooLargeStill else { return nil }
      number = next
    }
    return number
  }

  private static func value(_ figure: UInt8) -> UInt8? {
    switch figure {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): figure - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): figure - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
