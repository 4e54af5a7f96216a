package import Exchange

// What a sender learns of its messages, and what time does to them.
extension MemoryKeeper {
  package func track(_ id: CarrierMessageID, by sender: MailboxID) -> HostedTracking? {
    if let upload = mailboxes[sender]?.uploads[id] {
      return HostedTracking(
        id: id, sender: sender, recipient: upload.message.recipient,
        metadata: upload.message.metadata, payloadLength: upload.plan.length, status: .uploading,
        acceptedAt: upload.message.receivedAt, parts: upload.plan.total)
    }
    guard let recipient = mailboxes[sender]?.sent[id]?.recipient,
      let entry = mailboxes[recipient]?.entries[id]
    else { return nil }
    return HostedTracking(
      id: id, sender: sender, recipient: recipient, metadata: entry.message.metadata,
      payloadLength: entry.message.payloadLength, status: entry.status,
      acceptedAt: entry.message.acceptedAt, acknowledgedAt: entry.acknowledgedAt,
      expiresAt: entry.message.acceptedAt + lifetimes.collect, failure: entry.failure,
      parts: max(1, entry.message.partLengths.count))
  }

  package func track(localID: String, by sender: MailboxID) -> [HostedTracking] {
    guard let box = mailboxes[sender] else { return [] }
    return (Array(box.sent.keys) + Array(box.uploads.keys)).sorted().compactMap {
      track($0, by: sender)
    }
    .filter { $0.metadata.localID == localID }
  }

  package func listing(
    _ box: HostedBox, of mailbox: MailboxID, since: Instant, before position: Int64?, limit: Int
  ) -> HostedListing {
    guard let held = mailboxes[mailbox] else { return HostedListing(messages: [], next: nil) }
    var all: [(place: Int64, message: ListedMessage)]
    switch box {
    case .inbox: all = held.entries.values.map { ($0.position, listed($0)) }
    case .outbox:
      all = held.uploads.map { ($0.value.place, listed($0.value, as: $0.key)) }
      all += held.sent.compactMap { id, sent in
        mailboxes[sent.recipient]?.entries[id].map { (sent.place, listed($0)) }
      }
    }
    all = all.filter { $0.message.sentAt >= since && $0.place < position ?? .max }
    all.sort { $0.place > $1.place }
    let page = all.prefix(limit)
    return HostedListing(
      messages: page.map(\.message), next: all.count > page.count ? page.last?.place : nil)
  }

  private func listed(_ entry: Entry) -> ListedMessage {
    let message = entry.message
    return ListedMessage(
      id: message.id, sender: message.sender, recipient: message.recipient,
      workflowID: message.metadata.workflowID, localID: message.metadata.localID,
      isReport: message.report != nil, sentAt: message.acceptedAt,
      expiresAt: message.acceptedAt + lifetimes.collect, status: entry.status,
      statusCode: entry.failure?.code, payloadLength: message.payloadLength,
      partLengths: message.partLengths)
  }

  private func listed(_ upload: Upload, as id: CarrierMessageID) -> ListedMessage {
    let message = upload.message
    return ListedMessage(
      id: id, sender: message.sender, recipient: message.recipient,
      workflowID: message.metadata.workflowID, localID: message.metadata.localID,
      sentAt: message.receivedAt, status: .uploading, payloadLength: upload.plan.length,
      partLengths: [Int](repeating: 0, count: upload.plan.total))
  }

  // MARK: Time

  /// Does what is due: uploads never finished are dropped; what nobody collected leaves the inbox, and its
  /// sender gets a report; what lay long enough is deleted.
  ///
  /// - Returns: the messages that expired.
  @discardableResult
  package func clockReached(_ now: Instant) -> [CarrierMessageID] {
    var expired: [CarrierMessageID] = []
    for (mailbox, box) in mailboxes {
      for (id, upload) in box.uploads where upload.message.receivedAt + lifetimes.upload <= now {
        drop(id, of: mailbox)
      }
      for entry in box.entries.values.sorted(by: { $0.position < $1.position }) {
        let accepted = entry.message.acceptedAt
        if entry.status == .accepted, accepted + lifetimes.collect <= now {
          expire(entry, of: mailbox, at: now)
          expired.append(entry.message.id)
        }
        if accepted + lifetimes.keep <= now { remove(entry, of: mailbox) }
      }
    }
    return expired
  }

  /// What a carrier does when nobody collects a message in time: takes it out of the inbox and puts a
  /// report into the sender's. False when there is no such accepted message.
  @discardableResult
  package func expire(_ id: CarrierMessageID, in mailbox: MailboxID) -> Bool {
    guard let entry = mailboxes[mailbox]?.entries[id], entry.status == .accepted else {
      return false
    }
    expire(entry, of: mailbox, at: now())
    return true
  }

  private func expire(_ entry: Entry, of mailbox: MailboxID, at now: Instant) {
    let message = entry.message
    let days = lifetimes.collect.components.seconds / 86_400
    let text =
      mailboxes[mailbox]?.isActive == true
      ? "Message not collected by recipient after \(days) days"
      : "Message was not collected as the mailbox is deactivated"
    leaveList(entry, of: mailbox)
    mailboxes[mailbox]?.entries[message.id]?.status = .undeliverable
    mailboxes[mailbox]?.entries[message.id]?.failure = .init(
      code: "14", event: "SEND", text: text, at: now)
    // A report is never itself reported on.
    guard message.report == nil, let sender = message.sender else { return }
    insert(
      HostedMessage(
        id: nextID(at: now), sender: nil, recipient: sender,
        metadata: MeshMetadata(
          workflowID: message.metadata.workflowID, localID: message.metadata.localID,
          subject: message.metadata.subject),
        report: MeshReport(linkedID: message.id, code: "14", event: "SEND", text: text, at: now),
        acceptedAt: now, payload: []))
  }
}
