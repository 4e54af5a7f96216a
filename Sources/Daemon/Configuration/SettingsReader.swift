import Exchange
import Foundation
import Rules
import Yams

/// Reads one mapping of the configuration file into typed values; what is wrong goes to the report with
/// its line, and reading goes on.
final class SettingsReader {
  private let name: String
  private let line: Int?
  /// The group itself is missing or no group, which is reported: nothing in it is reported again.
  private let isAbsent: Bool
  private let directory: String
  private let report: ProblemReport
  private var settings: [String: Node] = [:]
  private var order: [String] = []
  private var asked: Set<String> = []

  /// The whole file. Nil (with a reported problem) when it is not a YAML mapping.
  init?(text: String, directory: String, report: ProblemReport) {
    (name, line, isAbsent, self.directory, self.report) = ("", nil, false, directory, report)
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
      let key = keys.first ?? "a setting"
      report.add(
        .init(
          "CONF-004", line: context.mark.line, "\(key) is set twice in its group, first here",
          "keep one"))
      return nil
    } catch {
      let line = (error as? YamlError).flatMap(SettingsReader.line(of:))
      report.add(
        .init("CONF-001", line: line, "this is not YAML", "indent with spaces; quote odd text"))
      return nil
    }
    guard let root, take(root) else {
      report.add(
        .init("CONF-001", line: 1, "no settings here", "start from config/sallyport.example.yaml"))
      return nil
    }
  }

  private init(name: String, node: Node?, line: Int?, directory: String, report: ProblemReport) {
    (self.name, self.line, self.directory, self.report) = (name, line, directory, report)
    isAbsent = node?.mapping == nil
    if let node, !take(node) {
      report.add(
        .init("CONF-003", line: line, "\(name) is to be a group of settings", "indent them"))
    }
  }

  private func take(_ node: Node) -> Bool {
    guard case .mapping(let mapping) = node else { return false }
    for (key, value) in mapping {
      guard let word = key.string else {
        report.add(
          .init("CONF-002", line: key.mark?.line, "this is not the name of a setting", "remove it"))
        continue
      }
      // No name stands twice: the reader of YAML has refused that.
      settings[word] = value
      order.append(word)
    }
    return true
  }

  func path(named key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

  func node(_ key: String, required: Bool) -> Node? {
    asked.insert(key)
    guard let node = settings[key], !SettingsReader.isEmpty(node) else {
      if required, !isAbsent {
        report.add(
          .init(
            "CONF-006", line: line, "\(path(named: key)) is missing",
            "add it; config/sallyport.example.yaml shows each"))
      }
      return nil
    }
    return node
  }

  /// Nothing, or what YAML writes for it.
  private static func isEmpty(_ node: Node) -> Bool {
    guard case .scalar(let scalar) = node else { return false }
    return scalar.string.isEmpty
      || (scalar.style == .plain && ["~", "null"].contains(scalar.string))
  }

  func wrong(_ key: String, _ node: Node, _ wanted: String) {
    report.add(
      .init(
        "CONF-003", line: node.mark?.line, "\(path(named: key)) is not \(wanted)", "write \(wanted)"
      ))
  }

  func section(_ key: String) -> SettingsReader {
    let node = node(key, required: true)
    return SettingsReader(
      name: path(named: key), node: node, line: node?.mark?.line ?? line, directory: directory,
      report: report)
  }

  func optionalSection(_ key: String) -> SettingsReader? {
    node(key, required: false) == nil ? nil : section(key)
  }

  func list(_ key: String) -> [SettingsReader] {
    guard let node = node(key, required: false) else { return [] }
    guard case .sequence(let items) = node else {
      wrong(key, node, "a list")
      return []
    }
    return items.enumerated().map { place, item in
      SettingsReader(
        name: "\(path(named: key))[\(place)]", node: item, line: item.mark?.line,
        directory: directory,
        report: report)
    }
  }

  func text(_ key: String) -> String? {
    guard let node = node(key, required: true) else { return nil }
    guard let text = node.string else {
      wrong(key, node, "a text")
      return nil
    }
    return text
  }

  func identifier<Value: Identifier>(_ key: String, _ parse: (String) -> Value?) -> Value? {
    guard let node = node(key, required: true) else { return nil }
    guard let value = node.string.flatMap(parse) else {
      wrong(key, node, SettingsReader.wanted[String(describing: Value.self)] ?? "of its form")
      return nil
    }
    return value
  }

  private static let wanted = [
    "PartyID": "a party such as prison:durham",
    "MailboxID": "a mailbox of A-Z, 0-9, _ and -",
    "InboxName": "a name of lower-case letters, digits and hyphens",
  ]

  /// A path; a relative one starts from the file's folder.
  func path(_ key: String) -> String? {
    text(key).map { SettingsReader.absolute($0, from: directory) }
  }

  func optionalText(_ key: String) -> String? {
    node(key, required: false) == nil ? nil : text(key)
  }

  func optionalPath(_ key: String) -> String? {
    node(key, required: false) == nil ? nil : path(key)
  }

  func paths(_ key: String) -> [String]? {
    guard let node = node(key, required: true) else { return nil }
    let texts = node.sequence?.compactMap(\.string) ?? node.string.map { [$0] }
    guard let texts, !texts.isEmpty, texts.count == node.sequence?.count ?? 1 else {
      wrong(key, node, "a list of paths")
      return nil
    }
    return texts.map { SettingsReader.absolute($0, from: directory) }
  }

  /// Names as a header can carry them: 1 to 300 visible ASCII characters each.
  func optionalNames(_ key: String) -> [String]? {
    guard let node = node(key, required: false) else { return nil }
    let texts = node.sequence?.compactMap(\.string) ?? node.string.map { [$0] }
    guard let texts, !texts.isEmpty, texts.count == node.sequence?.count ?? 1,
      texts.allSatisfy({ text in
        (1...300).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
      })
    else {
      wrong(key, node, "a list of names without spaces")
      return nil
    }
    return texts
  }

  private static func absolute(_ path: String, from directory: String) -> String {
    let url = URL(filePath: path.hasPrefix("/") ? path : directory + "/" + path)
    let absolute = url.standardized.path(percentEncoded: false)
    // Names are put together from it: `ledger/` and `ledger` are one folder.
    return absolute.count > 1 && absolute.hasSuffix("/") ? String(absolute.dropLast()) : absolute
  }

  func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let node = node(key, required: true) else { return nil }
    guard let number = node.int, range.contains(number) else {
      wrong(key, node, "a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return number
  }

  func optionalInteger(_ key: String, in range: ClosedRange<Int>) -> Int? {
    node(key, required: false) == nil ? nil : integer(key, in: range)
  }

  /// `5m`, `30s`, `200ms`, `1h`; 100 ms to 1 day unless told.
  func duration(
    _ key: String, from least: Duration = .milliseconds(100),
    through most: Duration = .seconds(86_400), default standard: Duration
  ) -> Duration {
    guard let node = node(key, required: false) else { return standard }
    let units: [(String, Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
    for (unit, milliseconds) in units {
      guard let text = node.string, text.hasSuffix(unit),
        let count = Int64(text.dropLast(unit.count)), count > 0, count <= 86_400_000,
        (least...most).contains(.milliseconds(count * milliseconds))
      else { continue }
      return .milliseconds(count * milliseconds)
    }
    let range = "\(SettingsReader.text(least)) to \(SettingsReader.text(most))"
    wrong(key, node, "a duration from \(range), such as 5m or 30s")
    return standard
  }

  private static func text(_ duration: Duration) -> String {
    let units: [(String, Int)] = [("h", 3600), ("m", 60), ("s", 1)]
    for (unit, length) in units where duration >= .seconds(length) {
      let count = duration / .seconds(length)
      if count == count.rounded() { return "\(Int(count))\(unit)" }
    }
    return "\(Int(duration / .milliseconds(1)))ms"
  }

  /// `20MiB`, `512KiB`, or plain bytes; 1 KiB to 1 GiB.
  func bytes(_ key: String, default standard: Int) -> Int {
    guard let node = node(key, required: false) else { return standard }
    let units = [("MiB", 1_048_576), ("KiB", 1024), ("", 1)]
    for (unit, factor) in units {
      guard let text = node.string, text.hasSuffix(unit),
        let count = Int(text.dropLast(unit.count)),
        count > 0, count <= 1 << 30, (1024...(1 << 30)).contains(count * factor)
      else { continue }
      return count * factor
    }
    wrong(key, node, "a size from 1KiB to 1024MiB, such as 20MiB")
    return standard
  }

  func optionalBytes(_ key: String) -> Int? {
    node(key, required: false) == nil ? nil : bytes(key, default: 0)
  }

  func httpsURL(_ key: String) -> String? {
    guard let node = node(key, required: true) else { return nil }
    guard let text = node.string, let url = URL(string: text), url.scheme == "https",
      let host = url.host, !host.isEmpty, url.user == nil, url.query == nil, url.fragment == nil,
      url.path.isEmpty || url.path == "/", (1...65_535).contains(url.port ?? 443),
      text.utf8.allSatisfy(SettingsReader.isOfAddress)
    else {
      wrong(key, node, "an address such as https://mesh.example.org:8443")
      return nil
    }
    return text.hasSuffix("/") ? String(text.dropLast()) : text
  }

  /// What host names, addresses and ports are written with.
  private static func isOfAddress(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
      || "-._~:/[]".utf8.contains(byte)
  }

  /// A setting's text and line as they stand, for checks across groups; nothing is reported.
  func word(_ key: String) -> (text: String, line: Int?)? {
    settings[key].flatMap { node in node.string.map { ($0, node.mark?.line) } }
  }

  /// Reports every setting that nobody asked for, with the nearest that exists.
  func finish() {
    for key in order where !asked.contains(key) {
      let near = nearest(to: key, among: asked)
      let hint = near.map { "did you mean \($0)?" } ?? "remove it"
      report.add(
        .init(
          "CONF-002", line: settings[key]?.mark?.line, "\(path(named: key)) is not a setting", hint)
      )
    }
  }

  private static func line(of error: YamlError) -> Int? {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
      mark.line
    default: nil
    }
  }
}
