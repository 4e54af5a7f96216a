import Crypto

/// The key of one commitment: 32 fresh random bytes, kept and erased with the detail.
package struct CommitmentKey: Sendable {
  fileprivate let key: SymmetricKey

  /// Throws LEDG-062 unless there are 32 bytes.
  package init(_ bytes: [UInt8]) throws(LedgerProblem) {
    guard bytes.count == 32 else {
      throw LedgerProblem(.commitmentKey, "it has \(bytes.count) bytes")
    }
    key = SymmetricKey(data: bytes)
  }
}

/// Binds an entry to its detail without revealing it: HMAC-SHA-256 under a key of its own.
///
/// A bare hash would not do: identifiers have few possible values, so that it could be guessed.
/// Once the key is erased, the commitment says nothing any more, and the tree still verifies.
package struct Commitment: Hashable, Sendable, CustomStringConvertible {
  private static let prefix = "hmac-sha256:"
  private let code: LedgerHash

  /// The commitment to exactly these bytes.
  package init(to detail: [UInt8], key: CommitmentKey) {
    var hmac = HMAC<SHA256>(key: key.key)
    hmac.update(data: detail)
    // 32 bytes by the definition of SHA-256, so that the fallback is never taken.
    code = LedgerHash(bytes: Array(hmac.finalize())) ?? .empty
  }

  /// Nil unless `text` is `hmac-sha256:` and 64 figures of hex, lower case.
  package init?(_ text: some StringProtocol) {
    guard text.hasPrefix(Self.prefix),
      let code = LedgerHash(hex: String(text.dropFirst(Self.prefix.count)))
    else { return nil }
    self.code = code
  }

  /// As it stands in an entry: `hmac-sha256:` and hex.
  package var description: String { Self.prefix + code.hex }

  /// Throws LEDG-061 unless this is the commitment to exactly these bytes under this key.
  package func check(_ detail: [UInt8], key: CommitmentKey) throws(LedgerProblem) {
    guard
      HMAC<SHA256>.isValidAuthenticationCode(code.bytes, authenticating: detail, using: key.key)
    else {
      throw LedgerProblem(.commitment, "its commitment does not match")
    }
  }
}
