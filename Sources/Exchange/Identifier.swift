/// A name that came from outside and was checked once, where it came in.
///
/// Each conforming type says which characters and lengths it takes; a value of it is always good and may
/// stand in a query or a line of text. What a sender chose (`EventID`, `SubjectReference`) is opaque and may
/// be chosen badly: it makes no path or file name, and goes into no log.
package protocol Identifier: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  var text: String { get }
  /// Nil when the text is not of this identifier's form.
  init?(_ text: String)
}

extension Identifier {
  package var description: String { text }

  package static func < (left: Self, right: Self) -> Bool { left.text < right.text }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let value = Self(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "not a \(Self.self)"))
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

/// A party: an organisation's unit that sends or receives, as `role:place`, such as `prison:durham`.
package struct PartyID: Identifier {
  package let text: String

  /// 3 to 64 characters: a lower-case word, a colon, and lower-case letters, digits and hyphens.
  package init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard (3...64).contains(text.utf8.count), parts.count == 2,
      parts.allSatisfy({ part in
        guard let first = part.first, isLowerLetter(first) else { return false }
        return part.allSatisfy { isLowerLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
      })
    else { return nil }
    self.text = text
  }
}

/// A MESH mailbox: 1 to 64 of `A-Z 0-9 _ -`. Lower case is raised, as MESH servers do.
package struct MailboxID: Identifier {
  package let text: String

  package init?(_ text: String) {
    let raised = raisedASCII(text)
    guard isUpperWord(raised, length: 1...64, alsoHyphen: true) else { return nil }
    self.text = raised
  }
}

/// The id that a carrier gave a message: 1 to 64 of `A-Z 0-9 _`; opaque. Lower case is raised.
package struct CarrierMessageID: Identifier {
  package let text: String

  package init?(_ text: String) {
    let raised = raisedASCII(text)
    guard isUpperWord(raised, length: 1...64, alsoHyphen: false) else { return nil }
    self.text = raised
  }
}

/// The CloudEvents `id` that a sender gave a notification: 1 to 128 visible ASCII characters.
package struct EventID: Identifier {
  package let text: String

  package init?(_ text: String) {
    guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
    else { return nil }
    self.text = text
  }
}

/// What happened, as a CloudEvents `type`: `release-date.changed`.
package struct NotificationType: Identifier {
  package let text: String

  /// 1 to 80 characters: lower-case words, digits and hyphens, parted by single dots.
  package init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard (1...80).contains(text.utf8.count),
      parts.allSatisfy({ part in
        !part.isEmpty
          && part.allSatisfy { isLowerLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
      })
    else { return nil }
    self.text = text
  }
}

/// An opaque reference to a person: 1 to 128 of letters, digits and `-._:`.
///
/// Outside `data` this is all that anybody reads of the person; each recipient knows the same person by
/// another reference.
package struct SubjectReference: Identifier {
  package let text: String

  package init?(_ text: String) {
    guard (1...128).contains(text.utf8.count),
      text.utf8.allSatisfy({ byte in
        isLowerLetter(byte | 0x20) || isDigit(byte) || "-._:".utf8.contains(byte)
      })
    else { return nil }
    self.text = text
  }
}

/// One message's way through Sallyport: 16 random bytes, written as a UUID. Names the decision too.
package struct ExchangeID: RandomIdentifier {
  package let text: String
  package init?(_ text: String) {
    guard isUUID(text) else { return nil }
    self.text = text
  }
}

/// One notification to one recipient, from permission to its end: 16 random bytes, written as a UUID.
package struct DeliveryID: RandomIdentifier {
  package let text: String
  package init?(_ text: String) {
    guard isUUID(text) else { return nil }
    self.text = text
  }

  /// The id under which the hosted mailbox lists this delivery.
  package var carrierID: CarrierMessageID? {
    CarrierMessageID(text.replacing("-", with: ""))
  }

  package init?(carrierID: CarrierMessageID) {
    let digits = Array(carrierID.text.lowercased().utf8)
    guard digits.count == 32 else { return nil }
    let groups = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
    self.init(groups.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-"))
  }
}

/// A case: what Sallyport knows about one person in order to decide. 16 random bytes, as a UUID; never
/// leaves the store.
package struct CaseID: RandomIdentifier {
  package let text: String
  package init?(_ text: String) {
    guard isUUID(text) else { return nil }
    self.text = text
  }
}

/// An identifier of 16 random bytes in the form of a UUID. The randomness is passed in.
package protocol RandomIdentifier: Identifier {}

extension RandomIdentifier {
  package init(random generator: inout some RandomNumberGenerator) {
    var hex = ""
    for _ in 0..<2 {
      let digits = String(generator.next() as UInt64, radix: 16)
      hex += String(repeating: "0", count: 16 - digits.count) + digits
    }
    // Version 4 and variant 1 of RFC 9562 5.4, so that other people's tools take it for what it is.
    var digits = Array(hex.utf8)
    digits[12] = UInt8(ascii: "4")
    digits[16] = Array("89ab".utf8)[Int(digits[16]) % 4]
    let cuts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    let text = cuts.map { String(decoding: digits[$0], as: UTF8.self) }.joined(separator: "-")
    // The text was built digit by digit to the form that the initialiser checks.
    guard let value = Self(text) else { preconditionFailure("a made UUID has the form of one") }
    self = value
  }

  package static func random() -> Self {
    var generator = SystemRandomNumberGenerator()
    return Self(random: &generator)
  }
}

private func isLowerLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

/// Upper case of ASCII letters alone: `uppercased()` would make `S` of `ſ` and `SS` of `ß`, and so take
/// a foreign name for one of ours.
private func raisedASCII(_ text: String) -> String {
  String(decoding: text.utf8.map { isLowerLetter($0) ? $0 - 0x20 : $0 }, as: UTF8.self)
}

private func isUpperWord(_ text: String, length: ClosedRange<Int>, alsoHyphen: Bool) -> Bool {
  length.contains(text.utf8.count)
    && text.utf8.allSatisfy { byte in
      (0x41...0x5a).contains(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
        || (alsoHyphen && byte == UInt8(ascii: "-"))
    }
}

private func isUUID(_ text: String) -> Bool {
  text.utf8.count == 36
    && text.utf8.enumerated().allSatisfy { place, byte in
      [8, 13, 18, 23].contains(place)
        ? byte == UInt8(ascii: "-") : isDigit(byte) || (0x61...0x66).contains(byte)
    }
}
