package import Exchange

/// A condition of the rules: alternatives, each of clauses that must all hold. The vocabulary is
/// small and closed, so that every question about the rules can be answered by enumeration.
///
///     condition = clauses { " or " clauses }        clauses = clause { " and " clause }
///     clause    = subject test
///     subject   = "case." fact | "data." field | "subject.age" | "subject.known"
///               | "sender.role" | "sender.party"
///     test      = "present" | "absent" | "is" value | "is not" value | "in [" values "]"
///               | "not in [" values "]" | "atLeast" number | "atMost" number
///               | "sameAs" subject | "differsFrom" subject
///               | "notBefore today" | "notAfter today" | "allMarked [" marks "]"
package struct Condition: Equatable, Sendable {
  /// As the rulebook writes it.
  package let text: String
  package let alternatives: [[Clause]]
}

package struct Clause: Equatable, Sendable {
  package let subject: Operand
  package let test: Comparison
}

/// What a condition can look at.
package enum Operand: Hashable, Sendable {
  /// A fact of the case.
  case fact(String)
  /// A field of the notification.
  case data(String)
  /// Whole years on the day of sending, in London. By the youngest date of birth on record or
  /// given.
  case age
  /// Whether the person is known.
  case known
  case senderRole
  case senderParty
}

package enum Comparison: Equatable, Sendable {
  case present
  case absent
  case oneOf([JSONValue])
  case noneOf([JSONValue])
  case atLeast(Int64)
  case atMost(Int64)
  case sameAs(Operand)
  case differsFrom(Operand)
  case notBeforeToday
  case notAfterToday
  /// Every entry of a list of restrictions is one of these codes.
  case allCodes(Set<String>)
}

/// Yes, no, or not to be told from what is known.
package enum Truth: Equatable, Sendable {
  case yes, no, unknown

  func and(_ other: Truth) -> Truth {
    self == .no || other == .no ? .no : self == .yes && other == .yes ? .yes : .unknown
  }

  func or(_ other: Truth) -> Truth {
    self == .yes || other == .yes ? .yes : self == .no && other == .no ? .no : .unknown
  }

  init(_ flag: Bool) { self = flag ? .yes : .no }
}

/// What conditions are asked about.
struct Circumstances {
  let notification: Notification
  let facts: CaseFacts?
  /// Facts that the notification itself brings, for a type that registers a case.
  var brought: [String: JSONValue] = [:]
  let senderRole: Role
  let now: Instant

  init(notification: Notification, facts: CaseFacts?, senderRole: Role, now: Instant) {
    self.notification = notification
    self.facts = facts
    self.senderRole = senderRole
    self.now = now
  }

  /// The day in London on which it is decided.
  var today: CivilDate { now.londonDate }

  /// The day of sending: the earlier of what the sender says and today, since neither an old notice
  /// nor a wrong clock makes anybody older.
  private var sentOn: CivilDate { min(notification.time, now).londonDate }

  func fact(_ name: String) -> JSONValue? {
    if let value = brought[name] { return value }
    guard let value = facts?[name], value != .null else { return nil }
    return value
  }

  func data(_ name: String) -> JSONValue? {
    guard let value = notification.data[name], value != .null else { return nil }
    return value
  }

  func value(of operand: Operand) -> JSONValue? {
    switch operand {
    case .fact(let name): fact(name)
    case .data(let name): data(name)
    case .age: age.map { .integer(Int64($0)) }
    case .known: .bool(facts != nil)
    case .senderRole: .string(senderRole.rawValue)
    case .senderParty: .string(notification.source.text)
    }
  }

  private var age: Int? {
    let sentOn = sentOn
    return [fact("dateOfBirth"), data("dateOfBirth")]
      .compactMap { $0?.string.flatMap(CivilDate.init(_:))?.age(on: sentOn) }.min()
  }
}

extension Condition {
  func truth(in circumstances: Circumstances) -> Truth {
    var result = Truth.no
    for clauses in alternatives {
      var all = Truth.yes
      for clause in clauses { all = all.and(clause.truth(in: circumstances)) }
      result = result.or(all)
    }
    return result
  }

  /// What is not known and would be needed.
  func unknowns(in circumstances: Circumstances) -> [Operand] {
    var found: [Operand] = []
    for clause in alternatives.joined() where clause.truth(in: circumstances) == .unknown {
      if circumstances.value(of: clause.subject) == nil {
        found.append(clause.subject)
      } else if case .sameAs(let other) = clause.test {
        found.append(other)
      } else if case .differsFrom(let other) = clause.test {
        found.append(other)
      }
    }
    return found
  }

  /// Everything that the condition looks at.
  var operands: Set<Operand> {
    var found: Set<Operand> = []
    for clause in alternatives.joined() {
      found.insert(clause.subject)
      switch clause.test {
      case .sameAs(let other), .differsFrom(let other): found.insert(other)
      default: break
      }
    }
    return found
  }
}

extension Clause {
  func truth(in circumstances: Circumstances) -> Truth {
    let value = circumstances.value(of: subject)
    switch test {
    case .present: return Truth(value != nil)
    case .absent: return Truth(value == nil)
    default: break
    }
    guard let value else { return .unknown }
    switch test {
    case .present, .absent:
      return .unknown
    case .oneOf(let values):
      return Truth(values.contains(value))
    case .noneOf(let values):
      return Truth(!values.contains(value))
    case .atLeast(let number):
      return value.integer.map { Truth($0 >= number) } ?? .unknown
    case .atMost(let number):
      return value.integer.map { Truth($0 <= number) } ?? .unknown
    case .sameAs(let other):
      return circumstances.value(of: other).map { Truth($0 == value) } ?? .unknown
    case .differsFrom(let other):
      return circumstances.value(of: other).map { Truth($0 != value) } ?? .unknown
    case .notBeforeToday:
      return date(value).map { Truth($0 >= circumstances.today) } ?? .unknown
    case .notAfterToday:
      return date(value).map { Truth($0 <= circumstances.today) } ?? .unknown
    case .allCodes(let codes):
      guard let items = value.array else { return .unknown }
      return Truth(
        !items.isEmpty
          && items.allSatisfy { item in item["code"]?.string.map(codes.contains) ?? false })
    }
  }

  private func date(_ value: JSONValue) -> CivilDate? { value.string.flatMap(CivilDate.init(_:)) }
}
