package import Exchange

/// Mailboxes in memory: for the pretend agencies of the demo and for tests. Any mailbox may send to any
/// other; nothing outlives the process.
///
/// It does by itself nothing that needs a clock: `clockReached` expires, reports and purges.
package actor MemoryKeeper: MailboxKeeper {
  /// How long things lie here (MESH API specification: 5 and 30 days).
  package struct Lifetimes: Sendable {
    /// Until a message that nobody collected leaves the inbox and its sender gets a report.
    package var collect = Duration.seconds(5 * 86_400)
    /// Until a message is deleted, collected or not.
    package var keep = Duration.seconds(30 * 86_400)
    /// Until an upload that was not finished is dropped.
    package var upload = Duration.seconds(86_400)

    package init() {}
  }

  /// A message in its recipient's inbox.
  struct Entry {
    var message: HostedMessage
    var position: Int64
    var status = MeshStatus.accepted
    var acknowledgedAt: Instant?
    var failure: HostedTracking.Failure?
  }

  /// What a mailbox sent.
  struct Sent {
    let recipient: MailboxID
    /// Grows with the time at which it was begun.
    let place: Int64
  }

  struct Upload {
    let place: Int64
    /// Its payload is empty: the parts are beside it.
    let message: SubmittedMessage
    var plan: MeshUpload
    var parts: [Int: [UInt8]]
  }

  struct Mailbox {
    var credentials: MailboxCredentials
    var isActive = true
    var entries: [CarrierMessageID: Entry] = [:]
    /// Of messages that wait, in the order of arrival: positions grow.
    var waiting: [(position: Int64, id: CarrierMessageID)] = []
    var nextPosition: Int64 = 0
    var sent: [CarrierMessageID: Sent] = [:]
    var uploads: [CarrierMessageID: Upload] = [:]
    var lastHandshake: (version: String, at: Instant)?
  }

  var mailboxes: [MailboxID: Mailbox] = [:]
  let now: @Sendable () -> Instant
  let lifetimes: Lifetimes
  private let capacity: (messages: Int, bytes: Int, uploads: Int)
  private var held = (messages: 0, bytes: 0)
  private var serial = 0

  /// - Parameters:
  ///   - messages: held at most, acknowledged ones among them; beyond it senders are put off.
  ///   - bytes: of payloads and parts held at most.
  ///   - uploads: that one mailbox may have open.
  package init(
    messages: Int = 100_000, bytes: Int = 256 * 1024 * 1024, uploads: Int = 8,
    lifetimes: Lifetimes = Lifetimes(), now: @escaping @Sendable () -> Instant
  ) {
    (self.now, self.lifetimes) = (now, lifetimes)
    capacity = (messages, bytes, uploads)
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
      guard let entry = box.entries[id] else { throw KeeperRefusal.unknownCursor }
      start = entry.position
    }
    var page: [(position: Int64, id: CarrierMessageID)] = []
    var more = false
    for item in box.waiting where item.position > start {
      if let workflow, let entry = box.entries[item.id],
        !workflow.matches(entry.message.metadata.workflowID)
      {
        continue
      }
      guard page.count < limit else {
        more = true
        break
      }
      page.append(item)
    }
    return HostedPage(
      ids: page.map(\.id), next: more ? page.last?.position : nil,
      approximateCount: box.waiting.count)
  }

  package func message(
    _ id: CarrierMessageID, for mailbox: MailboxID, headersOnly: Bool
  ) -> HostedMessageAnswer {
    var entry = mailboxes[mailbox]?.entries[id]
    if entry == nil, headersOnly {
      if mailboxes[mailbox]?.uploads[id] != nil { return .gone }
      if let recipient = mailboxes[mailbox]?.sent[id]?.recipient {
        entry = mailboxes[recipient]?.entries[id]
      }
    }
    guard let entry else { return .notFound }
    // An acknowledged message is still served: some clients fetch on after they acknowledged.
    return entry.status == .undeliverable ? .gone : .found(entry.message)
  }

  package func acknowledge(
    _ id: CarrierMessageID, in mailbox: MailboxID
  ) -> AcknowledgeAnswer {
    guard let entry = mailboxes[mailbox]?.entries[id] else { return .notFound }
    if entry.status == .accepted {
      leaveList(entry, of: mailbox)
      mailboxes[mailbox]?.entries[id]?.status = .acknowledged
      mailboxes[mailbox]?.entries[id]?.acknowledgedAt = now()
    }
    return .acknowledged
  }

  package func accept(_ message: SubmittedMessage) -> SubmitAnswer {
    if let refusal = refusal(of: message) { return refusal }
    let id = nextID(at: message.receivedAt)
    deliver(message, as: id, place: Int64(serial), partLengths: [])
    return .accepted(id)
  }

  package func beginUpload(
    _ message: SubmittedMessage, parts: Int, encoding: String?
  ) -> SubmitAnswer {
    if let refusal = refusal(of: message) { return refusal }
    guard mailboxes[message.sender]?.uploads.count ?? 0 < capacity.uploads else {
      return .overQuota
    }
    let id = nextID(at: message.receivedAt)
    var rest = message
    rest.payload = []
    mailboxes[message.sender]?.uploads[id] = Upload(
      place: Int64(serial), message: rest,
      plan: MeshUpload(total: parts, encoding: encoding, lengths: [1: message.payload.count]),
      parts: [1: message.payload])
    held.bytes += message.payload.count
    return .accepted(id)
  }

  package func add(_ part: SubmittedPart) -> PartAnswer {
    guard var upload = mailboxes[part.sender]?.uploads[part.message] else {
      return mailboxes[part.sender]?.sent[part.message] == nil ? .notFound : .finished
    }
    let verdict = upload.plan.verdict(
      on: part.range, encoding: part.encoding, length: part.bytes.count,
      wholeLimit: part.wholeLimit)
    guard verdict == .keep || verdict == .finish else { return .refused(verdict) }
    let old = upload.parts[part.range.part]?.count ?? 0
    guard held.bytes + part.bytes.count - old <= capacity.bytes else { return .busy }
    upload.parts[part.range.part] = part.bytes
    if verdict == .keep {
      upload.plan.kept(part.range.part, length: part.bytes.count)
      held.bytes += part.bytes.count - old
      mailboxes[part.sender]?.uploads[part.message] = upload
      return .accepted
    }
    guard mailboxes[upload.message.recipient]?.isActive == true else { return .notFound }
    held.bytes -= upload.plan.length
    mailboxes[part.sender]?.uploads[part.message] = nil
    let parts = upload.parts.sorted { $0.key < $1.key }.map(\.value)
    var whole = upload.message
    whole.payload = Array(parts.joined())
    whole.receivedAt = part.receivedAt
    deliver(whole, as: part.message, place: upload.place, partLengths: parts.map(\.count))
    return .accepted
  }

  package func handshake(of mailbox: MailboxID, clientVersion: String, at now: Instant) {
    mailboxes[mailbox]?.lastHandshake = (clientVersion, now)
  }

  // MARK: Parts

  private func refusal(of message: SubmittedMessage) -> SubmitAnswer? {
    guard let box = mailboxes[message.recipient], box.isActive, mailboxes[message.sender] != nil
    else { return .unregisteredRecipient }
    guard held.messages < capacity.messages, held.bytes + message.payload.count <= capacity.bytes
    else { return .busy }
    return nil
  }

  private func deliver(
    _ message: SubmittedMessage, as id: CarrierMessageID, place: Int64, partLengths: [Int]
  ) {
    insert(
      HostedMessage(
        id: id, sender: message.sender, recipient: message.recipient, metadata: message.metadata,
        acceptedAt: message.receivedAt, payload: message.payload, partLengths: partLengths))
    mailboxes[message.sender]?.sent[id] = Sent(recipient: message.recipient, place: place)
  }

  func insert(_ message: HostedMessage) {
    guard let position = mailboxes[message.recipient]?.nextPosition else { return }
    mailboxes[message.recipient]?.nextPosition += 1
    mailboxes[message.recipient]?.entries[message.id] = Entry(
      message: message, position: position)
    mailboxes[message.recipient]?.waiting.append((position, message.id))
    held = (held.messages + 1, held.bytes + message.payload.count)
  }

  func leaveList(_ entry: Entry, of mailbox: MailboxID) {
    // Mostly the oldest goes first.
    let place = mailboxes[mailbox]?.waiting.firstIndex { $0.position == entry.position }
    if let place { mailboxes[mailbox]?.waiting.remove(at: place) }
  }

  func remove(_ entry: Entry, of mailbox: MailboxID) {
    leaveList(entry, of: mailbox)
    mailboxes[mailbox]?.entries[entry.message.id] = nil
    if let sender = entry.message.sender {
      mailboxes[sender]?.sent[entry.message.id] = nil
    }
    held = (held.messages - 1, held.bytes - entry.message.payload.count)
  }

  func drop(_ upload: CarrierMessageID, of mailbox: MailboxID) {
    held.bytes -= mailboxes[mailbox]?.uploads.removeValue(forKey: upload)?.plan.length ?? 0
  }

  /// In the form of the real service: a UTC timestamp, `_`, six hex digits.
  func nextID(at now: Instant) -> CarrierMessageID {
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
