import ArgumentParser
import Daemon
import Exchange
import Foundation

/// How long what is followed is accepted at least.
struct WindowOption: ParsableArguments {
  @Option(help: "How long the earlier key is accepted at least: 30d, 12h, 0s.")
  var acceptFor = Window(days: 30)
}

struct KeysRotateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate",
    abstract: "A new key follows the one in force, while the daemon runs. Changes state.",
    discussion: """
      USE is signing, decryption, store or ledger. Store and ledger keys are in force at once; for
      signing and decryption a request for your authority is written, and `keys import` takes the
      certificate into use. Nothing is undone: the earlier key goes on being accepted until it is retired.

      Examples:
        sallyport keys rotate signing --reason "yearly" --out signing-2.csr
        sallyport keys rotate store --reason "disk was replaced, ticket 8812"

      Exit codes: 0 done, 1 not possible now, 69 the daemon is not reached, 77 not allowed.
      """)

  @OptionGroup var option: ConfigurationOption
  @OptionGroup var act: ActOptions
  @OptionGroup var window: WindowOption
  @Option(help: "Where the request goes; standard output otherwise.") var out: String?
  @Argument(help: "signing, decryption, store or ledger.") var use: String

  func run() async throws {
    try act.check()
    guard let use = KeyRing.Use(rawValue: use) else {
      throw Say.failure(
        "there is no key for \(use)", next: "sallyport keys rotate signing --reason …",
        exit: Exit.usage)
    }
    let answer = try await option.ask(
      .rotate(use, accept: window.acceptFor.duration, reason: act.reason), json: act.json)
    guard let request = answer["request"]?.string else {
      if !act.json { tell(answer) }
      return
    }
    if let out {
      do { try Data(request.utf8).write(to: URL(filePath: out)) } catch {
        throw Say.failure(
          "cannot write \(out)", next: "the same command again: the request stays the same",
          exit: Exit.data)
      }
    } else if !act.json {
      Say.answer(request)
    }
    if !act.json { Say.talk(steps(answer["key"]?.string ?? "", use)) }
  }

  /// What a person does now, in order.
  private func steps(_ key: String, _ use: KeyRing.Use) -> String {
    let first = "1 \(key) made; it is not used yet   2 have your authority certify the request"
    guard use == .signing else {
      return first + """

        3 sallyport keys import CERTIFICATE.pem --reason …: from then on both open what comes
        4 list the certificate in the agreement's own entry, sallyport reload, send it to all parties
        5 when they seal to it: take the old one out of the agreement, then keys retire
        """
    }
    return first + """

      3 list the certificate beside the old one in the agreement's own entry, sallyport reload
      4 send it to all parties, and wait until each has pinned it
      5 sallyport keys import CERTIFICATE.pem --reason …: from then on it signs
      """
  }

  private func tell(_ answer: JSONValue) {
    let text = { (name: String) in answer[name]?.string ?? "" }
    let (key, earlier) = (text("key"), text("earlier"))
    Say.answer(
      "1 \(key) made and in force   2 \(earlier) is accepted until \(text("acceptedUntil"))")
    if let name = answer["publicName"]?.string {
      Say.answer("3 give auditors the new verifier key: \(name)")
    } else {
      Say.answer("3 what \(earlier) holds is wrapped anew beside the other work")
    }
    Say.answer("4 sallyport keys retire \(earlier) --reason …   refuses while something needs it")
  }
}

struct KeysImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Takes the certificate of a key that waits for it into use. Changes state.",
    discussion: """
      CERTIFICATE is a PEM file; which key it belongs to is found out. While the daemon runs it does it;
      a first ring, which no daemon can run with, is finished without one.

      Examples:
        sallyport keys import signing-2.pem --reason "yearly"

      Exit codes: 0 done, 1 not possible now, 65 the file cannot be read, 69 the daemon is not reached,
      77 not allowed.
      """)

  @OptionGroup var option: ConfigurationOption
  @OptionGroup var act: ActOptions
  @OptionGroup var window: WindowOption
  @Argument(help: "The certificate, PEM.") var certificate: String

  func run() async throws {
    try act.check()
    let text: String
    do {
      text = try BoundedFile.text(certificate, limit: 8192)
    } catch {
      throw Say.failure(error.text, next: "check the path", exit: Exit.data)
    }
    let (configuration, keys) = try option.keys()
    if (try? KeyRing(keys: keys)) == nil { return try finish(text, configuration, keys) }
    let answer = try await option.ask(
      .importCertificate(text, accept: window.acceptFor.duration, reason: act.reason),
      json: act.json)
    if act.json { return }
    let (key, earlier) = (answer["key"]?.string ?? "", answer["earlier"]?.string ?? "")
    Say.answer(
      "1 \(key) is in force   2 \(earlier) is accepted until \(answer["acceptedUntil"]?.string ?? "")"
    )
    Say.answer("3 send all parties: \(answer["publicName"]?.string ?? "")")
    Say.answer("4 sallyport keys retire \(earlier) --reason …   refuses while something needs it")
  }

  /// Nothing can run with a ring that lacks a certificate: nobody else has it in hand.
  private func finish(
    _ text: String, _ configuration: Configuration, _ keys: [KeyRing.Key]
  ) throws {
    do {
      let now = Instant.wallClock
      let ring = try KeyRing(growing: keys)
      let change = KeyRing.Change(at: now, by: "uid \(getuid())", reason: act.reason)
      let next = try ring.activating(
        ring.waiting(for: text, at: now).id, certificate: text, accept: .zero, change: change)
      try KeyRingFile(configuration.keys).replace(with: next.ring, keepsPrevious: false)
      let left = next.ring.keys.filter { $0.state == .requested }.map(\.id)
      if act.json {
        let name = next.key.publicName(origin: configuration.ledger.origin)
        return Say.answer(
          KeyAnswer.text(
            [
              "key": .string(next.key.id), "state": .string(next.key.state.word), "earlier": .null,
              "acceptedUntil": .null, "request": .null,
              "publicName": name.map { .string($0) } ?? .null,
            ], by: change.by))
      }
      Say.answer("\(next.key.id) is in force in \(configuration.keys.ringFile)")
      Say.answer(
        left.isEmpty
          ? "next   sallyport check --config \(option.file)"
          : "next   sallyport keys import: \(left.joined(separator: ", ")) waits for its certificate"
      )
    } catch let problem as KeyRingProblem {
      throw KeyAnswer.failure(
        problem.code, problem.text, next: "sallyport keys list", exit: Exit.badAnswer,
        json: act.json)
    }
  }
}

struct KeysRetireCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retire",
    abstract: "Gives an earlier key up, if nothing needs it. Cannot be undone.",
    discussion: """
      Refused before its time is over, and while an unread message, an uncollected copy, a stored value or
      a checkpoint needs it.

      Examples:
        sallyport keys retire store-1 --reason "rotated on 1 March"

      Exit codes: 0 done, 1 still needed, 69 the daemon is not reached, 77 not allowed.
      """)

  @OptionGroup var option: ConfigurationOption
  @OptionGroup var act: ActOptions
  @Argument(help: "The key's id, such as signing-1.") var key: String

  func run() async throws {
    try act.check()
    _ = try await option.ask(.retire(key, reason: act.reason), json: act.json)
    if !act.json { Say.answer("\(key) is retired: its secret is gone from ring and memory.") }
  }
}

struct ReloadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "The daemon reads everything anew, whole or not at all. Changes state.",
    discussion: """
      Configuration, rulebook, agreement, certificates, revocation lists, calendar, key ring, passwords,
      TLS files, inboxes. If anything is wrong all of it is told and nothing is changed.

      Examples:
        sallyport reload
        sallyport reload --json

      Exit codes: 0 done, 69 the daemon is not reached, 77 not allowed, 78 something is wrong.
      """)

  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  func run() async throws {
    switch try await option.answer(to: .reload, json: json) {
    case .reloaded(let changes):
      if json {
        Say.answer(ControlAnswer.reloaded(changes).json.canonicalText)
      } else {
        for change in changes { Say.answer("  \(change)") }
        Say.answer(changes.isEmpty ? "Nothing is other than before." : "In force.")
      }
    case .refused(let refusal):
      let isDenied = refusal.code.hasPrefix("CTRL-")
      throw KeyAnswer.failure(
        refusal.code, refusal.text, problems: refusal.problems,
        next: "sallyport check --config \(option.file)",
        exit: isDenied ? Act.exit(refusal.code) : Exit.configuration, json: json)
    case .done, .keys, .running, .standing, .polled: throw Exit.bug
    }
  }
}

extension ConfigurationOption {
  /// Asks the daemon; what it says about the key.
  fileprivate func ask(_ act: KeyAct, json: Bool) async throws -> JSONValue {
    switch try await answer(to: .keys(act), json: json) {
    case .keys(let by, let report):
      if json { Say.answer(KeyAnswer.text(report.object ?? [:], by: by)) }
      return report
    case .refused(let refusal):
      let isOfKeys = ["KEYS-", "CONF-", "SEAL-"].contains { refusal.code.hasPrefix($0) }
      throw KeyAnswer.failure(
        refusal.code, refusal.text, problems: refusal.problems, next: "sallyport keys list",
        exit: isOfKeys ? Exit.badAnswer : Act.exit(refusal.code), json: json)
    case .done, .reloaded, .running, .standing, .polled: throw Exit.bug
    }
  }

  /// - Throws: what failed when nobody answers.
  fileprivate func answer(to request: ControlRequest, json: Bool) async throws -> ControlAnswer {
    let configuration = try configuration()
    do throws(ControlProblem) {
      return try await ControlClient(
        socketFile: configuration.control.socketFile, patience: .seconds(120)
      ).ask(request)
    } catch {
      throw KeyAnswer.failure(
        error.code, error.text,
        next: error == .notReached
          ? "systemctl start sallyport; then the same again" : "sallyport keys list",
        exit: Act.exit(error.code), json: json)
    }
  }
}

/// What a command on keys, and a reload, says as JSON.
enum KeyAnswer {
  private struct Refusal: Encodable {
    let done = false
    let code: String
    let text: String
    let problems: [String]
    let next: String
  }

  /// Done, by whom, and how the key is now.
  static func text(_ key: [String: JSONValue], by: String) -> String {
    JSONValue.object(key.merging(["done": true, "by": .string(by)]) { _, new in new })
      .canonicalText
  }

  /// Nothing was done, and why.
  static func failure(
    _ code: String, _ text: String, problems: [String] = [], next: String, exit: ExitCode,
    json: Bool
  ) -> ExitCode {
    if json {
      Say.answer(
        JSONText.of(Refusal(code: code, text: text, problems: problems, next: next)))
    }
    for problem in problems { Say.talk("✗ \(problem)") }
    return Say.failure("\(code) \(text)", next: next, exit: exit)
  }
}
