package import Exchange

/// Mailboxes in memory: for the pretend agencies of the demo and for tests. Any mailbox may send to any
/// other; nothing outlives the process.
package actor MemoryKeeper: MailboxKeeper {
  private struct Entry {
    var message: HostedMessage
    var position: Int64
    var status = MeshStatus.accepted
    var acknowledgedAt: Instant?
    var failure: HostedTracking.Failure?
  }

  private struct Mailbox {
    var credentials: MailboxCredentials
    var isActive = true
    /// In the order of arrival: positions grow.
    var inbox: [Entry] = []
    var places: [CarrierMessageID: Int] = [:]
    /// What this mailbox sent, and to whom.
    var sent: [CarrierMessageID: MailboxID] = [:]
    var lastHandshake: (version: String, at: Instant)?
  }

  private var mailboxes: [MailboxID: Mailbox] = [:]
  private let now: @Sendable () -> Instant
  private let capacity: (messages: Int, bytes: Int)
  private var held = (messages: 0, bytes: 0)
  private var serial = 0

  /// - Parameters:
  ///   - messages: held at most, acknowledged ones among them; beyond it senders are put off.
  ///   - bytes: of payloads held at most.
  package init(
    messages: Int = 100_000, bytes: Int = 256 * 1024 * 1024, now: @escaping @Sendable () -> Instant
  ) {
    (self.now, capacity) = (now, (messages, bytes))
  }

  /// Opens a mailbox, or gives an open one other credentials.
  package func open(_ mailbox: MailboxID, credentials: MailboxCredentials) {
    mailboxes[mailbox, default: Mailbox(credentials: credentials)].credentials = credentials
  }

  /// A mailbox that is switched off cannot be used and takes nothing; what it holds stays.
  package func setActive(_ mailbox: MailboxID, _ isActive: Bool) {
    mailboxes[mailbox]?.isActive = isActive
  }

  /// The software that the mailbox last named, and when.
  package func lastHandshake(of mailbox: MailboxID) -> (version: String, at: Instant)? {
    mailboxes[mailbox]?.lastHandshake
  }

  /// What a carrier does when nobody collects a message in time: takes it out of the inbox and puts a
  /// report into the sender's. False when there is no such accepted message.
  @discardableResult
  package func expire(_ id: CarrierMessageID, in mailbox: MailboxID) -> Bool {
    guard let place = mailboxes[mailbox]?.places[id],
      var entry = mailboxes[mailbox]?.inbox[place], entry.status == .accepted
    else { return false }
    let at = now()
    let text = "Message not collected by recipient after 5 days"
    entry.status = .undeliverable
    entry.failure = .init(code: "14", event: "SEND", text: text, at: at)
    mailboxes[mailbox]?.inbox[place] = entry
    // A report is never itself reported on.
    guard let sender = entry.message.sender, mailboxes[sender] != nil else { return true }
    let report = HostedMessage(
      id: nextID(at: at), sender: nil, recipient: sender,
      metadata: MeshMetadata(
        workflowID: entry.message.metadata.workflowID, localID: entry.message.metadata.localID,
        subject: entry.message.metadata.subject),
      report: MeshReport(linkedID: id, code: "14", event: "SEND", text: text, at: at),
      acceptedAt: at, payload: [])
    insert(report)
    return true
  }

  // MARK: MailboxKeeper

  package func credentials(of mailbox: MailboxID) -> MailboxCredentials? {
    guard let box = mailboxes[mailbox], box.isActive else { return nil }
    return box.credentials
  }

  package func page(
    of mailbox: MailboxID, after cursor: InboxCursor?, limit: Int, workflow: MeshWorkflowFilter?
  ) throws -> HostedPage {
    guard let box = mailboxes[mailbox] else { throw KeeperRefusal.unavailable }
    let start: Int64
    switch cursor {
    case nil: start = -1
    case .position(let position): start = position
    case .message(let id):
      guard let place = box.places[id] else { throw KeeperRefusal.unknownCursor }
      start = box.inbox[place].position
    }
    let accepted = box.inbox.filter { $0.status == .accepted }
    let rest = accepted.filter {
      $0.position > start && workflow?.matches($0.message.metadata.workflowID) ?? true
    }
    let page = rest.prefix(limit)
    return HostedPage(
      ids: page.map(\.message.id), next: rest.count > page.count ? page.last?.position : nil,
      approximateCount: accepted.count)
  }

  package func message(
    _ id: CarrierMessageID, for mailbox: MailboxID, headersOnly: Bool
  ) -> HostedMessageAnswer {
    var entry = entry(id, in: mailbox)
    if entry == nil, headersOnly, let recipient = mailboxes[mailbox]?.sent[id] {
      entry = self.entry(id, in: recipient)
    }
    guard let entry else { return .notFound }
    // An acknowledged message is still served: some clients fetch on after they acknowledged.
    return entry.status == .undeliverable ? .gone : .found(entry.message)
  }

  package func acknowledge(
    _ id: CarrierMessageID, in mailbox: MailboxID
  ) -> AcknowledgeAnswer {
    guard let place = mailboxes[mailbox]?.places[id] else { return .notFound }
    if mailboxes[mailbox]?.inbox[place].status == .accepted {
      mailboxes[mailbox]?.inbox[place].status = .acknowledged
      mailboxes[mailbox]?.inbox[place].acknowledgedAt = now()
    }
    return .acknowledged
  }

  package func accept(_ message: SubmittedMessage) -> SubmitAnswer {
    guard let box = mailboxes[message.recipient], box.isActive, mailboxes[message.sender] != nil
    else { return .unregisteredRecipient }
    guard held.messages < capacity.messages, held.bytes + message.payload.count <= capacity.bytes
    else { return .busy }
    let id = nextID(at: message.receivedAt)
    insert(
      HostedMessage(
        id: id, sender: message.sender, recipient: message.recipient, metadata: message.metadata,
        acceptedAt: message.receivedAt, payload: message.payload))
    mailboxes[message.sender]?.sent[id] = message.recipient
    return .accepted(id)
  }

  package func track(_ id: CarrierMessageID, by sender: MailboxID) -> HostedTracking? {
    guard let recipient = mailboxes[sender]?.sent[id], let entry = entry(id, in: recipient) else {
      return nil
    }
    return HostedTracking(
      id: id, sender: sender, recipient: recipient, metadata: entry.message.metadata,
      payloadLength: entry.message.payloadLength, status: entry.status,
      acceptedAt: entry.message.acceptedAt, acknowledgedAt: entry.acknowledgedAt,
      expiresAt: entry.message.acceptedAt + .seconds(5 * 86_400), failure: entry.failure)
  }

  package func track(localID: String, by sender: MailboxID) -> [HostedTracking] {
    guard let box = mailboxes[sender] else { return [] }
    return box.sent.keys.sorted().compactMap { track($0, by: sender) }
      .filter { $0.metadata.localID == localID }
  }

  package func handshake(of mailbox: MailboxID, clientVersion: String, at now: Instant) {
    mailboxes[mailbox]?.lastHandshake = (clientVersion, now)
  }

  // MARK: Parts

  private func entry(_ id: CarrierMessageID, in mailbox: MailboxID) -> Entry? {
    guard let box = mailboxes[mailbox], let place = box.places[id] else { return nil }
    return box.inbox[place]
  }

  private func insert(_ message: HostedMessage) {
    guard var box = mailboxes.removeValue(forKey: message.recipient) else { return }
    box.places[message.id] = box.inbox.count
    box.inbox.append(Entry(message: message, position: Int64(box.inbox.count)))
    mailboxes[message.recipient] = box
    held = (held.messages + 1, held.bytes + message.payload.count)
  }

  /// In the form of the real service: a UTC timestamp, `_`, six hex digits.
  private func nextID(at now: Instant) -> CarrierMessageID {
    serial += 1
    let fraction = threeDigits(now.milliseconds)
    let text = "\(now.meshTimestamp)\(fraction)_\(hex(UInt64(serial % 0x1000000), digits: 6))"
    // Digits, an underscore and hex digits, 24 characters: the form that the initialiser takes.
    guard let id = CarrierMessageID(text) else { preconditionFailure("a made id has its form") }
    return id
  }

  private func threeDigits(_ milliseconds: Int64) -> String {
    let rest = String(((milliseconds % 1000) + 1000) % 1000)
    return String(repeating: "0", count: 3 - rest.count) + rest
  }
}
