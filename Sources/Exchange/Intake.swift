/// One message's way from received bytes to its end.
///
///     received ──opened──▶ opened ──identified──▶ identified ──decided──▶ decided ──sealed──▶ ready
///        │                   ▲                        │                     │               │  │
///        │ recognised        └──────────stale─────────┴─────────────────────┴───────────────┘  │
///        ▼                                                                          committed ▼
///     recognised                                                                           ended
///
///     any unfinished state ──duplicate, held, refused, set aside──▶ ready
///     any unfinished state ──interrupted, stale too often, out of order──▶ left
///
/// The pipeline does what the last action says, and reports what came of it as the next event. Nothing is
/// acknowledged upstream before `committed`. A message that is `left` was neither committed nor
/// acknowledged: the next poll lists it again, and a new Intake begins.
package struct Intake: Equatable, Sendable {
  /// Where the bytes came from: says whether anybody upstream waits for an acknowledgement.
  package enum Origin: String, Sendable, Codable, CaseIterable {
    /// Polled from an agency's inbox.
    case inbox
    /// Put into our hosted mailbox; committed as it came, before the sender had its answer.
    case mailbox
    /// From our own store: released after a hold, or put again by an operator.
    case store
  }

  package enum State: Equatable, Sendable {
    /// Bytes at hand, not looked into. Goes to `opened`, `ready`, `recognised` or `left`.
    case received
    /// Verified and parsed, or a hold released. Goes to `identified`, `ready` or `left`.
    case opened
    /// Whom it is about is settled. Goes to `decided`, `ready`, back to `opened`, or to `left`.
    case identified
    /// Something may be shared. Goes to `ready`, back to `opened`, or to `left`.
    case decided
    /// All is at hand for the commit. Goes to `ended`, `opened`, another `ready`, or `left`.
    case ready(Ending)
    /// Committed. A hold that is released goes to `opened`; what is put again goes to `received`.
    case ended(Ending)
    /// A carrier id that the store already has, listed again: nothing to do but acknowledge.
    case recognised
    /// Given up for now, without a trace but the log's.
    case left
  }

  /// What the pipeline does next.
  package enum Action: Equatable, Sendable {
    case open
    case identify
    /// Decide by the rules; the flags go into the decision and to the recipients.
    case decide(flags: Set<Flag>)
    case seal
    /// Write message, facts, decision, deliveries, deadlines, receipt and ledger entry in one commit.
    case commit(Ending)
    case acknowledgeUpstream
    case leave(IntakeReason)
    case none
  }

  /// What a recipient must know about a message that went on although something was not in order.
  package enum Flag: String, Sendable, Codable, CaseIterable {
    case revocationListStale = "revocation-list-stale"
    case signedLongAgo = "signed-long-ago"
    case personNotKnown = "person-not-known"
    case personAmbiguous = "person-ambiguous"
    /// A newer word on the same is on record already: this one arrived late.
    case olderThanKnown = "older-than-known"
  }

  /// What opening found.
  package struct Opened: Equatable, Sendable {
    /// The signing-time attribute; nil when the signature has none.
    package let signedAt: Instant?
    /// The notification's own time: facts go by it, so one from the future would freeze them.
    package let statedAt: Instant
    package let isKnownType: Bool
    /// Urgent types are never held for age, a stale revocation list or an unknown person.
    package let isUrgent: Bool
    package let revocation: Verdict.Revocation

    package init(
      signedAt: Instant?, statedAt: Instant, isKnownType: Bool, isUrgent: Bool,
      revocation: Verdict.Revocation
    ) {
      self.signedAt = signedAt
      self.statedAt = statedAt
      self.isKnownType = isKnownType
      self.isUrgent = isUrgent
      self.revocation = revocation
    }
  }

  package enum Outcome: Equatable, Sendable {
    /// At least one recipient is told at least something.
    case shared
    case refused
    /// A guard waits; the code is the rule's (`JCP-03`).
    case held(code: String)
  }

  /// Tries at opening after which a message is set aside unopened: it may be what ends the process.
  package static let maximumAttempts = 3
  /// How often one message is decided again because case or rules changed meanwhile.
  package static let maximumRestarts = 5
  /// How far ahead of ours the signer's clock may be.
  package static let signedAhead = Duration.seconds(15 * 60)
  /// A message signed longer ago is held for a person: carriers keep messages for days.
  package static let signedAgo = Duration.seconds(10 * 86_400)

  package let origin: Origin
  package private(set) var state: State
  package private(set) var isUrgent = false
  package private(set) var flags: Set<Flag> = []
  private var restarts = 0
  /// Whether the ending would be another if case or rules had changed.
  private var restsOnCase = false

  /// A message just taken from an inbox or a mailbox.
  package init(origin: Origin) { (self.origin, state) = (origin, .received) }

  /// A message as the store kept it.
  package init(ended: Ending, isUrgent: Bool) {
    (origin, state, self.isUrgent) = (.store, .ended(ended), isUrgent)
  }
}

// Events before the decision.
extension Intake {
  /// The first event: this is the `number`th try at this message, counted from 1 and kept durably.
  package mutating func attempted(_ number: Int) -> Action {
    switch state {
    case .received where number < Intake.maximumAttempts: return .open
    case .received: return commit(.setAside(code: IntakeReason.triedTooOften.rawValue))
    case .opened, .identified, .decided, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// The store has this carrier id of this inbox: an earlier acknowledgement was lost.
  package mutating func recognised() -> Action {
    switch state {
    case .received:
      state = .recognised
      return acknowledgement
    case .opened, .identified, .decided, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// Signature, signer, chain, revocation and audience held, and the content was parsed.
  package mutating func opened(_ facts: Opened, at now: Instant) -> Action {
    switch state {
    case .received:
      isUrgent = facts.isUrgent
      guard facts.isKnownType else { return commit(setAside: .unknownType) }
      if max(facts.signedAt ?? facts.statedAt, facts.statedAt) > now + Intake.signedAhead {
        return commit(setAside: .signedAhead)
      }
      if facts.revocation == .stale {
        guard isUrgent else { return commit(held: .revocationListStale) }
        flags.insert(.revocationListStale)
      }
      if facts.signedAt.map({ $0 < now - Intake.signedAgo }) ?? true {
        guard isUrgent else { return commit(held: .signedLongAgo) }
        flags.insert(.signedLongAgo)
      }
      state = .opened
      return .identify
    case .opened, .identified, .decided, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// It could not be decrypted, verified or parsed. The code is Seal's or the notification's.
  package mutating func refusedToOpen(code: String) -> Action {
    switch state {
    case .received: return commit(.setAside(code: code))
    case .opened, .identified, .decided, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// The sender has used this id before. Comes from a look-up, or as late as from the commit itself.
  package mutating func duplicate(sameContent: Bool) -> Action {
    switch state {
    case .received: return outOfOrder()
    case .opened, .identified, .decided, .ready:
      let ending =
        sameContent ? Ending.duplicate : .setAside(code: IntakeReason.conflict.rawValue)
      // The commit of a duplicate cannot meet the same objection for ever.
      return state == .ready(ending) ? commitAgain(ending) : commit(ending)
    case .ended, .recognised, .left: return .none
    }
  }

  /// Since it was verified its signer's certificate was revoked or unpinned: whoever has the key may have
  /// written it. Held, however urgent.
  package mutating func signerWithdrawn() -> Action {
    switch state {
    case .opened: return commit(held: .signerWithdrawn)
    case .received, .identified, .decided, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// The case is known, or the notification is the one that begins it.
  package mutating func identified() -> Action {
    switch state {
    case .opened:
      state = .identified
      restsOnCase = true
      return .decide(flags: flags)
    case .received, .identified, .decided, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// No case, or several. An urgent type goes to those it names by area, flagged; others wait.
  package mutating func unidentified(ambiguous: Bool) -> Action {
    switch state {
    case .opened:
      restsOnCase = true
      guard isUrgent else { return commit(held: ambiguous ? .personAmbiguous : .personNotKnown) }
      flags.insert(ambiguous ? .personAmbiguous : .personNotKnown)
      state = .identified
      return .decide(flags: flags)
    case .received, .identified, .decided, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }
}

// Events from the decision on.
extension Intake {
  package mutating func decided(_ outcome: Outcome) -> Action {
    switch state {
    case .identified:
      switch outcome {
      case .shared:
        state = .decided
        return .seal
      case .refused: return commit(.refused)
      case .held(let code): return commit(.held(code: code))
      }
    case .received, .opened, .decided, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// A copy for every recipient is sealed.
  package mutating func sealed() -> Action {
    switch state {
    case .decided: return commit(.shared)
    case .received, .opened, .identified, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// No copy could be sealed: a certificate has ended, a key is missing. Waits for an operator.
  package mutating func sealingFailed(code: String) -> Action {
    switch state {
    case .decided: return commit(.held(code: code))
    case .received, .opened, .identified, .ready: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// Case, rulebook or agreement is no longer what was decided upon; the commit did not happen.
  package mutating func stale() -> Action {
    switch state {
    case .identified, .decided: return identifyAgain()
    case .ready(let ending): return restsOnCase ? identifyAgain() : commitAgain(ending)
    case .received, .opened: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  package mutating func committed() -> Action {
    switch state {
    case .ready(let ending):
      state = .ended(ending)
      return acknowledgement
    case .received, .opened, .identified, .decided: return outOfOrder()
    case .ended, .recognised, .left: return .none
    }
  }

  /// The daemon stops, or the store cannot be reached.
  package mutating func interrupted() -> Action {
    switch state {
    case .received, .opened, .identified, .decided, .ready: return leave(.interrupted)
    case .ended, .recognised, .left: return .none
    }
  }

  /// What was held may go on: a person said so, or what it waited for came.
  ///
  /// After a stale revocation list it is verified anew: the new list may name the signer.
  ///
  /// - Parameter confirmed: codes that a person answered for, now or at an earlier hold.
  package mutating func released(confirmed: Set<String> = []) -> Action {
    switch state {
    case .ended(.held(IntakeReason.revocationListStale.rawValue)):
      (state, restarts, flags) = (.received, 0, [])
      return .open
    case .ended(.held(let code)):
      (state, restarts) = (.opened, 0)
      let longAgo = IntakeReason.signedLongAgo.rawValue
      flags = code == longAgo || confirmed.contains(longAgo) ? [.signedLongAgo] : []
      return .identify
    case .received, .opened, .identified, .decided, .ready: return outOfOrder()
    case .ended(.shared), .ended(.refused), .ended(.setAside), .ended(.duplicate),
      .ended(.discarded), .recognised, .left:
      return .none
    }
  }

  /// An operator put it again, after the key, the rules or the program were mended.
  package mutating func requeued() -> Action {
    switch state {
    case .ended(.setAside), .ended(.refused), .ended(.held), .ended(.discarded):
      (state, restarts, flags, restsOnCase) = (.received, 0, [], false)
      return .open
    case .received, .opened, .identified, .decided, .ready: return outOfOrder()
    case .ended(.shared), .ended(.duplicate), .recognised, .left: return .none
    }
  }

  /// An operator closed what nobody will mend. `requeued` takes it up again.
  package mutating func discarded() -> Action {
    switch state {
    case .ended(.setAside(let code)), .ended(.held(let code)):
      state = .ended(.discarded(code: code))
      return .commit(.discarded(code: code))
    case .received, .opened, .identified, .decided, .ready: return outOfOrder()
    case .ended(.shared), .ended(.refused), .ended(.duplicate), .ended(.discarded), .recognised,
      .left:
      return .none
    }
  }
}

extension Intake {
  private var acknowledgement: Action { origin == .inbox ? .acknowledgeUpstream : .none }

  private mutating func commit(_ ending: Ending) -> Action {
    if case .setAside = ending { restsOnCase = false }
    if case .duplicate = ending { restsOnCase = false }
    state = .ready(ending)
    return .commit(ending)
  }

  private mutating func commit(held reason: IntakeReason) -> Action {
    commit(.held(code: reason.rawValue))
  }

  private mutating func commit(setAside reason: IntakeReason) -> Action {
    commit(.setAside(code: reason.rawValue))
  }

  private mutating func commitAgain(_ ending: Ending) -> Action {
    restarts += 1
    return restarts > Intake.maximumRestarts ? leave(.staleTooOften) : .commit(ending)
  }

  private mutating func identifyAgain() -> Action {
    restarts += 1
    guard restarts <= Intake.maximumRestarts else { return leave(.staleTooOften) }
    flags.subtract([.personNotKnown, .personAmbiguous])
    state = .opened
    return .identify
  }

  private mutating func leave(_ reason: IntakeReason) -> Action {
    state = .left
    return .leave(reason)
  }

  /// An event that its state cannot bring forth. Nothing is committed on it; the next poll begins anew.
  private mutating func outOfOrder() -> Action { leave(.outOfOrder) }
}
