import CCurl

/// One request on one easy handle, from its options to its result. Lives on the loop's thread.
final class Transfer {
  let job: TransferJob
  let easy: UnsafeMutableRawPointer

  private let budget: ByteBudget
  private let errorText = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private var requestsBegun = 0
  private var bytesSent = 0
  private var headers = HTTPSHeaders()
  private var headerBytes = 0
  private var headerLines = 0
  private var headersAreComplete = false
  private var body: [UInt8] = []
  /// Why a callback of ours ended the transfer.
  private var problem: TransportError.Kind?

  init(job: TransferJob, easy: UnsafeMutableRawPointer, budget: ByteBudget) {
    (self.job, self.easy, self.budget) = (job, easy, budget)
    errorText.initialize(repeating: 0)
  }

  /// Frees what the handle pointed to. Call once, after the handle was reset.
  func close() {
    budget.give(body.count)
    curl_slist_free_all(headerList)
    headerList = nil
    errorText.deallocate()
  }

  /// Whether any of the request may have reached the server.
  var isRequestSent: Bool { requestsBegun > 0 }

  // MARK: Options

  /// False when libcurl does not take an option: this libcurl is too old, or the URL is not one.
  func prepare() -> Bool {
    let request = job.request
    let context = Unmanaged.passUnretained(self).toOpaque()
    let limits = request.limits
    let longs: [(CURLoption, Int)] = [
      (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_PATH_AS_IS, 1),
      (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)), (CURLOPT_TCP_KEEPALIVE, 1),
      (CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
      (
        CURLOPT_SSLVERSION,
        request.identity.minimum == .tls13
          ? Int(CURL_SSLVERSION_TLSv1_3) : Int(CURL_SSLVERSION_TLSv1_2)
      ),
      (CURLOPT_PROXYAUTH, 1),  // CURLAUTH_BASIC, a macro with a cast
      (CURLOPT_HTTPPROXYTUNNEL, 1),
      (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2),
      (CURLOPT_CONNECTTIMEOUT_MS, milliseconds(limits.connect)),
      (CURLOPT_TIMEOUT_MS, milliseconds(limits.total)),
      (CURLOPT_LOW_SPEED_LIMIT, limits.bytesPerSecond),
      (CURLOPT_LOW_SPEED_TIME, max(1, Int(limits.stalled.components.seconds))),
    ]
    // An empty proxy means none; a null one would let the environment choose.
    let texts: [(CURLoption, String?)] = [
      (CURLOPT_URL, request.url),
      (CURLOPT_PROTOCOLS_STR, request.mayBePlain ? "http,https" : "https"),
      (CURLOPT_REDIR_PROTOCOLS_STR, "https"), (CURLOPT_PROXY, request.proxy?.url ?? ""),
      (CURLOPT_NOPROXY, ""), (CURLOPT_PROXYUSERNAME, request.proxy?.user),
      (CURLOPT_PROXYPASSWORD, request.proxy?.password), (CURLOPT_CAINFO, nil),
      (CURLOPT_CAPATH, nil),
      (CURLOPT_CRLFILE, request.identity.revocationFile),
    ]
    let identity = request.identity
    let blobs: [(CURLoption, UnsafeRawBufferPointer)] = [
      (CURLOPT_SSLCERT_BLOB, identity.certificate), (CURLOPT_SSLKEY_BLOB, identity.key),
      (CURLOPT_CAINFO_BLOB, identity.authorities),
    ]
    return longs.allSatisfy { ccurl_set_long(easy, $0, $1) == CURLE_OK }
      && texts.allSatisfy { ccurl_set_text(easy, $0, $1) == CURLE_OK }
      && blobs.allSatisfy { option, bytes in
        // Nobody in particular has no certificate and no key.
        bytes.isEmpty || ccurl_set_blob(easy, option, bytes.baseAddress, bytes.count) == CURLE_OK
      }
      && ccurl_set_size(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(limits.bodyBytes)) == CURLE_OK
      && ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText.baseAddress) == CURLE_OK
      && ccurl_set_write(easy, receiveBody, context) == CURLE_OK
      && ccurl_set_header(easy, receiveHeader, context) == CURLE_OK
      && ccurl_set_before_request(easy, beforeRequest, context) == CURLE_OK
      && prepareMethod(context: context) && prepareHeaders()
  }

  private func prepareMethod(context: UnsafeMutableRawPointer) -> Bool {
    switch job.request.method {
    case .get: return ccurl_set_long(easy, CURLOPT_HTTPGET, 1) == CURLE_OK
    case .head: return ccurl_set_long(easy, CURLOPT_NOBODY, 1) == CURLE_OK
    case .post, .put:
      let count = job.request.body.count
      guard ccurl_set_long(easy, CURLOPT_POST, 1) == CURLE_OK,
        ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(count)) == CURLE_OK,
        ccurl_set_text(easy, CURLOPT_CUSTOMREQUEST, job.request.method.rawValue) == CURLE_OK
      else { return false }
      return count == 0
        ? ccurl_set_text(easy, CURLOPT_COPYPOSTFIELDS, "") == CURLE_OK
        : ccurl_set_read(easy, sendBody, context) == CURLE_OK
    }
  }

  private func prepareHeaders() -> Bool {
    // Without values, so that libcurl leaves out its own: no waiting for "100 Continue", and no type
    // or accepted types that the caller did not name.
    var lines = ["Expect:"]
    let names = Set(job.request.headers.map { $0.name.lowercased() })
    lines += ["Accept", "Content-Type"].filter { !names.contains($0.lowercased()) }.map { "\($0):" }
    lines += job.request.headers.map {
      $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)"
    }
    for line in lines {
      guard let longer = curl_slist_append(headerList, line) else { return false }
      headerList = longer
    }
    return ccurl_set_list(easy, CURLOPT_HTTPHEADER, headerList) == CURLE_OK
  }

  // MARK: Callbacks

  /// Whether the request may go out. libcurl sends a request again by itself when a kept connection
  /// turns out to be closed; a second time would repeat a one-time token, and perhaps a message.
  fileprivate func mayBegin() -> Bool {
    requestsBegun += 1
    if requestsBegun > 1 { problem = .connectionLost }
    return requestsBegun == 1
  }

  /// Fills the buffer with the next bytes of the body.
  fileprivate func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let part = job.request.body[bytesSent...].prefix(buffer.count)
    buffer.copyBytes(from: part)
    bytesSent += part.count
    return part.count
  }

  fileprivate func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
    guard body.count + bytes.count <= job.request.limits.bodyBytes else {
      problem = .bodyTooLarge
      return false
    }
    guard budget.take(bytes.count) else {
      problem = .overloaded
      return false
    }
    body.append(contentsOf: bytes)
    return true
  }

  fileprivate func receive(header bytes: UnsafeRawBufferPointer) -> Bool {
    headerBytes += bytes.count
    headerLines += 1
    guard headerBytes <= job.request.limits.headerBytes,
      headerLines <= job.request.limits.headerLines
    else {
      problem = .headersTooLarge
      return false
    }
    let line = bytes.filter { $0 != 0x0d && $0 != 0x0a }
    if line.starts(with: "HTTP/".utf8) {
      // A final answer after an interim one (100, 103) starts anew.
      headers.removeAll()
      headersAreComplete = false
    } else if line.isEmpty {
      headersAreComplete = true
    } else if !headersAreComplete {
      // Lines after the blank one are trailers: not asked for, not read.
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
        line[0] != 0x20, line[0] != 0x09
      else {
        problem = .malformedAnswer
        return false
      }
      let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
      let trimmed = value.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
      headers.append(
        name: String(decoding: line[..<colon], as: UTF8.self),
        value: String(decoding: trimmed, as: UTF8.self))
    }
    return true
  }

  // MARK: Result

  func result(of code: CURLcode) -> Result<HTTPSResponse, TransportError> {
    if let problem {
      return .failure(TransportError(problem, mayHaveArrived: isRequestSent))
    }
    guard code == CURLE_OK else {
      let text = String(
        decoding: errorText.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      let detail = text.isEmpty ? "libcurl \(code.rawValue)" : text
      let kind = Self.kind(of: code, text: text)
      // A refused handshake can show itself, in TLS 1.3, only after the request was written; the
      // server never read it.
      let arrived = isRequestSent && kind != .handshakeRefused
      return .failure(TransportError(kind, mayHaveArrived: arrived, detail: detail))
    }
    guard hasOneLength else {
      return .failure(TransportError(.malformedAnswer, mayHaveArrived: true, detail: "its length"))
    }
    var status = 0
    _ = ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
    return .success(HTTPSResponse(status: status, headers: headers, body: body))
  }

  /// Whether the answer says in one way how long it is, or not at all. Where it says so in two, somebody on
  /// the way may have cut it elsewhere than we did (RFC 9112 6.3).
  private var hasOneLength: Bool {
    let lengths = Set(headers.values("content-length"))
    guard lengths.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
      return false
    }
    return lengths.count <= 1
      && (lengths.isEmpty || headers.values("transfer-encoding").isEmpty)
  }

  private static func kind(of code: CURLcode, text: String) -> TransportError.Kind {
    switch code {
    case CURLE_URL_MALFORMAT: .invalidRequest
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .nameNotFound
    case CURLE_COULDNT_CONNECT: .unreachable
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
      CURLE_SSL_INVALIDCERTSTATUS:
      .untrustedServer
    case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_CIPHER,
      CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED:
      .unusableIdentity
    // What the proxy answers to CONNECT, before anything went to the service.
    case CURLE_RECV_ERROR where text.contains("CONNECT tunnel failed"): .proxyRefused
    // An alert is the server's word that it will not; anything else is a line that broke.
    case CURLE_SSL_CONNECT_ERROR, CURLE_RECV_ERROR, CURLE_SEND_ERROR:
      text.contains("alert") ? .handshakeRefused : .connectionLost
    case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND: .connectionLost
    case CURLE_FILESIZE_EXCEEDED: .bodyTooLarge
    // libcurl 7.88 says "out of memory" of a single header line above its own bound.
    case CURLE_OUT_OF_MEMORY: .headersTooLarge
    default: .malformedAnswer
    }
  }

  private func milliseconds(_ duration: Duration) -> Int {
    let (seconds, attoseconds) = duration.components
    return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
  }
}

// MARK: - C functions

// Each gets the transfer as an unretained pointer: `TransferLoop.running` holds the transfer for as long as
// libcurl can call.

private func transfer(_ context: UnsafeMutableRawPointer) -> Transfer {
  Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
}

private let receiveBody: curl_write_callback = { start, size, count, context in
  guard let start, let context else { return 0 }
  let bytes = UnsafeRawBufferPointer(start: start, count: size * count)
  // Any other number than was offered ends the transfer; zero would not, for an empty part.
  return transfer(context).receive(body: bytes) ? bytes.count : -1
}

private let receiveHeader: curl_write_callback = { start, size, count, context in
  guard let start, let context else { return 0 }
  let bytes = UnsafeRawBufferPointer(start: start, count: size * count)
  return transfer(context).receive(header: bytes) ? bytes.count : -1
}

private let sendBody: curl_read_callback = { start, size, count, context in
  guard let start, let context else { return Int(CURL_READFUNC_ABORT) }
  let buffer = UnsafeMutableRawBufferPointer(start: start, count: size * count)
  return transfer(context).send(into: buffer)
}

private let beforeRequest: curl_prereq_callback = { context, _, _, _, _ in
  guard let context else { return CURL_PREREQFUNC_ABORT }
  return transfer(context).mayBegin() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}
