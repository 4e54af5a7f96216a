import Crypto

/// The ledger's own Ed25519 key. Only the writer holds it.
package struct SigningKey: Sendable {
  /// What readers are given.
  package let verifierKey: VerifierKey
  private let key: Curve25519.Signing.PrivateKey

  /// Throws LEDG-001 for a name that is not allowed, LEDG-005 unless `seed` has 32 bytes.
  package init(name: String, seed: [UInt8]) throws(LedgerProblem) {
    try VerifierKey.check(name: name)
    guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
      throw LedgerProblem(.keySeed, "it has \(seed.count) bytes")
    }
    self.key = key
    verifierKey = try VerifierKey(
      name: name, kind: .ledger, publicKey: Array(key.publicKey.rawRepresentation))
  }

  package var name: String { verifierKey.name }

  /// The signature line of a note with this text, its final line feed included.
  func line(signing text: [UInt8]) throws(LedgerProblem) -> NoteSignature {
    // swift-crypto signs as RFC 8032 says, without randomness, and checks nothing that could fail
    // for a key that was made; a failure would be a fault of the library.
    guard let signature = try? key.signature(for: text) else {
      throw LedgerProblem(.signing, "the key is \(verifierKey)")
    }
    return NoteSignature(
      name: name, keyID: verifierKey.id, signature: Array(signature))
  }
}
