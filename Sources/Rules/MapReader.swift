/// A word of a YAML file and where it stands.
struct Word: Equatable, Sendable {
  let text: String
  let place: Place
}

/// Reads one group of keys of a YAML file; reports unknown, missing and misshapen ones.
struct MapReader {
  /// What is being read, for messages: `type release-date.changed`.
  let what: String
  let place: Place
  let problems: ProblemList
  /// In the file's order.
  let entries: [ConfigNode.Entry]

  /// Nil, and a problem, when the node is no group of keys. With `keys` nil any key is taken.
  init?(
    _ node: ConfigNode, what: String, file: String, keys: [String]?, problems: ProblemList
  ) {
    self.what = what
    self.problems = problems
    place = Place(file: file, line: node.line)
    guard case .map(let entries) = node.content else {
      problems.add(.wrongShape, at: place, "\(what) must be a group of keys and values")
      return nil
    }
    self.entries = entries
    guard let keys else { return }
    for entry in entries where !keys.contains(entry.key) {
      problems.add(
        .unknownKey, at: Place(file: file, line: entry.line),
        "unknown key \"\(entry.key)\" in \(what)", suggestion: nearest(to: entry.key, among: keys))
    }
  }

  func node(_ key: String) -> ConfigNode? {
    guard let value = entries.first(where: { $0.key == key })?.value else { return nil }
    if case .empty = value.content { return nil }
    return value
  }

  func place(of key: String) -> Place {
    Place(
      file: place.file, line: entries.first(where: { $0.key == key })?.line ?? place.line)
  }

  /// Reports that a key is missing.
  func required(_ key: String) -> ConfigNode? {
    let value = node(key)
    if value == nil { problems.add(.missingKey, at: place, "\(what) lacks the key \"\(key)\"") }
    return value
  }

  func optionalWord(_ key: String) -> Word? {
    guard let value = node(key) else { return nil }
    guard case .scalar(let text, _) = value.content else {
      problems.add(.wrongShape, at: place(of: key), "\"\(key)\" of \(what) must be a text")
      return nil
    }
    let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return Word(text: trimmed, place: place(of: key))
  }

  func word(_ key: String) -> Word? { required(key) == nil ? nil : optionalWord(key) }
  func text(_ key: String) -> String { word(key)?.text ?? "" }
  func optionalText(_ key: String) -> String? { optionalWord(key)?.text }

  /// A list of words; a single word counts as a list of one. Empty when absent.
  func words(_ key: String) -> [Word] {
    guard let value = node(key) else { return [] }
    return words(of: value, key: key)
  }

  func requiredWords(_ key: String) -> [Word] {
    guard let value = required(key) else { return [] }
    let words = words(of: value, key: key)
    if words.isEmpty, case .list = value.content {
      problems.add(.missingKey, at: place(of: key), "\"\(key)\" of \(what) is empty")
    }
    return words
  }

  private func words(of value: ConfigNode, key: String) -> [Word] {
    switch value.content {
    case .scalar(let text, _):
      return [Word(text: text, place: Place(file: place.file, line: value.line))]
    case .list(let items):
      return items.compactMap { item in
        guard case .scalar(let text, _) = item.content else {
          problems.add(
            .wrongShape, at: Place(file: place.file, line: item.line),
            "\"\(key)\" of \(what) must list words")
          return nil
        }
        return Word(text: text, place: Place(file: place.file, line: item.line))
      }
    case .map, .empty:
      problems.add(.wrongShape, at: place(of: key), "\"\(key)\" of \(what) must list words")
      return []
    }
  }

  /// The members of a list, or of a single value as a list of one. Empty when absent.
  func nodes(_ key: String) -> [ConfigNode] {
    guard let value = node(key) else { return [] }
    if case .list(let items) = value.content { return items }
    problems.add(.wrongShape, at: place(of: key), "\"\(key)\" of \(what) must be a list")
    return []
  }

  /// A group of named entries, `name: {…}`, each with its own reader. Empty when absent.
  func group(_ key: String) -> [(name: Word, node: ConfigNode)] {
    guard let value = node(key),
      let reader = MapReader(
        value, what: "\"\(key)\" of \(what)", file: place.file, keys: nil, problems: problems)
    else { return [] }
    return reader.entries.map { entry in
      (Word(text: entry.key, place: Place(file: place.file, line: entry.line)), entry.value)
    }
  }

  /// `true` or `false`; also `yes` or `no`, as people write.
  func flag(_ key: String) -> Bool? {
    guard let word = optionalWord(key) else { return nil }
    switch word.text {
    case "true", "yes": return true
    case "false", "no": return false
    default:
      problems.add(.malformed, at: word.place, "\"\(key)\" of \(what) must be yes or no")
      return nil
    }
  }

  func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let word = optionalWord(key) else { return nil }
    guard let number = Int(word.text), range.contains(number) else {
      problems.add(
        .malformed, at: word.place,
        "\"\(key)\" of \(what) must be a number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return number
  }

  /// The meaning of a word out of a closed set.
  func meaning<Value>(of word: Word, _ noun: String, in choices: [String: Value]) -> Value? {
    if let value = choices[word.text] { return value }
    problems.add(
      .unknownWord, at: word.place, "\"\(word.text)\" in \(what) is no \(noun)",
      suggestion: nearest(to: word.text, among: choices.keys))
    return nil
  }

  func meanings<Value>(_ words: [Word], _ noun: String, in choices: [String: Value]) -> [Value] {
    words.compactMap { meaning(of: $0, noun, in: choices) }
  }

  /// What a word names among definitions; reports what nothing defines.
  func definition<Value>(of word: Word, _ noun: String, in known: [String: Value]) -> Value? {
    if let value = known[word.text] { return value }
    problems.add(
      .undefined, at: word.place,
      "\(what) names the \(noun) \"\(word.text)\", which nothing defines",
      suggestion: nearest(to: word.text, among: known.keys))
    return nil
  }

  /// `rule`, `source` and `words`: why something is so.
  func reason() -> Reason {
    let rule = word("rule")
    if let rule, !isRuleID(rule.text) {
      problems.add(
        .malformed, at: rule.place,
        "\"\(rule.text)\" is no rule id: capital letters, a hyphen and two or three figures")
    }
    return Reason(rule: rule?.text ?? "", source: text("source"), text: text("words"))
  }

  static let reasonKeys = ["rule", "source", "words"]
}

/// `JCP-02`: two to five capital letters, a hyphen, two or three figures.
func isRuleID(_ text: String) -> Bool {
  let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
  return parts.count == 2 && (2...5).contains(parts[0].count) && (2...3).contains(parts[1].count)
    && parts[0].allSatisfy { (0x41...0x5a).contains($0) }
    && parts[1].allSatisfy { (0x30...0x39).contains($0) }
}

/// The words of an enumeration by themselves, for ``MapReader/meaning(of:_:in:)``.
func choices<Value: CaseIterable & RawRepresentable>(
  _ type: Value.Type
) -> [String: Value] where Value.RawValue == String {
  Dictionary(Value.allCases.map { ($0.rawValue, $0) }) { first, _ in first }
}
