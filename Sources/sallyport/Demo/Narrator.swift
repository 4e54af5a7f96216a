import Demo
import Exchange
import Foundation
import Ledger
import Rules
import Store

/// Tells the story so that it can be read at a glance.
enum Narrator {
  private static let isColoured =
    isatty(1) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    && ProcessInfo.processInfo.environment["TERM"] != "dumb"

  private static func colour(_ code: Int, _ text: String) -> String {
    isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }

  static func tell(_ scene: DemoPlay.Scene) {
    let view = scene.view
    Say.answer("\(mark(view.ending)) \(scene.step.title)")
    let unread = view.ending == .duplicate ? "a repeat" : "a message that was not taken"
    let what = view.type.map { "\($0)" } ?? unread
    let who = view.sender.map { " from \($0)" } ?? ""
    Say.answer("    \(what)\(who)   \(outcome(view))")
    for line in Narrator.recipients(view) { Say.answer("    " + line) }
    if view.ending != .shared {
      for reason in view.decision?.reasons.prefix(2) ?? [] {
        Say.answer("    \(reason.text)  (\(reason.rule), \(reason.source))")
      }
    }
  }

  private static func mark(_ ending: Intake.Ending?) -> String {
    switch ending {
    case .shared: colour(32, "✓")
    case .held: colour(33, "⏸")
    case .refused: colour(31, "✗")
    case .setAside, .discarded: colour(31, "⚑")
    case .duplicate: colour(36, "↺")
    case nil: "…"
    }
  }

  private static func outcome(_ view: ExchangeView) -> String {
    switch view.ending {
    case .shared: view.deliveries.isEmpty ? "recorded" : "shared"
    case .held(let code): "held: \(code)"
    case .refused: "refused: \(view.decision?.reasons.first?.rule ?? "")"
    case .setAside(let code): "set aside: \(code)"
    case .discarded(let code): "discarded: \(code)"
    case .duplicate: "already here: acknowledged again, no second effect"
    case nil: "waiting"
    }
  }

  private static func recipients(_ view: ExchangeView) -> [String] {
    view.deliveries.map { delivery in
      let decided = view.decision?.recipients.first { $0.party == delivery.party }
      let fields = decided?.fields ?? []
      var line =
        "→ \(delivery.party.text.padded(to: 24)) \(decided?.released.count ?? 0) of \(fields.count) fields"
      let forbidden = fields.filter { $0.outcome == .forbidden }.map(\.field)
      if !forbidden.isEmpty { line += ", kept out: \(forbidden.joined(separator: ", "))" }
      if let due = delivery.delivery?.answerDue { line += ", answer by \(due.day)" }
      return line
    }
  }

  /// The senders' receipts; one of them as its sender reads it, checked with the ledger's key alone.
  static func tell(
    _ receipts: [(party: DemoParty, receipt: Exchange.Notification)], ledger: VerifierKey
  ) {
    Say.answer("\n\(colour(32, "✉")) Every sender has its receipts, \(receipts.count) in all.")
    guard let (party, receipt) = receipts.last(where: { $0.party.role == "prison" }),
      let outcome = receipt.data["outcome"]?.string, let entry = receipt.data["entry"]?.string,
      let text = receipt.data["proof"]?.string
    else { return }
    Say.answer(
      "    The last one of \(party.id): \(outcome), by decision "
        + "\(receipt.data["decision"]?.string ?? "-")")
    do {
      let proof = try Receipt(Array(text.utf8))
      let checkpoint = try proof.verify(entry: Array(entry.utf8), ledger: ledger)
      Say.answer(
        "    Its proof holds with the ledger's public key alone: entry \(proof.index) of "
          + "\(checkpoint.size)")
    } catch {
      Say.answer("    \(colour(31, "✗")) Its proof does not hold: \(error)")
    }
  }

  static func tell(_ report: LedgerReport) {
    let size = report.size ?? 0
    Say.answer(
      "\n\(colour(32, "✓")) The ledger: \(size) entries, every one re-hashed, signature and root hold."
    )
    Say.answer("    root \(report.root?.base64 ?? "")")
  }
}
