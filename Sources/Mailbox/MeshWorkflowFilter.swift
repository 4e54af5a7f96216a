/// A filter on workflow ids, as the inbox list takes it (MESH API specification, "workflow_filter"):
/// `ABC`, `ABC*` or `*ABC*`, each also with a leading `!` for its opposite.
package struct MeshWorkflowFilter: Sendable, Hashable {
  package enum Form: Sendable, Hashable { case equal, prefix, contained }

  package let form: Form
  package let isNegated: Bool
  /// What is compared: the filter without its marks. Not empty.
  package let word: String
  /// As it was written.
  package let text: String

  /// Nil when the text is not 2 to 255 characters or has nothing between its marks.
  package init?(_ text: String) {
    guard (2...255).contains(text.count) else { return nil }
    var rest = Substring(text)
    isNegated = rest.hasPrefix("!")
    if isNegated { rest = rest.dropFirst() }
    if rest.count > 1, rest.hasPrefix("*"), rest.hasSuffix("*") {
      form = .contained
      rest = rest.dropFirst().dropLast()
    } else if rest.hasSuffix("*") {
      form = .prefix
      rest = rest.dropLast()
    } else {
      form = .equal
    }
    guard !rest.isEmpty else { return nil }
    (word, self.text) = (String(rest), text)
  }

  package func matches(_ workflow: String) -> Bool {
    let isMatch =
      switch form {
      case .equal: workflow == word
      case .prefix: workflow.hasPrefix(word)
      case .contained: workflow.contains(word)
      }
    return isMatch != isNegated
  }
}
