package import Exchange
package import Mailbox
import Seal
import Store

// What parties send to Sallyport's own mailbox, whole or in parts, and what they learn of it.
extension StoreKeeper {
  package func accept(_ message: SubmittedMessage) async throws -> SubmitAnswer {
    if let refusal = refusal(of: message) { return refusal }
    let submission = submission(message, by: try party(message.sender), parts: 1)
    guard let id = StoreKeeper.freshID() else { return .busy }
    FaultPoint.beforeRawCommit.reached()
    do {
      let isKept = try await store.keepSubmission(
        CarrierKey(inbox: StoreKeeper.inbox, message: id), bytes: message.payload,
        submission: submission, quota: quotas.waiting, at: message.receivedAt)
      guard isKept else { return .overQuota }
    } catch StoreError.busy, StoreError.diskFull {
      return .busy
    }
    FaultPoint.afterRawCommit.reached()
    onSubmission()
    return .accepted(id)
  }

  package func beginUpload(
    _ message: SubmittedMessage, parts: Int, encoding: String?
  ) async throws -> SubmitAnswer {
    if let refusal = refusal(of: message) { return refusal }
    let submitter = try party(message.sender)
    guard let id = StoreKeeper.freshID() else { return .busy }
    do {
      let isOpen = try await store.openUpload(
        NewUpload(
          message: id, submitter: submitter,
          submission: submission(message, by: submitter, parts: parts), total: parts,
          encoding: encoding, firstPart: message.payload),
        quota: quotas.openUploads, at: message.receivedAt)
      return isOpen ? .accepted(id) : .overQuota
    } catch StoreError.busy, StoreError.diskFull {
      return .busy
    }
  }

  package func add(_ part: SubmittedPart) async throws -> PartAnswer {
    let submitter = try party(part.sender)
    // Again when another part of the same upload came at the same moment.
    for _ in 0..<3 {
      guard let upload = try await store.upload(part.message, by: submitter) else {
        let whole = try await store.submission(
          part.message, inbox: StoreKeeper.inbox, by: submitter)
        return whole == nil ? .notFound : .finished
      }
      let plan = MeshUpload(
        total: upload.total, encoding: upload.encoding, lengths: upload.lengths)
      let verdict = plan.verdict(
        on: part.range, encoding: part.encoding, length: part.bytes.count,
        wholeLimit: part.wholeLimit)
      do {
        switch verdict {
        case .keep:
          if try await store.keepPart(part.range.part, part.bytes, of: upload) { return .accepted }
        case .finish:
          FaultPoint.beforeRawCommit.reached()
          let end = try await store.finishUpload(
            upload, lastPart: part.bytes, inbox: StoreKeeper.inbox, quota: quotas.waiting,
            at: part.receivedAt)
          if end == .overQuota { return .overQuota }
          if end == .whole {
            FaultPoint.afterRawCommit.reached()
            onSubmission()
            return .accepted
          }
        default: return .refused(verdict)
        }
      } catch StoreError.busy, StoreError.diskFull {
        return .busy
      }
    }
    return .busy
  }

  /// Nobody goes round the rules: on this host only Sallyport itself can be addressed.
  private func refusal(of message: SubmittedMessage) -> SubmitAnswer? {
    guard message.recipient == ownMailbox else { return .unregisteredRecipient }
    return workflows.contains(message.metadata.workflowID) ? nil : .workflowNotRegistered
  }

  private static func freshID() -> CarrierMessageID? {
    CarrierMessageID(ExchangeID.random().text.replacing("-", with: ""))
  }

  private func submission(
    _ message: SubmittedMessage, by submitter: PartyID, parts: Int
  ) -> Submission {
    Submission(
      submittedBy: submitter, localID: message.metadata.localID,
      workflow: message.metadata.workflowID,
      headers: SubmittedHeaders(message.metadata, parts: parts).bytes)
  }

  // MARK: Following

  package func track(_ id: CarrierMessageID, by sender: MailboxID) async throws -> HostedTracking? {
    let party = try party(sender)
    if let view = try await store.submission(id, inbox: StoreKeeper.inbox, by: party) {
      return tracking(view, sender: sender)
    }
    return try await store.upload(id, by: party).map { tracking($0, sender: sender) }
  }

  package func track(localID: String, by sender: MailboxID) async throws -> [HostedTracking] {
    let party = try party(sender)
    let whole = try await store.submissions(localID: localID, by: party, limit: 2)
    let open = try await store.uploads(localID: localID, by: party, limit: 2)
    return whole.map { tracking($0, sender: sender) } + open.map { tracking($0, sender: sender) }
  }

  /// What a mailbox itself sent, by its headers.
  func sent(
    _ id: CarrierMessageID, by mailbox: MailboxID, _ party: PartyID
  ) async throws -> HostedMessageAnswer {
    if let view = try await store.submission(id, inbox: StoreKeeper.inbox, by: party) {
      let tracking = tracking(view, sender: mailbox)
      return .found(
        HostedMessage(
          id: id, sender: mailbox, recipient: ownMailbox, metadata: tracking.metadata,
          acceptedAt: tracking.acceptedAt, payload: [], payloadLength: tracking.payloadLength))
    }
    return try await store.upload(id, by: party) == nil ? .notFound : .gone
  }

  /// As its sender sees it, a message is acknowledged once it is shared or known as a repeat, accepted
  /// while it waits or is held, and failed when it was refused or set aside. Why, is not told here: the
  /// carrier knows only who handed the message in, not who signed it.
  private func tracking(_ view: SubmissionView, sender: MailboxID) -> HostedTracking {
    let recordedAt = view.recordedAt ?? view.receivedAt
    var failure: HostedTracking.Failure?
    let status: MeshStatus
    switch view.ending {
    case .shared, .duplicate: status = .acknowledged
    case .held, nil: status = .accepted
    case .refused, .setAside, .discarded:
      status = .error
      failure = HostedTracking.Failure(
        code: SealError.genericCode, event: "SEND",
        text: "Not taken; ask the operator of Sallyport",
        at: recordedAt)
    }
    let headers = SubmittedHeaders(view.submission)
    return HostedTracking(
      id: view.message, sender: sender, recipient: ownMailbox, metadata: headers.metadata,
      payloadLength: view.length, status: status, acceptedAt: view.receivedAt,
      acknowledgedAt: status == .acknowledged ? view.recordedAt : nil, failure: failure,
      parts: headers.parts)
  }

  private func tracking(_ view: UploadView, sender: MailboxID) -> HostedTracking {
    HostedTracking(
      id: view.message, sender: sender, recipient: ownMailbox,
      metadata: SubmittedHeaders(view.submission).metadata,
      payloadLength: view.lengths.values.reduce(0, +), status: .uploading,
      acceptedAt: view.openedAt, parts: view.total)
  }

  // MARK: Listings

  package func listing(
    _ box: HostedBox, of mailbox: MailboxID, since: Instant, before position: Int64?, limit: Int
  ) async throws -> HostedListing {
    let party = try party(mailbox)
    switch box {
    case .inbox:
      let page = try await store.mailboxListing(
        of: party, before: position, since: since, limit: limit)
      return HostedListing(
        messages: page.entries.compactMap { listed($0, in: mailbox) }, next: page.next)
    case .outbox:
      // Open uploads are few, and stand on the first page.
      let open =
        position == nil ? try await store.uploads(by: party, since: since, limit: limit) : []
      let room = limit - open.count
      let whole = try await store.submissions(
        by: party, before: position, since: since, limit: room + 1)
      let page = whole.prefix(room)
      return HostedListing(
        messages: open.map { listed(tracking($0, sender: mailbox)) }
          + page.map { listed(tracking($0, sender: mailbox)) },
        next: whole.count > room ? page.last?.place ?? .max : nil)
    }
  }

  private func listed(_ tracking: HostedTracking) -> ListedMessage {
    let isOpen = tracking.status == .uploading
    return ListedMessage(
      id: tracking.id, sender: tracking.sender, recipient: tracking.recipient,
      workflowID: tracking.metadata.workflowID, localID: tracking.metadata.localID,
      sentAt: tracking.acceptedAt, expiresAt: tracking.expiresAt, status: tracking.status,
      statusCode: tracking.failure?.code, payloadLength: tracking.payloadLength,
      partLengths: isOpen ? [Int](repeating: 0, count: tracking.parts) : [])
  }

  private func listed(_ entry: MailboxEntry, in mailbox: MailboxID) -> ListedMessage? {
    guard let id = entry.delivery.id.carrierID, let sentAt = entry.delivery.committedAt else {
      return nil
    }
    return ListedMessage(
      id: id, sender: ownMailbox, recipient: mailbox, workflowID: entry.workflow,
      localID: entry.localID, sentAt: sentAt, expiresAt: entry.delivery.expiresAt,
      status: entry.delivery.meshStatus(at: now()), payloadLength: entry.length)
  }
}

extension Delivery {
  /// How a MESH listing calls the state of a copy in its recipient's own mailbox.
  fileprivate func meshStatus(at now: Instant) -> MeshStatus {
    guard handover(at: now) == .give else { return .undeliverable }
    return collectedAt == nil ? .accepted : .acknowledged
  }
}

/// What a sender said about a message, as it lies with the message: JSON, sealed by the store.
struct SubmittedHeaders {
  private(set) var metadata: MeshMetadata
  private(set) var parts: Int

  init(_ metadata: MeshMetadata, parts: Int) { (self.metadata, self.parts) = (metadata, parts) }

  /// Of what lies with a message; messages that were kept without it have none but the few that the
  /// store itself knows.
  init(_ submission: Submission) {
    let json = (try? JSONValue.parse(submission.headers)) ?? .null
    metadata = MeshMetadata(
      workflowID: submission.workflow ?? Workflow.notice, localID: submission.localID,
      subject: json["subject"]?.string, fileName: json["fileName"]?.string,
      partnerID: json["partnerID"]?.string, checksum: json["checksum"]?.string,
      contentType: json["contentType"]?.string, isEncrypted: json["isEncrypted"]?.bool ?? false,
      isCompressed: json["isCompressed"]?.bool ?? false)
    parts = json["parts"]?.integer.flatMap { Int(exactly: $0) } ?? 1
  }

  var bytes: [UInt8] {
    var members: [String: JSONValue] = [
      "isEncrypted": .bool(metadata.isEncrypted), "isCompressed": .bool(metadata.isCompressed),
      "parts": .integer(Int64(parts)),
    ]
    members["subject"] = metadata.subject.map { .string($0) }
    members["fileName"] = metadata.fileName.map { .string($0) }
    members["partnerID"] = metadata.partnerID.map { .string($0) }
    members["checksum"] = metadata.checksum.map { .string($0) }
    members["contentType"] = metadata.contentType.map { .string($0) }
    return JSONValue.object(members).canonicalBytes
  }
}
