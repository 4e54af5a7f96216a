import Exchange

/// Necessary and proportionate: who stands in a relation to this case that needs it told, and what
/// of it.
extension Hearing {
  /// What a relation comes to in this case.
  private enum Found {
    case parties([PartyEntry])
    /// The case does not say who it is.
    case notOnRecord
    /// The agreement has nobody of the right role there.
    case nobody
    /// The relation has no meaning here: the release area has not changed.
    case none
  }

  /// The recipients in the order of the rulebook, and the codes of the bases that carry it to them.
  mutating func hearRecipients() -> (recipients: [RecipientDecision], carriedBy: [String]) {
    let present = rule.fields.indices.filter { circumstances.data(rule.fields[$0].name) != nil }
    var recipients: [RecipientDecision] = []
    var carriedBy: [String] = []
    var toldSomebody = rule.recipients.allSatisfy(\.optional)
    var missed: [Reason] = []
    var unlawful: [Reason] = []
    for tables in table.recipients {
      switch applies(tables.rule) {
      case .yes: break
      case .no:
        toldSomebody = true
        continue
      case .unknown:
        missed.append(reasonNotOnRecord(tables.rule))
        continue
      }
      for party in parties(for: tables.rule, missed: &missed) {
        guard party.id != sender.id else {
          toldSomebody = true
          continue
        }
        guard let table = tables.byRole[party.role] else { continue }
        if let silenced = table.silenced {
          notes.append(silenced)
          toldSomebody = true
          continue
        }
        guard
          let basis = bases.first(where: {
            $0.fits((sender.role, sender.standing), (party.role, party.standing))
          })
        else {
          unlawful.append(
            party.standing == .thirdParty ? BuiltInRule.disclosure : BuiltInRule.basisOfPair)
          continue
        }
        let fields = present.map { outcome(of: $0, in: table) }
        guard fields.contains(where: { $0.outcome == .released }) else {
          notes.append(
            BuiltInRule.reason(
              BuiltInRule.leastRule, "Nothing of it may be told to \(tables.rule.title)."))
          toldSomebody = true
          continue
        }
        toldSomebody = true
        if !carriedBy.contains(basis.code) { carriedBy.append(basis.code) }
        let decision = RecipientDecision(
          party: party.id, relation: tables.rule.title, reason: tables.rule.reason, fields: fields,
          answer: tables.answer)
        if let earlier = recipients.firstIndex(where: { $0.party == party.id }) {
          recipients[earlier] = recipients[earlier].joined(with: decision)
        } else {
          recipients.append(decision)
        }
      }
    }
    if toldSomebody {
      notes += unlawful + missed
    } else if !unlawful.isEmpty {
      refusals += unlawful + missed
    } else if !missed.isEmpty {
      holds += missed
    } else {
      // Nobody to tell and nothing missing: an unknown person, and no area named.
      holds.append(BuiltInRule.personUnknown)
    }
    return (recipients, carriedBy)
  }

  private func applies(_ rule: RecipientRule) -> Truth {
    rule.condition?.truth(in: circumstances) ?? .yes
  }

  mutating func outcome(of place: Int, in table: RecipientTable) -> FieldDecision {
    let outcome = table.outcomes[place]
    guard outcome.outcome == .released else { return outcome }
    // A condition that cannot be told from what is known does not hold.
    if let (condition, otherwise) = table.conditional[place],
      condition.truth(in: circumstances) != .yes
    {
      return otherwise
    }
    if table.checked.contains(place), holdsListedWords(place) || repeatsWithheld(place, table) {
      return hearFreeText(outcome, of: place)
    }
    return outcome
  }

  /// A text that holds listed words waits for an officer; an urgent notice goes on without it.
  private mutating func hearFreeText(
    _ outcome: FieldDecision, of place: Int
  ) -> FieldDecision {
    let text =
      "The field \(outcome.field) holds words of the offence and risk list or what the recipient is not told"
    if request.confirmations.contains(BuiltInRule.freeTextRule.rule) {
      notes.append(
        BuiltInRule.reason(BuiltInRule.freeTextRule, text + "; an officer confirmed it."))
      return outcome
    }
    let reason = BuiltInRule.reason(
      BuiltInRule.freeTextRule, text + ", or cannot be checked: an officer must confirm it.")
    if !rule.urgent { holds.append(reason) }
    return FieldDecision(field: outcome.field, outcome: .conditionFalse, reason: reason)
  }

  /// A text that repeats the value of a field that this recipient is not told would carry it past the
  /// list of fields. Spelling apart: letters and figures alone are compared, from four on.
  private func repeatsWithheld(_ place: Int, _ table: RecipientTable) -> Bool {
    guard let text = circumstances.data(rule.fields[place].name)?.string.map(lettersAndFigures)
    else {
      return false
    }
    return rule.fields.indices.contains { other in
      guard table.outcomes[other].outcome != .released,
        let value = circumstances.data(rule.fields[other].name)?.string.map(lettersAndFigures)
      else { return false }
      return value.count >= 4 && text.contains(value)
    }
  }

  private func lettersAndFigures(_ text: String) -> String {
    String(
      text.uppercased().unicodeScalars.filter {
        $0.properties.isAlphabetic || $0.properties.numericType != nil
      })
  }

  private mutating func holdsListedWords(_ place: Int) -> Bool {
    if let known = read[place] { return known }
    let words = policy.rulebook.freeText
    let value = circumstances.data(rule.fields[place].name)
    let found =
      value?.string.map(words.holds)
      ?? (value?.array ?? []).contains { $0["parameter"]?.string.map(words.holds) ?? false }
    read[place] = found
    return found
  }

  /// The parties that a rule means here; says in `missed` why there are none.
  private func parties(for rule: RecipientRule, missed: inout [Reason]) -> [PartyEntry] {
    switch find(rule.relation, roles: rule.roles) {
    case .parties(let parties): return parties
    case .none: return []
    case .nobody:
      missed.append(
        BuiltInRule.reason(
          BuiltInRule.nobodyServesRule,
          "Not told: \(rule.title). The agreement has no such party for \(rule.relation.words)."))
    case .notOnRecord:
      // Of an unknown person nothing is on record; that is said once, by CASE-01.
      if !rule.optional, request.facts != nil { missed.append(reasonNotOnRecord(rule)) }
    }
    return []
  }

  private func reasonNotOnRecord(_ rule: RecipientRule) -> Reason {
    BuiltInRule.reason(
      BuiltInRule.factMissingRule,
      "Not told: \(rule.title). The case does not say who that is.")
  }

  private func find(_ relation: Relation, roles: [Role]) -> Found {
    switch relation {
    case .holdingPrison, .leadAgency, .offenderManager:
      guard let text = circumstances.fact(relation.fact)?.string else { return .notOnRecord }
      return entry(text, roles: roles)
    case .answeredSender:
      guard let answered = request.answered else { return .notOnRecord }
      return entry(answered.sender.text, roles: roles)
    case .formerReleaseArea:
      guard let former = circumstances.fact(relation.fact)?.string,
        let now = namedArea(.releaseArea), now != former
      else { return .none }
      return serving(former, roles: roles)
    case .area, .releaseArea, .jobcentreArea, .receivingArea:
      // What the notification says of it is newer than the case.
      let area = namedArea(relation) ?? circumstances.fact(relation.fact)?.string
      guard let area else { return .notOnRecord }
      return serving(area, roles: roles)
    }
  }

  /// Only a field that the type has can name an area.
  private func namedArea(_ relation: Relation) -> String? {
    table.namedAreas[relation].flatMap { circumstances.data(rule.fields[$0].name)?.string }
  }

  private func entry(_ id: String, roles: [Role]) -> Found {
    guard let party = policy.party(named: id), roles.contains(party.role) else { return .nobody }
    return .parties([party])
  }

  private func serving(_ area: String, roles: [Role]) -> Found {
    let parties = roles.flatMap { policy.parties(of: $0, serving: area) }
    return parties.isEmpty ? .nobody : .parties(parties)
  }
}

extension RecipientDecision {
  /// Between the titles of several relations.
  static let separator = "; "

  /// One party in two relations: it is told what either allows, and nothing that either forbids.
  fileprivate func joined(with other: RecipientDecision) -> RecipientDecision {
    let fields = zip(fields, other.fields).map { own, other in
      if own.outcome == .forbidden { return own }
      if other.outcome == .forbidden || own.outcome != .released { return other }
      return own
    }
    return RecipientDecision(
      party: party, relation: relation + RecipientDecision.separator + other.relation,
      reason: reason, fields: fields, answer: answer ?? other.answer)
  }
}
