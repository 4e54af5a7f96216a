/// The parameters of a request's query. The first of two equal names counts.
struct HostQuery {
  private var values: [String: String] = [:]

  /// - Parameter text: what follows the `?`, already bounded.
  init(_ text: Substring) {
    for pair in text.split(separator: "&") {
      let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = percentDecoded(halves[0], plusIsSpace: true),
        let value = percentDecoded(halves.count > 1 ? halves[1] : "", plusIsSpace: true),
        values[name] == nil
      else { continue }
      values[name] = value
    }
  }

  subscript(_ name: String) -> String? { values[name] }
}

/// Nil for a `%` without two hex digits behind it, and for bytes that are not UTF-8.
func percentDecoded(_ text: Substring, plusIsSpace: Bool = false) -> String? {
  var bytes: [UInt8] = []
  var rest = text.utf8
  while let byte = rest.popFirst() {
    switch byte {
    case UInt8(ascii: "%"):
      let pair = String(decoding: rest.prefix(2), as: UTF8.self)
      guard pair.utf8.count == 2, !pair.hasPrefix("+"), !pair.hasPrefix("-"),
        let value = UInt8(pair, radix: 16)
      else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
    default: bytes.append(byte)
    }
  }
  return String(validating: bytes, as: UTF8.self)
}

/// Everything but the unreserved characters of RFC 3986 2.3 as `%XX`.
func percentEncoded(_ text: String) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: bytes.append(byte)
    default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
