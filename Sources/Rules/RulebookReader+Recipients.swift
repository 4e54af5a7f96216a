import Exchange

/// Reads one recipient of a type: the allow-list, its conditions, what is forbidden, the answer
/// owed.
extension RulebookReader {
  func recipient(
    _ node: ConfigNode, of type: MapReader, kinds: [String: ValueKind]
  ) -> RecipientRule? {
    guard
      let map = MapReader(
        node, what: "a recipient of \(type.what)", file: type.place.file,
        keys: [
          "to", "role", "relation", "when", "optional", "fields", "conditional", "forbidden",
          "answer",
        ] + MapReader.reasonKeys, problems: problems),
      let relationWord = map.word("relation"),
      let relation = map.meaning(
        of: relationWord, "relation to a case", in: choices(Relation.self))
    else { return nil }
    let roles = map.meanings(map.requiredWords("role"), "role", in: choices(Role.self))
    let conditional = conditionalFields(of: map, kinds: kinds)
    let forbidden = forbiddenFields(of: map, kinds: kinds)
    var allowed: Set<String> = []
    for word in map.requiredWords("fields") {
      guard map.definition(of: word, "field of the type", in: kinds) != nil else { continue }
      if !allowed.insert(word.text).inserted {
        problems.add(.definedTwice, at: word.place, "\(map.what) lists \(word.text) twice")
      }
      if forbidden[word.text] != nil {
        problems.add(
          .releasedAndForbidden, at: word.place,
          "\(map.what) both releases and forbids \(word.text)")
      }
      checkItem(of: word, for: roles, conditional: conditional[word.text] != nil, map: map)
    }
    for (name, _) in conditional where !allowed.contains(name) {
      problems.add(
        .undefined, at: map.place(of: "conditional"),
        "\(map.what) states a condition for \(name), which it does not release")
    }
    return RecipientRule(
      title: map.text("to"), roles: roles, relation: relation,
      condition: condition("when", of: map, fields: kinds), optional: map.flag("optional") ?? false,
      fields: allowed, conditional: conditional, forbidden: forbidden, answer: answer(of: map),
      reason: map.reason(), place: map.place)
  }

  /// The table of items is the outer limit of every allow-list.
  private func checkItem(of word: Word, for roles: [Role], conditional: Bool, map: MapReader) {
    guard let field = fields[word.text] else { return }
    let item = field.item
    for role in roles {
      if case .attachment = field.kind, items.values.guards(role) {
        problems.add(
          .unreadDocument, at: word.place,
          "\(map.what) releases \(word.text) to \(role.rawValue), for which texts are read with the "
            + "word list; a document cannot be (FREE-01)")
      }
      switch item.access[role] {
      case .needs, .may: continue
      case .condition where conditional: continue
      case .condition:
        problems.add(
          .itemForbids, at: word.place,
          "\(map.what) releases \(word.text) to \(role.rawValue), which may have the item "
            + "\(item.name) only under a condition: state it under \"conditional\"")
      case .never, nil:
        problems.add(
          .itemForbids, at: word.place,
          "\(map.what) releases \(word.text) to \(role.rawValue), which may never have the item "
            + "\(item.name) (\(item.source))")
      }
    }
  }

  private func conditionalFields(
    of map: MapReader, kinds: [String: ValueKind]
  ) -> [String: ConditionalField] {
    var result: [String: ConditionalField] = [:]
    for node in map.nodes("conditional") {
      guard
        let entry = MapReader(
          node, what: "a condition of \(map.what)", file: map.place.file,
          keys: ["fields", "when"] + MapReader.reasonKeys, problems: problems),
        entry.required("when") != nil,
        let condition = condition("when", of: entry, fields: kinds)
      else { continue }
      let reason = entry.reason()
      for word in entry.requiredWords("fields") {
        guard entry.definition(of: word, "field of the type", in: kinds) != nil else { continue }
        if result.updateValue(
          ConditionalField(condition: condition, reason: reason), forKey: word.text) != nil
        {
          problems.add(
            .definedTwice, at: word.place, "\(map.what) states two conditions for \(word.text)")
        }
      }
    }
    return result
  }

  private func forbiddenFields(
    of map: MapReader, kinds: [String: ValueKind]
  ) -> [String: Reason] {
    var result: [String: Reason] = [:]
    for node in map.nodes("forbidden") {
      guard
        let entry = MapReader(
          node, what: "what is forbidden to \(map.what)", file: map.place.file,
          keys: ["fields"] + MapReader.reasonKeys, problems: problems)
      else { continue }
      let reason = entry.reason()
      for word in entry.requiredWords("fields") {
        guard entry.definition(of: word, "field of the type", in: kinds) != nil else { continue }
        result[word.text] = reason
      }
    }
    return result
  }

  private func answer(of map: MapReader) -> AnswerDue? {
    guard let node = map.node("answer"),
      let entry = MapReader(
        node, what: "the answer of \(map.what)", file: map.place.file,
        keys: ["within-working-days", "by", "source", "escalate-to", "assumption"],
        problems: problems),
      entry.required("within-working-days") != nil,
      let days = entry.number("within-working-days", in: 1...60)
    else { return nil }
    let types = entry.requiredWords("by").compactMap { word in
      let type = NotificationType(word.text)
      if type == nil {
        problems.add(.malformed, at: word.place, "\"\(word.text)\" is no name of a type")
      }
      return type
    }
    let steps = entry.meanings(
      entry.requiredWords("escalate-to"), "step of an escalation",
      in: choices(EscalationStep.self))
    _ = entry.optionalText("assumption")
    return AnswerDue(
      workingDays: days, by: types, source: entry.text("source"),
      escalateTo: steps.map(\.rawValue))
  }
}
