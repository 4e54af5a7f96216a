package import Exchange

/// What an operator may do with the keys.
package enum KeyAct: Equatable, Sendable {
  /// A key follows. For signing and decryption it waits for its certificate.
  case rotate(KeyRing.Use, accept: Duration, reason: String)
  /// The certificate (PEM) of a key that waits for it: from here on it is in force.
  case importCertificate(String, accept: Duration, reason: String)
  /// A key is given up, if nothing needs it.
  case retire(String, reason: String)

  /// How long a key that was followed is accepted at least, where nobody says otherwise.
  package static let usualWindow = Duration.seconds(30 * 86_400)
  static let longestWindow = Duration.seconds(366 * 86_400)

  var reason: String {
    switch self {
    case .rotate(_, _, let reason), .importCertificate(_, _, let reason), .retire(_, let reason):
      reason
    }
  }

  package var json: JSONValue {
    switch self {
    case .rotate(let use, let accept, let reason):
      [
        "do": "keys-rotate", "use": .string(use.rawValue), "reason": .string(reason),
        "acceptSeconds": .integer(accept.components.seconds),
      ]
    case .importCertificate(let certificate, let accept, let reason):
      [
        "do": "keys-import", "certificate": .string(certificate), "reason": .string(reason),
        "acceptSeconds": .integer(accept.components.seconds),
      ]
    case .retire(let key, let reason):
      ["do": "keys-retire", "key": .string(key), "reason": .string(reason)]
    }
  }

  /// Nil unless the members are those of one of these. The reason is not looked at.
  init?(_ members: [String: JSONValue]) {
    guard let reason = members["reason"]?.string else { return nil }
    let accept = members["acceptSeconds"]?.integer.map { Duration.seconds($0) }
    let inRange = accept.map { (.zero...KeyAct.longestWindow).contains($0) } ?? true
    let names = Set(members.keys)
    switch members["do"]?.string {
    case "keys-rotate":
      guard names == ["do", "use", "reason", "acceptSeconds"], inRange, let accept,
        let use = members["use"]?.string.flatMap(KeyRing.Use.init(rawValue:))
      else { return nil }
      self = .rotate(use, accept: accept, reason: reason)
    case "keys-import":
      guard names == ["do", "certificate", "reason", "acceptSeconds"], inRange, let accept,
        let certificate = members["certificate"]?.string
      else { return nil }
      self = .importCertificate(certificate, accept: accept, reason: reason)
    case "keys-retire":
      guard names == ["do", "key", "reason"], let key = members["key"]?.string,
        key.wholeMatch(of: /[a-z]{1,16}-[0-9]{1,6}/) != nil
      else { return nil }
      self = .retire(key, reason: reason)
    default: return nil
    }
  }
}

/// What came of it.
package struct KeyReport: Equatable, Sendable {
  /// The key that was made, taken into use or given up.
  package var key: String
  package var state: String
  /// The key that it follows, and until when that one is accepted at least.
  package var earlier: String?
  package var acceptedUntil: Instant?
  /// PKCS #10, PEM: for the authority.
  package var request: String?
  /// A certificate's SHA-256, or a verifier key.
  package var publicName: String?

  var json: JSONValue {
    [
      "key": .string(key), "state": .string(state),
      "earlier": earlier.map { .string($0) } ?? .null,
      "acceptedUntil": acceptedUntil.map { .string($0.description) } ?? .null,
      "request": request.map { .string($0) } ?? .null,
      "publicName": publicName.map { .string($0) } ?? .null,
    ]
  }
}
