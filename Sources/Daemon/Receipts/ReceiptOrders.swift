import Exchange
import Rules
import Seal
import Store

extension IntakePassage {
  /// What the sender is to be told of an ending, decided by the rules; nil where nobody is to be told.
  ///
  /// Once a signature held, the signer is told what it may be told. Before, nobody knows who speaks:
  /// whoever the transport authenticated is told that something did not open, by one code for all.
  func receipt(_ ending: Intake.Ending) -> ReceiptOrder? {
    if let opened {
      // A receipt of a receipt would be receipted in turn, for ever.
      guard opened.notification.type != .receiptIssued else { return nil }
      return order(
        ending, to: opened.verdict.signer, event: opened.notification.id, codes: codes(ending))
    }
    if let signer = problem?.signer, let code = ending.code {
      return order(ending, to: signer, event: nil, codes: [code])
    }
    return handedInBy.map {
      order(ending, to: $0, event: nil, codes: [SealError.genericCode])
    }
  }

  private func order(
    _ ending: Intake.Ending, to party: PartyID, event: EventID?, codes: [String]
  ) -> ReceiptOrder {
    let policy = regime.policy
    return ReceiptOrder(
      to: party, event: event,
      policy.receipt(ReceiptOutcome(ending), codes: codes, to: party),
      onConflict: policy.receipt(
        .setAside, codes: [IntakeReason.conflict.rawValue], to: party),
      onRepeat: policy.receipt(.duplicate, codes: [], to: party))
  }

  /// Why it ended so: by the decision where it was decided, else by the ending itself.
  private func codes(_ ending: Intake.Ending) -> [String] {
    switch ending {
    case .shared, .refused: return decision?.reasons.map(\.rule) ?? []
    case .held(let code):
      guard let decision, decision.outcome == .held else { return [code] }
      return decision.reasons.map(\.rule)
    case .setAside(let code), .discarded(let code): return [code]
    case .duplicate: return []
    }
  }
}
