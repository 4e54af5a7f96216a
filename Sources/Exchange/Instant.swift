/// A moment, in whole milliseconds since 1970-01-01T00:00:00Z.
package struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible, Codable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Parses RFC 3339 (`2026-02-02T09:30:00Z`, fractions, numeric offsets), years 1970 to 9999.
  /// Fractions beyond the millisecond are cut off. Nil for anything else, leap seconds among them.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard (20...40).contains(bytes.count), let date = CivilDate(String(text.prefix(10))),
      bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t"),
      let hour = digits(bytes[11..<13], to: 23), bytes[13] == UInt8(ascii: ":"),
      let minute = digits(bytes[14..<16], to: 59), bytes[16] == UInt8(ascii: ":"),
      let second = digits(bytes[17..<19], to: 59), (1970...9999).contains(date.year)
    else { return nil }
    var rest = bytes[19...]
    var fraction = 0
    if rest.first == UInt8(ascii: ".") {
      let figures = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
      guard (1...9).contains(figures.count) else { return nil }
      for place in 0..<3 {
        let figure = place < figures.count ? Int(figures[figures.startIndex + place]) - 0x30 : 0
        fraction = fraction * 10 + figure
      }
      rest = rest.dropFirst(1 + figures.count)
    }
    var offset = 0
    if rest.count == 6, let hours = digits(rest.dropFirst().prefix(2), to: 23),
      rest[rest.startIndex + 3] == UInt8(ascii: ":"), let minutes = digits(rest.suffix(2), to: 59),
      rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-")
    {
      offset = (hours * 60 + minutes) * (rest.first == UInt8(ascii: "-") ? -1 : 1)
    } else if !(rest.elementsEqual("Z".utf8) || rest.elementsEqual("z".utf8)) {
      return nil
    }
    let minutes = date.dayNumber * 1440 + hour * 60 + minute - offset
    let value = Int64((minutes * 60 + second) * 1000 + fraction)
    // An offset can carry the first and the last day of the range out of it.
    guard (0...Instant.latest.milliseconds).contains(value) else { return nil }
    milliseconds = value
  }

  /// 9999-12-31T23:59:59.999Z, the last that RFC 3339 can write.
  static let latest = Instant(milliseconds: 253_402_300_799_999)

  /// RFC 3339 in UTC with milliseconds: `2026-02-02T09:30:00.000Z`.
  package var description: String {
    let days = milliseconds.flooredDivision(by: 86_400_000)
    var rest = Int(milliseconds - days * 86_400_000)
    let fraction = rest % 1000
    rest /= 1000
    let clock = [rest / 3600, rest / 60 % 60, rest % 60].map { padded($0, to: 2) }
    return "\(CivilDate(dayNumber: Int(days)))T\(clock.joined(separator: ":"))."
      + padded(fraction, to: 3) + "Z"
  }

  package static func < (left: Instant, right: Instant) -> Bool {
    left.milliseconds < right.milliseconds
  }

  package static func + (instant: Instant, duration: Duration) -> Instant {
    let (seconds, attoseconds) = duration.components
    return Instant(
      milliseconds: instant.milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
  }

  package static func - (instant: Instant, duration: Duration) -> Instant {
    instant + (.zero - duration)
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let value = Instant(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "not an RFC 3339 time"))
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// The number that ASCII digits write, if it is at most `limit`.
func digits(_ bytes: ArraySlice<UInt8>, to limit: Int) -> Int? {
  guard !bytes.isEmpty, bytes.count <= 9, bytes.allSatisfy({ (0x30...0x39).contains($0) }) else {
    return nil
  }
  let value = bytes.reduce(0) { $0 * 10 + Int($1) - 0x30 }
  return value <= limit ? value : nil
}

func padded(_ number: Int, to width: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, width - text.count)) + text
}

extension BinaryInteger {
  func flooredDivision(by divisor: Self) -> Self {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
