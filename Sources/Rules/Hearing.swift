import Exchange

/// One request being decided: gathers what refuses, what holds, and what is noted, and then says
/// which outcome that makes. A refusal outweighs a hold, a hold outweighs sharing.
struct Hearing {
  let policy: Policy
  let table: TypeTable
  let request: DecisionRequest
  let sender: PartyEntry
  var circumstances: Circumstances
  /// The bases that may still carry it.
  var bases: [LawfulBasis]
  var refusals: [Reason] = []
  var holds: [Reason] = []
  var notes: [Reason] = []
  /// Rules whose guards a departure lifts today.
  var lifted: Set<String> = []
  /// By the place of a field: whether its text holds listed words.
  var read: [Int: Bool] = [:]
  var factChanges: [FactChange] = []

  var rule: NotificationRule { table.rule }
  var notification: Notification { request.notification }

  init(policy: Policy, table: TypeTable, request: DecisionRequest, sender: PartyEntry) {
    self.policy = policy
    self.table = table
    self.request = request
    self.sender = sender
    circumstances = Circumstances(
      notification: request.notification, facts: request.facts, senderRole: sender.role,
      now: request.now)
    bases = table.rule.bases
  }

  mutating func decision() -> Decision {
    for (departure, note) in table.departures where circumstances.today <= departure.ends {
      lifted.insert(departure.rule)
      notes.append(note)
    }
    hearSender()
    hearPurpose()
    hearAnswer()
    hearPerson()
    hearEffects()
    hearGuards()
    // Guards look at the case as it was; status and recipients of a registration at the case it
    // makes.
    if rule.registersCase {
      for change in factChanges { circumstances.brought[change.name] = change.value }
    }
    hearStatus()
    guard refusals.isEmpty, holds.isEmpty else { return close(recipients: [], carriedBy: []) }
    let (recipients, carriedBy) = hearRecipients()
    return close(recipients: recipients, carriedBy: carriedBy)
  }

  private func close(recipients: [RecipientDecision], carriedBy: [String]) -> Decision {
    let outcome: Decision.Outcome =
      !refusals.isEmpty ? .refused : !holds.isEmpty ? .held : .shared
    let shared = outcome == .shared
    let named = carriedBy.isEmpty ? [notification.basis ?? rule.bases.first?.code ?? ""] : carriedBy
    return Decision(
      outcome: outcome, type: notification.type, sender: notification.source,
      reasons: distinct(refusals + holds + notes), purpose: rule.purpose,
      basis: named.joined(separator: " and "), recipients: shared ? recipients : [],
      factChanges: shared ? factChanges : [],
      registersCase: shared && rule.registersCase && request.facts == nil,
      answersDeadline: shared && !rule.answers.isEmpty, unknownFields: unknownFields,
      urgent: rule.urgent, rulebookDigest: policy.rulebook.digest,
      agreementDigest: policy.agreement.digest)
  }

  private func distinct(_ reasons: [Reason]) -> [Reason] {
    guard reasons.count > 1 else { return reasons }
    return reasons.enumerated().filter { !reasons[..<$0.offset].contains($0.element) }.map(
      \.element)
  }

  private var unknownFields: Int {
    notification.data.count - rule.fields.count { notification.data[$0.name] != nil }
  }

  // MARK: Lawful

  /// Whether this party may send this type about this case.
  private mutating func hearSender() {
    let rules = rule.senders.filter { $0.roles.contains(sender.role) }
    guard let first = rules.first else {
      refusals.append(BuiltInRule.senderRole)
      return
    }
    var waitsFor: (rule: SenderRule, operands: [Operand])?
    for rule in rules {
      let relation = relationTruth(of: rule)
      let condition = rule.condition?.truth(in: circumstances) ?? .yes
      switch relation.and(condition) {
      case .yes: return
      case .no: continue
      case .unknown:
        let missing = rule.condition?.unknowns(in: circumstances) ?? []
        waitsFor = waitsFor ?? (rule, missing + (relation == .unknown ? relationFacts(rule) : []))
      }
    }
    guard let waitsFor else {
      refusals.append(first.reason)
      return
    }
    // Of an unknown person nothing can be asked; hearPerson says what follows from that.
    guard request.facts != nil else { return }
    wait(for: waitsFor.operands, by: waitsFor.rule.reason)
  }

  private func relationTruth(of rule: SenderRule) -> Truth {
    guard !rule.relations.isEmpty else { return .yes }
    return rule.relations.reduce(.no) { truth, relation in truth.or(stands(in: relation)) }
  }

  /// By the facts of the case alone: what the sender says of itself proves nothing.
  private func stands(in relation: Relation) -> Truth {
    if relation == .answeredSender {
      return Truth(request.answered?.sender == sender.id)
    }
    guard let fact = request.facts?[relation.fact]?.string else { return .unknown }
    return Truth(relation.byArea ? sender.serves.contains(fact) : fact == sender.id.text)
  }

  private func relationFacts(_ rule: SenderRule) -> [Operand] {
    rule.relations.map { Operand.fact($0.fact) }
  }

  mutating func hearPurpose() {
    if let purpose = notification.purpose, purpose != rule.purpose {
      refusals.append(BuiltInRule.purpose)
    }
    if let basis = notification.basis {
      bases = rule.bases.filter { $0.code == basis }
      if bases.isEmpty { refusals.append(BuiltInRule.basisOfType) }
    }
    if let expiry = notification.expiryTime, expiry <= request.now {
      refusals.append(BuiltInRule.expired)
    }
  }

  private mutating func hearAnswer() {
    guard !rule.answers.isEmpty else { return }
    guard let answered = request.answered, answered.recipient == sender.id,
      rule.answers.contains(answered.type)
    else {
      refusals.append(BuiltInRule.notAnAnswer)
      return
    }
    // Two references that disagree: the party looked at one notice and answered another.
    for (field, other) in rule.sameAsAnswered {
      guard let wanted = answered.data[other], notification.data[field] != wanted else { continue }
      refusals.append(BuiltInRule.namesAnother)
    }
  }

  /// Whether the case is known, as far as the type needs it.
  private mutating func hearPerson() {
    guard request.facts == nil, !rule.registersCase, rule.answers.isEmpty else { return }
    if rule.urgent {
      notes.append(BuiltInRule.personUnknownUrgent)
    } else {
      holds.append(BuiltInRule.personUnknown)
    }
  }

  /// LAW-02 and its like: what a basis asks of the person.
  mutating func hearStatus() {
    var left: [LawfulBasis] = []
    var refusal: Reason?
    for basis in bases {
      guard let condition = basis.onlyWhile, let reason = basis.onlyWhileReason else {
        left.append(basis)
        continue
      }
      switch condition.truth(in: circumstances) {
      case .yes: left.append(basis)
      case .no: refusal = refusal ?? reason
      case .unknown:
        left.append(basis)
        // What is answered was itself only sent for a person whose status held.
        if request.facts != nil, rule.answers.isEmpty {
          wait(for: condition.unknowns(in: circumstances), by: reason)
        }
      }
    }
    if left.isEmpty, let refusal { refusals.append(refusal) }
    bases = left
  }

  // MARK: What must be so

  private mutating func hearGuards() {
    for rule in rule.guards where !lifted.contains(rule.reason.rule) {
      if rule.confirmable, request.confirmations.contains(rule.reason.rule) { continue }
      let applies = rule.when?.truth(in: circumstances) ?? .yes
      let holds = rule.require.truth(in: circumstances)
      if applies == .no || holds == .yes { continue }
      if applies == .yes, holds == .no {
        switch rule.otherwise {
        case .refuse: refusals.append(rule.reason)
        case .hold: self.holds.append(rule.reason)
        }
      } else if request.facts != nil {
        let missing =
          (rule.when?.unknowns(in: circumstances) ?? []) + rule.require.unknowns(in: circumstances)
        wait(for: missing, by: rule.reason)
      }
    }
  }

  // MARK: Facts

  private mutating func hearEffects() {
    for (effect, fact) in table.effects {
      guard fact.setBy.contains(sender.role), let value = value(of: effect) else { continue }
      if fact.kind == .party, !isParty(value, of: fact.roles) {
        let reason = BuiltInRule.reason(
          BuiltInRule.partyUnknownRule,
          "What it gives as \(fact.title) is no party of the agreement with the right role.")
        if rule.urgent { notes.append(reason) } else { holds.append(reason) }
        continue
      }
      factChanges.append(FactChange(name: fact.name, value: value))
    }
  }

  private func isParty(_ value: JSONValue, of roles: Set<Role>) -> Bool {
    guard let party = value.string.flatMap({ policy.party(named: $0) }) else { return false }
    return roles.isEmpty || roles.contains(party.role)
  }

  private func value(of effect: Effect) -> JSONValue? {
    switch effect.origin {
    case .field(let name):
      return circumstances.data(name)
    case .sender:
      return .string(sender.id.text)
    case .constant(let value):
      return value
    case .record(let members):
      let values = members.compactMapValues { circumstances.data($0) }
      return values.count == members.count ? .object(values) : nil
    }
  }

  /// Something is not on record: an ordinary type waits, an urgent one goes on and says so
  /// (EMG-01).
  mutating func wait(for operands: [Operand], by reason: Reason) {
    let names = Set(
      operands.map { operand -> String in
        switch operand {
        case .fact(let name): policy.rulebook.facts[name]?.title ?? name
        case .data(let name): "the field \(name)"
        case .age: "the date of birth"
        case .known, .senderRole, .senderParty: "the case"
        }
      }
    ).sorted().joined(separator: ", ")
    let waiting = Reason(
      rule: reason.rule, source: reason.source,
      text: "Not on record: \(names). \(reason.text)")
    if rule.urgent { notes.append(waiting) } else { holds.append(waiting) }
  }
}

extension Relation {
  /// The fact of a case that says who stands in it.
  var fact: String {
    switch self {
    case .formerReleaseArea: Relation.releaseArea.rawValue
    default: rawValue
    }
  }
}
