import Exchange

extension RulebookReader {
  private static let entryKeys = ["to", "item", "codes"] + MapReader.reasonKeys

  /// `receipts`: the words for outcomes, and groups of codes, each with the roles that may be told.
  mutating func readReceipts(_ maps: [MapReader]) {
    var isDefined = false
    for map in maps {
      guard let node = map.node("receipts"),
        let section = MapReader(
          node, what: "the receipts", file: map.place.file, keys: ["about", "outcomes", "reasons"],
          problems: problems)
      else { continue }
      guard !isDefined else {
        problems.add(.definedTwice, at: section.place, "the receipts are defined twice")
        continue
      }
      isDefined = true
      receipts = ReceiptRules(outcomes: outcomes(of: section), codes: codes(of: section))
    }
  }

  private func outcomes(of section: MapReader) -> [ReceiptOutcome: ReceiptRules.Entry] {
    var outcomes: [ReceiptOutcome: ReceiptRules.Entry] = [:]
    for (name, node) in section.group("outcomes") {
      guard
        let outcome = section.meaning(of: name, "outcome", in: choices(ReceiptOutcome.self)),
        let map = entryMap(node, "the outcome \(name.text)", name)
      else { continue }
      outcomes[outcome] = entry(from: map)
    }
    return outcomes
  }

  private func codes(of section: MapReader) -> [String: ReceiptRules.Entry] {
    var codes: [String: ReceiptRules.Entry] = [:]
    for (name, node) in section.group("reasons") {
      guard let map = entryMap(node, "the reasons \(name.text)", name) else { continue }
      let entry = entry(from: map)
      for word in map.requiredWords("codes") {
        guard isCode(word.text) else {
          problems.add(
            .malformed, at: word.place,
            "\"\(word.text)\" is no code: capital letters, a hyphen and two or three figures")
          continue
        }
        if codes.updateValue(entry, forKey: word.text) != nil {
          problems.add(
            .definedTwice, at: word.place, "the code \(word.text) stands in two groups of reasons")
        }
      }
    }
    return codes
  }

  private func entryMap(_ node: ConfigNode, _ what: String, _ name: Word) -> MapReader? {
    MapReader(
      node, what: what, file: name.place.file, keys: RulebookReader.entryKeys, problems: problems)
  }

  /// The item is what the words reveal: a role that may never see it is never told (RULE-011).
  private func entry(from map: MapReader) -> ReceiptRules.Entry {
    var roles: Set<Role> = []
    let item = map.word("item").flatMap { map.definition(of: $0, "item", in: items) }
    for word in map.words("to") {
      if word.text == "everybody" {
        roles.formUnion(Role.allCases.filter { item?.isOpen(to: $0) ?? false })
        continue
      }
      guard let role = map.meaning(of: word, "role", in: choices(Role.self)) else { continue }
      if let item, !item.isOpen(to: role) {
        problems.add(
          .itemForbids, at: word.place,
          "\(map.what) tells \(role.rawValue) what the item \(item.name) keeps from it")
      }
      roles.insert(role)
    }
    return ReceiptRules.Entry(roles: roles, reason: map.reason())
  }

  /// A rule's id, a code of the program, or what a decision notes for recipients (`FLAG-` and a word).
  private func isCode(_ text: String) -> Bool {
    if isRuleID(text) { return true }
    let flag = text.utf8.dropFirst(5)
    return text.hasPrefix("FLAG-") && !flag.isEmpty
      && flag.allSatisfy { (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "-") }
  }
}

extension DataItem {
  /// Whether the table lets a role see it without a condition.
  fileprivate func isOpen(to role: Role) -> Bool {
    switch access[role] {
    case .needs, .may: true
    case .condition, .never, nil: false
    }
  }
}
