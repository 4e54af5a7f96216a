package import Exchange

/// Where a revocation list is published, and who may have signed it.
package struct RevocationFeed: Equatable, Sendable {
  package let url: String
  /// In the agreement's order.
  package var parties: [PartyID]
  /// Anchors and intermediates of those parties (PEM).
  package var authorities: Set<String>
}

extension RevocationFeed {
  /// One feed for each address, whoever names it.
  static func joined(_ feeds: [RevocationFeed]) -> [RevocationFeed] {
    feeds.reduce(into: []) { joined, feed in
      guard let place = joined.firstIndex(where: { $0.url == feed.url }) else {
        joined.append(feed)
        return
      }
      joined[place].parties += feed.parties
      joined[place].authorities.formUnion(feed.authorities)
    }
  }
}
