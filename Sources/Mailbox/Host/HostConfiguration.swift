package import Exchange

/// What the hosted mailbox service is told at its start. Holds secrets: never printed.
package struct HostConfiguration: Sendable {
  /// The service's own mailbox, the only one that lookups show.
  package struct OwnMailbox: Sendable, Equatable {
    package var mailbox: MailboxID
    package var name: String
    /// The organisation code that `endpointlookup` finds it by.
    package var odsCode: String
    /// The workflow ids that it takes.
    package var workflows: Set<String>

    package init(mailbox: MailboxID, name: String, odsCode: String, workflows: Set<String>) {
      (self.mailbox, self.name, self.odsCode) = (mailbox, name, odsCode)
      self.workflows = workflows
    }
  }

  /// What becomes of a body that was compressed for its transfer. It is expanded in any case: what is not
  /// gzip, or expands beyond its bounds, is refused.
  package enum Compression: Sendable {
    /// The keeper gets what was compressed, and it is handed out so.
    case expanded
    /// The keeper gets the body as it came; clients that do not offer gzip get it expanded.
    case kept
  }

  /// Decides on the certificates that a client sent in the TLS handshake (DER, the client's own first):
  /// chain, dates, purpose and revocation. Runs once for each connection, since none resumes a session, and off the
  /// event loop.
  package typealias ClientVerification = @Sendable ([[UInt8]]) async -> Bool

  /// Host name or address to listen on.
  package var address: String
  /// 0 takes any free port.
  package var port: Int
  /// The server's certificate first, then intermediates, PEM.
  package var certificateChainPEM: [UInt8]
  package var privateKeyPEM: [UInt8]
  /// Certificates, PEM, under which client certificates may be issued. Their names are sent to clients,
  /// some of which send their intermediates only then.
  package var clientCAPEM: [UInt8]
  /// Replaces the built-in check against `clientCAPEM`, which looks at chain and dates and at no
  /// revocation list.
  package var verifyClient: ClientVerification?
  /// The environment's shared secret, key of every token.
  package var sharedSecret: String
  /// What `_ping` tells: `env`.
  package var environment: String
  /// Nil: lookups find nothing.
  package var ownMailbox: OwnMailbox?
  /// What becomes of bodies with `Content-Encoding: gzip`.
  package var compression = Compression.expanded
  package var limits = HostLimits()

  package init(
    address: String, port: Int, certificateChainPEM: [UInt8], privateKeyPEM: [UInt8],
    clientCAPEM: [UInt8], sharedSecret: String, environment: String
  ) {
    (self.address, self.port, self.environment) = (address, port, environment)
    (self.certificateChainPEM, self.privateKeyPEM) = (certificateChainPEM, privateKeyPEM)
    (self.clientCAPEM, self.sharedSecret) = (clientCAPEM, sharedSecret)
  }
}

extension HostConfiguration: CustomStringConvertible, CustomReflectable {
  package var description: String { "HostConfiguration(\(address):\(port))" }
  /// So that no dump shows key or secret.
  package var customMirror: Mirror { Mirror(self, children: ["address": address, "port": port]) }
}

/// Bounds on what clients may make the host hold.
package struct HostLimits: Sendable, Equatable {
  /// One message, all its parts together, also once it is expanded.
  package var bodyBytes = 20 * 1024 * 1024
  /// Bodies being received at one time, all connections together; as much again may be on its way out.
  /// Beyond it clients get 503. One mailbox may use three quarters of it.
  package var bodyBytesInFlight = 256 * 1024 * 1024
  /// Parts of one message.
  package var partsPerMessage = 100
  /// A longer message is given out in parts of so many bytes. The smallest that the MESH API wishes for.
  package var downloadPartBytes = 5 * 1024 * 1024
  /// Requests of one mailbox being answered at one time; beyond it clients get 429.
  package var requestsAtOnce = 100
  /// Header lines of one request together; the request line alone may have as much.
  package var headerBytes = 32 * 1024
  package var headerCount = 100
  /// More wait in the kernel's queue.
  package var connections = 10_000
  /// Until a connection without a request is closed.
  package var idleTimeout = Duration.seconds(60)
  /// For receiving one body, or sending one large one. The connection is closed after it.
  package var transferTimeout = Duration.seconds(120)
  /// Tokens remembered for one mailbox: its requests in one minute at least.
  package var tokensPerMailbox = 60_000

  package init() {}

  /// Bytes that one mailbox may have in flight.
  var mailboxShare: Int { max(bodyBytes, bodyBytesInFlight / 4 * 3) }

  /// Names what is out of range: an operator's mistake.
  var faults: [String] {
    var faults: [String] = []
    if !(1...100_000_000).contains(bodyBytes) { faults.append("bodyBytes: 1 to 100000000") }
    if bodyBytesInFlight < bodyBytes { faults.append("bodyBytesInFlight: at least bodyBytes") }
    if !(1...1000).contains(partsPerMessage) { faults.append("partsPerMessage: 1 to 1000") }
    if !(1024...100_000_000).contains(downloadPartBytes) {
      faults.append("downloadPartBytes: 1024 to 100000000")
    }
    if !(1...10_000).contains(requestsAtOnce) { faults.append("requestsAtOnce: 1 to 10000") }
    if !(4096...1_048_576).contains(headerBytes) { faults.append("headerBytes: 4096 to 1048576") }
    if !(20...1000).contains(headerCount) { faults.append("headerCount: 20 to 1000") }
    if !(1...100_000).contains(connections) { faults.append("connections: 1 to 100000") }
    if !(.seconds(1)...(.seconds(3600))).contains(idleTimeout) {
      faults.append("idleTimeout: 1 s to 1 h")
    }
    if !(.seconds(1)...(.seconds(3600))).contains(transferTimeout) {
      faults.append("transferTimeout: 1 s to 1 h")
    }
    if !(10...10_000_000).contains(tokensPerMailbox) {
      faults.append("tokensPerMailbox: 10 to 10000000")
    }
    return faults
  }
}
