package import Exchange

/// A further part of a message, after every check that needs no keeper.
package struct SubmittedPart: Sendable, Equatable {
  package var sender: MailboxID
  package var message: CarrierMessageID
  package var range: MeshChunkRange
  /// How it was coded on the wire: nil or `gzip`.
  package var encoding: String?
  /// As it is to be kept. Not empty.
  package var bytes: [UInt8]
  /// Bytes that the whole message may have.
  package var wholeLimit: Int
  package var receivedAt: Instant

  package init(
    sender: MailboxID, message: CarrierMessageID, range: MeshChunkRange, encoding: String?,
    bytes: [UInt8], wholeLimit: Int, receivedAt: Instant
  ) {
    (self.sender, self.message, self.range) = (sender, message, range)
    (self.encoding, self.bytes, self.wholeLimit) = (encoding, bytes, wholeLimit)
    self.receivedAt = receivedAt
  }
}

package enum PartAnswer: Sendable, Equatable {
  /// Durable; the last part with the whole message.
  case accepted
  /// No open upload of this sender: the same for those of others.
  case notFound
  /// The message is whole already.
  case finished
  /// `keep` and `finish` stand for what was done by `accepted`.
  case refused(MeshUpload.Verdict)
  /// So many messages of the sender wait already.
  case overQuota
  /// Not now; the part was not kept.
  case busy
}

/// Which side of a mailbox a listing shows.
package enum HostedBox: String, Sendable {
  case inbox, outbox
}

/// One page of a listing with metadata.
package struct HostedListing: Sendable, Equatable {
  /// Newest first.
  package var messages: [ListedMessage]
  /// Before which position the next page goes on; nil when nothing more follows.
  package var next: Int64?

  package init(messages: [ListedMessage], next: Int64?) {
    (self.messages, self.next) = (messages, next)
  }
}

package struct ListedMessage: Sendable, Equatable {
  package var id: CarrierMessageID
  /// Nil for a report.
  package var sender: MailboxID?
  package var recipient: MailboxID
  package var workflowID: String
  package var localID: String?
  package var isReport: Bool
  package var sentAt: Instant
  package var expiresAt: Instant?
  package var status: MeshStatus
  package var statusCode: String?
  /// Bytes, and of each part where it was sent in parts: says how many parts it has.
  package var payloadLength: Int
  package var partLengths: [Int]

  package init(
    id: CarrierMessageID, sender: MailboxID?, recipient: MailboxID, workflowID: String,
    localID: String? = nil, isReport: Bool = false, sentAt: Instant, expiresAt: Instant? = nil,
    status: MeshStatus, statusCode: String? = nil, payloadLength: Int, partLengths: [Int] = []
  ) {
    (self.id, self.sender, self.recipient) = (id, sender, recipient)
    (self.workflowID, self.localID, self.isReport) = (workflowID, localID, isReport)
    (self.sentAt, self.expiresAt) = (sentAt, expiresAt)
    (self.status, self.statusCode) = (status, statusCode)
    (self.payloadLength, self.partLengths) = (payloadLength, partLengths)
  }
}
