import Exchange
import Logging
import Rules
import Seal
import Store

/// From an opened message to sealed copies.
extension IntakePipeline {
  /// Whether the sender used this id before; whose case it is; what it answers.
  func identify(
    _ intake: inout Intake, _ passage: inout IntakePassage
  ) async throws -> Intake.Action {
    guard let (notification, verdict) = passage.opened else { return intake.interrupted() }
    // What an earlier try decided rested on a case that has moved since.
    (passage.decision, passage.deliveries, passage.deadlines) = (nil, [], [])
    if !passage.wasHeld {
      switch try await store.notificationKnown(
        source: notification.source, event: notification.id, contentDigest: verdict.contentDigest)
      {
      case .new: break
      case .same(let first) where first == passage.message.exchange: break
      case .same(let first):
        passage.firstExchange = first
        return intake.duplicate(sameContent: true)
      case .different: return intake.duplicate(sameContent: false)
      }
    }
    guard mayRelyOn(verdict, passage) else {
      log.error(
        "signer withdrawn since",
        metadata: [
          "code": "\(IntakeReason.signerWithdrawn.code)", "party": "\(verdict.signer)",
          "exchange": "\(passage.message.exchange)",
        ])
      return intake.signerWithdrawn()
    }
    passage.answered = nil
    if let delivery = notification.correlationID.flatMap({ DeliveryID($0.text) }) {
      passage.answered = try await store.answered(delivery: delivery, by: notification.source)
    }
    return try await person(&intake, &passage, notification)
  }

  /// Certificates and lists may have changed since the message was verified.
  private func mayRelyOn(_ verdict: Verdict, _ passage: IntakePassage) -> Bool {
    passage.message.confirmations.contains(IntakeReason.signerWithdrawn.rawValue)
      || (!passage.wasHeld && passage.regime.sealer === passage.openedBy)
      || passage.regime.sealer.stillStands(verdict)
  }

  private func person(
    _ intake: inout Intake, _ passage: inout IntakePassage, _ notification: Notification
  ) async throws -> Intake.Action {
    let policy = passage.regime.policy
    let identifiers = policy.identifiers(in: notification)
    let match = try await store.findCase(by: identifiers)
    (passage.person, passage.isUncertain) = (.unknown(identifiers), false)
    switch match {
    case .one(let snapshot):
      passage.person = .known(snapshot, identifiers)
      return intake.identified()
    case .conflict:
      return intake.unidentified(ambiguous: true)
    case .uncertain, .none:
      if let snapshot = try await knownOtherwise(passage, notification) {
        guard snapshot.agrees(with: match, identifiers) else {
          return intake.unidentified(ambiguous: true)
        }
        passage.person = .known(snapshot, identifiers)
        return intake.identified()
      }
      if case .uncertain(let id) = match, policy.isUrgent(notification.type) {
        // Those who deal with whoever has that identifier are told, and told that it is uncertain:
        // waiting for a second identifier could cost more than asking (MAPPA Guidance 15.7, 15.8).
        passage.person = .known(try await store.subjectCase(id), [])
        passage.isUncertain = true
        return intake.unidentified(ambiguous: true)
      }
      let rule = policy.rulebook.types[notification.type]
      // An answer is known by what it answers: the rules refuse one that answers nothing.
      if rule?.answers.isEmpty == false { return intake.identified() }
      guard rule?.registersCase == true else {
        return intake.unidentified(ambiguous: match != .none)
      }
      // Known by one identifier alone: neither somebody new nor surely that person.
      guard match == .none else { return intake.unidentified(ambiguous: true) }
      passage.person = .new(CaseID.random(), identifiers)
      return intake.identified()
    }
  }

  /// By the reference of what it answers, or by the reference that Sallyport gave this party.
  private func knownOtherwise(
    _ passage: IntakePassage, _ notification: Notification
  ) async throws -> CaseSnapshot? {
    if let caseID = passage.answered?.caseID {
      return try await store.subjectCase(caseID)
    }
    return try await store.caseOf(subject: notification.subject, knownTo: notification.source)
  }

  func decide(
    _ intake: inout Intake, _ passage: inout IntakePassage, flags: Set<Intake.Flag>
  ) -> Intake.Action {
    guard let (notification, _) = passage.opened else { return intake.interrupted() }
    var flags = flags
    let decision = passage.regime.policy.decide(
      DecisionRequest(
        notification: notification, facts: passage.person.facts,
        answered: passage.answered?.answered, now: now(),
        confirmations: passage.message.confirmations)
    )
    // It never replaces the newer fact; whoever is told of it must know that it is not the latest word.
    let known = passage.person.facts?.facts ?? [:]
    let isOlder = decision.factChanges.contains { change in
      known[change.name].map { $0.time > notification.time } ?? false
    }
    if isOlder {
      flags.insert(.olderThanKnown)
    }
    let noted = decision.flagged(flags, keepingFacts: !passage.isUncertain)
    passage.decision = noted
    passage.flags = flags
    switch noted.outcome {
    case .shared: return intake.decided(.shared)
    case .refused: return intake.decided(.refused)
    case .held: return intake.decided(.held(code: noted.reasons.first?.rule ?? "held"))
    }
  }

  /// Makes one sealed copy a recipient, and the deadlines that start with them.
  func seal(_ intake: inout Intake, _ passage: inout IntakePassage) -> Intake.Action {
    guard let (notification, _) = passage.opened, let decision = passage.decision else {
      return intake.interrupted()
    }
    let regime = passage.regime
    passage.deliveries = []
    passage.deadlines = []
    var failure: SealError?
    for copy in regime.policy.permitted(decision, notification) {
      guard let recipient = decision.recipients.first(where: { $0.party == copy.recipient }) else {
        continue
      }
      let sealing = CopySealing(
        notification: notification, exchange: passage.message.exchange, decision: decision,
        recipient: recipient, answered: passage.answered, flags: passage.flags, regime: regime,
        moment: now())
      do {
        let delivery = try sealing.delivery(of: copy, subject: subject(for: copy, passage))
        passage.deliveries.append(delivery)
        if let deadline = sealing.deadline(for: delivery) { passage.deadlines.append(deadline) }
      } catch {
        log.error(
          "copy could not be sealed",
          metadata: [
            "code": "\(error.code)", "party": "\(copy.recipient)",
            "exchange": "\(passage.message.exchange)",
          ])
        failure = error
      }
    }
    // An urgent notice goes to everybody whom it can reach; the alarm above names who must be told by
    // other means. Any other waits, whole, until everybody can be served.
    if let failure, !decision.urgent || passage.deliveries.isEmpty {
      return intake.sealingFailed(code: failure.code)
    }
    guard failure != nil || passage.deliveries.count == decision.recipients.count else {
      return intake.sealingFailed(code: IntakeReason.outOfOrder.rawValue)
    }
    return intake.sealed()
  }

  /// The reference by which this recipient, and nobody else, knows the person.
  private func subject(for copy: PermittedCopy, _ passage: IntakePassage) -> SubjectReference {
    switch passage.person {
    case .new(let id, _): store.subjectReference(of: id, for: copy.recipient)
    case .known(let snapshot, _): store.subjectReference(of: snapshot.id, for: copy.recipient)
    // Nobody yet: a reference that stands for this notification alone.
    case .unknown: store.subjectReference(of: passage.message.exchange, for: copy.recipient)
    }
  }
}

extension CaseSnapshot {
  /// Whether a case that was found by a reference can be whom the identifiers mean. If they name another
  /// case, or this one has another value of one of them, somebody has mixed up two people.
  fileprivate func agrees(with match: CaseMatch, _ identifiers: [PersonIdentifier]) -> Bool {
    if case .uncertain(let other) = match, other != id { return false }
    return identifiers.allSatisfy { identifier in
      guard let known = facts[identifier.kind.rawValue]?.string else { return true }
      return PersonIdentifier(kind: identifier.kind, value: known) == identifier
    }
  }
}

extension Decision {
  /// With what was noted on the way, for recipients, auditors and `explain`.
  ///
  /// - Parameter keepingFacts: false where it is not sure whose facts they are.
  func flagged(_ flags: Set<Intake.Flag>, keepingFacts: Bool) -> Decision {
    guard !flags.isEmpty || !keepingFacts else { return self }
    let notes = flags.sorted { $0.rawValue < $1.rawValue }.map { flag in
      Reason(
        rule: Decision.flagPrefix + flag.rawValue, source: "MAPPA Guidance 15.7, 15.8",
        text: "noted for recipients: \(flag.rawValue.replacing("-", with: " "))")
    }
    return Decision(
      outcome: outcome, type: type, sender: sender, reasons: reasons + notes, purpose: purpose,
      basis: basis, recipients: recipients, factChanges: keepingFacts ? factChanges : [],
      registersCase: registersCase, answersDeadline: answersDeadline,
      unknownFields: unknownFields, urgent: urgent, rulebookDigest: rulebookDigest,
      agreementDigest: agreementDigest)
  }

  /// What was noted so.
  var flags: Set<Intake.Flag> {
    Set(
      reasons.filter { $0.rule.hasPrefix(Decision.flagPrefix) }
        .compactMap { Intake.Flag(rawValue: String($0.rule.dropFirst(Decision.flagPrefix.count))) })
  }

  private static let flagPrefix = "FLAG-"
}
