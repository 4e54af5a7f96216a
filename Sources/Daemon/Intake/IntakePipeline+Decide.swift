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
    passage.answered = nil
    if let delivery = notification.correlationID.flatMap({ DeliveryID($0.text) }) {
      passage.answered = try await store.answered(delivery: delivery, by: notification.source)
    }
    return try await person(&intake, &passage, notification)
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
        decision: decision, recipient: recipient, passage: passage, moment: now())
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

/// One recipient's copy on its way to becoming a delivery.
private struct CopySealing {
  let decision: Decision
  let recipient: RecipientDecision
  let passage: IntakePassage
  let moment: Instant

  private var calendar: WorkingCalendar { passage.regime.calendar }

  /// The recipient's last day, counted from the commit: the copy lies in its mailbox from then on.
  private var schedule: DeadlineSchedule? {
    guard let answer = recipient.answer, let kind = answer.by.first else { return nil }
    // Nobody is reminded or told of a missed answer yet but the operator, so no state may say so.
    let definition = DeadlineDefinition(
      kind: kind, counting: .after(answer.workingDays, .workingDays), reminders: [],
      escalations: [])
    return calendar.schedule(definition, event: .happened(at: moment), knownAt: moment)
  }

  func delivery(
    of copy: PermittedCopy, subject: SubjectReference
  ) throws(SealError) -> NewDelivery {
    guard let notification = passage.opened?.notification else { throw SealError.notSigned }
    let id = DeliveryID.random()
    let due = schedule?.due
    let collectDue = Due.day(calendar.day(1, workingDaysAfter: moment.londonDate).day)
    let outbound = OutboundNotification(
      permitted: copy, of: notification, delivery: id, subject: subject,
      correlationID: correlation, answerBy: due?.day, decision: passage.message.exchange,
      policyDigest: "\(decision.rulebookDigest) \(decision.agreementDigest)",
      purpose: decision.purpose, basis: decision.basis, flags: Array(passage.flags))
    let sealed = try passage.regime.sealer.seal(outbound, now: moment)
    return NewDelivery(
      delivery: Delivery(
        id: id, recipient: copy.recipient, answerDue: due, expiresAt: expiry(due: due)),
      sealed: sealed, collectDue: collectDue,
      workflow: decision.answersDeadline ? Workflow.acknowledgement : Workflow.notice,
      releasedFields: copy.fields.keys.sorted())
  }

  /// A copy lies in its mailbox until 30 days after its answer is due, and no longer than the sender
  /// wants it delivered or the restriction in it lasts (RET-02, MAPPA Guidance 3.38).
  private func expiry(due: Due?) -> Instant {
    let standard = (due?.limit ?? moment) + .seconds(30 * 86_400)
    let restrictionEnd = decision.factChanges.first { $0.name == "restrictionEndDate" }
      .flatMap { $0.value.string.flatMap { CivilDate($0) } }
      .map { Instant(startOf: $0.adding(days: 1)) }
    return [standard, passage.opened?.notification.expiryTime, restrictionEnd]
      .compactMap { $0 }.min() ?? standard
  }

  /// What is answered, as the recipient knows it: its own event.
  private var correlation: EventID? {
    guard let answered = passage.answered, answered.sender == recipient.party else { return nil }
    return answered.event
  }

  func deadline(for delivery: NewDelivery) -> NewDeadline? {
    guard let answer = recipient.answer, let kind = answer.by.first, let schedule else {
      return nil
    }
    return NewDeadline(
      deadline: Deadline(
        kind: kind, owedBy: recipient.party, owedTo: decision.sender, schedule: schedule),
      delivery: delivery.delivery.id)
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
        rule: "FLAG-\(flag.rawValue)", source: "MAPPA Guidance 15.7, 15.8",
        text: "noted for recipients: \(flag.rawValue.replacing("-", with: " "))")
    }
    return Decision(
      outcome: outcome, type: type, sender: sender, reasons: reasons + notes, purpose: purpose,
      basis: basis, recipients: recipients, factChanges: keepingFacts ? factChanges : [],
      registersCase: registersCase, answersDeadline: answersDeadline,
      unknownFields: unknownFields, urgent: urgent, rulebookDigest: rulebookDigest,
      agreementDigest: agreementDigest)
  }
}
