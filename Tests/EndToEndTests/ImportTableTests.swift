import Foundation
import Testing

/// Data flows one way: which target may import which of ours. SwiftPM stops an upward import on a clean
/// build but lets one skip a level, so the `import` lines are compared with this table
/// (docs/architecture.md gives the reasons).
@Suite struct ImportTableTests {
  static let table: [String: Set<String>] = [
    "Exchange": [],
    "Ledger": [],
    "Rules": ["Exchange"],
    "Seal": ["Exchange", "COpenSSL"],
    "Mailbox": ["Exchange", "CCurl", "COpenSSL", "CZlib"],
    "Store": ["Exchange", "Rules", "Ledger"],
    "Demo": ["Exchange", "Rules", "Seal", "Mailbox", "COpenSSL"],
    "Daemon": ["Exchange", "Rules", "Ledger", "Seal", "Store", "Mailbox"],
    "sallyport": ["Exchange", "Daemon", "Demo", "Ledger", "Rules", "Store"],
  ]

  /// Who may say that a message was verified, and that a field was permitted.
  static let authorities = ["Seal": "Seal", "Rules": "Rules"]

  static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

  static func files(of target: String) throws -> [(name: String, lines: [Substring])] {
    let folder = sources.appending(path: target)
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path())
    return try names.filter { $0.hasSuffix(".swift") }.map { name in
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      return (name, text.split(separator: "\n"))
    }
  }

  /// The module of an import line; nil for other lines.
  static func module(of line: Substring) -> String? {
    let words = line.split(separator: " ")
    guard let place = words.firstIndex(of: "import"), place + 1 < words.count,
      words[..<place].allSatisfy({ word in
        ["package", "public", "internal", "private", "fileprivate"].contains(word)
          || word.hasPrefix("@")
      })
    else { return nil }
    let name =
      ["struct", "class", "enum", "func", "protocol", "typealias"].contains(words[place + 1])
      ? words[place + 2] : words[place + 1]
    return String(name.prefix { $0 != "." })
  }

  @Test func `every target of ours has a row in the table`() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path())
    #expect(Set(folders).subtracting(["COpenSSL", "CCurl", "CZlib"]) == Set(Self.table.keys))
  }

  @Test(arguments: table.keys.sorted())
  func `a target imports of ours only what the table allows`(target: String) throws {
    let ours = Set(Self.table.keys).union(["COpenSSL", "CCurl", "CZlib"])
    let allowed = try #require(Self.table[target])
    let files = try Self.files(of: target)
    #expect(!files.isEmpty)
    for (name, lines) in files {
      for line in lines {
        guard let module = Self.module(of: line) else { continue }
        #expect(!ours.contains(module) || allowed.contains(module), "\(target)/\(name): \(line)")
      }
    }
  }

  @Test func `only Seal can say verified and only Rules can say permitted`() throws {
    for target in Self.table.keys {
      for (name, lines) in try Self.files(of: target) {
        for line in lines where line.contains("@_spi(") && Self.module(of: line) != nil {
          let authority = line.split(separator: "(").dropFirst().first.map {
            $0.prefix { $0 != ")" }
          }
          #expect(
            Self.authorities[String(authority ?? "")] == target, "\(target)/\(name): \(line)")
        }
      }
    }
  }

  @Test func `the pure targets read no file, no clock and no network`() throws {
    for target in ["Exchange", "Rules", "Ledger"] {
      for (name, lines) in try Self.files(of: target) {
        for line in lines {
          for word in [
            "FileManager", "FileHandle", "URLSession", "Date()", "Glibc", "ContinuousClock",
            "wallClock",
          ] {
            #expect(!line.contains(word), "\(target)/\(name): \(line)")
          }
        }
      }
    }
  }
}
