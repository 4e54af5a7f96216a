import ArgumentParser
import Daemon
import Exchange
import Ledger

struct AuditReceiptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "receipt",
    abstract: "Checks the ledger proof of a receipt, offline. Reads only.",
    discussion: """
      FILE is a receipt as its sender opened it (openssl cms -decrypt, then -verify): a CloudEvents document.
      Needs it and one public key: no ledger, no daemon, no trust in the operator.

      Examples:
        sallyport audit receipt --key @audit.vkey receipt.json

      Exit codes: 0 the proof holds, 1 it does not, 65 the key or the file cannot be read.
      """)

  @Option(help: "The verifier key, or @FILE that holds it.") var key: String
  @Flag(help: "One JSON document.") var json = false
  @Argument(help: "The opened receipt.") var file: String

  private struct Document: Encodable {
    let proved: Bool
    let outcome: String
    let decision: String
    let index: Int
    let size: OrNull<Int>
    let problem: OrNull<String>
  }

  func run() throws {
    let verifierKey = try AuditReceiptCommand.key(key)
    let receipt = try read()
    var checkpoint: SignedCheckpoint?
    var problem: LedgerProblem?
    do throws(LedgerProblem) {
      checkpoint = try receipt.proof.verify(entry: receipt.entry, ledger: verifierKey)
    } catch { problem = error }
    if json {
      Say.answer(
        JSONText.of(
          Document(
            proved: problem == nil, outcome: receipt.outcome, decision: receipt.decision,
            index: receipt.proof.index, size: OrNull(checkpoint?.size),
            problem: OrNull(problem?.description))))
    } else if let checkpoint {
      Say.answer(
        "✓ \(receipt.outcome), decision \(receipt.decision): entry \(receipt.proof.index) of "
          + "\(checkpoint.size), signed by \(verifierKey.name)")
    } else if let problem {
      Say.answer("✗ \(problem)")
    }
    if problem != nil { throw Exit.badAnswer }
  }

  static func key(_ text: String) throws -> VerifierKey {
    do {
      return try VerifierKey(
        text.hasPrefix("@") ? BoundedFile.secret(String(text.dropFirst())) : text)
    } catch {
      throw Say.failure(
        "the verifier key cannot be read", next: "ask the operator for the line in ledger/vkey",
        exit: Exit.data)
    }
  }

  private func read() throws -> (
    outcome: String, decision: String, entry: [UInt8], proof: Receipt
  ) {
    do {
      let event = try JSONValue.parse(BoundedFile.bytes(file))
      guard event["type"]?.string == NotificationType.receiptIssued.text,
        let data = event["data"], let outcome = data["outcome"]?.string,
        let decision = data["decision"]?.string, let entry = data["entry"]?.string,
        let proof = data["proof"]?.string
      else { throw NotAReceipt() }
      return (outcome, decision, Array(entry.utf8), try Receipt(Array(proof.utf8)))
    } catch {
      let text = (error as? BoundedFile.Problem)?.text ?? "\(file) is not an opened receipt"
      throw Say.failure(text, next: "open it first: docs/protocol.md", exit: Exit.data)
    }
  }

  private struct NotAReceipt: Error {}
}
