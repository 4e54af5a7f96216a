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
}

// MARK: - One exchange

extension MeshClient {
  var mailboxPath: String { "/messageexchange/\(endpoint.mailbox)" }

  func exchange(
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
        identity: endpoint.identity, proxy: endpoint.proxy, limits: limits,
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

  func fault(_ answer: HTTPSResponse, mayBeGone: Bool = false) -> MeshError {
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
