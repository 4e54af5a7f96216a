package import Exchange

/// Where one mailbox of ours lies, and what it takes to get in.
package struct MeshEndpoint: Sendable, CustomStringConvertible, CustomReflectable {
  /// Bounds on what the service may hand us.
  package struct Limits: Sendable {
    /// Of one message, all its chunks together.
    package var messageBytes = 20 * 1_048_576
    /// Of one message.
    package var chunks = 32
    /// Ids asked for in one page, 10 to 5000.
    package var pageSize = 500
    /// Pages followed in one listing.
    package var pages = 20
    /// Of a page of ids or another JSON answer.
    package var answerBytes = 1_048_576
    /// Longest body that is sent in one request; what is longer goes in parts. The service takes up to
    /// 100 MB, and asks for 5 MB or more in all parts but the last.
    package var partBytes = 20 * 1_048_576
    /// Further tries of single parts, in one transfer of several.
    package var partRetries = 3
    /// Time limits of each request.
    package var connect: Duration = .seconds(10)
    package var total: Duration = .seconds(300)
    /// A transfer slower than 100 bytes a second for so long is ended.
    package var stalled: Duration = .seconds(30)

    package init() {}
  }

  /// `https://host`, with a port and a path before `/messageexchange` where there are such.
  package let baseURL: String
  package let mailbox: MailboxID
  package let identity: TLSIdentity
  package let proxy: HTTPSProxy?
  package let limits: Limits

  let password: String
  let sharedSecret: String

  /// - Throws: `MESH-030` when the URL is not `https://host[:port][/path]` or a limit is out of range.
  package init(
    baseURL: String, mailbox: MailboxID, password: String, sharedSecret: String,
    identity: TLSIdentity, proxy: HTTPSProxy? = nil, limits: Limits = Limits()
  ) throws(MeshError) {
    guard Self.isBase(baseURL) else { throw .unusable("the base URL is not https://host[:port]") }
    guard (10...5000).contains(limits.pageSize), limits.pages > 0, limits.chunks > 0,
      limits.messageBytes > 0, limits.partBytes > 0
    else { throw .unusable("a limit is out of range") }
    guard !password.isEmpty, !sharedSecret.isEmpty else {
      throw .unusable("password or shared secret is empty")
    }
    self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
    (self.mailbox, self.password, self.sharedSecret) = (mailbox, password, sharedSecret)
    (self.identity, self.proxy, self.limits) = (identity, proxy, limits)
  }

  package var description: String { "\(mailbox) at \(baseURL)" }
  /// Password and secret stay out of dumps.
  package var customMirror: Mirror { Mirror(self, children: ["endpoint": description]) }

  private static func isBase(_ url: String) -> Bool {
    guard url.hasPrefix("https://"), url.utf8.count <= 512 else { return false }
    let rest = url.dropFirst(8)
    let host = rest.prefix { $0 != "/" }
    let allowed = "-._~:/[]".utf8
    let good = rest.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || allowed.contains(byte)
    }
    return good && !host.isEmpty && !host.hasPrefix(":") && !rest.contains("//")
      && !rest.contains("..")
  }
}
