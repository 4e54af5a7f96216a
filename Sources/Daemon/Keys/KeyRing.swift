package import Exchange

/// Sallyport's own secrets: signing, decryption, store, look-up and ledger keys, each with an id and a
/// version so that each can be followed by the next (`KeyRing+Changes`).
///
/// On disk it is one file, encrypted as a whole under the key-encryption key, which systemd hands over as
/// a credential (`KeyRingFile`); in memory each secret is overwritten when it is let go.
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

    /// Whether others know the key by a certificate.
    package var isCertified: Bool { self == .signing || self == .decryption }
  }

  package enum State: Equatable, Sendable {
    /// Made, and waits for its certificate: not used yet.
    case requested
    /// In force.
    case active
    /// Followed by another, and good for what it closed or signed; not to be given up before this.
    case accepted(until: Instant)
    /// Given up: the secret is gone.
    case retired

    package var word: String {
      switch self {
      case .requested: "requested"
      case .active: "active"
      case .accepted: "accepted"
      case .retired: "retired"
      }
    }
  }

  /// Who brought a key into its state, and why.
  package struct Change: Equatable, Sendable {
    package let at: Instant
    package let by: String
    package let reason: String

    package init(at: Instant, by: String, reason: String) {
      (self.at, self.by, self.reason) = (at, by, reason)
    }

    /// Of keys that were made with the ring.
    package static let none = Change(at: Instant(milliseconds: 0), by: "", reason: "")
  }

  package struct Key: Sendable {
    package let use: Use
    /// Counted from 1; never used twice.
    package let version: Int
    /// PEM for `signing` and `decryption`, else 32 bytes; empty once it is retired.
    package let material: KeyBytes
    /// PEM of the certificate that parties pin, for `signing` and `decryption`.
    package let certificate: String?
    package let created: Instant
    package let state: State
    package let change: Change
    /// Of a retired ledger key: earlier checkpoints are still checked with it.
    package let publicKey: [UInt8]?

    /// - Parameter created: the epoch where nobody wrote it down.
    package init(
      use: Use, version: Int, secret: [UInt8], certificate: String? = nil,
      created: Instant = Instant(milliseconds: 0), state: State = .active, change: Change = .none
    ) {
      self.init(
        use: use, version: version, material: KeyBytes(secret), certificate: certificate,
        created: created, state: state, change: change)
    }

    package init(
      use: Use, version: Int, material: KeyBytes, certificate: String? = nil, created: Instant,
      state: State, change: Change, publicKey: [UInt8]? = nil
    ) {
      (self.use, self.version, self.material) = (use, version, material)
      (self.certificate, self.created, self.state) = (certificate, created, state)
      (self.change, self.publicKey) = (change, publicKey)
    }

    package var id: String { "\(use.rawValue)-\(version)" }

    /// A copy, which is not overwritten.
    package var secret: [UInt8] { material.copy }

    /// Whether it opens, signs or wraps anything.
    var isUsable: Bool {
      switch state {
      case .active, .accepted: true
      case .requested, .retired: false
      }
    }

    fileprivate var isOfItsForm: Bool {
      switch (state, use) {
      case (.retired, _): material.count == 0
      case (.requested, _): use.isCertified && material.count > 0
      case (_, .signing), (_, .decryption): certificate != nil && material.count > 0
      case (_, .store), (_, .lookup), (_, .ledger): material.count == 32
      }
    }
  }

  /// In the order of making.
  package let keys: [Key]

  /// KEYS-003 unless each use has a key in force, and all keys are of their form.
  package init(keys: [Key]) throws(KeyRingProblem) {
    try self.init(growing: keys)
    for use in Use.allCases where !keys.contains(where: { $0.use == use && $0.state == .active }) {
      throw .incomplete(use)
    }
  }

  /// A ring whose first certificates may still be missing.
  package init(growing keys: [Key]) throws(KeyRingProblem) {
    for use in Use.allCases {
      let ofUse = keys.filter { $0.use == use }
      guard !ofUse.isEmpty, ofUse.allSatisfy({ $0.version >= 1 && $0.isOfItsForm }),
        Set(ofUse.map(\.version)).count == ofUse.count
      else { throw .incomplete(use) }
    }
    self.keys = keys
  }

  /// All keys of a use that are good for something, the one in force first.
  package func keys(_ use: Use) -> [Key] {
    let usable = keys.filter { $0.use == use && $0.isUsable }.sorted { $0.version > $1.version }
    return usable.filter { $0.state == .active } + usable.filter { $0.state != .active }
  }

  /// The key in force for a use.
  package func current(_ use: Use) -> Key {
    // `init` held that each use has one; a growing ring is asked for nothing but its changes.
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
