package import Exchange
package import Logging
package import Mailbox
import Rules
import Seal
package import Store

/// The two MESH workflow ids of Sallyport; neither says anything of a person.
package enum Workflow {
  package static let notice = "SALLYPORT_NOTICE"
  /// Receipts and answers, by MESH custom.
  package static let acknowledgement = "SALLYPORT_NOTICE_ACK"
  package static let all = [notice, acknowledgement]
}

/// Fills the hosted mailboxes from the store: a party's inbox is its deliveries; what parties send to
/// Sallyport's own mailbox is committed as it came, before they are answered.
package struct StoreKeeper: MailboxKeeper {
  /// How the store names our own hosted mailbox among the inboxes.
  package static let inbox = "host"

  /// What one party may have waiting here.
  package struct Quotas: Sendable, Equatable {
    /// Messages that are not opened yet.
    package var waiting = 5000
    package var openUploads = 8
    /// How long an upload may stay open.
    package var uploadTime = Duration.seconds(86_400)

    package init() {}
  }

  let store: Store
  let regime: RegimeInForce
  let ownMailbox: MailboxID
  /// What may be sent here.
  let workflows: Set<String>
  let quotas: Quotas
  let now: @Sendable () -> Instant
  let log: Logger
  /// Called after a message was kept.
  let onSubmission: @Sendable () -> Void

  package init(
    store: Store, regime: RegimeInForce, ownMailbox: MailboxID,
    workflows: Set<String> = Set(Workflow.all), quotas: Quotas = Quotas(),
    now: @escaping @Sendable () -> Instant, log: Logger,
    onSubmission: @escaping @Sendable () -> Void
  ) {
    self.store = store
    self.regime = regime
    self.ownMailbox = ownMailbox
    self.workflows = workflows
    self.quotas = quotas
    self.now = now
    self.log = log
    self.onSubmission = onSubmission
  }

  func party(_ mailbox: MailboxID) throws -> PartyID {
    guard let party = regime.current.policy.party(mailbox: mailbox) else {
      throw KeeperRefusal.unavailable
    }
    return party.id
  }

  package func credentials(of mailbox: MailboxID) async -> MailboxCredentials? {
    regime.current.mailboxes[mailbox]
  }

  package func page(
    of mailbox: MailboxID, after cursor: InboxCursor?, limit: Int, workflow: MeshWorkflowFilter?
  ) async throws -> HostedPage {
    let party = try party(mailbox)
    let place: Int64
    switch cursor {
    case .none: place = 0
    case .position(let position): place = position
    case .message(let id):
      guard let delivery = DeliveryID(carrierID: id),
        let found = try await store.mailboxPlace(of: delivery, party: party)
      else { throw KeeperRefusal.unknownCursor }
      place = found
    }
    let page = try await store.mailboxPage(
      of: party, after: place, limit: limit,
      workflows: workflow.map { filter in Set(Workflow.all.filter(filter.matches)) })
    return HostedPage(
      ids: page.items.compactMap(\.id.carrierID), next: page.next, approximateCount: page.count)
  }

  package func message(
    _ id: CarrierMessageID, for mailbox: MailboxID, headersOnly: Bool
  ) async throws -> HostedMessageAnswer {
    let party = try party(mailbox)
    guard let delivery = DeliveryID(carrierID: id),
      let copy = try await orKeptBack(
        delivery, { try await store.delivery(delivery, party: party) })
    else { return headersOnly ? try await sent(id, by: mailbox, party) : .notFound }
    switch copy.delivery.handover(at: now()) {
    case .unknown: return .notFound
    case .gone: return .gone
    // An operator keeps it back: nothing is given, nothing said of it, and nothing lost.
    case .keptBack: throw KeeperRefusal.unavailable
    case .give: break
    }
    let handOver = HandOver(store: store, regime: regime.current, moment: now(), log: log)
    guard try await orKeptBack(delivery, { try await handOver.mayGive(copy) }) else {
      return .gone
    }
    FaultPoint.beforeHandOver.reached()
    return .found(
      HostedMessage(
        id: id, sender: ownMailbox, recipient: mailbox,
        metadata: MeshMetadata(
          workflowID: copy.workflow, localID: copy.localID, isEncrypted: true),
        acceptedAt: copy.delivery.committedAt ?? now(), payload: copy.bytes))
  }

  /// What cannot be found out now is asked for again: nothing is given and nothing said of it.
  private func orKeptBack<Value>(
    _ delivery: DeliveryID, _ work: () async throws -> Value
  ) async throws(KeeperRefusal) -> Value {
    do {
      return try await work()
    } catch {
      let code = (error as? StoreError)?.code ?? (error as? SealError)?.code ?? "-"
      log.error("delivery kept back", metadata: ["code": "\(code)", "delivery": "\(delivery)"])
      throw .unavailable
    }
  }

  package func acknowledge(
    _ id: CarrierMessageID, in mailbox: MailboxID
  ) async throws -> AcknowledgeAnswer {
    let party = try party(mailbox)
    FaultPoint.beforeCollected.reached()
    guard let delivery = DeliveryID(carrierID: id),
      try await store.recordCollected(delivery, party: party, at: now()) != nil
    else { return .notFound }
    FaultPoint.afterCollected.reached()
    return .acknowledged
  }
}
