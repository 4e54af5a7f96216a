import ArgumentParser
import Exchange
import Rules

struct ErrorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "errors",
    abstract: "What a code means and what to do, as the manual says it. Reads only.",
    discussion: """
      Examples:
        sallyport errors SEAL-004
        sallyport errors CTRL-010 --json

      Exit codes: 0 told, 1 there is no such code.
      """)

  @Argument(help: "The code, such as SEAL-004.") var code: String
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let code: String
    let title: String
    let text: String
  }

  func run() throws {
    let code = code.uppercased()
    let manual = ErrorManual()
    guard let paragraph = manual.paragraphs[code] else {
      let near = nearest(to: code, among: manual.paragraphs.keys.sorted())
      throw Say.failure(
        "there is no code \(code.prefix(16))", next: "sallyport errors \(near ?? "INTK-001")",
        exit: Exit.badAnswer)
    }
    if json {
      return Say.answer(
        JSONText.of(Document(code: code, title: paragraph.title, text: paragraph.text)))
    }
    Say.answer("\(code) \(paragraph.title)\n\n\(paragraph.text)")
  }
}

/// `docs/errors.md`, which is built into the program.
struct ErrorManual {
  private(set) var paragraphs: [String: (title: String, text: String)] = [:]

  init() {
    var code = ""
    for line in String(decoding: PackageResources.errors_md, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    {
      if line.hasPrefix("### ") {
        let heading = line.dropFirst(4)
        code = String(heading.prefix { $0 != " " })
        paragraphs[code] = (heading.dropFirst(code.count + 1).description, "")
      } else if line.hasPrefix("#") {
        code = ""
      } else if let paragraph = paragraphs[code] {
        let separator = paragraph.text.isEmpty ? "" : "\n"
        paragraphs[code]?.text = paragraph.text + separator + line
      }
    }
    for (code, paragraph) in paragraphs {
      paragraphs[code]?.text = paragraph.text.trimmed
    }
  }
}

extension String {
  /// Without blank lines at its end.
  fileprivate var trimmed: String {
    var text = self[...]
    while text.last?.isWhitespace == true { text = text.dropLast() }
    return String(text)
  }
}
