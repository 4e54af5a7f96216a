/// One HTTPS request.
package struct HTTPSRequest: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
  }

  package var method: Method
  /// `https` only; visible ASCII, at most 4096 bytes.
  package var url: String
  /// At most 64, each value visible ASCII and spaces, at most 2048 bytes.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  package var identity: TLSIdentity
  /// Nil: none, whatever the environment says.
  package var proxy: HTTPSProxy?
  package var limits: Limits
  /// Requests of one lane share a bound on how many are under way, so that a service or a mailbox that
  /// hangs uses up its own lane only.
  package var lane: String
  /// Whether `http` is taken too: for what proves itself, such as revocation lists.
  package var mayBePlain = false

  package init(
    _ method: Method, _ url: String, headers: [(name: String, value: String)] = [],
    body: [UInt8] = [], identity: TLSIdentity, proxy: HTTPSProxy? = nil,
    limits: Limits = Limits(), lane: String
  ) {
    (self.method, self.url, self.headers, self.body) = (method, url, headers, body)
    (self.identity, self.proxy, self.limits, self.lane) = (identity, proxy, limits, lane)
  }

  /// Bounds on one request and its answer.
  package struct Limits: Sendable {
    /// Until name, connection and TLS are done.
    package var connect: Duration = .seconds(10)
    /// Until the whole answer is there.
    package var total: Duration = .seconds(300)
    /// A transfer slower than `bytesPerSecond` for so long is ended; whole seconds.
    package var stalled: Duration = .seconds(30)
    package var bytesPerSecond = 100
    /// Of the answer's body.
    package var bodyBytes = 1_048_576
    /// Of the answer's header lines, interim answers among them.
    package var headerBytes = 32_768
    package var headerLines = 100

    package init() {}
  }

  func check() throws(TransportError) {
    guard url.hasPrefix("https://") || (mayBePlain && url.hasPrefix("http://")),
      url.utf8.count <= 4096,
      url.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
    else { throw TransportError(.invalidRequest, detail: "the URL is not https") }
    let names = headers.allSatisfy { header in
      !header.name.isEmpty && header.name.utf8.allSatisfy { $0 == 0x2d || isLetterOrDigit($0) }
    }
    let values = headers.allSatisfy { header in
      header.value.utf8.count <= 2048
        && header.value.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }
    guard names, values, headers.count <= 64 else {
      throw TransportError(.invalidRequest, detail: "a header that may not be sent")
    }
  }

  private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
  }
}

/// A proxy that is asked to CONNECT; it sees the service's name and port, and nothing of what is said.
package struct HTTPSProxy: Sendable, CustomStringConvertible, CustomReflectable {
  /// `http://host:port`.
  package let url: String
  let user: String?
  let password: String?

  /// - Parameters:
  ///   - url: `http://host:port`.
  ///   - credentials: `user:password`, sent to the proxy alone, in the clear (RFC 7617).
  /// - Throws: `invalidRequest` for another form.
  package init(url: String, credentials: String? = nil) throws(TransportError) {
    let rest = url.dropFirst(7)
    let port = rest.lastIndex(of: ":").map { rest[$0...].dropFirst() }
    guard url.hasPrefix("http://"), rest.utf8.count <= 512, !rest.hasPrefix(":"),
      let port, (1...65_535).contains(decimal(port) ?? 0),
      rest.utf8.allSatisfy({ byte in
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
          || "-._:[]".utf8.contains(byte)
      })
    else { throw TransportError(.invalidRequest, detail: "the proxy is not http://host:port") }
    self.url = url
    let colon = credentials?.firstIndex(of: ":")
    guard credentials == nil || colon != nil,
      credentials?.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) ?? true
    else {
      throw TransportError(.invalidRequest, detail: "the proxy's credentials are not user:password")
    }
    user = credentials.flatMap { text in colon.map { String(text[..<$0]) } }
    password = credentials.flatMap { text in colon.map { String(text[$0...].dropFirst()) } }
  }

  package var description: String { url }
  /// The password stays out of dumps.
  package var customMirror: Mirror { Mirror(self, children: ["url": url]) }
}

/// One whole answer, of any status.
package struct HTTPSResponse: Sendable {
  package let status: Int
  package let headers: HTTPSHeaders
  package let body: [UInt8]
}

/// The headers of an answer, names in lower case, in the order in which they came.
package struct HTTPSHeaders: Sendable {
  package private(set) var fields: [(name: String, value: String)] = []

  package init() {}

  /// All values of the header, whatever the case of the name.
  package func values(_ name: String) -> [String] {
    let name = name.lowercased()
    return fields.filter { $0.name == name }.map(\.value)
  }

  mutating func append(name: String, value: String) {
    fields.append((name.lowercased(), value))
  }

  mutating func removeAll() { fields = [] }
}
