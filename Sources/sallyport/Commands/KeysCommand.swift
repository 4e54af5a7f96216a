import ArgumentParser
import Daemon
import Exchange
import Foundation

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Sallyport's keys, and the certificates that it goes by.",
    discussion: """
      Examples:
        sallyport keys list
        sallyport keys check --within 30d
        sallyport keys rotate signing --reason "yearly"
      """,
    subcommands: [
      KeysListCommand.self, KeysCheckCommand.self, KeysCreateCommand.self, KeysRotateCommand.self,
      KeysImportCommand.self, KeysRetireCommand.self,
    ])
}

extension ConfigurationOption {
  /// The configuration and the ring as it lies on disk, finished or not.
  func keys() throws -> (configuration: Configuration, keys: [KeyRing.Key]) {
    let configuration = try configuration()
    do {
      return (configuration, try KeyRingFile(configuration.keys).read())
    } catch {
      let text = (error as? KeyRingProblem).map { "\($0.code) \($0.text)" } ?? "\(error)"
      throw Say.failure(
        text, next: "sallyport keys create --config \(file)", exit: Exit.configuration)
    }
  }
}

struct KeysListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Each key of ours and each pinned certificate: use, owner, end. Reads only.",
    discussion: """
      Needs no daemon. Times are those of certificates; of an earlier key, until when it is accepted at
      least.

      Examples:
        sallyport keys list
        sallyport keys list --json

      Exit codes: 0 good, 78 configuration or ring cannot be read.
      """)

  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let keys: [Line]
  }

  private struct Line: Encodable {
    let use: String
    let id: OrNull<String>
    let state: OrNull<String>
    let owner: String
    let made: OrNull<String>
    let ends: OrNull<String>
    let fingerprint: OrNull<String>

    init(_ line: KeyInventory.Line) {
      (use, owner) = (line.use, line.owner)
      (id, state) = (OrNull(line.id), OrNull(line.state))
      (made, ends) = (OrNull(line.made), OrNull(line.ends))
      fingerprint = OrNull(line.fingerprint)
    }
  }

  func run() async throws {
    let (configuration, keys) = try option.keys()
    let inventory = KeyInventory(ring: keys, configuration: configuration)
    if json { return Say.answer(JSONText.of(Document(keys: inventory.lines.map(Line.init)))) }
    let rows =
      [["use", "id", "state", "owner", "made", "ends", "fingerprint"]]
      + inventory.lines.map { line in
        [
          line.use, line.id ?? "–", line.state ?? "pinned", line.owner,
          line.made.map { String($0.prefix(10)) } ?? "–",
          line.ends.map { String($0.prefix(10)) } ?? "–", line.fingerprint ?? "–",
        ]
      }
    let widths = rows[0].indices.map { place in rows.map { $0[place].count }.max() ?? 0 }
    for row in rows {
      let cells = row.enumerated().map { place, cell in
        place == row.count - 1 ? cell : cell.padded(to: widths[place] + 2)
      }
      Say.answer(cells.joined())
    }
  }
}

struct KeysCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Whether any certificate ends soon. Reads only.",
    discussion: """
      Examples:
        sallyport keys check --within 30d
        sallyport keys check --within 12h --json

      Exit codes: 0 nothing ends within that time, 1 something does, 78 configuration or ring cannot be
      read.
      """)

  @OptionGroup var option: ConfigurationOption
  @Option(help: "How far to look ahead: 30d, 12h.") var within = Window(days: 30)
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let good: Bool
    let ending: [String]
  }

  func run() async throws {
    let (configuration, keys) = try option.keys()
    let ending = KeyInventory(ring: keys, configuration: configuration)
      .ending(by: Instant.wallClock + within.duration)
    if json {
      Say.answer(JSONText.of(Document(good: ending.isEmpty, ending: ending)))
    } else {
      for line in ending { Say.answer("✗ \(line)  KEYS-005") }
      if ending.isEmpty { Say.answer("✓ nothing ends within \(within.text)") }
    }
    if !ending.isEmpty { throw Exit.badAnswer }
  }
}

/// A span of days, hours or seconds: `30d`, `12h`, `0s`.
struct Window: ExpressibleByArgument {
  let duration: Duration
  let text: String

  init(days: Int) { (duration, text) = (.seconds(days * 86_400), "\(days)d") }

  init?(argument: String) {
    let units: [Character: Int] = ["d": 86_400, "h": 3600, "s": 1]
    guard let unit = argument.last.flatMap({ units[$0] }), let count = Int(argument.dropLast()),
      (0...366 * 86_400).contains(count), count * unit <= 366 * 86_400
    else { return nil }
    (duration, text) = (.seconds(count * unit), argument)
  }

  var defaultValueDescription: String { text }
}

struct KeysCreateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Makes the first key ring and the requests for its certificates. Changes state.",
    discussion: """
      Writes the ring where the configuration says, and the key that opens it if that is not there yet.
      Signing and decryption need certificates of your authority: the requests lie beside the ring. What
      is there already is not overwritten.

      Examples:
        sallyport keys create --config /etc/sallyport/sallyport.yaml

      Exit codes: 0 made, 1 there is a ring already, 78 the configuration is wrong or a file cannot be
      written.
      """)

  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let done = true
    let ring: String
    let keyEncryptionKey: String
    /// Else it was there already.
    let madeKeyEncryptionKey: Bool
    let requests: [Request]
    let next = "sallyport keys import CERTIFICATE.pem, once for each of them"
  }

  private struct Request: Encodable {
    let key: String
    let use: String
    let file: String
  }

  func run() async throws {
    let configuration = try option.configuration()
    let file = KeyRingFile(configuration.keys)
    do {
      let madeKey = !FileManager.default.fileExists(atPath: file.keyEncryptionKeyFile)
      let ring = try KeyRing.first(at: .wallClock)
      try file.create(ring)
      let requests = try ring.keys.filter { $0.state == .requested }.map { key in
        let path = "\(file.path).\(key.id).csr"
        try Data(key.request(of: configuration.party).utf8).write(to: URL(filePath: path))
        return Request(key: key.id, use: key.use.rawValue, file: path)
      }
      tell(
        Document(
          ring: file.path, keyEncryptionKey: file.keyEncryptionKeyFile,
          madeKeyEncryptionKey: madeKey, requests: requests))
    } catch let problem as KeyRingProblem {
      var exists = false
      if case .exists = problem { exists = true }
      throw KeyAnswer.failure(
        problem.code, problem.text, next: "sallyport keys list",
        exit: exists ? Exit.badAnswer : Exit.configuration, json: json)
    }
  }

  private func tell(_ made: Document) {
    if json { return Say.answer(JSONText.of(made)) }
    Say.answer("made   \(made.ring)")
    if made.madeKeyEncryptionKey {
      Say.answer("made   \(made.keyEncryptionKey)   put it into a systemd credential")
    }
    for request in made.requests {
      Say.answer("wrote  \(request.file)   for your authority (\(request.use))")
    }
    Say.answer("next   \(made.next)")
  }
}
