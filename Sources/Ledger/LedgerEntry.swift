/// What is recorded for ever of one event: when, in which exchange, of what class, under which
/// rules, and a commitment to the detail. Nothing that reveals a person, a party, a type of
/// notification or a field: a leaf can never be erased.
///
/// Its bytes are canonical JSON (RFC 8785) of strings and one integer:
/// `{"agreement":"sha256:…","class":"message","commit":"hmac-sha256:…","exchange":"…",
/// "rulebook":"sha256:…","time":"2026-02-02T09:30:00.000Z","v":1}`, without the line break.
package struct LedgerEntry: Hashable, Sendable {
  /// Coarse on purpose: it tells an outsider that something happened, not what.
  package enum EventClass: String, CaseIterable, Sendable {
    /// A message was received, decided, set aside, held or refused.
    case message
    /// A copy was handed over, collected, acknowledged, or not.
    case delivery
    /// A clock was started, met, missed, escalated or withdrawn.
    case deadline
    /// Rulebook, agreement, keys or an officer's standing changed.
    case policy
    /// The program started or stopped, or the ledger itself was read or exported.
    case service
  }

  package let eventClass: EventClass
  /// The random identifier of the exchange: 1 to 64 letters, figures and hyphens.
  package let exchange: String
  /// The digests of the rules in force.
  package let agreement: LedgerHash
  package let rulebook: LedgerHash
  /// To the detail in the erasable store.
  package let commitment: Commitment
  /// UTC with milliseconds: `2026-02-02T09:30:00.000Z`.
  package let time: String

  /// Throws LEDG-060 for an exchange or time that is not in the form above.
  package init(
    _ eventClass: EventClass, exchange: String, agreement: LedgerHash, rulebook: LedgerHash,
    commitment: Commitment, time: String
  ) throws(LedgerProblem) {
    guard (1...64).contains(exchange.utf8.count), exchange.utf8.allSatisfy(Self.isPlain) else {
      throw LedgerProblem(.leaf, "the exchange is not 1 to 64 letters, figures and hyphens")
    }
    guard Self.isTime(time) else {
      throw LedgerProblem(.leaf, "the time is not of the form 2026-02-02T09:30:00.000Z")
    }
    self.eventClass = eventClass
    self.exchange = exchange
    self.agreement = agreement
    self.rulebook = rulebook
    self.commitment = commitment
    self.time = time
  }

  /// Reads an entry. Throws LEDG-060 for anything but the exact bytes that it would have written.
  package init(_ bytes: [UInt8]) throws(LedgerProblem) {
    guard bytes.count <= Self.longest, let text = String(validating: bytes, as: UTF8.self) else {
      throw LedgerProblem(.leaf, "it is too long or not UTF-8")
    }
    // Six members of text and one number have 26 quotation marks. What lies where the values are
    // is taken, and the whole is right if it is what these values are written as.
    let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
    guard parts.count == 27, let agreement = Self.digest(parts[3]),
      let eventClass = EventClass(rawValue: String(parts[7])),
      let commitment = Commitment(parts[11]), let rulebook = Self.digest(parts[19])
    else {
      throw LedgerProblem(.leaf, "it is not an entry of version 1")
    }
    try self.init(
      eventClass, exchange: String(parts[15]), agreement: agreement, rulebook: rulebook,
      commitment: commitment, time: String(parts[23]))
    guard self.bytes == bytes else {
      throw LedgerProblem(.leaf, "it is not in canonical form, or not of version 1")
    }
  }

  /// What is hashed as the leaf.
  package var bytes: [UInt8] {
    // Every value is made of characters that JSON does not escape, and the names are sorted.
    let members = [
      ("agreement", Self.digestPrefix + agreement.hex), ("class", eventClass.rawValue),
      ("commit", commitment.description), ("exchange", exchange),
      ("rulebook", Self.digestPrefix + rulebook.hex), ("time", time),
    ]
    let text = members.map { "\"\($0.0)\":\"\($0.1)\"," }.joined()
    return Array("{\(text)\"v\":1}".utf8)
  }

  private static let longest = 1024
  private static let digestPrefix = "sha256:"

  private static func digest(_ text: Substring) -> LedgerHash? {
    guard text.hasPrefix(digestPrefix) else { return nil }
    return LedgerHash(hex: String(text.dropFirst(digestPrefix.count)))
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  private static func isTime(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    let form = Array("0000-00-00T00:00:00.000Z".utf8)
    guard bytes.count == form.count,
      zip(bytes, form).allSatisfy({ byte, mark in
        mark == UInt8(ascii: "0") ? (0x30...0x39).contains(byte) : byte == mark
      })
    else { return false }
    func number(_ range: Range<Int>) -> Int {
      bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
    let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (1...12).contains(month) && (1...days[month - 1]).contains(day)
      && number(11..<13) < 24 && number(14..<16) < 60 && number(17..<19) < 60
  }
}
