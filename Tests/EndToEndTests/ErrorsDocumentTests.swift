import Foundation
import Testing

/// Whoever meets a code at night finds it in the manual.
@Suite struct ErrorsDocumentTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Codes of the MESH protocol itself, which its own documents explain.
  static let foreign: Set<String> = ["EPL-151"]

  static func codesInSources() throws -> Set<String> {
    let folder = root.appending(path: "Sources")
    let pattern = /"([A-Z]{3,4}-[0-9]{3})"/
    var codes: Set<String> = []
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path())
    where name.hasSuffix(".swift") {
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      for match in text.matches(of: pattern) { codes.insert(String(match.1)) }
    }
    return codes.subtracting(foreign)
  }

  static func paragraphs() throws -> [String: String] {
    let text = try String(contentsOf: root.appending(path: "docs/errors.md"), encoding: .utf8)
    var found: [String: String] = [:]
    for part in text.split(separator: "\n### ").dropFirst() {
      let code = part.prefix { $0 != " " }
      #expect(found.updateValue(String(part), forKey: String(code)) == nil, "\(code) stands twice")
    }
    return found
  }

  @Test func `every code in the program has a paragraph, and says what to do`() throws {
    let paragraphs = try Self.paragraphs()
    let codes = try Self.codesInSources()
    #expect(codes.count > 100)
    for code in codes {
      #expect(paragraphs[code]?.contains("What to do") == true, "\(code) is not explained")
    }
  }

  @Test func `no paragraph speaks of a code that the program does not know`() throws {
    let sources = try Self.codesInSources()
    for code in try Self.paragraphs().keys {
      #expect(sources.contains(code), "\(code) is in docs/errors.md alone")
    }
  }
}
