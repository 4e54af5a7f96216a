package import Exchange

/// Why a key ring cannot be used, or a key of it not changed. The operator's turn.
package enum KeyRingProblem: Error, Equatable, Sendable {
  /// KEYS-001: the key-encryption key is not 32 bytes.
  case wrongKeyEncryptionKey
  /// KEYS-002: the ring does not open with this key, or was changed.
  case cannotOpen
  /// KEYS-003: a use has no key of its form.
  case incomplete(KeyRing.Use)
  /// KEYS-008: the ring's file could not be written; the old one stands.
  case cannotWrite(file: String, errno: Int32)
  /// KEYS-009: a ring or key-encryption key lies there already.
  case exists(file: String)
  /// KEYS-010: the look-up key, which nothing can follow.
  case notRotated
  /// KEYS-011: two keys already sign the ledger.
  case followedAlready(String)
  /// KEYS-012: no key is called so, or it is retired.
  case noSuchKey(String)
  /// KEYS-013: its window is not over.
  case stillAccepted(String, until: Instant)
  /// KEYS-014: it is in force.
  case inForce(String)
  /// KEYS-015: something still needs it.
  case needed(String, count: Int, what: String)
  /// KEYS-016: the certificate is that of no key that waits for one.
  case foreignCertificate
  /// KEYS-017: the certificate cannot be used; why.
  case unfitCertificate(String)
  /// KEYS-018: the agreement's own entry does not list the certificate.
  case notInAgreement

  package var code: String {
    switch self {
    case .wrongKeyEncryptionKey: "KEYS-001"
    case .cannotOpen: "KEYS-002"
    case .incomplete: "KEYS-003"
    case .cannotWrite: "KEYS-008"
    case .exists: "KEYS-009"
    case .notRotated: "KEYS-010"
    case .followedAlready: "KEYS-011"
    case .noSuchKey: "KEYS-012"
    case .stillAccepted: "KEYS-013"
    case .inForce: "KEYS-014"
    case .needed: "KEYS-015"
    case .foreignCertificate: "KEYS-016"
    case .unfitCertificate: "KEYS-017"
    case .notInAgreement: "KEYS-018"
    }
  }

  package var text: String {
    switch self {
    case .wrongKeyEncryptionKey: "the key-encryption key is not 32 bytes"
    case .cannotOpen: "the key ring does not open with this key-encryption key"
    case .incomplete(let use): "the key ring has no good key for \(use.rawValue)"
    case .cannotWrite(let file, let errno):
      "cannot write \(file) (errno \(errno)); the ring is what it was"
    case .exists(let file): "\(file) is there already, and is not overwritten"
    case .notRotated:
      "the look-up key cannot be rotated: every person and message would be looked up in vain"
    case .followedAlready(let id): "\(id) still signs beside the newest: retire it first"
    case .noSuchKey(let id): "the ring has no key \(id) that could be given up"
    case .stillAccepted(let id, let until): "\(id) is accepted until \(until)"
    case .inForce(let id): "\(id) is in force: rotate first"
    case .needed(let id, let count, let what): "\(count) \(what) still need \(id)"
    case .foreignCertificate: "no key that waits for a certificate belongs to this one"
    case .unfitCertificate(let why): "the certificate cannot be used: \(why)"
    case .notInAgreement:
      "the agreement's own entry does not list this certificate: no recipient would accept what it signs"
    }
  }
}
