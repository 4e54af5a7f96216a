import Crypto
package import Exchange

/// The value of the `Authorization` header of one MESH request:
/// `NHSMESH <mailbox>:<nonce>:<nonce count>:<timestamp>:<hash>`.
///
/// The hash is HMAC-SHA256 under the environment's shared secret over mailbox, nonce, count, password
/// and timestamp, joined by colons (NHS England, MESH API specification, "Authorization"). One token is
/// good for one request: a client makes a fresh one for each attempt, a host remembers `use`.
package struct MeshToken: Sendable {
  /// What may be used once only within the time that a token is accepted.
  package struct Use: Hashable, Sendable {
    package let mailbox: MailboxID
    package let nonce: String
    package let count: Int
  }

  package let mailbox: MailboxID
  /// 1 to 64 letters, digits and hyphens; a UUID in tokens of our own.
  package let nonce: String
  /// How often the nonce was used before, 0 to 999,999,999.
  package let count: Int
  /// The start of the minute that the token names.
  package let timestamp: Instant

  /// As written: a count with leading zeros is hashed with them.
  private let countText: String
  private let hash: [UInt8]

  package var use: Use { Use(mailbox: mailbox, nonce: nonce, count: count) }

  /// A fresh token. `timestamp` is cut to its minute.
  /// - Precondition: `count` is not negative; `nonce` is of the form above.
  package static func make(
    mailbox: MailboxID, nonce: String, count: Int, timestamp: Instant, password: String,
    secret: String
  ) -> MeshToken {
    precondition(count >= 0 && isNonce(nonce), "a token is made of a nonce and a count")
    let minute = startOfMinute(timestamp)
    let signed = signedBytes(
      mailbox: mailbox, nonce: nonce, count: String(count), timestamp: minute, password: password)
    let code = HMAC<SHA256>.authenticationCode(
      for: signed, using: SymmetricKey(data: Array(secret.utf8)))
    return MeshToken(
      mailbox: mailbox, nonce: nonce, count: count, timestamp: minute, countText: String(count),
      hash: Array(code))
  }

  /// Nil when the text is not of the form above, or longer than 300 bytes. Says nothing about the hash:
  /// ask `verify`.
  package init?(parsing headerValue: String) {
    guard headerValue.utf8.count <= 300, headerValue.hasPrefix("NHSMESH ") else { return nil }
    let parts = headerValue.dropFirst(8).split(separator: ":", omittingEmptySubsequences: false)
      .map(String.init)
    guard parts.count == 5, let mailbox = MailboxID(parts[0]), Self.isNonce(parts[1]),
      (1...9).contains(parts[2].utf8.count),
      parts[2].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let count = Int(parts[2]), let timestamp = Self.minute(parts[3]),
      let hash = Self.bytes(hex: parts[4])
    else { return nil }
    self.init(
      mailbox: mailbox, nonce: parts[1], count: count, timestamp: timestamp, countText: parts[2],
      hash: hash)
  }

  private init(
    mailbox: MailboxID, nonce: String, count: Int, timestamp: Instant, countText: String,
    hash: [UInt8]
  ) {
    (self.mailbox, self.nonce, self.count, self.timestamp) = (mailbox, nonce, count, timestamp)
    (self.countText, self.hash) = (countText, hash)
  }

  /// Whether the hash is the one that password and secret give. Compares in constant time.
  package func verify(password: String, secret: String) -> Bool {
    let signed = Self.signedBytes(
      mailbox: mailbox, nonce: nonce, count: countText, timestamp: timestamp, password: password)
    return HMAC<SHA256>.isValidAuthenticationCode(
      hash, authenticating: signed, using: SymmetricKey(data: Array(secret.utf8)))
  }

  /// Whether the token's minute lies within `window` of `now`, on either side: two hours by the MESH
  /// API specification.
  package func isFresh(at now: Instant, window: Duration = .seconds(7200)) -> Bool {
    timestamp >= Self.startOfMinute(now - window) && timestamp <= now + window
  }

  /// The header value. Good for one request; not for a log.
  package var headerValue: String {
    let digits = Array("0123456789abcdef".utf8)
    let hex = hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    let minute = Self.text(minute: timestamp)
    return "NHSMESH \(mailbox):\(nonce):\(countText):\(minute):"
      + String(decoding: hex, as: UTF8.self)
  }

  private static func signedBytes(
    mailbox: MailboxID, nonce: String, count: String, timestamp: Instant, password: String
  ) -> [UInt8] {
    Array("\(mailbox):\(nonce):\(count):\(password):\(text(minute: timestamp))".utf8)
  }

  private static func isNonce(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || byte == 0x2d
      }
  }
}

// MARK: - Minutes and hex

extension MeshToken {
  /// The start of the minute in which `instant` lies.
  package static func startOfMinute(_ instant: Instant) -> Instant {
    let rest = instant.milliseconds % 60_000
    return Instant(milliseconds: instant.milliseconds - (rest < 0 ? rest + 60_000 : rest))
  }

  /// `yyyyMMddHHmm` in UTC.
  package static func text(minute instant: Instant) -> String {
    String(
      decoding: instant.description.utf8.prefix(16).filter { $0 < 0x3a && $0 > 0x2f }, as: UTF8.self
    )
  }

  /// The minute that twelve digits `yyyyMMddHHmm` name, years 1970 to 9999. Nil for anything else.
  package static func minute(_ text: String) -> Instant? {
    let digits = Array(text.utf8)
    guard digits.count == 12, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
    return Instant(
      "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(8..<10)):\(part(10..<12)):00Z")
  }

  /// 64 hex digits of either case.
  private static func bytes(hex: String) -> [UInt8]? {
    let digits = Array(hex.utf8)
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: 64, by: 2) {
      guard let high = value(digits[place]), let low = value(digits[place + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46, 0x61...0x66: (digit | 0x20) - 0x57
    default: nil
    }
  }
}
