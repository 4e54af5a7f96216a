package import Exchange
import Ledger

/// How keys follow one another. Values in, a new ring out; `InstallationInForce` makes it durable.
extension KeyRing {
  /// A ring to begin with: signing and decryption keys that wait for their certificates, the others in
  /// force.
  ///
  /// - Parameter pair: a new private key as PEM.
  static func first(
    at now: Instant, pair: () throws -> KeyBytes
  ) throws -> KeyRing {
    let change = Change(at: now, by: "", reason: "made with the ring")
    return try KeyRing(
      growing: try Use.allCases.map { use in
        Key(
          use: use, version: 1, material: use.isCertified ? try pair() : .random(32), created: now,
          state: use.isCertified ? .requested : .active, change: change)
      })
  }

  /// The key that follows: in force at once, or waiting for its certificate. One that waits already is
  /// given again.
  ///
  /// - Parameter accept: how long the earlier one is good for at least.
  /// - Throws: KEYS-010, KEYS-011.
  package func rotating(
    _ use: Use, material: KeyBytes, accept: Duration, change: Change
  ) throws(KeyRingProblem) -> (ring: KeyRing, key: Key) {
    guard use != .lookup else { throw .notRotated }
    if let waiting = keys.first(where: { $0.use == use && $0.state == .requested }) {
      return (self, waiting)
    }
    if use == .ledger, let outgoing = keys(.ledger).first(where: { $0.state != .active }) {
      throw .followedAlready(outgoing.id)
    }
    let version = (keys.filter { $0.use == use }.map(\.version).max() ?? 0) + 1
    let key = Key(
      use: use, version: version, material: material, created: change.at,
      state: use.isCertified ? .requested : .active, change: change)
    let others = use.isCertified ? keys : keys.map { $0.followed(use, change, accept) }
    return (try KeyRing(growing: others + [key]), key)
  }

  /// A key that waited has its certificate and is in force.
  package func activating(
    _ id: String, certificate: String, accept: Duration, change: Change
  ) throws(KeyRingProblem) -> (ring: KeyRing, key: Key) {
    guard let waiting = keys.first(where: { $0.id == id && $0.state == .requested }) else {
      throw .foreignCertificate
    }
    let key = Key(
      use: waiting.use, version: waiting.version, material: waiting.material,
      certificate: certificate, created: waiting.created, state: .active, change: change)
    let ring = keys.map { $0.id == id ? key : $0.followed(waiting.use, change, accept) }
    return (try KeyRing(growing: ring), key)
  }

  /// A key is given up; its secret is gone.
  ///
  /// - Throws: KEYS-012 to KEYS-014. What needs it, the caller has looked for.
  package func retiring(_ id: String, change: Change) throws(KeyRingProblem) -> KeyRing {
    let key = try retirable(id, at: change.at)
    let publicKey =
      key.use == .ledger
      ? (try? SigningKey(name: "ledger", seed: key.secret))?.verifierKey.publicKey : nil
    return try KeyRing(
      growing: keys.map {
        $0.id == id
          ? Key(
            use: key.use, version: key.version, material: KeyBytes([]),
            certificate: key.certificate, created: key.created, state: .retired, change: change,
            publicKey: publicKey) : $0
      })
  }

  /// The key, if its time is over.
  package func retirable(_ id: String, at now: Instant) throws(KeyRingProblem) -> Key {
    guard let key = keys.first(where: { $0.id == id }) else { throw .noSuchKey(id) }
    switch key.state {
    case .retired: throw .noSuchKey(id)
    case .active: throw .inForce(id)
    case .requested: return key
    case .accepted(let until):
      guard until <= now else { throw .stillAccepted(id, until: until) }
      return key
    }
  }
}

extension KeyRing.Key {
  /// Itself, unless it is the one in force for a use that another follows in now.
  fileprivate func followed(
    _ use: KeyRing.Use, _ change: KeyRing.Change, _ accept: Duration
  ) -> KeyRing.Key {
    guard self.use == use, state == .active else { return self }
    return KeyRing.Key(
      use: use, version: version, material: material, certificate: certificate, created: created,
      state: .accepted(until: change.at + accept), change: change)
  }
}
