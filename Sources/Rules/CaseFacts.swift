package import Exchange

/// What Sallyport knows about one person in order to decide: each fact with who owns it, which exchange
/// brought it, and when. Values are dates, words, numbers and flags in JSON.
package struct CaseFacts: Equatable, Sendable {
  package private(set) var facts: [String: Fact]

  package init(_ facts: [String: Fact] = [:]) { self.facts = facts }

  package subscript(_ name: String) -> JSONValue? { facts[name]?.value }

  /// Applies a change that a decision brought. An older fact that arrives late never replaces a newer
  /// one (design: recorded, never applied); the answer says whether it was applied.
  @discardableResult
  package mutating func apply(
    _ change: FactChange, owner: PartyID, source: ExchangeID, time: Instant
  ) -> Bool {
    let earlier = facts[change.name]
    if let earlier, earlier.time > time { return false }
    facts[change.name] = Fact(
      value: change.value, owner: owner, source: source, time: time, supersedes: earlier?.source)
    return true
  }

  /// As JSON, for the encrypted store: `{"level":{"value":2,"owner":…,"source":…,"time":…}}`.
  package var json: JSONValue { .object(facts.mapValues(\.json)) }

  package init?(json: JSONValue) {
    guard let members = json.object else { return nil }
    var facts: [String: Fact] = [:]
    for (name, value) in members {
      guard let fact = Fact(json: value) else { return nil }
      facts[name] = fact
    }
    self.facts = facts
  }
}

/// One fact about a case.
package struct Fact: Equatable, Sendable {
  package let value: JSONValue
  /// The party that said so, and answers for its accuracy (ACC-01).
  package let owner: PartyID
  package let source: ExchangeID
  /// The notification's time, not ours: decides which of two is newer.
  package let time: Instant
  package let supersedes: ExchangeID?

  package init(
    value: JSONValue, owner: PartyID, source: ExchangeID, time: Instant,
    supersedes: ExchangeID? = nil
  ) {
    self.value = value
    self.owner = owner
    self.source = source
    self.time = time
    self.supersedes = supersedes
  }

  var json: JSONValue {
    var members: [String: JSONValue] = [
      "value": value, "owner": .string(owner.text), "source": .string(source.text),
      "time": .string(time.description),
    ]
    members["supersedes"] = supersedes.map { .string($0.text) }
    return .object(members)
  }

  init?(json: JSONValue) {
    guard let value = json["value"], let owner = json["owner"]?.string.flatMap(PartyID.init),
      let source = json["source"]?.string.flatMap(ExchangeID.init),
      let time = json["time"]?.string.flatMap(Instant.init(_:))
    else { return nil }
    self.init(
      value: value, owner: owner, source: source, time: time,
      supersedes: json["supersedes"]?.string.flatMap(ExchangeID.init))
  }
}

/// A fact that a decision sets.
package struct FactChange: Equatable, Sendable {
  package let name: String
  package let value: JSONValue

  package init(name: String, value: JSONValue) { (self.name, self.value) = (name, value) }
}

/// An identifier by which two agencies can mean the same person: a prison number, a PNC ID, a CRN. Two
/// that agree make a match; a name never does (catalogue G18, MAPPA Guidance 14.25).
package struct PersonIdentifier: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case prisonNumber, pncId, crn, visorReference
  }

  package let kind: Kind
  /// In one spelling: upper case, without spaces.
  package let value: String

  package init(kind: Kind, value: String) {
    self.kind = kind
    self.value = String(value.uppercased().filter { !$0.isWhitespace })
  }
}
