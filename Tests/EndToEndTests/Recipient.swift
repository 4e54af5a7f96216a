import Daemon
import Exchange
import Mailbox
import Seal

@testable import Demo

/// A recipient's system at Sallyport's host. It remembers every byte that it was given.
actor Recipient {
  let party: DemoParty
  private let client: MeshClient
  private let sealer: Sealer
  /// The sealed copy of each delivery, as it was first given.
  private(set) var copies: [DeliveryID: [UInt8]] = [:]
  /// What they say.
  private(set) var notifications: [DeliveryID: Notification] = [:]
  /// Deliveries that were later given with other bytes.
  private(set) var changed: Set<DeliveryID> = []
  /// Deliveries whose collection Sallyport has confirmed.
  private(set) var collected: Set<DeliveryID> = []

  init(_ agency: PretendAgency, in world: CrashWorld, transport: HTTPSTransport) throws {
    party = agency.party
    client = try agency.client(baseURL: world.hostURL, transport: transport)
    sealer = try Sealer(
      identity: world.demo.identity(of: agency.party),
      parties: [world.demo.trust(in: world.demo.own, relays: true)])
  }

  /// Takes everything that waits in the mailbox.
  func collect() async throws {
    for id in try await client.list().ids {
      let delivery = try await look(at: id)
      try await client.acknowledge(id)
      collected.insert(delivery)
    }
  }

  /// Asks for everything once more that was ever given, and confirms it: whoever got no answer to a
  /// confirmation does so.
  func collectAgain() async throws {
    for delivery in copies.keys {
      guard let id = delivery.carrierID else { throw NotADelivery() }
      _ = try await look(at: id)
      try await client.acknowledge(id)
      collected.insert(delivery)
    }
  }

  private func look(at id: CarrierMessageID) async throws -> DeliveryID {
    let message = try await client.download(id)
    let notification = try sealer.open(message.body, now: .wallClock).notification
    guard let delivery = DeliveryID(notification.id.text), delivery.carrierID == id else {
      throw NotADelivery()
    }
    if let first = copies[delivery], first != message.body { changed.insert(delivery) }
    copies[delivery] = copies[delivery] ?? message.body
    notifications[delivery] = notification
    return delivery
  }

  /// Posts sealed bytes to Sallyport's own mailbox.
  func post(_ sealed: [UInt8], to mailbox: MailboxID, localID: String) async throws
    -> CarrierMessageID
  {
    try await client.send(
      to: mailbox, workflow: PretendAgency.workflow, localID: localID, body: sealed)
  }

  /// What it was told of its own messages.
  var receipts: [Notification] { notifications.values.filter { $0.type == .receiptIssued } }

  /// Copies in which a sender's notification of this type reached us.
  func copies(of type: NotificationType) -> [Notification] {
    notifications.values.filter { $0.type == type }.sorted { $0.id < $1.id }
  }

  struct NotADelivery: Error {}
}
