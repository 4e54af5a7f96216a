import ArgumentParser
import Exchange
import Rules
import Store

/// How much `explain` says.
enum ExplainLevel: String, ExpressibleByArgument, CaseIterable {
  /// What was withheld, and why.
  case brief
  /// Every field of every recipient, what was verified, and what a person confirmed.
  case full
}

struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Why each field was shared or withheld, with rule and paragraph. Reads only.",
    discussion: """
      With the daemon up or down. Names of fields, never what stood in them.

      Examples:
        sallyport explain 7c1f --config sallyport.yaml
        sallyport explain 7c1f --level full

      Exit codes: 0 told, 1 there is no such exchange, 65 the store cannot be read.
      """)

  @OptionGroup var exchange: ExchangeArgument
  @OptionGroup var option: ConfigurationOption
  @Option(help: "brief or full: also every field that was told, what was verified and confirmed.")
  var level = ExplainLevel.brief
  @Flag(help: "One JSON document; says all at any level.") var json = false

  func run() async throws {
    let reading = try await Reading(option)
    let view = try await exchange.view(in: reading.store)
    if json { return Say.answer(document(view, reading).canonicalText) }
    reading.noteDaemon()
    guard let decision = view.decision else {
      Say.answer("exchange \(view.exchange)")
      Say.answer("Not decided: \(view.ending?.word ?? "waiting").")
      if let first = view.first { Say.answer("The same came before as exchange \(first).") }
      if let code = view.ending?.code { Say.answer("Why: sallyport errors \(code)") }
      tell(view.receipts)
      return
    }
    Say.answer("exchange \(view.exchange)")
    for line in Explanation.text(of: decision) { Say.answer(line) }
    if view.ending?.word != decision.outcome.rawValue, let ending = view.ending {
      Say.answer("Since then: \(ending.word).")
    }
    if level == .full { tellAll(decision, view) }
    tell(view.receipts)
  }

  /// What the sender was told of it, by which rule.
  private func tell(_ receipts: [ReceiptView]) {
    for receipt in receipts {
      guard let decision = receipt.decision else { continue }
      for line in Explanation.text(of: decision, to: receipt.party) { Say.answer(line) }
      guard let first = receipt.first else { continue }
      Say.answer("Receipt: it is told what it was told of exchange \(first.exchange).")
    }
  }

  private func tellAll(_ decision: Decision, _ view: ExchangeView) {
    for recipient in decision.recipients {
      Say.answer("All fields for \(recipient.party):")
      for field in recipient.fields {
        Say.answer(
          "  \(field.field.padded(to: 24)) \(field.outcome.rawValue.padded(to: 16)) "
            + "\(field.reason.rule), \(field.reason.source)")
      }
    }
    if let verdict = view.verdict {
      Say.answer(
        "Verified: signed by \(verdict.signer), revocation list \(verdict.revocation.rawValue), "
          + "at \(verdict.verifiedAt)")
      Say.answer("  certificate \(verdict.certificate)")
      Say.answer("  signed at \(verdict.signingTime?.description ?? "no stated time")")
    }
    let confirmed = view.confirmations.sorted().joined(separator: ", ")
    Say.answer("Confirmed by a person: \(confirmed.isEmpty ? "nothing" : confirmed)")
    Say.answer("Case: \(view.caseID == nil ? "none is known" : "known")")
  }

  private func document(_ view: ExchangeView, _ reading: Reading) -> JSONValue {
    var members = view.decision?.summary.object ?? [:]
    members["daemon"] = .string(reading.daemon)
    members["exchange"] = .string(view.exchange.text)
    members["decided"] = .bool(view.decision != nil)
    members["state"] = .string(view.ending?.word ?? "waiting")
    // To the reader a repeat is something that was put aside without effect.
    let word = view.ending == .duplicate ? "set-aside" : view.ending?.word ?? "waiting"
    members["outcome"] = members["outcome"] ?? .string(word)
    members["code"] = (view.ending?.code).map { .string($0) } ?? .null
    members["first"] = view.first.map { .string($0.text) } ?? .null
    members["confirmed"] = .array(view.confirmations.sorted().map { .string($0) })
    members["verdict"] =
      view.verdict.map { verdict in
        [
          "signer": .string(verdict.signer.text), "certificate": .string(verdict.certificate),
          "verifiedAt": .string(verdict.verifiedAt.description),
          "revocation": .string(verdict.revocation.rawValue),
          "signingTime": (verdict.signingTime?.description).map { .string($0) } ?? .null,
        ]
      } ?? .null
    return .object(members)
  }
}
