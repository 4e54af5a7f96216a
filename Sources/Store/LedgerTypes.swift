package import Exchange
package import Ledger

/// The rules in force, as the ledger names them.
package struct PolicyDigests: Hashable, Sendable {
  /// SHA-256.
  package let rulebook: LedgerHash
  package let agreement: LedgerHash

  package init(rulebook: LedgerHash, agreement: LedgerHash) {
    (self.rulebook, self.agreement) = (rulebook, agreement)
  }

  /// From `sha256:` and lower-case hex, as decisions carry them; nil for anything else.
  package init?(rulebook: String, agreement: String) {
    guard let rulebook = PolicyDigests.digest(rulebook),
      let agreement = PolicyDigests.digest(agreement)
    else { return nil }
    self.init(rulebook: rulebook, agreement: agreement)
  }

  private static func digest(_ text: String) -> LedgerHash? {
    let prefix = "sha256:"
    return text.hasPrefix(prefix) ? LedgerHash(hex: String(text.dropFirst(prefix.count))) : nil
  }
}

/// What happened to the program, the rules or the ledger itself. The words go into the entry's detail.
package enum ServiceEvent: Equatable, Sendable {
  /// The rules that it starts with are in force from here on.
  case started(version: String, PolicyDigests)
  case stopped
  /// Other rules are in force from here on; each departure in words of the agreement.
  case policyChanged(PolicyDigests, departures: [String])
  /// A key was made, taken into use, followed by another or given up.
  case keyChanged(KeyRecord)
  /// The ledger, or details of it, were read or exported.
  case ledgerRead(by: String, what: String)
  /// An officer looked at the content of a delivery.
  case contentViewed(by: String, party: PartyID, delivery: DeliveryID)
}

/// An entry of the ledger opened for an auditor, who checks the one against the other.
package struct LedgerDetail: Equatable, Sendable {
  /// The entry's bytes, as they are in the ledger.
  package let entry: [UInt8]
  /// Canonical JSON; nil when it was erased.
  package let detail: [UInt8]?
  /// The key of the commitment; nil when it was erased.
  package let commitmentKey: [UInt8]?
}

/// What was published.
package struct PublishedCheckpoint: Equatable, Sendable {
  package let size: Int
  package let root: LedgerHash
  /// The signed checkpoint, byte for byte.
  package let bytes: [UInt8]
}

extension PolicyDigests {
  /// Both, one after the other: 64 bytes.
  var bytes: [UInt8] { rulebook.bytes + agreement.bytes }

  init?(bytes: [UInt8]) {
    guard bytes.count == 2 * LedgerHash.length,
      let rulebook = LedgerHash(bytes: bytes.prefix(LedgerHash.length)),
      let agreement = LedgerHash(bytes: bytes.suffix(LedgerHash.length))
    else { return nil }
    self.init(rulebook: rulebook, agreement: agreement)
  }
}
