package import Exchange

/// One mailbox of ours at a MESH service (version 2 of the API).
///
/// Every attempt carries a fresh token. Calls that may be repeated without harm are tried once more, at
/// once, when a kept connection turns out to be closed; anything else is the caller's to repeat.
package struct MeshClient: Sendable {
  package let endpoint: MeshEndpoint
  let transport: HTTPSTransport
  let nonce: @Sendable () -> String
  let now: @Sendable () -> Instant

  /// - Parameter nonce: a new UUID at each call.
  package init(
    endpoint: MeshEndpoint, transport: HTTPSTransport,
    nonce: @escaping @Sendable () -> String = { ExchangeID.random().text },
    now: @escaping @Sendable () -> Instant
  ) {
    (self.endpoint, self.transport, self.nonce, self.now) = (endpoint, transport, nonce, now)
  }

  /// Tells the service that we are alive; to be called at start and every 24 hours.
  package func handshake() async throws(MeshError) {
    let headers = [
      ("Mex-ClientVersion", "sallyport"), ("Mex-OSName", "Linux"), ("Mex-OSVersion", "N/A"),
    ]
    let answer = try await exchange(.post, mailboxPath, headers: headers)
    guard answer.status == 200 else { throw fault(answer) }
  }

  /// The ids that wait, from the start or from `link`. Follows the service's links until at least
  /// `maximum` ids are there, `Limits.pages` pages were read, or the listing ends: at most `maximum` and
  /// one page more.
  package func list(
    maximum: Int = 500, from link: PageLink? = nil
  ) async throws(MeshError) -> InboxPage {
    var next = link
    var pages = 0
    var ids: [CarrierMessageID] = []
    var seen: Set<CarrierMessageID> = []
    var links: Set<PageLink> = []
    var unreadable = 0
    var count: Int?
    repeat {
      if let next, !links.insert(next).inserted { throw .foreignLink }
      let page = try await page(next)
      pages += 1
      ids += page.ids.filter { seen.insert($0).inserted }
      unreadable += page.unreadable
      count = page.approximateCount ?? count
      next = page.next
    } while next != nil && ids.count < maximum && pages < endpoint.limits.pages
    return InboxPage(ids: ids, unreadable: unreadable, approximateCount: count, next: next)
  }

  private func page(_ link: PageLink?) async throws(MeshError) -> InboxPage {
    let size = endpoint.limits.pageSize
    let path = link?.path ?? "\(mailboxPath)/inbox" + (size == 500 ? "" : "?max_results=\(size)")
    let answer = try await exchange(.get, path)
    guard answer.status == 200 else { throw fault(answer) }
    return try MeshAnswer.inboxPage(
      answer, mailbox: endpoint.mailbox, limit: endpoint.limits.answerBytes)
  }

  /// The whole message, all chunks joined.
  package func download(_ id: CarrierMessageID) async throws(MeshError) -> InboundMessage {
    let limits = endpoint.limits
    let path = "\(mailboxPath)/inbox/\(id)"
    let first = try await exchange(.get, path, bodyBytes: limits.messageBytes)
    guard first.status == 200 || first.status == 206 else { throw fault(first, mayBeGone: true) }
    var message = try MeshAnswer.message(first, id: id, now: now())
    if case .report = message.kind { return message }
    let total = try MeshAnswer.chunkRange(first, part: 1).total
    guard total <= limits.chunks else { throw .chunks("more than \(limits.chunks) announced") }
    guard total > 1 else { return message }
    var body = message.body
    for part in 2...total {
      let rest = limits.messageBytes - body.count
      guard rest > 0 else { throw .tooLarge(limit: limits.messageBytes) }
      let chunk = try await exchange(.get, "\(path)/\(part)", bodyBytes: rest)
      guard chunk.status == 200 || chunk.status == 206 else { throw fault(chunk, mayBeGone: true) }
      guard try MeshAnswer.chunkRange(chunk, part: part).total == total else {
        throw .chunks("the total changed")
      }
      body += chunk.body
    }
    message = InboundMessage(
      id: id, kind: message.kind, from: message.from, to: message.to,
      workflowID: message.workflowID, localID: message.localID, body: body)
    return message
  }

  /// Takes the message out of the inbox for good. Only after it was made durable; may be repeated.
  package func acknowledge(_ id: CarrierMessageID) async throws(MeshError) {
    let answer = try await exchange(.put, "\(mailboxPath)/inbox/\(id)/status/acknowledged")
    guard answer.status == 200 else { throw fault(answer, mayBeGone: true) }
  }

  /// Sends one message, whole, once. After `unconfirmed` nobody knows whether it was taken.
  /// - Parameter localID: unique and without personal data; by it a lost send is found again.
  package func send(
    to recipient: MailboxID, workflow: String, localID: String, body: [UInt8]
  ) async throws(MeshError) -> CarrierMessageID {
    guard !body.isEmpty, body.count <= endpoint.limits.messageBytes else {
      throw .unusable("a body of \(body.count) bytes")
    }
    guard (1...300).contains(workflow.utf8.count), (1...300).contains(localID.utf8.count) else {
      throw .unusable("workflow id or local id")
    }
    let headers = [
      ("Mex-To", recipient.text), ("Mex-WorkflowID", workflow), ("Mex-LocalID", localID),
      ("Content-Type", "application/octet-stream"),
    ]
    let answer = try await exchange(
      .post, "\(mailboxPath)/outbox", headers: headers, body: body, isSend: true)
    switch answer.status {
    case 200, 202:
      guard let id = MeshAnswer.messageID(answer, limit: endpoint.limits.answerBytes) else {
        throw .unconfirmed("taken, without an id")
      }
      return id
    // These can come from a gateway that lost the answer of the service behind it.
    case 408, 500, 502, 504: throw .unconfirmed("HTTP \(answer.status)")
    default: throw fault(answer)
    }
  }

  /// Where a sent message stands.
  package func track(_ id: CarrierMessageID) async throws(MeshError) -> MeshTracking {
    let answer = try await exchange(.get, "\(mailboxPath)/outbox/tracking?messageID=\(id)")
    guard answer.status == 200 else { throw fault(answer, mayBeGone: true) }
    return try MeshAnswer.tracking(answer, id: id, limit: endpoint.limits.answerBytes)
  }
}

// MARK: - One exchange

extension MeshClient {
  private var mailboxPath: String { "/messageexchange/\(endpoint.mailbox)" }

  private func exchange(
    _ method: HTTPSRequest.Method, _ path: String, headers: [(String, String)] = [],
    body: [UInt8] = [], bodyBytes: Int? = nil, isSend: Bool = false
  ) async throws(MeshError) -> HTTPSResponse {
    var limits = HTTPSRequest.Limits()
    limits.connect = endpoint.limits.connect
    limits.total = endpoint.limits.total
    limits.stalled = endpoint.limits.stalled
    limits.bodyBytes = bodyBytes ?? endpoint.limits.answerBytes
    var isSecondAttempt = false
    while true {
      // No gzip: sealed bytes gain nothing, and nothing has to be expanded within bounds.
      let always = [
        ("Authorization", freshToken()), ("Accept", "application/vnd.mesh.v2+json"),
        ("Accept-Encoding", "identity"), ("User-Agent", "sallyport"),
      ]
      let request = HTTPSRequest(
        method, endpoint.baseURL + path, headers: always + headers, body: body,
        identity: endpoint.identity, limits: limits,
        lane: "\(endpoint.baseURL) \(endpoint.mailbox)")
      do {
        return try await transport.perform(request)
      } catch {
        if isSend, error.mayHaveArrived { throw .unconfirmed(error.description) }
        if !isSend, error.kind == .connectionLost, !isSecondAttempt {
          isSecondAttempt = true
          continue
        }
        if error.kind == .bodyTooLarge, bodyBytes != nil {
          throw .tooLarge(limit: endpoint.limits.messageBytes)
        }
        throw MeshError(error)
      }
    }
  }

  private func freshToken() -> String {
    MeshToken.make(
      mailbox: endpoint.mailbox, nonce: nonce(), count: 0, timestamp: now(),
      password: endpoint.password, secret: endpoint.sharedSecret
    ).headerValue
  }

  private func fault(_ answer: HTTPSResponse, mayBeGone: Bool = false) -> MeshError {
    switch answer.status {
    case 300..<400: .redirect(status: answer.status)
    case 401, 403: .credential(status: answer.status)
    case 404 where mayBeGone, 410 where mayBeGone: .gone(status: answer.status)
    case 408, 425, 429, 500...599:
      .later(
        status: answer.status, retryAfter: MeshAnswer.retryAfter(answer, now: now()))
    case 400..<500:
      .refused(
        status: answer.status,
        serviceCode: MeshAnswer.serviceCode(answer, limit: endpoint.limits.answerBytes))
    default: .malformed("HTTP \(answer.status)")
    }
  }
}
