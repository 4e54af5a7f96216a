import Rules
import Testing

@testable import Daemon

/// One mistake in the template, and what is to be said of it.
struct Mistake: Sendable, CustomTestStringConvertible {
  /// The line that is exchanged, and by what.
  let at: Int
  let text: String
  let code: String
  /// Where it is reported; nil where the file as a whole is meant.
  let line: Int?
  let says: String
  let hint: String

  var testDescription: String { "\(code) \(text)" }

  init(_ at: Int, _ text: String, _ code: String, line: Int?, _ says: String, _ hint: String) {
    (self.at, self.text, self.code) = (at, text, code)
    (self.line, self.says, self.hint) = (line, says, hint)
  }

  static let duration = "a duration from 100ms to 24h, such as 5m or 30s"
  static let size = "a size from 1KiB to 1024MiB, such as 20MiB"
  static let address = "an address such as https://mesh.example.org:8443"
  static let add = "add it; config/sallyport.example.yaml shows each"

  static func url(_ text: String) -> Mistake {
    Mistake(
      25, "    url: \(text)", "CONF-003", line: 25, "inboxes[0].url is not \(address)",
      "write \(address)")
  }

  static func poll(_ text: String) -> Mistake {
    Mistake(
      32, "    poll_interval: \(text)", "CONF-003", line: 32,
      "inboxes[0].poll_interval is not \(duration)", "write \(duration)")
  }

  static func message(_ text: String) -> Mistake {
    Mistake(
      34, "  message: \(text)", "CONF-003", line: 34, "limits.message is not \(size)",
      "write \(size)")
  }

  static func port(_ text: String) -> Mistake {
    Mistake(
      16, "  port: \(text)", "CONF-003", line: 16,
      "host.port is not a whole number from 0 to 65535", "write a whole number from 0 to 65535")
  }

  static let unknown = [
    Mistake(
      6, "bank_holidays: b.json\nstat: x", "CONF-002", line: 7, "stat is not a setting",
      "did you mean state?"),
    Mistake(
      6, "bank_holidays: b.json\ncolour: green", "CONF-002", line: 7, "colour is not a setting",
      "remove it"),
    Mistake(
      9, "  key_encryption_key: k\n  rings: x", "CONF-002", line: 10, "keys.rings is not a setting",
      "did you mean ring?"),
    Mistake(
      32, "    pol_interval: 5m", "CONF-002", line: 32, "inboxes[0].pol_interval is not a setting",
      "did you mean poll_interval?"),
    Mistake(
      34, "  mesage: 20MiB", "CONF-002", line: 34, "limits.mesage is not a setting",
      "did you mean message?"),
    Mistake(
      6, "bank_holidays: b.json\n[a, b]: c", "CONF-002", line: 7,
      "this is not the name of a setting", "remove it"),
  ]

  static let missing = [
    Mistake(1, "#", "CONF-006", line: nil, "party is missing", add),
    Mistake(3, "state:", "CONF-006", line: nil, "state is missing", add),
    Mistake(3, "state: ~", "CONF-006", line: nil, "state is missing", add),
    Mistake(3, "state: ''", "CONF-006", line: nil, "state is missing", add),
    Mistake(8, "#", "CONF-006", line: 9, "keys.ring is missing", add),
    Mistake(12, "#", "CONF-006", line: 11, "ledger.origin is missing", add),
    Mistake(27, "#", "CONF-006", line: 23, "inboxes[0].password is missing", add),
  ]

  static let wrong = [
    Mistake(
      1, "party: Prison Durham", "CONF-003", line: 1, "party is not a party such as prison:durham",
      "write a party such as prison:durham"),
    Mistake(
      24, "    party: durham", "CONF-003", line: 24,
      "inboxes[0].party is not a party such as prison:durham",
      "write a party such as prison:durham"),
    Mistake(
      2, "mailbox: SALLY PORT", "CONF-003", line: 2,
      "mailbox is not a mailbox of A-Z, 0-9, _ and -", "write a mailbox of A-Z, 0-9, _ and -"),
    Mistake(
      23, "  - name: The Prison", "CONF-003", line: 23,
      "inboxes[0].name is not a name of lower-case letters, digits and hyphens",
      "write a name of lower-case letters, digits and hyphens"),
    Mistake(3, "state: [a, b]", "CONF-003", line: 3, "state is not a text", "write a text"),
    Mistake(
      19, "  client_authorities: []", "CONF-003", line: 19,
      "host.client_authorities is not a list of paths", "write a list of paths"),
    Mistake(
      19, "  client_authorities: [a.pem, [b.pem]]", "CONF-003", line: 19,
      "host.client_authorities is not a list of paths", "write a list of paths"),
    Mistake(
      35, "  in_flight: 1MiB", "CONF-003", line: 35, "limits.in_flight is less than one message",
      "write at least limits.message"),
    Mistake(
      32, "  - host", "CONF-003", line: 32, "inboxes[1] is to be a group of settings",
      "indent them"),
    port("65536"), port("-1"), port("https"), port("8443.5"), port("[8443]"),
    url("http://mesh.example.org"), url("mesh.example.org"), url("https://"),
    url("https://user@mesh.example.org"), url("https://mesh.example.org/messageexchange"),
    url("https://mesh.example.org?a=b"), url("'https://mesh.example.org#top'"),
    url("https://mesh.example.org:0"), url("https://mesh.example.org:65536"),
    url("https://mesh.example.org:port"), url("https://mesh example.org"),
    url("https://mësh.example.org"), url("[https://mesh.example.org]"),
    poll("5"), poll("5 minutes"), poll("0s"), poll("-5m"), poll("99ms"), poll("25h"),
    poll("9223372036854775807h"), poll("[5m]"),
    message("20MB"), message("1023"), message("1025MiB"), message("-1MiB"), message("1.5MiB"),
    message("9223372036854775807MiB"), message("[20MiB]"),
  ]

  static let twice = [
    Mistake(
      2, "party: sallyport:south", "CONF-004", line: 1,
      "party is set twice in its group, first here",
      "keep one"),
    Mistake(
      9, "  ring: keys/other", "CONF-004", line: 8, "ring is set twice in its group, first here",
      "keep one"),
    Mistake(
      32, second(named: "prison"), "CONF-005", line: 32, "two inboxes are called prison",
      "rename one"),
    Mistake(
      23, "  - name: host", "CONF-005", line: 23, "our own mailbox is called host", "rename it"),
  ]

  static func second(named name: String) -> String {
    Template.lines[22..<31].joined(separator: "\n").replacing("prison\n", with: "\(name)\n")
  }

  static let notYAML = [
    Mistake(
      8, "\tring: x", "CONF-001", line: 8, "this is not YAML", "indent with spaces; quote odd text"),
    Mistake(
      8, "  ring: 'x", "CONF-001", line: 36, "this is not YAML",
      "indent with spaces; quote odd text"),
    Mistake(
      8, "  ring: a: b", "CONF-001", line: 8, "this is not YAML",
      "indent with spaces; quote odd text"),
    Mistake(
      8, "---", "CONF-001", line: 8, "this is not YAML", "indent with spaces; quote odd text"),
  ]
}

@Suite struct `Mistakes in the configuration are told with code, line and next step` {
  @Test(
    arguments: Mistake.unknown + Mistake.missing + Mistake.wrong + Mistake.twice + Mistake.notYAML)
  func `one mistake is told once, at its line`(mistake: Mistake) {
    let text = Template.with([mistake.at: mistake.text])
    let found = problems { () throws(ConfigurationProblems) in try Template.parse(text) }
    #expect(
      found == [
        ConfigurationProblem(
          code: mistake.code, file: "sallyport.yaml", line: mistake.line, text: mistake.says,
          hint: mistake.hint)
      ])
  }

  @Test func `a group that is missing or no group is told once, without all that it would hold`() {
    for (change, code, line, says) in [
      ([7: "keys:", 8: "#", 9: "#"], "CONF-006", nil, "keys is missing"),
      ([7: "keys: none", 8: "#", 9: "#"], "CONF-003", 7, "keys is to be a group of settings"),
      ([7: "keys: [ring]", 8: "#", 9: "#"], "CONF-003", 7, "keys is to be a group of settings"),
    ] as [([Int: String], String, Int?, String)] {
      let found = problems { () throws(ConfigurationProblems) in
        try Template.parse(Template.with(change))
      }
      #expect(found.map(\.code) == [code])
      #expect(found.map(\.line) == [line])
      #expect(found.map(\.text) == [says])
    }
  }

  @Test(arguments: [
    "", "\n\n", "# nothing but a remark\n", "- party\n- mailbox\n", "sallyport\n", "~",
  ])
  func `a file without settings says where to start`(text: String) {
    let found = problems { () throws(ConfigurationProblems) in try Template.parse(text) }
    #expect(
      found == [
        ConfigurationProblem(
          code: "CONF-001", file: "sallyport.yaml", line: 1, text: "no settings here",
          hint: "start from config/sallyport.example.yaml")
      ])
  }

  @Test func `many mistakes are told together, in the order of the file`() {
    let text = Template.with([
      1: "party: nobody", 9: "  key_encrypton_key: k", 16: "  port: many", 23: "  - name: host",
      25: "    url: http://mesh.example.org", 32: "    poll_interval: soon", 34: "  message: 1",
      35: "  color: red", 5: "#",
    ])
    let found = problems { () throws(ConfigurationProblems) in try Template.parse(text) }
    #expect(
      found.map { "\($0.code) \($0.line.map(String.init) ?? "-") \($0.text.prefix { $0 != " " })" }
        == [
          "CONF-003 1 party", "CONF-006 8 keys.key_encryption_key",
          "CONF-002 9 keys.key_encrypton_key", "CONF-003 16 host.port", "CONF-005 23 our",
          "CONF-003 25 inboxes[0].url", "CONF-003 32 inboxes[0].poll_interval",
          "CONF-003 34 limits.message", "CONF-002 35 limits.color", "CONF-006 - rulebook",
        ])
    #expect(found[2].hint == "did you mean key_encryption_key?")
  }

  @Test func `a mistake reads as file, line, words, code and next step`() throws {
    let problem = ConfigurationProblem(
      code: "CONF-003", file: "a.yaml", line: 7, text: "port is wrong", hint: "write a number")
    #expect(problem.description == "a.yaml:7: port is wrong  CONF-003\n    write a number")
    let whole = ConfigurationProblem(
      code: "CONF-010", file: "a.yaml", line: nil, text: "cannot read a.yaml", hint: "check it")
    #expect(
      ConfigurationProblems([problem, whole]).description
        == "a.yaml:7: port is wrong  CONF-003\n    write a number\n"
        + "a.yaml: cannot read a.yaml  CONF-010\n    check it")
  }

  @Test func `the nearest word is the one with the fewest changes, and never a far one`() {
    #expect(nearest(to: "mailbx", among: ["mailbox", "mail"]) == "mailbox")
    #expect(nearest(to: "sate", among: ["state", "rate"]) == "rate")
    #expect(nearest(to: "x", among: ["state"]) == nil)
    #expect(nearest(to: "anything", among: [String]()) == nil)
  }
}
