import Exchange

/// Reads one type of notification and checks it against everything that it names.
extension RulebookReader {
  mutating func readType(_ name: String, from map: MapReader) {
    guard let type = NotificationType(name) else {
      problems.add(.malformed, at: map.place, "\"\(name)\" is no name of a type")
      return
    }
    let fields = fieldsOfType(map)
    let kinds = Dictionary(fields.map { ($0.name, $0.rule.kind) }) { first, _ in first }
    let purpose = map.word("purpose").flatMap { word in
      map.definition(of: word, "purpose", in: purposes).map { _ in word.text }
    }
    let senders = map.nodes("senders").compactMap { sender($0, of: map, kinds: kinds) }
    if senders.isEmpty { problems.add(.missingKey, at: map.place, "\(map.what) has no senders") }
    let recipients = map.nodes("recipients").compactMap { recipient($0, of: map, kinds: kinds) }
    let urgent = map.flag("urgent") ?? false
    let rule = NotificationRule(
      type: type, title: map.text("title"), form: map.text("form"), about: map.text("about"),
      sources: map.requiredWords("sources").map(\.text),
      assumption: map.optionalText("assumption"), urgent: urgent, purpose: purpose ?? "",
      bases: typeBases(of: map, purpose: purpose),
      sensitiveCondition: map.optionalText("sensitive-condition"), senders: senders,
      fields: fields, identifiersNeeded: identifiersNeeded(of: map, fields: fields),
      recipients: recipients,
      guards: map.nodes("guards").compactMap {
        guardRule($0, of: map, urgent: urgent, kinds: kinds)
      },
      answers: answers(of: map), sameAsAnswered: sameAsAnswered(of: map),
      effects: map.nodes("effects").compactMap {
        effect($0, of: map, senders: senders, kinds: kinds)
      },
      registersCase: map.flag("registers-case") ?? false, retention: map.text("retention"),
      place: map.place)
    checkSensitive(rule)
    types[type] = rule
  }

  private func fieldsOfType(_ map: MapReader) -> [FieldOfType] {
    guard let node = map.required("fields"),
      let lists = MapReader(
        node, what: "\"fields\" of \(map.what)", file: map.place.file,
        keys: ["required", "optional"], problems: problems)
    else { return [] }
    var seen: Set<String> = []
    var result: [FieldOfType] = []
    for key in ["required", "optional"] {
      for word in lists.words(key) {
        guard let rule = map.definition(of: word, "field", in: fields) else { continue }
        guard seen.insert(word.text).inserted else {
          problems.add(.definedTwice, at: word.place, "\(map.what) lists \(word.text) twice")
          continue
        }
        result.append(FieldOfType(rule: rule, required: key == "required"))
      }
    }
    return result
  }

  private func identifiersNeeded(of map: MapReader, fields: [FieldOfType]) -> Int {
    let needed = map.number("identifiers-needed", in: 0...3) ?? 0
    let there = fields.count { field in
      if case .identifier = field.rule.kind { true } else { false }
    }
    if needed > there {
      problems.add(
        .malformed, at: map.place(of: "identifiers-needed"),
        "\(map.what) needs \(needed) identifiers but has \(there) such fields")
    }
    return needed
  }

  private func typeBases(of map: MapReader, purpose: String?) -> [LawfulBasis] {
    map.requiredWords("bases").compactMap { word in
      guard let basis = map.definition(of: word, "lawful basis", in: bases) else { return nil }
      if let purpose, !basis.purposes.contains(purpose) {
        problems.add(
          .basis, at: word.place, "\(word.text) does not cover the purpose \(purpose) (LAW-01)")
      }
      return basis
    }
  }

  private func answers(of map: MapReader) -> [NotificationType] {
    map.words("answers").compactMap { word in
      let type = NotificationType(word.text)
      if type == nil {
        problems.add(.malformed, at: word.place, "\"\(word.text)\" is no name of a type")
      }
      return type
    }
  }

  private func sameAsAnswered(of map: MapReader) -> [String: String] {
    var pairs: [String: String] = [:]
    for (name, node) in map.group("same-as-answered") {
      guard case .scalar(let other, _) = node.content else {
        problems.add(.wrongShape, at: name.place, "\"\(name.text)\" must name one field")
        continue
      }
      pairs[name.text] = other
    }
    return pairs
  }

  private func roles(of map: MapReader) -> [Role] {
    map.meanings(map.requiredWords("role"), "role", in: choices(Role.self))
  }

  private func sender(
    _ node: ConfigNode, of type: MapReader, kinds: [String: ValueKind]
  ) -> SenderRule? {
    guard
      let map = MapReader(
        node, what: "a sender of \(type.what)", file: type.place.file,
        keys: ["role", "relation", "when"] + MapReader.reasonKeys, problems: problems)
    else { return nil }
    return SenderRule(
      roles: roles(of: map),
      relations: map.meanings(
        map.words("relation"), "relation to a case", in: choices(Relation.self)),
      condition: condition("when", of: map, fields: kinds), reason: map.reason())
  }

  private func guardRule(
    _ node: ConfigNode, of type: MapReader, urgent: Bool, kinds: [String: ValueKind]
  ) -> Guard? {
    guard
      let map = MapReader(
        node, what: "a guard of \(type.what)", file: type.place.file,
        keys: ["when", "require", "otherwise", "confirmable", "departure"] + MapReader.reasonKeys,
        problems: problems),
      map.required("require") != nil,
      let require = condition("require", of: map, fields: kinds),
      let word = map.word("otherwise"),
      let otherwise = map.meaning(
        of: word, "outcome of a guard", in: choices(Guard.Otherwise.self))
    else { return nil }
    if urgent, otherwise == .hold {
      problems.add(
        .urgentHeld, at: word.place,
        "\(type.what) is urgent, so that no guard may hold it (EMG-01)", suggestion: "refuse")
    }
    return Guard(
      when: condition("when", of: map, fields: kinds), require: require, otherwise: otherwise,
      confirmable: map.flag("confirmable") ?? false, departure: map.flag("departure") ?? false,
      reason: map.reason())
  }

  private func effect(
    _ node: ConfigNode, of type: MapReader, senders: [SenderRule], kinds: [String: ValueKind]
  ) -> Effect? {
    guard
      let map = MapReader(
        node, what: "an effect of \(type.what)", file: type.place.file,
        keys: ["fact", "from", "value"], problems: problems),
      let word = map.word("fact"),
      let fact = map.definition(of: word, "fact", in: facts),
      let origin = origin(of: map, fact: fact, kinds: kinds)
    else { return nil }
    for role in Set(senders.flatMap(\.roles)).subtracting(fact.setBy).sorted(by: {
      $0.rawValue < $1.rawValue
    }) {
      problems.add(
        .factNotTheirs, at: word.place,
        "\(type.what) is sent by \(role.rawValue), which may not set \(fact.name): "
          + "\(fact.reason.text) (\(fact.reason.rule), \(fact.reason.source))")
    }
    return Effect(fact: fact.name, origin: origin)
  }

  private func origin(
    of map: MapReader, fact: FactRule, kinds: [String: ValueKind]
  ) -> Effect.Origin? {
    if let value = map.optionalWord("value") {
      let constant: JSONValue? =
        switch fact.kind {
        case .bool: ["yes": true, "true": true, "no": false, "false": false][value.text]
        case .integer: Int64(value.text).map { .integer($0) }
        default: .string(value.text)
        }
      if let constant, fact.kind.fault(in: constant) == nil, map.node("from") == nil {
        return .constant(constant)
      }
      problems.add(.malformed, at: value.place, "\"\(value.text)\" is no value of \(fact.name)")
      return nil
    }
    guard let from = map.required("from") else { return nil }
    if case .map = from.content {
      let members = map.group("from").compactMap { member in
        guard case .scalar(let field, _) = member.node.content, kinds[field] != nil else {
          problems.add(
            .undefined, at: member.name.place,
            "\(map.what) takes \(member.name.text) from no field of the type")
          return (String, String)?.none
        }
        return (member.name.text, field)
      }
      let record = Dictionary(members) { first, _ in first }
      if case .record(let names) = fact.kind, names == record.keys.sorted() {
        return .record(record)
      }
      problems.add(
        .wrongShape, at: map.place(of: "from"), "\(fact.name) does not have just these members")
      return nil
    }
    guard let word = map.optionalWord("from") else { return nil }
    if word.text == "sender", fact.kind == .party { return .sender }
    guard let kind = map.definition(of: word, "field", in: kinds) else { return nil }
    if kind.word != fact.kind.word {
      problems.add(
        .wrongShape, at: word.place,
        "\(fact.name) is a \(fact.kind.word), the field \(word.text) a \(kind.word)")
      return nil
    }
    return .field(word.text)
  }

  /// LAW-04: whoever releases sensitive items says under which condition.
  private func checkSensitive(_ rule: NotificationRule) {
    guard rule.sensitiveCondition == nil else { return }
    let released = rule.recipients.reduce(into: Set<String>()) { $0.formUnion($1.fields) }
    for field in rule.fields
    where released.contains(field.name) && field.rule.item.classes.contains(.sensitive) {
      problems.add(
        .sensitive, at: rule.place,
        "type \(rule.type) releases \(field.name), which is sensitive, and states no "
          + "\"sensitive-condition\" (LAW-04)")
    }
  }
}

extension NotificationRule {
  static let keys = [
    "title", "form", "about", "sources", "assumption", "urgent", "purpose", "bases",
    "sensitive-condition", "senders", "fields", "identifiers-needed", "recipients", "guards",
    "answers", "same-as-answered", "effects", "registers-case", "retention",
  ]
}
