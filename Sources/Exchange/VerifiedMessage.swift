/// The right to say that a message was verified. Only Seal can make one: the initialiser is behind
/// `@_spi(Seal)`, and a test holds that no other target imports that name. (`public` because the
/// attribute asks for it.)
public struct SealAuthority: Sendable {
  @_spi(Seal) public init() {}
}

/// A notification whose signature, signer, chain, revocation and audience held. Nothing else can be
/// decided upon.
package struct VerifiedMessage: Sendable {
  package let notification: Notification
  package let verdict: Verdict

  package init(notification: Notification, verdict: Verdict, by authority: SealAuthority) {
    self.notification = notification
    self.verdict = verdict
  }
}

/// What verification found, kept with the original: a later look must not fail because a certificate
/// has since ended.
package struct Verdict: Equatable, Sendable, Codable {
  /// Whether the signer's revocation list was current when it was asked.
  package enum Revocation: String, Sendable, Codable {
    case current
    /// Past its next update, by less than seven days; only urgent types go on, flagged.
    case stale
  }

  /// The party whose pinned certificate verified the signature; equal to the notification's source.
  package let signer: PartyID
  /// SHA-256 of the signer's certificate (DER), lower-case hex.
  package let certificate: String
  /// The signing-time attribute (RFC 5652 11.3), if there was one.
  package let signingTime: Instant?
  package let verifiedAt: Instant
  package let revocation: Revocation
  /// SHA-256 of the signed content. Never leaves the store unkeyed: few values are possible.
  package let contentDigest: [UInt8]

  package init(
    signer: PartyID, certificate: String, signingTime: Instant?, verifiedAt: Instant,
    revocation: Revocation, contentDigest: [UInt8]
  ) {
    self.signer = signer
    self.certificate = certificate
    self.signingTime = signingTime
    self.verifiedAt = verifiedAt
    self.revocation = revocation
    self.contentDigest = contentDigest
  }
}
