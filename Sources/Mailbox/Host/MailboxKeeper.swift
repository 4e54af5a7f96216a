package import Exchange

/// What stands behind the hosted mailboxes: the daemon's store, or memory for a pretend agency.
///
/// The host asks only after it has authenticated the mailbox. A lookup of one message goes by mailbox
/// and id together, so that neither answer nor time tells whether an id exists in another mailbox.
package protocol MailboxKeeper: Sendable {
  /// The credentials of an active mailbox; nil when there is none, or it is switched off. Throw when it
  /// cannot be told: clients take a 403 for a fault of their own, and stop.
  func credentials(of mailbox: MailboxID) async throws -> MailboxCredentials?

  /// Ids of accepted messages, oldest first.
  ///
  /// - Parameter limit: 10 to 5000.
  /// - Throws: `KeeperRefusal.unknownCursor` when the cursor names a message never listed here.
  func page(
    of mailbox: MailboxID, after cursor: InboxCursor?, limit: Int, workflow: MeshWorkflowFilter?
  ) async throws -> HostedPage

  /// One message of the mailbox's inbox.
  ///
  /// - Parameter headersOnly: the payload may be left empty (its length not), and a message that the
  ///   mailbox sent is found too.
  func message(
    _ id: CarrierMessageID, for mailbox: MailboxID, headersOnly: Bool
  ) async throws -> HostedMessageAnswer

  /// Takes the message out of the list. Durable before it returns; a second time changes nothing and
  /// is `acknowledged` too.
  func acknowledge(
    _ id: CarrierMessageID, in mailbox: MailboxID
  ) async throws -> AcknowledgeAnswer

  /// Takes a message. Durable before it returns `accepted`.
  func accept(_ message: SubmittedMessage) async throws -> SubmitAnswer

  /// Takes the first part of a message of several. Durable before it returns `accepted`; nobody but the
  /// sender sees anything of it until its last part came.
  ///
  /// - Parameters:
  ///   - message: its payload is the first part.
  ///   - parts: above 1.
  ///   - encoding: how the part was coded on the wire; all others must be alike.
  func beginUpload(
    _ message: SubmittedMessage, parts: Int, encoding: String?
  ) async throws -> SubmitAnswer

  /// Takes a further part, as `MeshUpload` has it. For an upload of another sender and one that is not
  /// there it does the same work.
  func add(_ part: SubmittedPart) async throws -> PartAnswer

  /// Where a message of this sender stands; nil for unknown ones and those of other senders alike.
  func track(_ id: CarrierMessageID, by sender: MailboxID) async throws -> HostedTracking?

  /// The sender's messages with this local id; two are enough to know that it is not unique.
  func track(localID: String, by sender: MailboxID) async throws -> [HostedTracking]

  /// What came or was sent, in any state, newest first; open uploads too.
  ///
  /// - Parameters:
  ///   - since: nothing older.
  ///   - position: nothing from here on: `HostedListing.next` of the page before.
  ///   - limit: 1 to 500.
  func listing(
    _ box: HostedBox, of mailbox: MailboxID, since: Instant, before position: Int64?, limit: Int
  ) async throws -> HostedListing

  /// A mailbox said that it is alive, and with what software: `mex-ClientVersion`, at most 300
  /// characters.
  func handshake(of mailbox: MailboxID, clientVersion: String, at now: Instant) async
}

extension MailboxKeeper {
  package func handshake(of mailbox: MailboxID, clientVersion: String, at now: Instant) async {}
}

/// Why a keeper cannot answer. Anything else that it throws is answered 500.
package enum KeeperRefusal: Error, Equatable, Sendable {
  case unknownCursor
  /// For now: answered 503, and the client tries again with the same token.
  case unavailable
}

/// By what a mailbox is known. Never printed.
package struct MailboxCredentials: Equatable, Sendable {
  package let password: String
  /// SHA-256 of the DER of each TLS client certificate that may use the mailbox, as 64 lower-case hex
  /// digits. What is revoked or out of date leaves this set: it is looked at for each request, so that also
  /// ends what is done over connections opened before.
  package let certificateFingerprints: Set<String>

  package init(password: String, certificateFingerprints: Set<String>) {
    self.password = password
    self.certificateFingerprints = Set(certificateFingerprints.map { $0.lowercased() })
  }
}

extension MailboxCredentials: CustomStringConvertible, CustomReflectable {
  package var description: String { "MailboxCredentials" }
  /// So that no dump shows the password.
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Behind which message a page begins.
package enum InboxCursor: Sendable, Hashable {
  /// The place in the inbox at which the page before ended, as the keeper gave it. Still good after a
  /// restart, and after that message was acknowledged.
  case position(Int64)
  /// A message listed before, acknowledged since or not: what version 1 clients send.
  case message(CarrierMessageID)
}

package struct HostedPage: Sendable, Equatable {
  package var ids: [CarrierMessageID]
  /// Where the next page begins; nil when nothing more follows. Clients can read the number: it
  /// should count within the mailbox alone, so that it tells nothing about others. Not negative.
  package var next: Int64?
  /// Accepted messages of the whole inbox, whatever the filter; may lag.
  package var approximateCount: Int

  package init(ids: [CarrierMessageID], next: Int64?, approximateCount: Int) {
    (self.ids, self.next, self.approximateCount) = (ids, next, approximateCount)
  }
}

/// A message as its recipient downloads it.
package struct HostedMessage: Sendable, Equatable {
  package var id: CarrierMessageID
  /// Nil for a report, which the service itself makes.
  package var sender: MailboxID?
  package var recipient: MailboxID
  package var metadata: MeshMetadata
  /// Set when this is a REPORT, which has no payload.
  package var report: MeshReport?
  package var acceptedAt: Instant
  package var payload: [UInt8]
  /// In bytes; told for headers alone too.
  package var payloadLength: Int
  /// Bytes of each part where it must be given out in the parts in which it came; empty where the host
  /// may cut it as it likes.
  package var partLengths: [Int]

  package init(
    id: CarrierMessageID, sender: MailboxID?, recipient: MailboxID, metadata: MeshMetadata,
    report: MeshReport? = nil, acceptedAt: Instant, payload: [UInt8], payloadLength: Int? = nil,
    partLengths: [Int] = []
  ) {
    (self.id, self.sender, self.recipient) = (id, sender, recipient)
    (self.metadata, self.report, self.acceptedAt) = (metadata, report, acceptedAt)
    (self.payload, self.payloadLength) = (payload, payloadLength ?? payload.count)
    self.partLengths = partLengths
  }
}

package enum HostedMessageAnswer: Sendable, Equatable {
  case found(HostedMessage)
  case notFound
  /// The mailbox is known to have no right to it. Prefer `notFound`, which tells less.
  case forbidden
  /// Expired, withdrawn, purged, or still being uploaded by the mailbox that asks.
  case gone
}

package enum AcknowledgeAnswer: Sendable, Equatable {
  case acknowledged
  case notFound
  case forbidden
}

/// A message as a sender handed it in, after every check of the protocol.
package struct SubmittedMessage: Sendable, Equatable {
  package var sender: MailboxID
  package var recipient: MailboxID
  package var metadata: MeshMetadata
  /// Not empty.
  package var payload: [UInt8]
  package var receivedAt: Instant

  package init(
    sender: MailboxID, recipient: MailboxID, metadata: MeshMetadata, payload: [UInt8],
    receivedAt: Instant
  ) {
    (self.sender, self.recipient, self.metadata) = (sender, recipient, metadata)
    (self.payload, self.receivedAt) = (payload, receivedAt)
  }
}

package enum SubmitAnswer: Sendable, Equatable {
  /// Durable, under this id.
  case accepted(CarrierMessageID)
  case unregisteredRecipient
  /// The recipient does not take this workflow from this sender.
  case workflowNotRegistered
  case tooLarge
  /// So many messages or uploads of the sender wait already; nothing was kept.
  case overQuota
  /// Not now; nothing was kept.
  case busy
}

/// What a sender may know of a message that it sent.
package struct HostedTracking: Sendable, Equatable {
  package struct Failure: Sendable, Equatable {
    package var code: String
    package var event: String
    package var text: String
    package var at: Instant

    package init(code: String, event: String, text: String, at: Instant) {
      (self.code, self.event, self.text, self.at) = (code, event, text, at)
    }
  }

  package var id: CarrierMessageID
  package var sender: MailboxID
  package var recipient: MailboxID
  package var metadata: MeshMetadata
  package var payloadLength: Int
  package var status: MeshStatus
  package var acceptedAt: Instant
  package var acknowledgedAt: Instant?
  /// When it leaves the inbox if nobody collects it.
  package var expiresAt: Instant?
  package var failure: Failure?
  /// How many parts it was sent in, or is to have.
  package var parts: Int

  package init(
    id: CarrierMessageID, sender: MailboxID, recipient: MailboxID, metadata: MeshMetadata,
    payloadLength: Int, status: MeshStatus, acceptedAt: Instant, acknowledgedAt: Instant? = nil,
    expiresAt: Instant? = nil, failure: Failure? = nil, parts: Int = 1
  ) {
    (self.id, self.sender, self.recipient, self.metadata) = (id, sender, recipient, metadata)
    (self.payloadLength, self.status, self.acceptedAt) = (payloadLength, status, acceptedAt)
    (self.acknowledgedAt, self.expiresAt) = (acknowledgedAt, expiresAt)
    (self.failure, self.parts) = (failure, parts)
  }
}
