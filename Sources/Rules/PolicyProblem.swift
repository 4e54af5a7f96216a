/// One mistake in a rulebook or an agreement: where it stands and how to put it right.
///
/// Always the operator's turn: the files are theirs. Holds nothing of any person.
package struct PolicyProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// Stable codes, each with a paragraph in the manual's chapter on errors.
  package enum Code: String, Sendable, CaseIterable {
    /// The file is not YAML that we take.
    case notYAML = "RULE-001"
    /// A list stands where a group of keys is expected, or the like.
    case wrongShape = "RULE-002"
    case unknownKey = "RULE-003"
    case missingKey = "RULE-004"
    /// A word that is none of those allowed there.
    case unknownWord = "RULE-005"
    /// A number, date, id or name that is not of its form.
    case malformed = "RULE-006"
    case definedTwice = "RULE-007"
    /// Names a field, fact, list, basis, item or type that nothing defines.
    case undefined = "RULE-008"
    case condition = "RULE-009"
    /// A sender of the type may not set that fact (LVL-01).
    case factNotTheirs = "RULE-010"
    /// The table of items keeps this field from this role.
    case itemForbids = "RULE-011"
    case releasedAndForbidden = "RULE-012"
    /// An urgent type could be kept back by a formality (EMG-01).
    case urgentHeld = "RULE-013"
    case answer = "RULE-014"
    case basis = "RULE-015"
    /// Sensitive information without a condition of Schedule 8 (LAW-04).
    case sensitive = "RULE-016"
    /// A document would go to a role for which texts are read first: nobody reads documents (FREE-01).
    case unreadDocument = "RULE-017"
    /// Two parties of the agreement share an id or a mailbox.
    case partyTwice = "RULE-020"
    /// A party's id, role and standing do not fit each other.
    case partyUnfit = "RULE-021"
    /// The agreement would let somebody see or do more than the rulebook.
    case widens = "RULE-022"
    /// A departure that is incomplete, or from a rule that allows none.
    case departure = "RULE-023"
    /// Two parties of one role serve the same area.
    case areaTwice = "RULE-024"
  }

  package let code: Code
  /// The file's name as it was given.
  package let file: String
  /// From 1; 0 where the whole file is meant.
  package let line: Int
  package let text: String
  /// What was probably meant.
  package let suggestion: String?

  package init(code: Code, file: String, line: Int, text: String, suggestion: String? = nil) {
    self.code = code
    self.file = file
    self.line = line
    self.text = text
    self.suggestion = suggestion
  }

  /// `RULE-003 custody.yaml:12: …; did you mean "title"?`
  package var description: String {
    let hint = suggestion.map { "; did you mean \"\($0)\"?" } ?? ""
    return "\(code.rawValue) \(file)\(line > 0 ? ":\(line)" : ""): \(text)\(hint)"
  }
}

/// Every mistake that was found, in the order of files and lines; never empty.
package struct PolicyProblems: Error, Equatable, Sendable, CustomStringConvertible {
  package let problems: [PolicyProblem]

  package init(_ problems: [PolicyProblem]) { self.problems = problems }

  package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Where something stands in the files.
struct Place: Equatable, Sendable {
  let file: String
  let line: Int
}

/// Collects mistakes while files are read, so that all are reported together.
final class ProblemList {
  /// Enough for any file worth correcting; the rest of a file that is not rules at all says nothing
  /// new.
  static let limit = 200

  private(set) var problems: [PolicyProblem] = []

  func add(
    _ code: PolicyProblem.Code, at place: Place, _ text: String, suggestion: String? = nil
  ) {
    guard problems.count < ProblemList.limit else { return }
    let problem = PolicyProblem(
      code: code, file: place.file, line: place.line, text: text, suggestion: suggestion)
    if !problems.contains(problem) { problems.append(problem) }
  }

  func throwIfAny() throws(PolicyProblems) {
    guard !problems.isEmpty else { return }
    throw PolicyProblems(
      problems.enumerated().sorted { left, right in
        (left.element.file, left.element.line, left.offset)
          < (right.element.file, right.element.line, right.offset)
      }.map(\.element))
  }
}

/// The allowed word that is nearest to a wrong one, if one is near enough to be meant.
package func nearest(to word: String, among words: some Sequence<String>) -> String? {
  let letters = Array(word.lowercased().unicodeScalars.prefix(64))
  let allowance = max(1, letters.count / 3)
  let ranked = words.map {
    (word: $0, distance: distance(letters, Array($0.lowercased().unicodeScalars)))
  }
  return ranked.filter { $0.distance <= allowance }
    .min { ($0.distance, $0.word) < ($1.distance, $1.word) }?.word
}

/// Insertions, deletions, replacements and swaps of neighbours that part two words (optimal string
/// alignment).
private func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for row in left.indices {
    var current = [row + 1]
    for column in right.indices {
      var best = min(
        last[column + 1] + 1, current[column] + 1,
        last[column] + (left[row] == right[column] ? 0 : 1))
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        best = min(best, beforeLast[column - 1] + 1)
      }
      current.append(best)
    }
    (beforeLast, last) = (last, current)
  }
  return last[right.count]
}
