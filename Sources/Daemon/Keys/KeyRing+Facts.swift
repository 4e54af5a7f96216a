package import Exchange
import Foundation
package import Ledger
package import Seal
package import Store

/// What others need of the ring.
extension KeyRing {
  /// What the store needs of the ring.
  package func storeKeys() throws(StoreError) -> StoreKeys {
    let ofStore = try keys(.store).map { key throws(StoreError) in
      try StoreKeys.StoreKey(version: key.version, bytes: key.secret)
    }
    return try StoreKeys(
      store: ofStore[0], earlier: Array(ofStore.dropFirst()), lookup: current(.lookup).secret)
  }

  /// The key that signs checkpoints under the log's name.
  package func ledgerKey(origin: String) throws(LedgerProblem) -> SigningKey {
    try SigningKey(name: origin, seed: current(.ledger).secret)
  }

  /// All keys of the ledger: the newest, the one that still signs beside it, and those given up.
  package func ledgerKeys(origin: String) throws(LedgerProblem) -> LedgerKeys {
    let usable = keys(.ledger)
    let outgoing = try usable.dropFirst().first.map { key throws(LedgerProblem) in
      try SigningKey(name: origin, seed: key.secret)
    }
    var former: [VerifierKey] = []
    for key in keys.reversed() where key.use == .ledger && key.state == .retired {
      guard let publicKey = key.publicKey else { continue }
      former.append(try VerifierKey(name: origin, kind: .ledger, publicKey: publicKey))
    }
    return LedgerKeys(key: try ledgerKey(origin: origin), outgoing: outgoing, former: former)
  }

  /// As the ledger is told of them.
  func records(origin: String) -> [KeyRecord] {
    keys.map { key in
      KeyRecord(
        id: key.id, state: key.state.word, by: key.change.by, reason: key.change.reason,
        publicName: key.publicName(origin: origin))
    }
  }

  /// The key that waits for this certificate.
  ///
  /// - Throws: KEYS-016, KEYS-017.
  package func waiting(for certificate: String, at now: Instant) throws(KeyRingProblem) -> Key {
    guard let own = OwnCertificate(pem: certificate) else {
      throw .unfitCertificate("it is not readable as PEM")
    }
    let waiting = keys.first { key in
      guard key.state == .requested, let secret = try? PrivateKey(pem: key.secret) else {
        return false
      }
      return own.belongs(to: secret)
    }
    guard let waiting else { throw .foreignCertificate }
    guard own.notBefore <= now, now < own.notAfter else {
      throw .unfitCertificate("it is valid from \(own.notBefore) to \(own.notAfter)")
    }
    guard own.allows(waiting.use == .signing ? .signing : .encryption) else {
      throw .unfitCertificate("its key usage does not allow \(waiting.use.rawValue)")
    }
    return waiting
  }
}

extension KeyRing.Key {
  /// What others know it by: a certificate's SHA-256, or a verifier key.
  package func publicName(origin: String) -> String? {
    if let certificate {
      return OwnCertificate(pem: certificate).map { "sha256:\($0.fingerprint)" }
    }
    guard use == .ledger else { return nil }
    if let publicKey {
      return (try? VerifierKey(name: origin, kind: .ledger, publicKey: publicKey))?.description
    }
    return (try? SigningKey(name: origin, seed: secret))?.verifierKey.description
  }

  /// What the authority is sent for it.
  package func request(of party: PartyID) throws(SealError) -> String {
    try OwnKey.request(
      for: try PrivateKey(pem: secret), party: party,
      use: use == .signing ? .signing : .encryption)
  }
}

extension KeyRing {
  /// A ring to begin with: signing and decryption keys wait for their certificates.
  package static func first(at now: Instant) throws -> KeyRing {
    try first(at: now) { KeyBytes(try OwnKey.make()) }
  }
}
