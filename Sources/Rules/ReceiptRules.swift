package import Exchange

/// What senders may be told of their own messages, by role. That a person is or is not known, or who
/// else was told, is itself information: what no entry allows is withheld.
package struct ReceiptRules: Sendable {
  /// To whom a word or a code may be told, and why.
  package struct Entry: Sendable {
    package let roles: Set<Role>
    package let reason: Reason
  }

  package let outcomes: [ReceiptOutcome: Entry]
  /// By code: a rule's (`CASE-01`), or a stable code of the program (`SEAL-031`).
  package let codes: [String: Entry]

  /// Nobody is told anything.
  static let none = ReceiptRules(outcomes: [:], codes: [:])
}

/// What a sender is told of one outcome, and what is withheld of it.
package struct ReceiptDecision: Equatable, Sendable {
  /// One word or code, and whether it is told.
  package struct Part: Equatable, Sendable {
    package let text: String
    package let isTold: Bool
    package let reason: Reason

    package init(text: String, isTold: Bool, reason: Reason) {
      (self.text, self.isTold, self.reason) = (text, isTold, reason)
    }
  }

  package let outcome: ReceiptOutcome
  /// Whether there is a receipt at all.
  package let word: Part
  /// In the order of the reasons; none twice.
  package let codes: [Part]

  package init(outcome: ReceiptOutcome, word: Part, codes: [Part]) {
    (self.outcome, self.word, self.codes) = (outcome, word, codes)
  }

  package var isTold: Bool { word.isTold }
  package var told: [String] { isTold ? codes.filter(\.isTold).map(\.text) : [] }
  package var withheld: [String] { codes.map(\.text).filter { !told.contains($0) } }

  /// Whether a reader could tell the one from the other.
  package func saysTheSame(as other: ReceiptDecision) -> Bool {
    (outcome, isTold) == (other.outcome, other.isTold) && told == other.told
  }
}

extension Policy {
  /// Decides what a party is told of the outcome of its own message.
  ///
  /// - Parameters:
  ///   - codes: why it ended so.
  ///   - party: the signer, or whoever the transport authenticated; one that is no party of the
  ///     agreement is told nothing.
  package func receipt(
    _ outcome: ReceiptOutcome, codes: [String], to party: PartyID
  ) -> ReceiptDecision {
    let role = self.party(party)?.role
    let rules = rulebook.receipts
    var seen: Set<String> = []
    return ReceiptDecision(
      outcome: outcome,
      word: Policy.part(outcome.rawValue, rules.outcomes[outcome], for: role),
      codes: codes.filter { seen.insert($0).inserted }.map {
        Policy.part($0, rules.codes[$0], for: role)
      })
  }

  private static func part(
    _ text: String, _ entry: ReceiptRules.Entry?, for role: Role?
  ) -> ReceiptDecision.Part {
    guard let entry, let role else {
      return .init(text: text, isTold: false, reason: BuiltInRule.noReceiptRule)
    }
    return .init(text: text, isTold: entry.roles.contains(role), reason: entry.reason)
  }
}

extension ReceiptDecision {
  /// For the store, the ledger's detail and `explain --json`.
  package var json: JSONValue {
    ["outcome": word.json, "codes": .array(codes.map(\.json))]
  }

  package init?(json: JSONValue) {
    guard let word = json["outcome"].flatMap(Part.init(json:)),
      let outcome = ReceiptOutcome(rawValue: word.text), let items = json["codes"]?.array
    else { return nil }
    let codes = items.compactMap(Part.init(json:))
    guard codes.count == items.count else { return nil }
    self.init(outcome: outcome, word: word, codes: codes)
  }
}

extension ReceiptDecision.Part {
  fileprivate var json: JSONValue {
    ["text": .string(text), "told": .bool(isTold), "reason": reason.json]
  }

  fileprivate init?(json: JSONValue) {
    guard let text = json["text"]?.string, let isTold = json["told"]?.bool,
      let reason = json["reason"].flatMap(Reason.init(json:))
    else { return nil }
    self.init(text: text, isTold: isTold, reason: reason)
  }
}
