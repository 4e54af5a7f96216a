internal import Yams

/// A value of a YAML file with the line it stands on: all that the readers of rules see of YAML.
struct ConfigNode {
  enum Content {
    case empty
    /// The text as written; `quoted` keeps `"5"` apart from `5`.
    case scalar(String, quoted: Bool)
    case list([ConfigNode])
    case map([Entry])
  }

  struct Entry {
    let key: String
    let line: Int
    let value: ConfigNode
  }

  let line: Int
  let content: Content
}

extension ConfigNode {
  /// Bounds: a rule file is some hundred lines; these are far above and stop a file that explodes
  /// through aliases or nesting.
  static let longest = 1_048_576
  static let deepest = 32
  static let mostNodes = 200_000

  /// Reports what is wrong and answers nil when the text is not one YAML document.
  static func parse(_ text: String, file: String, problems: ProblemList) -> ConfigNode? {
    guard text.utf8.count <= longest else {
      problems.add(
        .notYAML, at: Place(file: file, line: 0), "the file is longer than \(longest) bytes")
      return nil
    }
    do {
      guard let root = try compose(yaml: text, .default, .default, .utf8) else {
        problems.add(.notYAML, at: Place(file: file, line: 0), "the file is empty")
        return nil
      }
      var left = mostNodes
      guard let node = convert(root, line: 1, depth: 0, left: &left) else {
        problems.add(
          .notYAML, at: Place(file: file, line: 0),
          "the file nests too deep, holds too much, or has a key that is not a word")
        return nil
      }
      return node
    } catch {
      let (line, text) = explain(error)
      problems.add(.notYAML, at: Place(file: file, line: line), text)
      return nil
    }
  }

  private static func convert(
    _ node: Node, line: Int, depth: Int, left: inout Int
  ) -> ConfigNode? {
    left -= 1
    guard depth <= deepest, left >= 0 else { return nil }
    let line = node.mark?.line ?? line
    switch node {
    case .scalar(let scalar):
      let quoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
      let empty = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
      return ConfigNode(
        line: line, content: empty ? .empty : .scalar(scalar.string, quoted: quoted))
    case .sequence(let sequence):
      var items: [ConfigNode] = []
      for item in sequence {
        guard let item = convert(item, line: line, depth: depth + 1, left: &left) else {
          return nil
        }
        items.append(item)
      }
      return ConfigNode(line: line, content: .list(items))
    case .mapping(let mapping):
      var entries: [Entry] = []
      for (key, value) in mapping {
        guard case .scalar(let name) = key,
          let value = convert(
            value, line: key.mark?.line ?? line, depth: depth + 1, left: &left)
        else { return nil }
        entries.append(Entry(key: name.string, line: key.mark?.line ?? line, value: value))
      }
      return ConfigNode(line: line, content: .map(entries))
    case .alias:
      return nil
    }
  }

  /// The line and cause in Yams' words, without the text around it.
  private static func explain(_ error: any Error) -> (line: Int, text: String) {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      (mark.line, "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      (context.mark.line, "the key \"\(keys.first ?? "")\" stands twice in one group")
    case .reader(let problem, _, _, _):
      (0, "not YAML: \(problem)")
    default:
      (0, "not YAML")
    }
  }
}
