/// Why an HTTPS request brought no answer.
///
/// Errors are equal when their kinds are. The detail is libcurl's own words about a connection or a
/// certificate, cut to 200 printable characters; it never holds a header, a body or a key.
package struct TransportError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The raw value is the stable code.
  package enum Kind: String, CaseIterable, Sendable {
    /// The URL or a header of the request is not one that is sent. Turn: operator.
    case invalidRequest = "MESH-001"
    /// The host's name could not be resolved. Turn: operator or network.
    case nameNotFound = "MESH-002"
    /// No connection was made. Turn: network.
    case unreachable = "MESH-003"
    /// A time limit passed, or the transfer was slower than allowed. Turn: network.
    case timedOut = "MESH-004"
    /// The server's certificate is not of the configured authorities, ended, revoked or of another
    /// name. Turn: operator.
    case untrustedServer = "MESH-005"
    /// The server refused our certificate or our version of TLS. Turn: operator.
    case handshakeRefused = "MESH-006"
    /// Our own certificate, key, authorities or revocation list cannot be used. Turn: operator.
    case unusableIdentity = "MESH-007"
    /// The connection ended before the whole answer was there. Turn: network.
    case connectionLost = "MESH-008"
    /// The answer's body is larger than the request allows. Turn: the service.
    case bodyTooLarge = "MESH-009"
    /// The answer has more, or longer, headers than allowed. Turn: the service.
    case headersTooLarge = "MESH-010"
    /// What came is not an HTTP answer. Turn: the service.
    case malformedAnswer = "MESH-011"
    /// Too many requests wait, or too many bytes are in flight. Turn: us; later.
    case overloaded = "MESH-012"
    /// The calling task was cancelled.
    case cancelled = "MESH-013"
    /// The transport was shut down.
    case shutDown = "MESH-014"
    /// The proxy does not let us through, or cannot reach the service. Turn: operator or network.
    case proxyRefused = "MESH-015"
  }

  package let kind: Kind
  /// Whether the server may have taken the request: false only when it surely has not.
  package let mayHaveArrived: Bool
  package let detail: String?

  init(_ kind: Kind, mayHaveArrived: Bool = false, detail: String? = nil) {
    self.kind = kind
    self.mayHaveArrived = mayHaveArrived
    self.detail = detail.map { text in
      String(decoding: text.utf8.filter { (0x20...0x7e).contains($0) }.prefix(200), as: UTF8.self)
    }
  }

  package var code: String { kind.rawValue }

  package static func == (left: Self, right: Self) -> Bool { left.kind == right.kind }

  package var description: String {
    "\(code) \(kind.title)" + (detail.map { $0.isEmpty ? "" : ": \($0)" } ?? "")
  }
}

extension TransportError.Kind {
  /// What failed, in a few words.
  package var title: String {
    switch self {
    case .invalidRequest: "the request is not one that may be sent"
    case .nameNotFound: "the host name was not found"
    case .unreachable: "no connection was made"
    case .timedOut: "the time limit passed"
    case .untrustedServer: "the server's certificate is not trusted"
    case .handshakeRefused: "the server refused the TLS handshake"
    case .unusableIdentity: "our own certificate, key or authorities cannot be used"
    case .connectionLost: "the connection ended before the whole answer"
    case .bodyTooLarge: "the answer is larger than allowed"
    case .headersTooLarge: "the answer's headers are larger than allowed"
    case .malformedAnswer: "the answer is not HTTP"
    case .overloaded: "too many requests or bytes are in flight"
    case .cancelled: "the request was cancelled"
    case .shutDown: "the transport is shut down"
    case .proxyRefused: "the proxy makes no connection"
    }
  }
}
