import Exchange

/// What a condition may name.
struct ConditionWords {
  let facts: [String: ValueKind]
  let fields: [String: ValueKind]

  private static let fixed: [String: (Operand, ValueKind)] = [
    "subject.age": (.age, .integer(allowed: [])),
    "subject.known": (.known, .bool),
    "sender.party": (.senderParty, .party),
    "sender.role": (
      .senderRole,
      .code(
        CodeList(
          name: "roles",
          codes: Dictionary(
            uniqueKeysWithValues: Role.allCases.map {
              ($0.rawValue, CodeList.Code(title: $0.rawValue, marks: [], parameter: nil))
            })))
    ),
  ]

  func operand(_ word: String) -> (Operand, ValueKind)? {
    if let fixed = ConditionWords.fixed[word] { return fixed }
    if word.hasPrefix("case."), let kind = facts[String(word.dropFirst(5))] {
      return (.fact(String(word.dropFirst(5))), kind)
    }
    if word.hasPrefix("data."), let kind = fields[String(word.dropFirst(5))] {
      return (.data(String(word.dropFirst(5))), kind)
    }
    return nil
  }

  var subjects: [String] {
    ConditionWords.fixed.keys + facts.keys.map { "case.\($0)" } + fields.keys.map { "data.\($0)" }
  }
}

/// Why a text is no condition.
struct ConditionFault: Error, Equatable {
  let text: String
  var suggestion: String?
}

extension Condition {
  init(_ text: String, words: ConditionWords) throws(ConditionFault) {
    self.text = text
    var alternatives: [[Clause]] = []
    for part in Condition.split(Condition.tokens(of: text)[...], at: "or") {
      var clauses: [Clause] = []
      for clause in Condition.split(part, at: "and") {
        clauses.append(try Clause(clause, words: words))
      }
      alternatives.append(clauses)
    }
    self.alternatives = alternatives
  }

  /// Words, and lists in brackets as one token each.
  private static func tokens(of text: String) -> [String] {
    var tokens: [String] = []
    var current = ""
    var inList = false
    for character in text {
      if character == "[" { inList = true }
      if character.isWhitespace && !inList {
        if !current.isEmpty { tokens.append(current) }
        current = ""
      } else {
        current.append(character)
      }
      if character == "]" { inList = false }
    }
    if !current.isEmpty { tokens.append(current) }
    return tokens
  }

  private static func split(_ tokens: ArraySlice<String>, at word: String) -> [ArraySlice<String>] {
    tokens.split(separator: word, omittingEmptySubsequences: false)
  }
}

extension Clause {
  private static let tests = [
    "present", "absent", "is", "is not", "in", "not in", "atLeast", "atMost", "sameAs",
    "differsFrom", "notBefore today", "notAfter today", "allMarked",
  ]

  init(_ tokens: ArraySlice<String>, words: ConditionWords) throws(ConditionFault) {
    guard let first = tokens.first else {
      throw ConditionFault(text: "a condition has nothing before or after \"and\" or \"or\"")
    }
    guard let (subject, kind) = words.operand(first) else {
      throw ConditionFault(
        text: "a condition cannot look at \"\(first)\"",
        suggestion: nearest(to: first, among: words.subjects))
    }
    self.subject = subject
    let rest = Array(tokens.dropFirst())
    let value = { (index: Int) -> String? in rest.count == index + 1 ? rest[index] : nil }
    switch (rest.first, rest.dropFirst().first) {
    case ("present", nil): test = .present
    case ("absent", nil): test = .absent
    case ("is", "not"):
      test = .noneOf([try Clause.literal(value(2), of: kind, subject: first)])
    case ("is", _):
      test = .oneOf([try Clause.literal(value(1), of: kind, subject: first)])
    case ("in", _):
      test = .oneOf(try Clause.literals(value(1), of: kind, subject: first))
    case ("not", "in"):
      test = .noneOf(try Clause.literals(value(2), of: kind, subject: first))
    case ("atLeast", _): test = .atLeast(try Clause.number(value(1), of: kind, subject: first))
    case ("atMost", _): test = .atMost(try Clause.number(value(1), of: kind, subject: first))
    case ("sameAs", let other?) where rest.count == 2:
      test = .sameAs(try Clause.other(other, like: kind, subject: first, words: words))
    case ("differsFrom", let other?) where rest.count == 2:
      test = .differsFrom(try Clause.other(other, like: kind, subject: first, words: words))
    case ("notBefore", "today") where rest.count == 2 && kind == .date: test = .notBeforeToday
    case ("notAfter", "today") where rest.count == 2 && kind == .date: test = .notAfterToday
    case ("allMarked", let marks?) where rest.count == 2:
      guard case .restrictions(let list) = kind else {
        throw ConditionFault(text: "only restrictions have marks, \(first) has none")
      }
      let wanted = try Clause.list(marks)
      let known = Set(list.codes.values.flatMap(\.marks))
      for mark in wanted where !known.contains(mark) {
        throw ConditionFault(
          text: "no code of \(list.name) is marked \"\(mark)\"",
          suggestion: nearest(to: mark, among: known))
      }
      test = .allCodes(
        Set(list.codes.filter { !$0.value.marks.isDisjoint(with: wanted) }.keys))
    default:
      throw ConditionFault(
        text: "\"\(rest.joined(separator: " "))\" is no test that fits \(first)",
        suggestion: rest.first.flatMap { nearest(to: $0, among: Clause.tests) })
    }
  }

  private static func list(_ token: String) throws(ConditionFault) -> [String] {
    guard token.first == "[", token.last == "]" else {
      throw ConditionFault(text: "a list stands in brackets: [a, b]")
    }
    let items = token.dropFirst().dropLast().split(separator: ",").map { item in
      item.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
    guard !items.isEmpty else { throw ConditionFault(text: "a list in a condition is empty") }
    return items
  }

  private static func literals(
    _ token: String?, of kind: ValueKind, subject: String
  ) throws(ConditionFault) -> [JSONValue] {
    guard let token else { throw ConditionFault(text: "\(subject) is compared with nothing") }
    var values: [JSONValue] = []
    for item in try list(token) { values.append(try literal(item, of: kind, subject: subject)) }
    return values
  }

  private static func literal(
    _ token: String?, of kind: ValueKind, subject: String
  ) throws(ConditionFault) -> JSONValue {
    guard let token else { throw ConditionFault(text: "\(subject) is compared with nothing") }
    switch kind {
    case .bool where ["true", "false", "yes", "no"].contains(token):
      return .bool(["true", "yes"].contains(token))
    case .integer(let allowed):
      if let number = Int64(token), allowed.isEmpty || allowed.contains(number) {
        return .integer(number)
      }
    case .code(let list):
      if list.codes[token] != nil { return .string(token) }
      throw ConditionFault(
        text: "\"\(token)\" is no value of \(subject)",
        suggestion: nearest(to: token, among: list.codes.keys))
    case .area where isArea(token):
      return .string(token)
    case .party where PartyID(token) != nil:
      return .string(token)
    default: break
    }
    throw ConditionFault(text: "\"\(token)\" is no value of \(subject)")
  }

  private static func number(
    _ token: String?, of kind: ValueKind, subject: String
  ) throws(ConditionFault) -> Int64 {
    guard case .integer = kind, let number = token.flatMap({ Int64($0) }) else {
      throw ConditionFault(text: "\(subject) cannot be compared with that number")
    }
    return number
  }

  private static func other(
    _ word: String, like kind: ValueKind, subject: String, words: ConditionWords
  ) throws(ConditionFault) -> Operand {
    guard let (operand, otherKind) = words.operand(word) else {
      throw ConditionFault(
        text: "a condition cannot look at \"\(word)\"",
        suggestion: nearest(to: word, among: words.subjects))
    }
    guard otherKind.word == kind.word else {
      throw ConditionFault(text: "\(subject) and \(word) are of different kinds")
    }
    return operand
  }
}
