package import Exchange

/// What we hold of a party in order to read from it and to seal to it. Texts are PEM, each with any
/// number of blocks.
package struct PartyTrust: Sendable {
  package var party: PartyID
  /// The certificates that this party signs with: nothing else is taken from it.
  package var signingCertificates: [String]
  /// The certificates that copies for this party are sealed to: all of them, so that it can change
  /// its key without losing a message.
  package var encryptionCertificates: [String]
  /// The roots that the party's certificates must lead to.
  package var trustAnchors: [String]
  package var intermediates: [String]
  /// One list of every issuer in the chains, the root's too.
  package var revocationLists: [String]
  /// Whether EnvelopedData with AES-CBC, which nothing authenticates but the signature inside, is
  /// read from this party.
  package var legacyAllowed: Bool
  /// Whether this party signs notifications of other sources: Sallyport as its recipients see it. A
  /// sender never does.
  package var relays: Bool

  package init(
    party: PartyID, signingCertificates: [String], encryptionCertificates: [String],
    trustAnchors: [String], intermediates: [String] = [], revocationLists: [String],
    legacyAllowed: Bool = false, relays: Bool = false
  ) {
    self.party = party
    self.signingCertificates = signingCertificates
    self.encryptionCertificates = encryptionCertificates
    self.trustAnchors = trustAnchors
    self.intermediates = intermediates
    self.revocationLists = revocationLists
    self.legacyAllowed = legacyAllowed
    self.relays = relays
  }
}

/// A certificate (PEM) with its private key.
package struct KeyPair: Sendable {
  package var certificate: String
  package var key: PrivateKey

  package init(certificate: String, key: PrivateKey) {
    self.certificate = certificate
    self.key = key
  }
}

/// Who we are, and the keys that say so.
package struct OwnIdentity: Sendable {
  package var party: PartyID
  package var signing: KeyPair
  /// Several while one takes the place of another.
  package var decryption: [KeyPair]

  package init(party: PartyID, signing: KeyPair, decryption: [KeyPair]) {
    self.party = party
    self.signing = signing
    self.decryption = decryption
  }
}

/// Bounds on what is opened.
package struct SealLimits: Sendable {
  /// Bytes of a sealed message.
  package var messageBytes: Int
  /// Bytes of all attachments of one message together.
  package var attachmentBytes: Int
  /// Bounds on the signed notification.
  package var content: JSONLimits

  /// What envelope and CMS may add to the attachments: 1 MiB of JSON, and far less of CMS.
  package static let overheadBytes = 2 << 20

  /// - Parameter attachmentBytes: what `messageBytes` leaves for them, where nothing is said.
  package init(
    messageBytes: Int = (20 << 20) + overheadBytes, attachmentBytes: Int? = nil,
    content: JSONLimits = JSONLimits()
  ) {
    self.messageBytes = messageBytes
    self.attachmentBytes = attachmentBytes ?? max(0, messageBytes - SealLimits.overheadBytes)
    self.content = content
  }
}
