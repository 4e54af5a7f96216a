import ArgumentParser
import Foundation
import Rules

/// The program: daemon, client and checker in one.
@main
struct Sallyport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sallyport",
    abstract: "Secure exchange between the agencies that manage dangerous offenders under MAPPA.",
    discussion: """
      Examples:
        sallyport demo --once
        sallyport status

      Every command says whether it reads only, changes state or cannot be undone. `--json` is a contract
      (docs/json.md).

      Exit codes: 0 good, 1 the answer is bad, 64 wrong use, 65 cannot be read, 69 cannot be reached,
      70 a fault of the program, 75 busy, 77 not allowed, 78 the configuration is wrong.
      """,
    version: Version.text,
    subcommands: [
      DemoCommand.self, ServeCommand.self, CheckCommand.self, StatusCommand.self, TailCommand.self,
      DeadlinesCommand.self, ShowCommand.self, ExplainCommand.self, QueueCommand.self,
      SetAsideCommand.self, InboxCommand.self, HoldCommand.self,
      ReleaseCommand.self, RequeueCommand.self, WithdrawCommand.self, SendCommand.self,
      AuditCommand.self, KeysCommand.self, ReloadCommand.self, ErrorsCommand.self,
      VersionCommand.self,
    ])

  /// As ArgumentParser does it, but that every error ends with the line to type next.
  static func main() async {
    let line = CommandLineWords(Array(CommandLine.arguments.dropFirst()))
    if let unknown = line.unknown {
      exit(withError: Say.failure(unknown.text, next: unknown.next, exit: Exit.usage))
    }
    do {
      var command = try parseAsRoot(line.words)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch  where !(error is ExitCode) && exitCode(for: error) == Exit.usage {
      let help = (["sallyport"] + line.path + ["--help"]).joined(separator: " ")
      exit(withError: Say.failure(message(for: error), next: help, exit: Exit.usage))
    } catch {
      exit(withError: error)
    }
  }

  /// Without arguments.
  func run() {
    Say.answer(
      """
      sallyport \(Version.text): secure exchange between the agencies of MAPPA.

        sallyport demo --once     pretend agencies, real messages: it works here
        sallyport status          what came in, what waits, what is overdue

      sallyport --help            every command
      """)
  }
}

/// The words that were typed, as far as they name commands.
struct CommandLineWords {
  let words: [String]
  /// The commands that they name.
  private(set) var path: [String] = []
  /// The first word that should name a command and does not.
  private(set) var unknown: (text: String, next: String)?

  init(_ words: [String]) {
    self.words = words
    var children = Sallyport.configuration.subcommands
    for word in words {
      guard !children.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
      var below: [any ParsableCommand.Type]?
      var names: [String] = []
      for child in children {
        let configuration = child.configuration
        guard let name = configuration.commandName else { continue }
        names.append(name)
        if name == word { below = configuration.subcommands }
      }
      guard let below else {
        let near = nearest(to: word, among: names)
        let typed = (path + [String(word.prefix(32))]).joined(separator: " ")
        let next = (["sallyport"] + path + [near ?? "--help"]).joined(separator: " ")
        unknown = ("there is no command \(typed)", next)
        return
      }
      path.append(word)
      children = below
    }
  }
}

/// How a command ended: the numbers of `sysexits.h`, 0 always good news.
enum Exit {
  static let good = ExitCode(0)
  static let badAnswer = ExitCode(1)
  static let usage = ExitCode(64)
  static let data = ExitCode(65)
  static let unreachable = ExitCode(69)
  static let bug = ExitCode(70)
  static let busy = ExitCode(75)
  static let denied = ExitCode(77)
  static let configuration = ExitCode(78)
  static let interrupted = ExitCode(130)
}

/// What a command says: the answer on standard output, talk on standard error.
enum Say {
  static func answer(_ text: String) { put(text + "\n", on: .standardOutput) }
  static func talk(_ text: String) { put(text + "\n", on: .standardError) }

  /// Says what failed and the next command to type, and ends with an exit code.
  static func failure(_ text: String, next: String, exit: ExitCode) -> ExitCode {
    talk("error: \(text)\nhint:  \(next)")
    return exit
  }

  private static func put(_ text: String, on handle: FileHandle) {
    // A reader that went away is not our trouble: the command's work is done.
    try? handle.write(contentsOf: Data(text.utf8))
  }
}
