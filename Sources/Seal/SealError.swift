package import Exchange

/// Why a message was not opened, a copy not sealed, or keys and certificates not taken.
///
/// Names parties and limits; never content, key material, or what stands in a certificate. Two are
/// equal when their codes are.
package enum SealError: Error, Sendable, Equatable, CustomStringConvertible {
  // Before the signature held: the outside sees one code for all of them.
  case notCMS
  case tooLarge(limit: Int)
  case trailingBytes
  case wrongStructure
  case weakCipher
  case weakKeyTransport
  case notForUs
  case cannotDecrypt
  case notSigned
  case detached
  case severalSigners
  case signedAttributesMissing
  case signerUnknown
  case signatureWrong
  case weakSignature
  case foreignCertificate
  case empty
  case textEncoding
  case cutOff
  case notEncrypted
  case compressed
  case nested
  case contentTypeWrong
  case digestWrong
  case sharedSecretRecipient
  case unauthenticatedCipher

  // After it held: we know who speaks, and may say what is wrong.
  case certificateExpired(PartyID)
  case certificateNotYetValid(PartyID)
  case certificateUsage(PartyID)
  case certificateExtendedUsage(PartyID)
  case certificateRevoked(PartyID)
  case chainBroken(PartyID)
  case authorityUnknown(PartyID)
  case revocationStale(PartyID)
  case revocationMissing(PartyID)
  case legacyNotAllowed(PartyID)
  case notNotification(NotificationProblem, signer: PartyID)
  case sourceNotSigner(PartyID)
  case audienceNotUs(PartyID)

  // When sealing.
  case recipientUnknown(PartyID)
  case recipientWithoutCertificate(PartyID)
  case sourceNotUs(PartyID)
  case ownCertificateNotValid(PartyID)
  case cryptographyFailed(step: String)

  // When keys and certificates are loaded.
  case unreadableCertificate(PartyID, what: String)
  case unreadableKey
  case keyDoesNotMatch(PartyID)
  case weakKey(PartyID)
  case pinnedTwice(PartyID, PartyID)
  case partyTwice(PartyID)

  // When a revocation list is fetched.
  case listUnreadable
  case listNotSigned
  case listOlder
  case listFromFuture
  case listNotPublished(status: Int)
  case listNotKept

  /// Who has to act.
  package enum Turn: String, Sendable {
    case sender, `operator`, us
  }

  /// What the outside is told instead of a code that is not ``disclosable``.
  package static let genericCode = "SEAL-000"

  package static func == (left: SealError, right: SealError) -> Bool { left.code == right.code }

  /// Stable; `docs/errors.md` has a paragraph for each.
  package var code: String { facts.code }
  package var turn: Turn { facts.turn }
  /// What failed, in one sentence.
  package var text: String { facts.text }
  /// The next step.
  package var hint: String { facts.hint }

  package var description: String { "\(code): \(text); \(hint)" }

  /// False while nothing proved who sent the message. Telling strangers why bytes did not open
  /// helps them to make bytes that do.
  package var disclosable: Bool {
    switch self {
    case .notCMS, .tooLarge, .trailingBytes, .wrongStructure, .weakCipher, .weakKeyTransport,
      .notForUs, .cannotDecrypt, .notSigned, .detached, .severalSigners,
      .signedAttributesMissing, .signerUnknown, .signatureWrong, .weakSignature,
      .foreignCertificate, .empty, .textEncoding, .cutOff, .notEncrypted, .compressed, .nested,
      .contentTypeWrong, .digestWrong, .sharedSecretRecipient, .unauthenticatedCipher:
      false
    case .certificateExpired, .certificateNotYetValid, .certificateUsage,
      .certificateExtendedUsage, .certificateRevoked, .chainBroken, .authorityUnknown,
      .revocationStale, .revocationMissing, .legacyNotAllowed,
      .notNotification, .sourceNotSigner, .audienceNotUs:
      true
    // Of our own making: no sender is concerned.
    case .recipientUnknown, .recipientWithoutCertificate, .sourceNotUs, .ownCertificateNotValid,
      .cryptographyFailed, .unreadableCertificate, .unreadableKey, .keyDoesNotMatch, .weakKey,
      .pinnedTwice, .partyTwice, .listUnreadable, .listNotSigned, .listOlder, .listFromFuture,
      .listNotPublished, .listNotKept:
      false
    }
  }

  /// The code that a receipt may carry: `code`, or the generic one.
  package var outsideCode: String { disclosable ? code : SealError.genericCode }

  /// True when the same bytes may open later without anybody sending again: the message stays where it is.
  package var isHold: Bool {
    switch self {
    case .revocationStale, .revocationMissing: true
    default: false
    }
  }
}
