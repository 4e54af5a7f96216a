import Exchange
import Synchronization

/// Who asks: the checks of the MESH API's `Authorization` header, and the certificate of the
/// connection.
final class HostAuthorization: Sendable {
  private let secret: String
  private let memory: Mutex<TokenMemory>

  init(secret: String, tokensPerMailbox: Int) {
    self.secret = secret
    memory = Mutex(TokenMemory(capacity: tokensPerMailbox))
  }

  /// The token of a request that may be served; it is reserved until it is settled, released or too old.
  ///
  /// What the request says by itself is checked first, then the certificate, then the hash: only the
  /// holder of a mailbox's certificate learns whether the mailbox exists and what is wrong.
  ///
  /// - Parameters:
  ///   - header: the value of `Authorization`.
  ///   - path: the mailbox as the path names it.
  ///   - fingerprint: of the certificate that the connection was opened with.
  func admit(
    _ header: String?, path: String, fingerprint: String?, credentials: MailboxCredentials?,
    at now: Instant
  ) throws(HostRefusal) -> MeshToken {
    let token = try Self.read(header, path: path)
    guard token.isFresh(at: now) else { throw .tokenOutOfTime }
    guard let credentials else { throw .unknownMailbox }
    guard let fingerprint, credentials.certificateFingerprints.contains(fingerprint) else {
      throw .certificateNotOfMailbox
    }
    guard token.verify(password: credentials.password, secret: secret) else { throw .wrongToken }
    switch memory.withLock({ $0.reserve(token, at: now) }) {
    case .reserved: return token
    case .used: throw .tokenUsedBefore
    case .pending: throw .busy
    case .crowded: throw .tokenMemoryFull
    }
  }

  /// The token is used: its request is answered for good.
  func settle(_ token: MeshToken) {
    memory.withLock { $0.settle(token) }
  }

  /// The token counts as not used: the answer is one that clients repeat with the same header.
  func release(_ token: MeshToken) {
    memory.withLock { $0.release(token) }
  }

  /// The token of the header, if it is for the path's mailbox.
  static func read(_ header: String?, path: String) throws(HostRefusal) -> MeshToken {
    guard let header, let token = MeshToken(parsing: header) else { throw .malformedAuthorization }
    guard MailboxID(path) == token.mailbox else { throw .otherMailboxInToken }
    return token
  }
}
