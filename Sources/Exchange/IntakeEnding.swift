extension Intake {
  /// How a message ended, as the store keeps it.
  package enum Ending: Hashable, Sendable {
    /// Decided; somebody is told something.
    case shared
    /// Decided; nobody is told anything.
    case refused
    /// Waits for a release. The code says for what: a rule's, or an `IntakeReason`'s.
    case held(code: String)
    /// Kept, not acted upon, shown to the operator.
    case setAside(code: String)
    /// A repeat of what is already known, with the same content.
    case duplicate
    /// Was set aside or held under that code, and closed by a person: bytes and history are kept.
    case discarded(code: String)

    /// Stable: `shared`, `refused`, `held`, `set-aside`, `duplicate`, `discarded`.
    package var word: String {
      switch self {
      case .shared: "shared"
      case .refused: "refused"
      case .held: "held"
      case .setAside: "set-aside"
      case .duplicate: "duplicate"
      case .discarded: "discarded"
      }
    }

    package var code: String? {
      switch self {
      case .held(let code), .setAside(let code), .discarded(let code): code
      case .shared, .refused, .duplicate: nil
      }
    }
  }
}

extension Intake.Ending: RawRepresentable, Codable {
  /// The word, and after one space the code where there is one: `set-aside INTK-003`.
  package var rawValue: String { code.map { "\(word) \($0)" } ?? word }

  package init?(rawValue: String) {
    switch rawValue {
    case "shared": self = .shared
    case "refused": self = .refused
    case "duplicate": self = .duplicate
    default:
      let parts = rawValue.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[1].isEmpty else { return nil }
      switch parts[0] {
      case "held": self = .held(code: String(parts[1]))
      case "set-aside": self = .setAside(code: String(parts[1]))
      case "discarded": self = .discarded(code: String(parts[1]))
      default: return nil
      }
    }
  }
}

extension Intake.State {
  /// Stable, for logs and metrics; for `ended` the ending's own word.
  package var word: String {
    switch self {
    case .received: "received"
    case .opened: "opened"
    case .identified: "identified"
    case .decided: "decided"
    case .ready: "ready"
    case .ended(let ending): ending.word
    case .recognised: "recognised"
    case .left: "left"
    }
  }
}

/// Why Intake itself holds a message, sets it aside or leaves it.
package enum IntakeReason: String, Error, Sendable, Codable, CaseIterable, CustomStringConvertible {
  case conflict = "INTK-001"
  case unknownType = "INTK-002"
  case triedTooOften = "INTK-003"
  case personNotKnown = "INTK-004"
  case personAmbiguous = "INTK-005"
  case signedAhead = "INTK-006"
  case signedLongAgo = "INTK-007"
  case revocationListStale = "INTK-008"
  case staleTooOften = "INTK-009"
  case outOfOrder = "INTK-010"
  case interrupted = "INTK-011"
  case carrierReport = "INTK-012"
  case signerWithdrawn = "INTK-013"

  package var code: String { rawValue }

  package var turn: Turn {
    switch self {
    case .conflict, .unknownType, .signedAhead: .sender
    case .triedTooOften, .personNotKnown, .personAmbiguous, .signedLongAgo, .revocationListStale,
      .carrierReport, .signerWithdrawn:
      .operator
    case .staleTooOften, .interrupted: .network
    case .outOfOrder: .us
    }
  }

  /// The code, what happened and what comes next.
  package var description: String {
    let text =
      switch self {
      case .conflict:
        "the sender used this id before for other content; set aside, the first one stands"
      case .unknownType: "no rulebook knows this type; set aside"
      case .triedTooOften: "handling it failed to finish three times; set aside as it came"
      case .personNotKnown: "no case is known for this person; held until one is registered"
      case .personAmbiguous: "the identifiers fit more than one case; held for a person to settle"
      case .signedAhead: "signed more than 15 minutes in the future; the sender's clock is wrong"
      case .signedLongAgo: "signed more than 10 days ago, or not dated; held for a person"
      case .revocationListStale: "the signer's revocation list is out of date; held for a new one"
      case .staleTooOften: "case or rules changed at each of five tries; the next poll tries again"
      case .outOfOrder: "a step came out of turn; nothing was committed, the next poll tries again"
      case .carrierReport: "a carrier reports that something was not collected; kept for a person"
      case .signerWithdrawn:
        "the signer's certificate was revoked or unpinned since it was verified; held for a person"
      case .interrupted: "stopped on the way; nothing was committed, the next poll tries again"
      }
    return "\(rawValue) \(text)"
  }
}
