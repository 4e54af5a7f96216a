/// Why bytes are not JSON that Sallyport takes. Says where, never what stood there.
package enum JSONProblem: Error, Equatable, Sendable {
  case tooLong(limit: Int)
  case tooDeep(limit: Int)
  case duplicateMember(offset: Int)
  case notUTF8
  case malformed(offset: Int)
}

extension JSONProblem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooLong(let limit): "longer than \(limit) bytes"
    case .tooDeep(let limit): "more than \(limit) levels deep"
    case .duplicateMember(let offset): "a member stands twice, at byte \(offset)"
    case .notUTF8: "not UTF-8"
    case .malformed(let offset): "the grammar is broken at byte \(offset)"
    }
  }
}

/// Bounds on foreign JSON.
package struct JSONLimits: Sendable {
  /// Bytes; a notification is at most 1 MiB.
  package var bytes = 1_048_576
  /// Arrays and objects within each other.
  package var depth = 16

  package init(bytes: Int = 1_048_576, depth: Int = 16) {
    (self.bytes, self.depth) = (bytes, depth)
  }
}

extension JSONValue {
  /// Parses one JSON text, strictly: RFC 8259 grammar, valid UTF-8 without byte order mark, no member
  /// name twice, no lone surrogate, integers within 64 bits (others become `decimal`).
  package static func parse(
    _ bytes: some Collection<UInt8>, limits: JSONLimits = JSONLimits()
  ) throws(JSONProblem) -> JSONValue {
    guard bytes.count <= limits.bytes else { throw .tooLong(limit: limits.bytes) }
    let bytes = Array(bytes)
    guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
    var reader = JSONReader(bytes: bytes, depthLimit: limits.depth)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.offset == bytes.count else { throw .malformed(offset: reader.offset) }
    return value
  }
}

private struct JSONReader {
  let bytes: [UInt8]
  let depthLimit: Int
  var offset = 0

  init(bytes: [UInt8], depthLimit: Int) {
    (self.bytes, self.depthLimit) = (bytes, depthLimit)
  }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }
  private var malformed: JSONProblem { .malformed(offset: offset) }

  mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { offset += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    offset += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONProblem) -> JSONValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try text())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(JSONProblem) -> JSONValue {
    guard bytes[offset...].starts(with: word.utf8) else { throw malformed }
    offset += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(JSONProblem) -> JSONValue {
    guard depth < depthLimit else { throw .tooDeep(limit: depthLimit) }
    offset += 1
    var members: [String: JSONValue] = [:]
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipSpace()
      let start = offset
      guard next == UInt8(ascii: "\"") else { throw malformed }
      let name = try text()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw malformed }
      guard members.updateValue(try value(depth: depth + 1), forKey: name) == nil else {
        throw .duplicateMember(offset: start)
      }
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw malformed }
    }
  }

  private mutating func array(depth: Int) throws(JSONProblem) -> JSONValue {
    guard depth < depthLimit else { throw .tooDeep(limit: depthLimit) }
    offset += 1
    var items: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(items) }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(items) }
      guard take(UInt8(ascii: ",")) else { throw malformed }
    }
  }

  private mutating func number() throws(JSONProblem) -> JSONValue {
    let start = offset
    _ = take(UInt8(ascii: "-"))
    let whole = takeFigures()
    guard whole > 0, whole == 1 || bytes[offset - whole] != UInt8(ascii: "0") else {
      throw malformed
    }
    var integral = true
    if take(UInt8(ascii: ".")) {
      integral = false
      guard takeFigures() > 0 else { throw malformed }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      integral = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard takeFigures() > 0 else { throw malformed }
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if integral, let number = Int64(text) { return .integer(number) }
    return .decimal(text)
  }

  private mutating func takeFigures() -> Int {
    let start = offset
    while let byte = next, (0x30...0x39).contains(byte) { offset += 1 }
    return offset - start
  }

  private mutating func text() throws(JSONProblem) -> String {
    offset += 1
    var content: [UInt8] = []
    while let byte = next {
      offset += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"): content += try escape()
      case 0..<0x20: throw .malformed(offset: offset - 1)
      default: content.append(byte)
      }
    }
    throw malformed
  }

  private mutating func escape() throws(JSONProblem) -> [UInt8] {
    guard let byte = next else { throw malformed }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var scalar = UInt32(try fourHexDigits())
      if (0xd800..<0xdc00).contains(scalar) {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw malformed }
        let low = UInt32(try fourHexDigits())
        guard (0xdc00..<0xe000).contains(low) else { throw malformed }
        scalar = 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let character = Unicode.Scalar(scalar) else { throw malformed }
      return Array(String(character).utf8)
    default: throw .malformed(offset: offset - 1)
    }
  }

  private mutating func fourHexDigits() throws(JSONProblem) -> UInt16 {
    guard offset + 4 <= bytes.count else { throw malformed }
    var value: UInt16 = 0
    for byte in bytes[offset..<offset + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw malformed }
      value = value << 4 | UInt16(digit)
    }
    offset += 4
    return value
  }
}
