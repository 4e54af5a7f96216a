package import Exchange

/// Rulebook and agreement compiled into tables: answers who may be told what, and why.
///
/// Pure and total: the same request gets the same decision, and no request is without one.
package struct Policy: Sendable {
  package let rulebook: Rulebook
  package let agreement: Agreement
  /// `sha256:` and lower-case hex over both digests: goes with every copy.
  package let digest: String

  let tables: [NotificationType: TypeTable]
  private let byID: [String: PartyEntry]
  private let byMailbox: [MailboxID: PartyEntry]
  private let byService: [Service: [PartyEntry]]

  private struct Service: Hashable {
    let role: Role
    let area: String
  }

  /// Checks the agreement against the rulebook; reports every mistake together.
  package init(rulebook: Rulebook, agreement: Agreement) throws(PolicyProblems) {
    self.rulebook = rulebook
    self.agreement = agreement
    digest = digestOf([
      (name: "rulebook", text: rulebook.digest), (name: "agreement", text: agreement.digest),
    ])
    let problems = ProblemList()
    byID = Dictionary(agreement.parties.map { ($0.id.text, $0) }) { first, _ in first }
    byMailbox = Dictionary(agreement.parties.map { ($0.mailbox, $0) }) { first, _ in first }
    var services: [Service: [PartyEntry]] = [:]
    for party in agreement.parties {
      for area in Set(party.serves) {
        services[Service(role: party.role, area: area), default: []].append(party)
      }
    }
    byService = services
    let byArea = rulebook.types.values.reduce(into: Set<Role>()) { roles, rule in
      for recipient in rule.recipients where recipient.relation.byArea {
        roles.formUnion(recipient.roles)
      }
    }
    for (service, parties) in services where parties.count > 1 && byArea.contains(service.role) {
      problems.add(
        .areaTwice, at: Place(file: agreement.file, line: 0),
        "\(parties.map(\.id.text).sorted().joined(separator: " and ")) both serve \(service.area) as "
          + "\(service.role.rawValue): a notice for that area must have one reader (ACC-04)")
    }
    agreement.check(against: rulebook, problems: problems)
    try problems.throwIfAny()
    tables = rulebook.types.mapValues {
      TypeTable($0, rulebook: rulebook, agreement: agreement)
    }
  }

  package var parties: [PartyEntry] { agreement.parties }
  package func party(_ id: PartyID) -> PartyEntry? { byID[id.text] }
  /// By the text of an id, as facts and fields have it.
  func party(named text: String) -> PartyEntry? { byID[text] }
  package func party(mailbox: MailboxID) -> PartyEntry? { byMailbox[mailbox] }

  /// The parties of a role that serve an area.
  func parties(of role: Role, serving area: String) -> [PartyEntry] {
    byService[Service(role: role, area: area)] ?? []
  }

  package func knows(_ type: NotificationType) -> Bool { tables[type] != nil }
  package func isUrgent(_ type: NotificationType) -> Bool { tables[type]?.rule.urgent ?? false }

  /// Whether a person may confirm what a notification that is held by this rule waits for; other holds
  /// end only when the case says what is missing.
  package func canConfirm(_ rule: String, of type: NotificationType) -> Bool {
    if rule == BuiltInRule.freeTextRule.rule { return true }
    let guards = (tables[type]?.rule.guards ?? []).filter { $0.reason.rule == rule }
    return !guards.isEmpty && guards.allSatisfy(\.confirmable)
  }

  /// Whom a step of an ``AnswerDue`` means, as far as it is a party: the recipient's own manager is
  /// reached through the recipient.
  package func party(
    for step: EscalationStep, recipient: PartyID, facts: CaseFacts?
  ) -> PartyEntry? {
    switch step {
    case .recipientManager: party(recipient)
    case .coordinator:
      facts?["area"]?.string.flatMap { parties(of: .coordinator, serving: $0).first }
    case .offenderManager:
      facts?["offenderManager"]?.string.flatMap { party(named: $0) }
    }
  }
}

extension Agreement {
  /// What the agreement says of types, fields and rules must exist, and may only narrow.
  fileprivate func check(against rulebook: Rulebook, problems: ProblemList) {
    let known = rulebook.types.keys.map(\.text)
    let rule = { (type: NotificationType, place: Place) -> NotificationRule? in
      if let rule = rulebook.types[type] { return rule }
      problems.add(
        .undefined, at: place, "the rulebook has no type \(type)",
        suggestion: nearest(to: type.text, among: known))
      return nil
    }
    for entry in narrowing {
      guard let rule = rule(entry.type, entry.place) else { continue }
      let recipients = rule.recipients.filter { $0.roles.contains(entry.role) }
      if recipients.isEmpty {
        problems.add(
          .undefined, at: entry.place,
          "\(entry.type) tells nobody of the role \(entry.role.rawValue)")
        continue
      }
      let released = recipients.reduce(into: Set<String>()) { $0.formUnion($1.fields) }
      for field in (entry.withhold ?? []).subtracting(released).sorted() {
        problems.add(
          .undefined, at: entry.place,
          "\(entry.type) does not release \"\(field)\" to \(entry.role.rawValue) as it is",
          suggestion: nearest(to: field, among: released))
      }
    }
    for entry in departures {
      guard let rule = rule(entry.type, entry.place) else { continue }
      let guards = rule.guards.filter { $0.reason.rule == entry.rule }
      if guards.isEmpty {
        problems.add(
          .departure, at: entry.place, "\(entry.type) has no guard by the rule \(entry.rule)",
          suggestion: nearest(to: entry.rule, among: rule.guards.map(\.reason.rule)))
      } else if !guards.allSatisfy(\.departure) {
        problems.add(
          .departure, at: entry.place,
          "the rulebook allows no departure from \(entry.rule) in \(entry.type)")
      }
    }
    for entry in escalations {
      guard let rule = rule(entry.type, entry.place) else { continue }
      if rule.recipients.allSatisfy({ $0.answer == nil }) {
        problems.add(.undefined, at: entry.place, "nobody owes an answer to \(entry.type)")
      }
    }
  }
}
