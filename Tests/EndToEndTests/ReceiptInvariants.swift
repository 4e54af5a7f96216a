import Daemon
import Demo
import Exchange
import Ledger
import Rules
import Store
import Testing

extension Invariants {
  /// Every message has its receipts, each once, and nobody else has them. What the sender was told is
  /// what came of it, and the ledger's own key proves it.
  func receiptedOnce(_ views: [ExchangeView]) async throws {
    let key = try world.ring.ledgerKey(origin: world.configuration.ledger.origin).verifierKey
    var held: [DeliveryID: Notification] = [:]
    for recipient in story.recipients {
      for receipt in await recipient.receipts {
        let id = try #require(DeliveryID(receipt.id.text))
        #expect(held.updateValue(receipt, forKey: id) == nil)
        #expect(receipt.audience == recipient.party.id)
      }
    }
    for view in views {
      let owed = view.receipts
      #expect(!owed.isEmpty, "\(view.carrier) was not receipted")
      let outcomes = owed.compactMap(\.decision?.outcome)
      #expect(outcomes.last == view.ending.map(ReceiptOutcome.init), "\(view.carrier)")
      // Nothing in this story is told twice: each is another outcome, or another reason.
      #expect(outcomes.count - Set(outcomes).count <= 1, "\(view.carrier): \(outcomes)")
      for receipt in owed {
        // Signed by an agency that collects nothing here.
        guard view.ending?.word != "set-aside" else {
          #expect(receipt.party.text == "immigration:casework" && receipt.state == .made)
          continue
        }
        #expect(receipt.state == .made && receipt.deliveryState == .collected)
        let found = held.removeValue(forKey: receipt.delivery)
        let told = try #require(found, "\(view.carrier)")
        try check(told, of: receipt, view, key)
      }
    }
    #expect(held.isEmpty, "receipts of nothing: \(held.keys)")
  }

  private func check(
    _ told: Notification, of receipt: ReceiptView, _ view: ExchangeView, _ key: VerifierKey
  ) throws {
    #expect(told.data["outcome"]?.string == receipt.decision?.outcome.rawValue)
    #expect(told.data["decision"]?.string == (view.first ?? view.exchange).text)
    if let sent = view.notification {
      #expect(told.audience == sent.source && told.correlationID == sent.id)
    }
    let entry = Array(try #require(told.data["entry"]?.string).utf8)
    let proof = try Receipt(Array(try #require(told.data["proof"]?.string).utf8))
    _ = try proof.verify(entry: entry, ledger: key)
    #expect(view.leaves.contains(proof.index))
    #expect(try LedgerEntry(entry).exchange == view.exchange.text)
  }
}
