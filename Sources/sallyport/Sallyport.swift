import ArgumentParser
import Foundation

/// The program: daemon, client and checker in one.
@main
struct Sallyport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sallyport",
    abstract: "Secure exchange between the agencies that manage dangerous offenders under MAPPA.",
    discussion: """
      Examples:
        sallyport demo --once
        sallyport check --config /etc/sallyport/sallyport.yaml

      Exit codes: 0 good, 1 the answer is bad, 64 wrong use, 65 cannot be read, 69 cannot be reached,
      70 a fault of the program, 75 busy, 77 not allowed, 78 the configuration is wrong.
      """,
    version: Version.text,
    subcommands: [
      InboxCommand.self,
      DemoCommand.self, ServeCommand.self, CheckCommand.self, StatusCommand.self, ShowCommand.self,
      ExplainCommand.self, QueueCommand.self, SetAsideCommand.self, ReleaseCommand.self,
      RequeueCommand.self, WithdrawCommand.self, SendCommand.self, AuditCommand.self,
      VersionCommand.self,
    ])
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
