import Exchange
import Logging
import Mailbox
import Store

/// Takes what a carrier reports in one of our mailboxes there. A report is never reported on.
struct ReportIntake {
  let inbox: String
  let store: Store
  let now: @Sendable () -> Instant
  let log: Logger
  /// A delivery is to be sent again.
  let onReturned: @Sendable () -> Void

  func take(_ message: InboundMessage) async -> Disposition {
    guard case .report(let report) = message.kind else { return .leave }
    do throws(StoreError) {
      let carrier = CarrierKey(inbox: inbox, message: message.id)
      guard
        let delivery = try await store.delivery(
          carriedBy: inbox, message: report?.linkedID, localID: message.localID)
      else { return try await keep(carrier) }
      // The machine knows which post is meant: the same report again, after a crash before it was
      // acknowledged, changes nothing.
      let action = try await store.carried(
        delivery, .returned(report?.linkedID, code: CarrierCode.returned), next: now(), at: now())
      CarrierCode.report(action, delivery, carrier: inbox, log)
      if action == .sendAgain { onReturned() }
      return .acknowledge
    } catch .unknown {
      // Erased since: nothing is left to be sent again.
      log.warning("carrier report on what was erased", metadata: ["inbox": "\(inbox)"])
      return .acknowledge
    } catch {
      log.error(
        "carrier report not kept", metadata: ["inbox": "\(inbox)", "code": "\(error.code)"])
      return .leave
    }
  }

  /// About nothing that we sent there: somebody should look; it is kept before it is acknowledged.
  private func keep(_ carrier: CarrierKey) async throws(StoreError) -> Disposition {
    let code = IntakeReason.carrierReport.rawValue
    log.warning("carrier report", metadata: ["inbox": "\(inbox)", "code": "\(code)"])
    let record = IntakeRecord(
      exchange: .random(), carrier: carrier, receivedAt: now(), recordedAt: now(), original: [],
      outcome: .setAside(code: code, sender: nil))
    _ = try await store.record(record)
    return .acknowledge
  }
}
