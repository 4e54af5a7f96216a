import ArgumentParser
import Daemon
import Ledger
import Store

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Checks the ledger as an outsider would.",
    subcommands: [AuditVerifyCommand.self, AuditReceiptCommand.self])
}

struct AuditVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Re-hashes every entry of a published ledger and checks every signature. Reads only.",
    discussion: """
      Needs the ledger's folder and one public key: no daemon, no database, no trust in the operator.

      Examples:
        sallyport audit verify --key "$(cat ledger/vkey)" ledger
        sallyport audit verify --key @audit.vkey --held last-year.checkpoint ledger
        sallyport audit verify --key @audit.vkey --former-key @audit.vkey.former ledger

      Exit codes: 0 everything holds, 1 it does not, 65 the key or a file cannot be read.
      """)

  @Option(help: "The verifier key, or @FILE that holds it.") var key: String
  @Option(help: "An earlier key of the ledger, or @FILE with one a line; may be given again.")
  var formerKey: [String] = []
  @Option(help: "A checkpoint kept from before; may be given again.") var held: [String] = []
  @Flag(help: "One JSON document.") var json = false
  @Argument(help: "The ledger's folder.") var directory: String

  func run() throws {
    guard let verifierKey = try AuditVerifyCommand.keys(key).first else {
      throw Say.failure(
        "there is no key", next: "ask the operator for the line in ledger/vkey", exit: Exit.data)
    }
    let formerKeys = try formerKey.flatMap(AuditVerifyCommand.keys)
    let checkpoints = try held.map { path in
      do throws(BoundedFile.Problem) {
        return HeldCheckpoint(name: path, bytes: try BoundedFile.bytes(path))
      } catch {
        throw Say.failure(error.text, next: "check the path after --held", exit: Exit.data)
      }
    }
    let folder = LedgerFolder(directory)
    let kept: [String]
    do {
      kept = try folder.keptCheckpoints()
    } catch {
      throw Say.failure(error.description, next: "check the folder's path", exit: Exit.data)
    }
    let verifier = LedgerVerifier(
      files: folder, ledger: verifierKey, formerKeys: formerKeys)
    let report = verifier.check(kept: kept, held: checkpoints)
    if json {
      Say.answer(AuditVerifyCommand.json(report))
    } else {
      AuditVerifyCommand.text(report)
    }
    if !report.isSound { throw Exit.badAnswer }
  }

  /// Reads an option's keys: itself, or the lines of the file that it names.
  private static func keys(_ option: String) throws -> [VerifierKey] {
    let text: String
    do {
      text = option.hasPrefix("@") ? try BoundedFile.secret(String(option.dropFirst())) : option
    } catch {
      throw Say.failure(error.text, next: "give the key itself: --key NAME+ID+KEY", exit: Exit.data)
    }
    do {
      return try text.split(whereSeparator: \.isNewline).map { try VerifierKey(String($0)) }
    } catch {
      throw Say.failure(
        "\(error)", next: "ask the operator for the line in ledger/vkey", exit: Exit.data)
    }
  }

  private static func text(_ report: LedgerReport) {
    for problem in report.problems { Say.answer("✗ \(problem)") }
    if report.stoppedEarly { Say.answer("… stopped after \(report.problems.count) problems") }
    guard report.isSound, let size = report.size, let root = report.root else { return }
    Say.answer(
      "✓ \(size) entries, hashes and order hold; root \(root.base64); "
        + "\(report.checkpointsChecked) earlier checkpoints are its beginnings")
  }

  private static func json(_ report: LedgerReport) -> String {
    struct Document: Encodable {
      let verified: Bool
      let size: Int?
      let root: String?
      let entriesChecked: Int
      let checkpointsChecked: Int
      let problems: [String]
    }
    return JSONText.of(
      Document(
        verified: report.isSound, size: report.size, root: report.root?.base64,
        entriesChecked: report.entriesChecked, checkpointsChecked: report.checkpointsChecked,
        problems: report.problems.map(\.description)))
  }
}
