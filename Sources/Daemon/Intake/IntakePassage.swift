import Exchange
import Rules
import Seal
import Store

/// What one message has gathered on its way so far.
struct IntakePassage {
  let message: ArrivedMessage
  /// The rules and keys that this try goes by.
  var regime: Regime
  let attempt: Int
  var opened: (notification: Notification, verdict: Verdict)?
  /// By whose keys and lists it was verified now; nil where that was earlier.
  var openedBy: Sealer?
  /// Why it could not be opened.
  var problem: SealError?
  /// The exchange was held; this is another decision upon it.
  var wasHeld = false
  /// What brought it up, as far as this look has seen it.
  var lookAgainSeen = 0
  var firstExchange: ExchangeID?
  var person = Person.unknown([])
  /// One identifier alone fits the case: an urgent notice goes by it, and sets no facts.
  var isUncertain = false
  var answered: AnsweredExchange?
  var decision: Decision?
  /// What recipients must know about it.
  var flags: Set<Intake.Flag> = []
  var deliveries: [NewDelivery] = []
  var deadlines: [NewDeadline] = []

  enum Person {
    /// Nobody is known by these identifiers, or by too few of them.
    case unknown([PersonIdentifier])
    /// A case begins with this notification.
    case new(CaseID, [PersonIdentifier])
    case known(CaseSnapshot, [PersonIdentifier])

    var facts: CaseFacts? {
      switch self {
      case .unknown: nil
      case .new: CaseFacts()
      case .known(let snapshot, _): snapshot.facts
      }
    }
  }

  var handedInBy: PartyID? { message.handedInBy }

  init(message: ArrivedMessage, regime: Regime, attempt: Int) {
    (self.message, self.regime, self.attempt) = (message, regime, attempt)
  }

  /// What the commit writes.
  func record(_ ending: Intake.Ending, at now: Instant) -> IntakeRecord {
    IntakeRecord(
      exchange: message.exchange, carrier: message.carrier, receivedAt: message.receivedAt,
      recordedAt: now, original: message.bytes, outcome: outcome(ending),
      receipt: receipt(ending), lookAgainSeen: lookAgainSeen)
  }

  private func outcome(_ ending: Intake.Ending) -> IntakeRecord.Outcome {
    switch ending {
    // No message comes in as discarded; a person says so.
    case .setAside(let code), .discarded(let code):
      return .setAside(code: code, sender: opened?.notification.source)
    case .duplicate:
      guard let opened, let firstExchange else {
        return .setAside(code: IntakeReason.outOfOrder.rawValue, sender: nil)
      }
      return .duplicate(of: firstExchange, sender: opened.notification.source)
    case .held(let code):
      guard let opened else { return .setAside(code: code, sender: nil) }
      // A hold by the rules is a decision with its reasons; other holds came before one.
      if let decision, decision.outcome == .held { return .decided(decided(opened, decision)) }
      return .held(code: code, held(opened))
    case .shared, .refused:
      guard let opened, let decision else {
        return .setAside(code: IntakeReason.outOfOrder.rawValue, sender: nil)
      }
      return .decided(decided(opened, decision))
    }
  }

  private func held(_ opened: (notification: Notification, verdict: Verdict)) -> HeldRecord {
    switch person {
    case .known(let snapshot, _):
      HeldRecord(
        notification: opened.notification, verdict: opened.verdict, caseID: snapshot.id,
        caseVersion: snapshot.version, supersedesHeld: wasHeld)
    case .new(_, let identifiers), .unknown(let identifiers):
      HeldRecord(
        notification: opened.notification, verdict: opened.verdict, identifiers: identifiers,
        supersedesHeld: wasHeld)
    }
  }

  private func decided(
    _ opened: (notification: Notification, verdict: Verdict), _ decision: Decision
  ) -> DecidedRecord {
    let shared = decision.outcome == .shared
    // A registration that is sent again may bring identifiers that the case was not known by.
    let type = regime.policy.rulebook.types[decision.type]
    let registers = shared && type?.registersCase == true
    let subjectCase: DecidedRecord.Case =
      switch person {
      case .unknown(let identifiers): .unknown(identifiers)
      case .new(let id, let identifiers):
        // A case begins only with what was shared; a refused registration leaves none.
        shared ? .new(id, identifiers: identifiers) : .unknown(identifiers)
      case .known(let snapshot, let identifiers):
        .existing(
          snapshot.id, version: snapshot.version, newIdentifiers: registers ? identifiers : [])
      }
    return DecidedRecord(
      notification: opened.notification, verdict: opened.verdict, decision: decision,
      subjectCase: subjectCase, deliveries: shared ? deliveries : [],
      deadlines: shared ? deadlines : [],
      answers: shared && decision.answersDeadline ? answered?.delivery : nil,
      supersedesHeld: wasHeld)
  }
}
