import Crypto
import Exchange
import Foundation

/// Sallyport's own secrets: signing, decryption, store, look-up and ledger keys, each with an id and a
/// version so that each can be followed by the next.
///
/// On disk it is one file, encrypted as a whole under the key-encryption key, which systemd hands over as
/// a credential; in memory the values are freed with the ring.
package struct KeyRing: Sendable {
  package enum Use: String, Sendable, CaseIterable {
    /// Signs what we send (PEM, with our certificate).
    case signing
    /// Opens what we get (PEM, with our certificate).
    case decryption
    /// Wraps the key of each exchange and case (32 bytes).
    case store
    /// Keys the look-up hashes (32 bytes).
    case lookup
    /// Signs checkpoints (32-byte Ed25519 seed).
    case ledger
  }

  package struct Key: Sendable {
    package let use: Use
    /// Counted from 1; the highest is the one in use, lower ones still open what they closed.
    package let version: Int
    /// PEM for `signing` and `decryption`, else 32 bytes.
    package let secret: [UInt8]
    /// PEM of the certificate that parties pin, for `signing` and `decryption`.
    package let certificate: String?

    package init(use: Use, version: Int, secret: [UInt8], certificate: String? = nil) {
      (self.use, self.version, self.secret, self.certificate) = (use, version, secret, certificate)
    }

    package var id: String { "\(use.rawValue)-\(version)" }
  }

  package let keys: [Key]

  /// KEYS-003 unless each use has a key of its form.
  package init(keys: [Key]) throws(KeyRingProblem) {
    for use in Use.allCases {
      let ofUse = keys.filter { $0.use == use }
      guard !ofUse.isEmpty, ofUse.allSatisfy({ $0.version >= 1 }),
        Set(ofUse.map(\.version)).count == ofUse.count,
        ofUse.allSatisfy({ key in
          switch use {
          case .signing, .decryption: key.certificate != nil && !key.secret.isEmpty
          case .store, .lookup, .ledger: key.secret.count == 32
          }
        })
      else { throw .incomplete(use) }
    }
    self.keys = keys
  }

  /// All keys of a use, the one in force first.
  package func keys(_ use: Use) -> [Key] {
    keys.filter { $0.use == use }.sorted { $0.version > $1.version }
  }

  /// The key in force for a use.
  package func current(_ use: Use) -> Key {
    // `init` held that each use has at least one.
    keys(use)[0]
  }
}

// No text or dump shows a secret: ids alone.
extension KeyRing: CustomStringConvertible, CustomReflectable {
  package var description: String { "KeyRing(\(keys.map(\.id).joined(separator: ", ")))" }
  package var customMirror: Mirror { Mirror(self, children: ["keys": keys.map(\.id)]) }
}

extension KeyRing.Key: CustomStringConvertible, CustomReflectable {
  package var description: String { "KeyRing.Key(\(id))" }
  package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// Why a key ring cannot be used. The operator's turn.
package enum KeyRingProblem: Error, Equatable, Sendable {
  /// KEYS-001: the key-encryption key is not 32 bytes.
  case wrongKeyEncryptionKey
  /// KEYS-002: the ring does not open with this key, or was changed.
  case cannotOpen
  /// KEYS-003: a use has no key of its form.
  case incomplete(KeyRing.Use)

  package var code: String {
    switch self {
    case .wrongKeyEncryptionKey: "KEYS-001"
    case .cannotOpen: "KEYS-002"
    case .incomplete: "KEYS-003"
    }
  }

  package var text: String {
    switch self {
    case .wrongKeyEncryptionKey: "the key-encryption key is not 32 bytes"
    case .cannotOpen: "the key ring does not open with this key-encryption key"
    case .incomplete(let use): "the key ring has no good key for \(use.rawValue)"
    }
  }
}

extension KeyRing {
  private static let header = Array("sallyport-key-ring/1\n".utf8)

  /// The ring as it lies on disk: a header, then AES-256-GCM under the key-encryption key.
  package func sealed(under keyEncryptionKey: [UInt8]) throws(KeyRingProblem) -> [UInt8] {
    guard keyEncryptionKey.count == 32 else { throw .wrongKeyEncryptionKey }
    let content = JSONValue.array(
      keys.map { key in
        var members: [String: JSONValue] = [
          "use": .string(key.use.rawValue), "version": .integer(Int64(key.version)),
          "secret": .string(Data(key.secret).base64EncodedString()),
        ]
        members["certificate"] = key.certificate.map { .string($0) }
        return .object(members)
      })
    let box = try? AES.GCM.seal(
      content.canonicalBytes, using: SymmetricKey(data: keyEncryptionKey),
      authenticating: KeyRing.header)
    guard let sealed = box?.combined else { throw .cannotOpen }
    return KeyRing.header + sealed
  }

  package init(opening bytes: [UInt8], with keyEncryptionKey: [UInt8]) throws(KeyRingProblem) {
    guard keyEncryptionKey.count == 32 else { throw .wrongKeyEncryptionKey }
    guard bytes.starts(with: KeyRing.header),
      let box = try? AES.GCM.SealedBox(combined: bytes.dropFirst(KeyRing.header.count)),
      let content = try? AES.GCM.open(
        box, using: SymmetricKey(data: keyEncryptionKey), authenticating: KeyRing.header),
      let items = try? JSONValue.parse(content).array
    else { throw .cannotOpen }
    var keys: [Key] = []
    for item in items {
      guard let use = item["use"]?.string.flatMap(Use.init(rawValue:)),
        let version = item["version"]?.integer,
        let secret = item["secret"]?.string.flatMap({ Data(base64Encoded: $0) })
      else { throw .cannotOpen }
      keys.append(
        Key(
          use: use, version: Int(version), secret: Array(secret),
          certificate: item["certificate"]?.string))
    }
    try self.init(keys: keys)
  }
}
