import Exchange

/// Reads the sections of rulebook files: first what is defined once for all (items, code lists,
/// facts, fields, purposes, bases), then the types, which name them, and what receipts tell.
struct RulebookReader {
  static let sections = [
    "about", "items", "code-lists", "facts", "fields", "purposes", "lawful-bases",
    "free-text-words", "types", "receipts",
  ]

  let problems: ProblemList
  var items: [String: DataItem] = [:]
  var codeLists: [String: CodeList] = [:]
  var facts: [String: FactRule] = [:]
  var fields: [String: FieldRule] = [:]
  var purposes: [String: String] = [:]
  var bases: [String: LawfulBasis] = [:]
  var freeText: [String] = []
  var types: [NotificationType: NotificationRule] = [:]
  var receipts = ReceiptRules.none

  init(problems: ProblemList) { self.problems = problems }

  mutating func read(_ maps: [MapReader]) {
    each(maps, "items", "item", keys: DataItem.keys) { reader, name, map in
      reader.items[name] = DataItem(name: name, from: map)
    }
    each(maps, "code-lists", "code list", keys: ["about", "codes"]) { reader, name, map in
      reader.codeLists[name] = reader.codeList(name, from: map)
    }
    each(maps, "facts", "fact", keys: FactRule.keys) { reader, name, map in
      if let kind = reader.kind(from: map, name: name) {
        if case .attachment = kind {
          reader.problems.add(
            .unknownWord, at: map.place, "\(map.what) cannot be a document; only a field can")
          return
        }
        reader.facts[name] = FactRule(name: name, kind: kind, from: map)
      }
    }
    each(maps, "fields", "field", keys: FieldRule.keys) { reader, name, map in
      reader.readField(name, from: map)
    }
    each(maps, "purposes", "purpose", keys: ["title", "source"]) { reader, name, map in
      _ = map.text("source")
      reader.purposes[name] = map.text("title")
    }
    each(maps, "lawful-bases", "lawful basis", keys: LawfulBasis.keys) { reader, name, map in
      reader.readBasis(name, from: map)
    }
    for map in maps {
      if let node = map.node("free-text-words"),
        let words = MapReader(
          node, what: "the free-text words", file: map.place.file,
          keys: ["about", "rule", "offence", "risk"], problems: problems)
      {
        for word in words.words("offence") + words.words("risk") {
          if FreeTextWords.isEntry(word.text) {
            freeText.append(word.text)
          } else {
            problems.add(
              .malformed, at: word.place,
              "\"\(word.text)\" must be one word in lower case, with \"*\" at most at its end")
          }
        }
      }
    }
    each(maps, "types", "type", keys: NotificationRule.keys) { reader, name, map in
      reader.readType(name, from: map)
    }
    checkAnswers()
    readReceipts(maps)
  }

  /// Every entry of one section over all files; reports what is defined twice.
  private mutating func each(
    _ maps: [MapReader], _ section: String, _ noun: String, keys: [String],
    _ read: (inout RulebookReader, String, MapReader) -> Void
  ) {
    var seen: Set<String> = []
    for map in maps {
      for (name, node) in map.group(section) {
        guard seen.insert(name.text).inserted else {
          problems.add(.definedTwice, at: name.place, "the \(noun) \(name.text) is defined twice")
          continue
        }
        if let map = MapReader(
          node, what: "\(noun) \(name.text)", file: name.place.file, keys: keys, problems: problems)
        {
          read(&self, name.text, map)
        }
      }
    }
  }

  private mutating func readField(_ name: String, from map: MapReader) {
    guard let kind = kind(from: map, name: name) else { return }
    if case .record = kind {
      problems.add(.unknownWord, at: map.place, "\(map.what) cannot be a record; only a fact can")
      return
    }
    guard let word = map.word("item"),
      let item = map.definition(of: word, "item", in: items)
    else { return }
    fields[name] = FieldRule(name: name, title: map.text("title"), kind: kind, item: item)
  }

  private func codeList(_ name: String, from map: MapReader) -> CodeList {
    var codes: [String: CodeList.Code] = [:]
    for (word, node) in map.group("codes") {
      guard
        let map = MapReader(
          node, what: "code \(word.text)", file: word.place.file,
          keys: ["title", "marks", "parameter", "longest", "form"], problems: problems)
      else { continue }
      var parameter: TextRule?
      if map.optionalText("parameter") != nil { parameter = textRule(from: map) }
      codes[word.text] = CodeList.Code(
        title: map.text("title"), marks: Set(map.words("marks").map(\.text)),
        parameter: parameter)
    }
    if codes.isEmpty { problems.add(.missingKey, at: map.place, "\(map.what) lists no codes") }
    return CodeList(name: name, codes: codes)
  }

  private func textRule(from map: MapReader) -> TextRule {
    TextRule(
      form: map.optionalWord("form").flatMap {
        map.meaning(of: $0, "form of text", in: choices(TextRule.Form.self))
      } ?? .line,
      longest: map.number("longest", in: 1...4000) ?? 80)
  }

  private func attachmentRule(from map: MapReader) -> AttachmentRule? {
    guard map.required("longest") != nil,
      let longest = map.number("longest", in: 1...999_999_999)
    else { return nil }
    let mediaTypes = map.meanings(
      map.requiredWords("media-types"), "media type", in: choices(MediaType.self))
    return mediaTypes.isEmpty
      ? nil : AttachmentRule(mediaTypes: Set(mediaTypes), longest: longest)
  }

  /// The kind of a field or fact; the name of an identifier is its kind.
  private func kind(from map: MapReader, name: String) -> ValueKind? {
    guard let word = map.word("kind") else { return nil }
    let list = { () -> CodeList? in
      map.word("list").flatMap { map.definition(of: $0, "code list", in: codeLists) }
    }
    switch word.text {
    case "text":
      if map.required("longest") == nil { return nil }
      return .text(textRule(from: map))
    case "date": return .date
    case "time": return .time
    case "bool": return .bool
    case "party": return .party
    case "area": return .area
    case "code": return list().map(ValueKind.code)
    case "restrictions": return list().map(ValueKind.restrictions)
    case "integer":
      let numbers = map.requiredWords("allowed").compactMap { Int64($0.text) }
      if numbers.isEmpty {
        problems.add(.malformed, at: map.place, "\(map.what) must list the allowed numbers")
      }
      return .integer(allowed: numbers)
    case "identifier":
      if let kind = PersonIdentifier.Kind(rawValue: name) { return .identifier(kind) }
      problems.add(
        .unknownWord, at: word.place, "\(name) is no identifier that two agencies share",
        suggestion: nearest(to: name, among: PersonIdentifier.Kind.allCases.map(\.rawValue)))
      return nil
    case "attachment": return attachmentRule(from: map).map(ValueKind.attachment)
    case "record":
      let members = map.requiredWords("members").map(\.text)
      return members.isEmpty ? nil : .record(members.sorted())
    default:
      problems.add(
        .unknownWord, at: word.place, "\"\(word.text)\" in \(map.what) is no kind",
        suggestion: nearest(
          to: word.text,
          among: [
            "text", "date", "time", "bool", "party", "area", "code", "restrictions", "integer",
            "identifier", "attachment", "record",
          ]))
      return nil
    }
  }

  private mutating func readBasis(_ code: String, from map: MapReader) {
    var sides: [String: LawfulBasis.Side] = [:]
    for role in Role.allCases { sides[role.rawValue] = .role(role) }
    // Third party is a role and a standing by the same word; the standing says more.
    for standing in Standing.allCases { sides[standing.rawValue] = .standing(standing) }
    let pairs = map.nodes("pairs").compactMap { node -> LawfulBasis.Pair? in
      guard
        let pair = MapReader(
          node, what: "a pair of \(map.what)", file: map.place.file, keys: ["between", "and"],
          problems: problems),
        let one = pair.word("between"), let other = pair.word("and"),
        let oneSide = pair.meaning(of: one, "role or standing", in: sides),
        let otherSide = pair.meaning(of: other, "role or standing", in: sides)
      else { return nil }
      return LawfulBasis.Pair(one: oneSide, other: otherSide)
    }
    if pairs.isEmpty { problems.add(.missingKey, at: map.place, "\(map.what) has no pairs") }
    var onlyWhile: Condition?
    var reason: Reason?
    if let node = map.node("only-while"),
      let limit = MapReader(
        node, what: "\"only-while\" of \(map.what)", file: map.place.file,
        keys: ["condition"] + MapReader.reasonKeys, problems: problems)
    {
      reason = limit.reason()
      onlyWhile = condition("condition", of: limit, fields: [:])
    }
    let known = purposes
    bases[code] = LawfulBasis(
      code: code, title: map.text("title"), law: map.text("law"), source: map.text("source"),
      purposes: Set(
        map.requiredWords("purposes").compactMap { word in
          map.definition(of: word, "purpose", in: known).map { _ in word.text }
        }),
      pairs: pairs, onlyWhile: onlyWhile, onlyWhileReason: reason)
  }

  /// The condition under a key; reports what cannot be understood.
  func condition(
    _ key: String, of map: MapReader, fields: [String: ValueKind]
  ) -> Condition? {
    guard let word = map.optionalWord(key) else { return nil }
    do {
      return try Condition(
        word.text, words: ConditionWords(facts: facts.mapValues(\.kind), fields: fields))
    } catch {
      problems.add(
        .condition, at: word.place, "\(map.what): \(error.text)", suggestion: error.suggestion)
      return nil
    }
  }

  private func checkAnswers() {
    for rule in types.values {
      for recipient in rule.recipients {
        for type in recipient.answer?.by ?? [] {
          if types[type] == nil {
            problems.add(
              .undefined, at: recipient.place,
              "type \(rule.type) is answered by \(type), which nothing defines",
              suggestion: nearest(to: type.text, among: types.keys.map(\.text)))
          } else if types[type]?.answers.contains(rule.type) != true {
            problems.add(
              .answer, at: recipient.place,
              "type \(rule.type) is answered by \(type), which does not name it under \"answers\"")
          }
        }
      }
      for type in rule.answers where types[type] == nil {
        problems.add(
          .undefined, at: rule.place, "type \(rule.type) answers \(type), which nothing defines",
          suggestion: nearest(to: type.text, among: types.keys.map(\.text)))
      }
    }
  }
}

extension DataItem {
  static let keys =
    ["title", "class", "source", "inferred", "guarded-in-text"] + Access.allCases.map(\.rawValue)

  init(name: String, from map: MapReader) {
    var access: [Role: Access] = [:]
    for kind in Access.allCases {
      for word in map.words(kind.rawValue) {
        guard let role = map.meaning(of: word, "role", in: choices(Role.self)) else { continue }
        if access.updateValue(kind, forKey: role) != nil {
          map.problems.add(
            .definedTwice, at: word.place, "\(map.what) names the role \(role.rawValue) twice")
        }
      }
    }
    self.init(
      name: name, title: map.text("title"),
      classes: Set(map.meanings(map.requiredWords("class"), "class", in: choices(Class.self))),
      source: map.text("source"), access: access,
      inferred: Set(map.meanings(map.words("inferred"), "role", in: choices(Role.self))),
      guardedInText: map.flag("guarded-in-text") ?? false)
  }
}

extension FactRule {
  static let keys =
    ["title", "kind", "allowed", "list", "members", "roles", "set-by", "longest", "form"]
    + MapReader.reasonKeys

  init(name: String, kind: ValueKind, from map: MapReader) {
    self.init(
      name: name, title: map.text("title"), kind: kind,
      setBy: Set(map.meanings(map.requiredWords("set-by"), "role", in: choices(Role.self))),
      roles: Set(map.meanings(map.words("roles"), "role", in: choices(Role.self))),
      reason: map.reason())
  }
}

extension FieldRule {
  static let keys = [
    "title", "item", "kind", "list", "allowed", "longest", "form", "media-types",
  ]
}

extension LawfulBasis {
  static let keys = ["title", "law", "source", "purposes", "pairs", "only-while"]
}
