package import Exchange

/// An inbox of which no more is downloaded at one time than there is room for in the whole daemon.
///
/// How long a message is, is known only once it comes. Most are short: each is first asked for with a small
/// share and a small limit, so that many can be under way; one that turns out longer is broken off by its
/// announced length, and asked for again when there is room for the largest.
package struct BoundedInbox: PolledInbox {
  /// What most notifications fit into: envelope, seal, no documents.
  package static let smallBytes = 256 * 1024

  private let small: any PolledInbox
  private let large: any PolledInbox
  private let largest: Int
  private let flight: BytesInFlight

  /// - Parameters:
  ///   - small: the inbox, with `smallBytes` as its limit of one message.
  ///   - large: the same inbox with the limit that is in force, `largest`.
  package init(
    small: any PolledInbox, large: any PolledInbox, largest: Int, flight: BytesInFlight
  ) {
    (self.small, self.large, self.largest, self.flight) = (small, large, largest, flight)
  }

  /// The message holds its share for as long as it is held itself.
  package func download(_ id: CarrierMessageID) async throws(MeshError) -> InboundMessage {
    do throws(MeshError) {
      return try await download(id, from: small, upTo: min(BoundedInbox.smallBytes, largest))
    } catch {
      guard error.kind == .tooLarge, largest > BoundedInbox.smallBytes else { throw error }
    }
    return try await download(id, from: large, upTo: largest)
  }

  private func download(
    _ id: CarrierMessageID, from inbox: any PolledInbox, upTo limit: Int
  ) async throws(MeshError) -> InboundMessage {
    let share: BytesShare
    do {
      share = try await flight.share(of: limit)
    } catch { throw MeshError(TransportError(.cancelled)) }
    var message = try await inbox.download(id)
    share.shrink(to: message.body.count)
    message.share = share
    return message
  }

  package func handshake() async throws(MeshError) { try await large.handshake() }

  package func list(
    maximum: Int, from link: PageLink?
  ) async throws(MeshError) -> InboxPage {
    try await large.list(maximum: maximum, from: link)
  }

  package func acknowledge(_ id: CarrierMessageID) async throws(MeshError) {
    try await large.acknowledge(id)
  }
}
