import Exchange

extension SealError {
  var facts: (code: String, turn: Turn, text: String, hint: String) {
    switch self {
    case .notCMS:
      ("SEAL-001", .sender, "the bytes are not a CMS message", "send DER or BER")
    case .tooLarge(let limit):
      ("SEAL-002", .sender, "the message is longer than \(limit) bytes", "send less at a time")
    case .trailingBytes:
      ("SEAL-003", .sender, "bytes follow the end of the message", "send the message alone")
    case .wrongStructure:
      (
        "SEAL-004", .sender, "the CMS message is not built as SignedData in AuthEnvelopedData",
        "sign first, then encrypt; leave out anything else"
      )
    case .weakCipher:
      (
        "SEAL-005", .sender, "the content is not encrypted with AES-256-GCM",
        "encrypt as AuthEnvelopedData with AES-256-GCM"
      )
    case .weakKeyTransport:
      (
        "SEAL-006", .sender, "the content key is transported by a method that is not taken",
        "use ECDH with a SHA-2 key derivation, or RSA-OAEP"
      )
    case .notForUs:
      (
        "SEAL-007", .sender, "the message is not sealed to any of our certificates",
        "fetch our current encryption certificate and seal again"
      )
    case .cannotDecrypt:
      ("SEAL-008", .sender, "the message does not decrypt", "seal it again and send it again")
    case .notSigned:
      ("SEAL-009", .sender, "what was decrypted is not signed", "sign as SignedData, then encrypt")
    case .detached:
      ("SEAL-010", .sender, "the signed content is missing", "sign with the content attached")
    case .severalSigners:
      ("SEAL-011", .sender, "the message has more than one signer", "send with one signature")
    case .signedAttributesMissing:
      (
        "SEAL-012", .sender, "the signed attributes are missing or do not fit the content",
        "sign with content type and message digest as signed attributes"
      )
    case .signerUnknown:
      (
        "SEAL-013", .operator, "the signer's certificate is pinned for no party",
        "if the party changed its certificate, pin the new one in the agreement"
      )
    case .signatureWrong:
      ("SEAL-014", .sender, "the signature does not fit the content", "sign and send again")
    case .weakSignature:
      (
        "SEAL-015", .sender, "the signature's algorithms are not taken",
        "sign with SHA-256 or better, by ECDSA or RSA"
      )
    case .foreignCertificate:
      (
        "SEAL-016", .sender, "a certificate inside the message is not among the pinned ones",
        "send without certificates, or pin the intermediate in the agreement"
      )
    default: shapeFacts
    }
  }

  /// Also before the signature held.
  private var shapeFacts: (code: String, turn: Turn, text: String, hint: String) {
    switch self {
    case .empty:
      ("SEAL-017", .sender, "the message is empty", "send it again, with its sealed bytes")
    case .textEncoding:
      (
        "SEAL-018", .sender, "the message is text, PEM, Base64 or MIME",
        "send the DER bytes themselves"
      )
    case .cutOff:
      ("SEAL-019", .sender, "the message ends before its end", "send it again, whole")
    case .notEncrypted:
      (
        "SEAL-060", .sender, "the message is signed and not encrypted",
        "encrypt it as AuthEnvelopedData; what it said was open to whoever carried it"
      )
    case .compressed:
      ("SEAL-061", .sender, "the message is compressed", "send without compression")
    case .nested:
      (
        "SEAL-062", .sender, "the message is signed or encrypted more than once",
        "sign once, then encrypt once"
      )
    case .contentTypeWrong:
      (
        "SEAL-063", .sender, "the signed content is not of the type id-data",
        "sign the notification as id-data"
      )
    case .digestWrong:
      (
        "SEAL-064", .sender, "the content is not the one that was signed",
        "sign again and send again; if it repeats, find out who changes it"
      )
    case .sharedSecretRecipient:
      (
        "SEAL-065", .sender, "the content key also goes by a password or a shared key",
        "seal to certificates alone"
      )
    case .unauthenticatedCipher:
      (
        "SEAL-066", .sender, "the content is encrypted without authentication",
        "encrypt as AuthEnvelopedData with AES-256-GCM"
      )
    default: laterFacts
    }
  }

  private var laterFacts: (code: String, turn: Turn, text: String, hint: String) {
    switch self {
    case .certificateExpired(let party):
      (
        "SEAL-020", .sender, "the signing certificate of \(party) has ended",
        "sign with a current certificate, and have it pinned"
      )
    case .certificateNotYetValid(let party):
      (
        "SEAL-021", .sender, "the signing certificate of \(party) is not valid yet",
        "sign with a current certificate; check both clocks"
      )
    case .certificateUsage(let party):
      (
        "SEAL-022", .sender, "the key usage of the certificate of \(party) does not allow this",
        "sign with a certificate that has digitalSignature"
      )
    case .certificateExtendedUsage(let party):
      (
        "SEAL-028", .sender,
        "the extended key usage of the certificate of \(party) does not allow this",
        "use a certificate with emailProtection, or without extended key usage"
      )
    case .certificateRevoked(let party):
      (
        "SEAL-023", .sender, "a certificate of \(party) is revoked",
        "speak to the party by telephone before anything else: its key may be in wrong hands"
      )
    case .chainBroken(let party):
      (
        "SEAL-024", .operator, "the certificate of \(party) does not lead to its trust anchor",
        "check anchors and intermediates of the party in the agreement"
      )
    case .authorityUnknown(let party):
      (
        "SEAL-029", .operator,
        "the certificate of \(party) leads to an authority that is not its trust anchor",
        "compare the anchors of the party in the agreement with its authority, by telephone"
      )
    case .revocationStale(let party):
      (
        "SEAL-025", .operator,
        "the revocation list for \(party) is a week or more past its next update",
        "fetch the current list; the message stays where it is until then"
      )
    case .revocationMissing(let party):
      (
        "SEAL-026", .operator, "a revocation list for \(party) is missing",
        "provide a list of every issuer in its chain; the message stays where it is until then"
      )
    case .legacyNotAllowed(let party):
      (
        "SEAL-027", .sender, "\(party) may not send with an unauthenticated cipher",
        "encrypt as AuthEnvelopedData with AES-256-GCM"
      )
    case .notNotification(let problem, _):
      (problem.code, .sender, "the signed content is not a notification: \(problem)", "mend it")
    case .sourceNotSigner(let party):
      (
        "SEAL-031", .sender, "\(party) signed a notification of another source",
        "each party signs its own notifications alone"
      )
    case .audienceNotUs(let party):
      (
        "SEAL-032", .sender, "\(party) addressed the signed notification to another audience",
        "set audience to the party that the message is sealed to"
      )
    case .recipientUnknown(let party):
      (
        "SEAL-040", .operator, "nothing is known of the recipient \(party)",
        "add it to the agreement"
      )
    case .recipientWithoutCertificate(let party):
      (
        "SEAL-041", .operator, "no encryption certificate of \(party) can be used now",
        "pin a current one in the agreement"
      )
    case .sourceNotUs(let party):
      ("SEAL-042", .us, "a notification of \(party) is not ours to sign", "set source to ourselves")
    case .ownCertificateNotValid(let party):
      (
        "SEAL-043", .operator, "the own signing certificate of \(party) is not valid now",
        "rotate the signing key"
      )
    case .cryptographyFailed(let step):
      ("SEAL-044", .us, "the cryptographic library failed at: \(step)", "report this")
    case .unreadableCertificate(let party, let what):
      ("SEAL-050", .operator, "\(what) of \(party): not readable", "provide it as PEM or DER")
    case .unreadableKey:
      ("SEAL-051", .operator, "a private key is not readable", "provide unencrypted PKCS #8 PEM")
    case .keyDoesNotMatch(let party):
      (
        "SEAL-052", .operator, "a private key of \(party) is not its certificate's",
        "pair them again"
      )
    case .weakKey(let party):
      (
        "SEAL-053", .operator, "a certificate of \(party) has a key that is not taken",
        "use P-256, P-384, or RSA of 2048 to 8192 bits"
      )
    case .pinnedTwice(let one, let other):
      (
        "SEAL-054", .operator, "\(one) and \(other) have the same signing key pinned",
        "a key speaks for one party alone: correct the agreement"
      )
    case .partyTwice(let party):
      ("SEAL-055", .operator, "\(party) is there twice", "keep one entry for each party")
    default: listFacts
    }
  }

  private var listFacts: (code: String, turn: Turn, text: String, hint: String) {
    switch self {
    case .listUnreadable:
      (
        "SEAL-070", .operator, "what was published is no revocation list",
        "fetch the address by hand and look at what comes"
      )
    case .listNotSigned:
      (
        "SEAL-071", .operator, "the published list is not signed by the party's authority",
        "compare trust of the party in the agreement with its authority, by telephone"
      )
    case .listOlder:
      (
        "SEAL-072", .operator, "the published list is older than the one at hand",
        "ask the authority; somebody may be putting an old list in place of the new one"
      )
    case .listFromFuture:
      ("SEAL-073", .operator, "the published list has not begun", "check both clocks")
    case .listNotPublished(let status):
      (
        "SEAL-074", .operator, "the publisher of the list answered with status \(status)",
        "check the address in the agreement"
      )
    case .listNotKept:
      (
        "SEAL-075", .operator, "the fetched list could not be written",
        "check space and owner of the state directory"
      )
    default:
      // `facts` has settled every other case; a test asks each of them for its code.
      ("SEAL-044", .us, "unclassified", "report this")
    }
  }
}
