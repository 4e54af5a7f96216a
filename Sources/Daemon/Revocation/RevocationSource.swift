import Exchange
package import Mailbox
import Seal

/// Gets the bytes of a published revocation list.
package protocol RevocationSource: Sendable {
  /// - Throws: `TransportError`; SEAL-074 for any answer but 200.
  func fetch(_ feed: RevocationFeed) async throws -> [UInt8]
}

/// By HTTP or HTTPS. The list is signed by its authority, so plain HTTP, by which most are published
/// (RFC 5280 4.2.1.13), can only keep a newer one from us, which the stale policy answers.
package struct WebRevocationSource: RevocationSource {
  private let transport: HTTPSTransport
  /// Authorities that any server's certificate may lead to, beside those of the parties.
  private let authorities: [UInt8]

  /// - Parameter authorities: PEM; the system's where nothing is said.
  package init(_ transport: HTTPSTransport, authorities: [UInt8]? = nil) {
    self.transport = transport
    self.authorities =
      authorities ?? (try? BoundedFile.bytes("/etc/ssl/certs/ca-certificates.crt")) ?? []
  }

  package func fetch(_ feed: RevocationFeed) async throws -> [UInt8] {
    let own = feed.authorities.sorted().joined(separator: "\n")
    let identity = try TLSIdentity(anonymousTrusting: Array((own + "\n").utf8) + authorities)
    var request = HTTPSRequest(.get, feed.url, identity: identity, lane: feed.url)
    request.mayBePlain = true
    request.limits.total = .seconds(60)
    request.limits.bodyBytes = RevocationFile.limit
    let answer = try await transport.perform(request)
    guard answer.status == 200 else { throw SealError.listNotPublished(status: answer.status) }
    return answer.body
  }
}
