import Crypto

/// A public key that readers of the ledger are given: of the ledger itself, or of a witness.
///
/// Its text, the vkey of C2SP signed-note, is `name+id+base64(type || public key)`.
package struct VerifierKey: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: UInt8, Hashable, Sendable {
    /// Plain Ed25519 over a note's text: the ledger's own signature.
    case ledger = 0x01
    /// Ed25519 over the time and a note's text: a witness's cosignature (C2SP tlog-cosignature).
    case witness = 0x04
  }

  /// For a ledger's key also the origin of its checkpoints.
  package let name: String
  package let kind: Kind
  /// 32 bytes (RFC 8032).
  package let publicKey: [UInt8]
  /// A label of 4 bytes made from all the above; not a security measure.
  package let id: [UInt8]

  /// Throws LEDG-001 for a name that is empty or holds white space, a control character or "+";
  /// LEDG-002 unless the key has 32 bytes.
  package init(name: String, kind: Kind, publicKey: [UInt8]) throws(LedgerProblem) {
    try Self.check(name: name)
    guard publicKey.count == 32 else {
      throw LedgerProblem(.keyText, "the public key has \(publicKey.count) bytes, not 32")
    }
    self.name = name
    self.kind = kind
    self.publicKey = publicKey
    let labelled = Array(name.utf8) + [Byte.lineFeed, kind.rawValue] + publicKey
    id = Array(LedgerHash(sha256: labelled).bytes.prefix(4))
  }

  /// Reads a vkey, without white space around it. Throws LEDG-001 to 004.
  package init(_ text: String) throws(LedgerProblem) {
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard text.utf8.count <= Self.longestText, parts.count == 3, parts[1].utf8.count == 8,
      let id = StrictText.bytes(hex: parts[1]),
      let key = StrictText.bytes(base64: String(parts[2])), let type = key.first
    else { throw LedgerProblem(.keyText, "it is not name+8 hex figures+base64") }
    guard let kind = Kind(rawValue: type) else {
      throw LedgerProblem(.keyType, "type \(type)")
    }
    try self.init(name: String(parts[0]), kind: kind, publicKey: Array(key.dropFirst()))
    guard id == self.id else {
      throw LedgerProblem(
        .keyID, "the text says \(StrictText.hex(id)), the key has \(StrictText.hex(self.id))")
    }
  }

  /// The vkey.
  package var description: String {
    "\(name)+\(StrictText.hex(id))+\(StrictText.base64([kind.rawValue] + publicKey))"
  }

  /// The most bytes that a name can have.
  package static let longestName = 512
  private static let longestText = longestName + 64

  static func check(name: String) throws(LedgerProblem) {
    guard isAllowed(name: name) else {
      throw LedgerProblem(
        .keyName, "it is empty, too long, or holds white space, a control character or \"+\"")
    }
  }

  static func isAllowed(name: some StringProtocol) -> Bool {
    (1...longestName).contains(name.utf8.count)
      && name.unicodeScalars.allSatisfy {
        $0 != "+" && !$0.properties.isWhitespace && $0.properties.generalCategory != .control
      }
  }

  /// Whether `signature` (64 bytes) is this key's over exactly `message`.
  func verifies(_ signature: some Sequence<UInt8>, over message: [UInt8]) -> Bool {
    let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
    return key?.isValidSignature(Array(signature), for: message) ?? false
  }
}
