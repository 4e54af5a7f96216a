import Crypto
import Exchange
import Foundation

/// Encrypts what is at rest, and keys what is looked up.
///
/// Each exchange and each case has a key of 32 random bytes of its own, wrapped under the store key;
/// without it nothing of the exchange can be read again. The associated data names table, column and
/// row, so that a sealed value that was moved elsewhere does not open.
struct Vault: Sendable {
  private let inForce: StoreKeysInForce
  private let lookupKey: SymmetricKey
  /// So many fresh random bytes; passed in for tests.
  private let random: @Sendable (Int) -> [UInt8]

  /// Bytes of a wrapped key: nonce, key, tag. Constant, so that destroying one overwrites it in place.
  static let wrappedLength = overhead + 32

  /// Bytes that sealing adds: nonce and tag.
  static let overhead = 12 + 16

  init(keys: StoreKeys, random: @escaping @Sendable (Int) -> [UInt8]) {
    inForce = StoreKeysInForce(keys)
    lookupKey = keys.lookup
    self.random = random
  }

  /// Other store keys from here on; the look-up key stays.
  func use(_ keys: StoreKeys) { inForce.swap(for: keys) }

  /// The version that new keys are wrapped with.
  var version: Int { inForce.current.current.version }

  /// The same vault over other keys, to try them.
  func trying(_ keys: StoreKeys) -> Vault { Vault(keys: keys, random: random) }

  /// A key as it lies in the store.
  struct WrappedKey: Sendable {
    let version: Int
    let bytes: [UInt8]
  }

  /// Whose key it is: an exchange's, a case's, or that of one entry of the ledger.
  enum Owner: Sendable {
    case exchange(ExchangeID)
    case subjectCase(CaseID)
    case entry(ExchangeID)

    var text: String {
      switch self {
      case .exchange(let id): "exchange:\(id)"
      case .subjectCase(let id): "case:\(id)"
      case .entry(let id): "entry:\(id)"
      }
    }
  }

  /// A new key for an owner, and how it lies in the store.
  func newKey(for owner: Owner) throws -> (OwnerKey, WrappedKey) {
    let bytes = random(32)
    let key = OwnerKey(key: SymmetricKey(data: bytes), owner: owner.text)
    return (key, try wrap(bytes, of: owner))
  }

  private func wrap(_ bytes: [UInt8], of owner: Owner) throws -> WrappedKey {
    let current = inForce.current.current
    let sealed = try Vault.seal(
      bytes, under: current.key, named: "wrapped-key \(current.version) \(owner.text)")
    return WrappedKey(version: current.version, bytes: sealed)
  }

  /// The same key under the store key in force.
  func rewrap(_ wrapped: WrappedKey, of owner: Owner) throws -> WrappedKey {
    try unwrap(wrapped, of: owner).key.withUnsafeBytes { try wrap(Array($0), of: owner) }
  }

  func unwrap(_ wrapped: WrappedKey, of owner: Owner) throws(StoreError) -> OwnerKey {
    guard let storeKey = inForce.current.all[wrapped.version] else {
      throw .keyMissing(version: wrapped.version)
    }
    guard
      let bytes = Vault.open(
        wrapped.bytes, under: storeKey.key, named: "wrapped-key \(wrapped.version) \(owner.text)")
    else { throw .wrongKey }
    return OwnerKey(key: SymmetricKey(data: bytes), owner: owner.text)
  }

  func randomBytes(_ count: Int) -> [UInt8] { random(count) }

  /// What proves, at the next opening, that the keys are those of this store.
  func keyCheck() throws -> WrappedKey { try newKey(for: .entry(Vault.nobody)).1 }

  func opensKeyCheck(_ wrapped: WrappedKey) throws(StoreError) -> Bool {
    do {
      _ = try unwrap(wrapped, of: .entry(Vault.nobody))
      return true
    } catch .wrongKey {
      return false
    }
  }

  private static let nobody: ExchangeID = {
    // The nil UUID of RFC 9562 5.9 has the form of an id and is never made at random.
    guard let id = ExchangeID("00000000-0000-0000-0000-000000000000") else {
      preconditionFailure("the nil UUID is a UUID")
    }
    return id
  }()

  /// The hash under which something is looked up, HMAC-SHA-256: equal for equal parts, and of no use
  /// without the look-up key.
  func lookup(_ purpose: LookupPurpose, _ parts: [[UInt8]]) -> [UInt8] {
    var hmac = HMAC<SHA256>(key: lookupKey)
    for part in [Array(purpose.rawValue.utf8)] + parts {
      // Lengths go first, so that no two lists of parts are the same bytes.
      hmac.update(data: withUnsafeBytes(of: UInt64(part.count).bigEndian) { Array($0) })
      hmac.update(data: part)
    }
    return Array(hmac.finalize())
  }

  func lookup(_ purpose: LookupPurpose, _ parts: String...) -> [UInt8] {
    lookup(purpose, parts.map { Array($0.utf8) })
  }
}

/// Parts the look-up hashes of one kind from those of another.
enum LookupPurpose: String {
  case keyCheck = "key-check"
  case notification, content, identifier
  case identifierKind = "identifier-kind"
  case reference
  case referenceLookup = "reference-lookup"
  case submitter
  case submission
}

/// The key of one exchange, case or entry, unwrapped.
struct OwnerKey: Sendable {
  fileprivate let key: SymmetricKey
  fileprivate let owner: String

  /// - Parameter column: table, column and whatever more names the value: `content.decision`.
  func seal(_ bytes: [UInt8], _ column: String) throws -> [UInt8] {
    try Vault.seal(bytes, under: key, named: "\(column) \(owner)")
  }

  /// Nil when it was not sealed under this key for this place.
  func open(_ sealed: [UInt8], _ column: String) -> [UInt8]? {
    Vault.open(sealed, under: key, named: "\(column) \(owner)")
  }
}

extension Vault {
  fileprivate static func seal(
    _ bytes: [UInt8], under key: SymmetricKey, named name: String
  ) throws -> [UInt8] {
    // The nonce is random, 96 bits: fewer than 2^32 values are sealed under any one key
    // (NIST SP 800-38D 8.3).
    let box = try AES.GCM.seal(bytes, using: key, authenticating: Array(name.utf8))
    return Array(box.nonce) + box.ciphertext + box.tag
  }

  fileprivate static func open(
    _ sealed: [UInt8], under key: SymmetricKey, named name: String
  ) -> [UInt8]? {
    guard let box = try? AES.GCM.SealedBox(combined: sealed),
      let bytes = try? AES.GCM.open(box, using: key, authenticating: Array(name.utf8))
    else { return nil }
    return Array(bytes)
  }
}
