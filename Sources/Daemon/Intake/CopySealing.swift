import Exchange
import Rules
import Seal
import Store

/// One recipient's copy on its way to becoming a delivery.
struct CopySealing {
  let notification: Notification
  let exchange: ExchangeID
  let decision: Decision
  let recipient: RecipientDecision
  /// What the notification answers.
  let answered: AnsweredExchange?
  /// What recipients must know about it.
  let flags: Set<Intake.Flag>
  let regime: Regime
  let moment: Instant

  private var calendar: WorkingCalendar { regime.calendar }

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
    let due = schedule?.due
    return try delivery(of: copy, subject: subject, answerDue: due, expiresAt: expiry(due: due))
  }

  /// A copy that takes the place of another: its limits stay.
  func replacement(
    of copy: PermittedCopy, for old: DeliveryCopy, subject: SubjectReference
  ) throws(SealError) -> NewDelivery {
    try delivery(
      of: copy, subject: subject, answerDue: old.delivery.answerDue,
      expiresAt: old.delivery.expiresAt, localID: old.localID)
  }

  private func delivery(
    of copy: PermittedCopy, subject: SubjectReference, answerDue: Due?, expiresAt: Instant,
    localID: String? = nil
  ) throws(SealError) -> NewDelivery {
    let id = DeliveryID.random()
    let collectDue = Due.day(calendar.day(1, workingDaysAfter: moment.londonDate).day)
    let outbound = OutboundNotification(
      permitted: copy, of: notification, delivery: id, subject: subject,
      correlationID: correlation, answerBy: answerDue?.day, decision: exchange,
      policyDigest: "\(decision.rulebookDigest) \(decision.agreementDigest)",
      purpose: decision.purpose, basis: decision.basis, flags: Array(flags))
    let sealed = try regime.sealer.seal(outbound, now: moment)
    return NewDelivery(
      delivery: Delivery(
        id: id, recipient: copy.recipient, answerDue: answerDue, expiresAt: expiresAt),
      sealed: sealed, collectDue: collectDue,
      workflow: decision.answersDeadline ? Workflow.acknowledgement : Workflow.notice,
      releasedFields: copy.fields.keys.sorted(), localID: localID)
  }

  /// A copy lies in its mailbox until 30 days after its answer is due, and no longer than the sender
  /// wants it delivered or the restriction in it lasts (RET-02, MAPPA Guidance 3.38).
  private func expiry(due: Due?) -> Instant {
    let standard = (due?.limit ?? moment) + .seconds(30 * 86_400)
    let restrictionEnd = decision.factChanges.first { $0.name == "restrictionEndDate" }
      .flatMap { $0.value.string.flatMap { CivilDate($0) } }
      .map { Instant(startOf: $0.adding(days: 1)) }
    return [standard, notification.expiryTime, restrictionEnd].compactMap { $0 }.min() ?? standard
  }

  /// What is answered, as the recipient knows it: its own event.
  private var correlation: EventID? {
    guard let answered, answered.sender == recipient.party else { return nil }
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
