package import Exchange

/// What one download brought: sealed bytes and what the carrier says of them. The carrier's word is not
/// proof of anything; who sent it, only the seal says.
package struct InboundMessage: Sendable {
  package enum Kind: Sendable, Equatable {
    /// A message; its body is the payload.
    case data
    /// The service tells that a message of ours failed; nil when it does not say which one.
    case report(MeshReport?)
  }

  package let id: CarrierMessageID
  package let kind: Kind
  /// Nil when the service does not say, or not in the form of a mailbox.
  package let from: MailboxID?
  package let to: MailboxID?
  /// 1 to 300 visible ASCII characters.
  package let workflowID: String?
  /// The sender's own reference, 1 to 300 visible ASCII characters.
  package let localID: String?
  package internal(set) var body: [UInt8]
  /// Its part of what may be in flight: keep it for as long as the bytes are in hand.
  package internal(set) var share: BytesShare?

  package init(
    id: CarrierMessageID, kind: Kind, from: MailboxID?, to: MailboxID?, workflowID: String?,
    localID: String?, body: [UInt8]
  ) {
    (self.id, self.kind, self.from, self.to) = (id, kind, from, to)
    (self.workflowID, self.localID, self.body) = (workflowID, localID, body)
  }
}

/// The ids that wait in an inbox, oldest first, each once.
package struct InboxPage: Sendable, Equatable {
  package let ids: [CarrierMessageID]
  /// How many entries were not of the form of an id. They cannot be asked for.
  package let unreadable: Int
  /// How many messages wait in all, as the service has it; may lag.
  package let approximateCount: Int?
  /// Where the listing goes on; nil at its end.
  package let next: PageLink?

  package init(
    ids: [CarrierMessageID], unreadable: Int = 0, approximateCount: Int? = nil,
    next: PageLink? = nil
  ) {
    (self.ids, self.unreadable) = (ids, unreadable)
    (self.approximateCount, self.next) = (approximateCount, next)
  }
}

/// A path with query that a service gave for the next page, checked to be of the same inbox.
package struct PageLink: Sendable, Hashable {
  package let path: String

  /// Nil unless the path is `/messageexchange/<mailbox>/inbox` (or the other listing named) with a query,
  /// at most 2000 visible ASCII characters, without a fragment.
  package init?(_ path: String, mailbox: MailboxID, listing: String = "inbox") {
    let prefix = "/messageexchange/\(mailbox)/\(listing)?"
    let forbidden = Array("#\"<>\\^`{|}".utf8)
    guard path.utf8.count <= 2000,
      path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && !forbidden.contains($0) }),
      path.prefix(prefix.count).lowercased() == prefix.lowercased()
    else { return nil }
    self.path = path
  }
}

/// Where a message that we sent stands.
package struct MeshTracking: Sendable, Equatable {
  package let id: CarrierMessageID
  package let status: MeshStatus
  /// In how many parts it is, where the service says so.
  package let parts: Int?

  package init(id: CarrierMessageID, status: MeshStatus, parts: Int? = nil) {
    (self.id, self.status, self.parts) = (id, status, parts)
  }
}
