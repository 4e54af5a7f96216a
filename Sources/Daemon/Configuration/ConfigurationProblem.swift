/// One mistake in a configuration file. The operator's turn.
package struct ConfigurationProblem: Equatable, Sendable {
  /// Stable: `CONF-002`.
  package let code: String
  package let file: String
  /// Counted from 1; nil when the mistake has no line.
  package let line: Int?
  package let text: String
  /// What to type or change next.
  package let hint: String

  package init(code: String, file: String, line: Int?, text: String, hint: String) {
    self.code = code
    self.file = file
    self.line = line
    self.text = text
    self.hint = hint
  }

  package var description: String {
    let place = line.map { "\(file):\($0)" } ?? file
    return "\(place): \(text)  \(code)\n    \(hint)"
  }
}

/// All mistakes of one reading, in the order of the file.
package struct ConfigurationProblems: Error, Sendable, CustomStringConvertible {
  package var list: [ConfigurationProblem]

  package init(_ list: [ConfigurationProblem] = []) { self.list = list }

  package var description: String { list.map(\.description).joined(separator: "\n") }
}

/// Collects mistakes while a file is read, so that all are told at once.
final class ProblemReport {
  struct Entry {
    let code: String
    let line: Int?
    let text: String
    let hint: String

    init(_ code: String, line: Int?, _ text: String, _ hint: String) {
      (self.code, self.line, self.text, self.hint) = (code, line, text, hint)
    }
  }

  let file: String
  private var entries: [Entry] = []

  init(file: String) { self.file = file }

  func add(_ entry: Entry) { entries.append(entry) }

  var problems: ConfigurationProblems {
    let sorted = entries.enumerated().sorted {
      ($0.element.line ?? .max, $0.offset) < ($1.element.line ?? .max, $1.offset)
    }
    return ConfigurationProblems(
      sorted.map(\.element).map {
        ConfigurationProblem(
          code: $0.code, file: file, line: $0.line, text: $0.text, hint: $0.hint)
      })
  }
}
