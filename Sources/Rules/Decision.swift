package import Exchange

/// The outcome for one notification: who is told what, and why, or why nobody is.
///
/// It names fields and gives reasons, and holds no field's content but the values of the facts that it
/// sets: `summary` is without those too. Reasons are structured first and become text last.
package struct Decision: Equatable, Sendable {
  package enum Outcome: String, Sendable {
    case shared
    /// Waits for something; the reasons say for what.
    case held
    case refused
  }

  package let outcome: Outcome
  package let type: NotificationType
  package let sender: PartyID
  /// Why it is held or refused, or what was noted when it was shared.
  package let reasons: [Reason]
  package let purpose: String
  package let basis: String
  package let recipients: [RecipientDecision]
  /// What the case's facts become when this is committed; empty unless shared.
  package let factChanges: [FactChange]
  /// Whether this brings a case into being (`case.registered`).
  package let registersCase: Bool
  /// Whether the deadline of the notification that this answers is met by it.
  package let answersDeadline: Bool
  /// How many fields of `data` the rulebook does not know. Their names are the sender's and not kept.
  package let unknownFields: Int
  package let urgent: Bool
  /// `sha256:` and lower-case hex.
  package let rulebookDigest: String
  package let agreementDigest: String

  package init(
    outcome: Outcome, type: NotificationType, sender: PartyID, reasons: [Reason], purpose: String,
    basis: String, recipients: [RecipientDecision], factChanges: [FactChange], registersCase: Bool,
    answersDeadline: Bool, unknownFields: Int, urgent: Bool, rulebookDigest: String,
    agreementDigest: String
  ) {
    self.outcome = outcome
    self.type = type
    self.sender = sender
    self.reasons = reasons
    self.purpose = purpose
    self.basis = basis
    self.recipients = recipients
    self.factChanges = factChanges
    self.registersCase = registersCase
    self.answersDeadline = answersDeadline
    self.unknownFields = unknownFields
    self.urgent = urgent
    self.rulebookDigest = rulebookDigest
    self.agreementDigest = agreementDigest
  }
}

/// Why: a rule, where it stands, and plain words that hold nothing of the person.
package struct Reason: Equatable, Sendable {
  /// A rule id of the catalogue (`JCP-02`) or of the rulebook.
  package let rule: String
  /// Where it comes from: `MAPPA Guidance 3.25`.
  package let source: String
  package let text: String

  package init(rule: String, source: String, text: String) {
    (self.rule, self.source, self.text) = (rule, source, text)
  }

  package var json: JSONValue {
    ["rule": .string(rule), "source": .string(source), "text": .string(text)]
  }

  package init?(json: JSONValue) {
    guard let rule = json["rule"]?.string, let source = json["source"]?.string,
      let text = json["text"]?.string
    else { return nil }
    self.init(rule: rule, source: source, text: text)
  }
}

/// What one recipient is told.
package struct RecipientDecision: Equatable, Sendable {
  package let party: PartyID
  /// Which relation to the case needs it told: `police of the release area`.
  package let relation: String
  package let reason: Reason
  /// One for each field of the notification that the rulebook knows, in the rulebook's order.
  package let fields: [FieldDecision]
  /// The answer that the recipient owes.
  package let answer: AnswerDue?

  package init(
    party: PartyID, relation: String, reason: Reason, fields: [FieldDecision], answer: AnswerDue?
  ) {
    self.party = party
    self.relation = relation
    self.reason = reason
    self.fields = fields
    self.answer = answer
  }

  package var released: [String] { fields.filter { $0.outcome == .released }.map(\.field) }
}

/// What happens to one field on its way to one recipient.
package struct FieldDecision: Equatable, Sendable {
  package enum Outcome: String, Sendable, CaseIterable {
    case released
    /// No rule releases it to this recipient: not permitted.
    case noRule = "no-rule"
    /// A source forbids it to this recipient.
    case forbidden
    case conditionFalse = "condition-false"
    case limitedAccess = "limited-access"
    case expired
  }

  package let field: String
  package let outcome: Outcome
  package let reason: Reason

  package init(field: String, outcome: Outcome, reason: Reason) {
    (self.field, self.outcome, self.reason) = (field, outcome, reason)
  }
}

/// An answer owed by a recipient, counted from when the copy lay in its mailbox.
package struct AnswerDue: Equatable, Sendable {
  package let workingDays: Int
  /// The types that answer it: `mappa-j.acknowledged`.
  package let by: [NotificationType]
  package let source: String
  /// To whom a missed answer goes.
  package let escalateTo: [String]

  package init(workingDays: Int, by: [NotificationType], source: String, escalateTo: [String]) {
    (self.workingDays, self.by, self.source, self.escalateTo) = (
      workingDays, by, source, escalateTo
    )
  }
}

/// What the rules are asked.
package struct DecisionRequest: Sendable {
  package let notification: Notification
  /// What is known of the person; nil when nobody is known by the identifiers.
  package let facts: CaseFacts?
  /// The notification that this one answers, by its `correlationid`.
  package let answered: AnsweredNotification?
  package let now: Instant
  /// What a person has since confirmed for this exchange (free text, for example): rule ids.
  package let confirmations: Set<String>

  package init(
    notification: Notification, facts: CaseFacts?, answered: AnsweredNotification?, now: Instant,
    confirmations: Set<String> = []
  ) {
    self.notification = notification
    self.facts = facts
    self.answered = answered
    self.now = now
    self.confirmations = confirmations
  }
}

/// The earlier notification that an answer answers: found by the delivery id that its recipient holds.
package struct AnsweredNotification: Equatable, Sendable {
  package let type: NotificationType
  /// Who sent it, and now gets the answer.
  package let sender: PartyID
  /// To whom it was delivered: only that party can answer it.
  package let recipient: PartyID
  /// Its fields: an answer names what it answers by one of them.
  package let data: [String: JSONValue]

  package init(
    type: NotificationType, sender: PartyID, recipient: PartyID, data: [String: JSONValue] = [:]
  ) {
    (self.type, self.sender, self.recipient, self.data) = (type, sender, recipient, data)
  }
}
