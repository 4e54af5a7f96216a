import Crypto
package import Demo
package import Foundation

/// SignedData by hand: everything that a signer could leave out, double or get wrong can be.
///
/// ECDSA P-256, by swift-crypto; nothing here shares code with Seal or its OpenSSL.
package struct ForgedSignature {
  package var content: [UInt8]
  package var contentType = Name.data
  package var isAttached = true
  package var signers: [Signer]
  /// Whole certificates, DER.
  package var certificates: [[UInt8]] = []

  package init(_ content: [UInt8], by signers: [IssuedCertificate]) throws {
    self.content = content
    self.signers = try signers.map { try Signer($0) }
  }

  package struct Signer {
    /// Whose key signs.
    let key: P256.Signing.PrivateKey
    /// Who is said to have signed.
    package var keyIdentifier: [UInt8]
    package var digest = Name.sha256
    package var algorithm = Name.ecdsaSHA256
    /// Nil: the signature is over the content itself.
    package var attributes: [Attribute]? = [
      .contentType(Name.data), .digest, .time("260202093000Z"),
    ]
    package var isBroken = false

    package init(_ issued: IssuedCertificate) throws {
      key = try P256.Signing.PrivateKey(pemRepresentation: issued.privateKeyPEM)
      keyIdentifier = ForgedSignature.keyIdentifier(key.publicKey.x963Representation)
    }
  }

  package enum Attribute {
    case contentType(String)
    /// Of the content as it stands.
    case digest
    case digestOf([UInt8])
    case time(String)
    case generalizedTime(String)

    func encoded(_ content: [UInt8]) -> [UInt8] {
      switch self {
      case .contentType(let type):
        DER.sequence(DER.oid(Name.contentType), DER.set(DER.oid(type)))
      case .digest: Attribute.digestOf(content).encoded(content)
      case .digestOf(let other):
        DER.sequence(
          DER.oid(Name.messageDigest), DER.set(DER.octets(Array(SHA256.hash(data: other)))))
      case .time(let figures):
        DER.sequence(DER.oid(Name.signingTime), DER.set(DER.time(figures)))
      case .generalizedTime(let figures):
        DER.sequence(
          DER.oid(Name.signingTime), DER.set(DER.element(0x18, Array(figures.utf8))))
      }
    }
  }

  package func encoded() throws -> [UInt8] {
    let infos = try signers.map { try info(of: $0) }.flatMap { $0 }
    let digests = DER.set(DER.sequence(DER.oid(signers.first?.digest ?? Name.sha256)))
    let encapsulated = DER.sequence(
      DER.oid(contentType), isAttached ? DER.tagged(0, DER.octets(content)) : [])
    let inside = certificates.isEmpty ? [] : DER.element(0xa0, certificates.flatMap { $0 })
    return DER.sequence(
      DER.oid(Name.signedData),
      DER.tagged(
        0,
        DER.sequence(DER.integer(3), digests, encapsulated, inside, DER.element(0x31, infos))))
  }

  private func info(of signer: Signer) throws -> [UInt8] {
    let attributes = signer.attributes?.map { $0.encoded(content) }
      // DER: a SET OF stands in order.
      .sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 }
    let signed = attributes.map { DER.element(0x31, $0) } ?? content
    var signature = Array(try signer.key.signature(for: signed).derRepresentation)
    if signer.isBroken { signature[signature.count - 1] ^= 1 }
    return DER.sequence(
      DER.integer(3), DER.element(0x80, signer.keyIdentifier), DER.sequence(DER.oid(signer.digest)),
      attributes.map { DER.element(0xa0, $0) } ?? [], DER.sequence(DER.oid(signer.algorithm)),
      DER.octets(signature))
  }

  /// One signed or unsigned attribute, for places where none belongs.
  package static func attribute(_ attribute: Attribute) -> [UInt8] { attribute.encoded([]) }

  /// SHA-1 of the public key's octets (RFC 5280 4.2.1.2, method 1), as the tests' authority makes it.
  package static func keyIdentifier(_ publicKey: Data) -> [UInt8] {
    Array(Insecure.SHA1.hash(data: publicKey))
  }
}

/// AuthEnvelopedData by hand: AES-256-GCM, ECDH P-256 with SHA-256 (RFC 5083, 5084, 5753).
package struct ForgedEnvelope {
  package var content: [UInt8]
  package var contentType = Name.signedData
  package var recipients: [IssuedCertificate]
  /// Whole RecipientInfos beside those of the certificates.
  package var otherRecipients: [[UInt8]] = []
  package var tagLength = 16
  /// Whole fields after the tag.
  package var unauthenticatedAttributes: [UInt8] = []
  /// Whole field before the recipients.
  package var originatorInfo: [UInt8] = []
  /// Who is said to be the recipient, where that is not the certificate's key.
  package var keyIdentifier: [UInt8]?

  package init(_ content: [UInt8], to recipients: [IssuedCertificate]) {
    (self.content, self.recipients) = (content, recipients)
  }

  package func encoded() throws -> [UInt8] {
    let key = SymmetricKey(size: .bits256)
    let box = try AES.GCM.seal(content, using: key)
    let infos = try recipients.map { try recipient($0, key) }.flatMap { $0 }
    let parameters = DER.sequence(DER.octets(Array(box.nonce)), DER.integer(UInt8(tagLength)))
    let encrypted = DER.sequence(
      DER.oid(contentType), DER.sequence(DER.oid(Name.aes256GCM), parameters),
      DER.element(0x80, Array(box.ciphertext)))
    return DER.sequence(
      DER.oid(Name.authEnvelopedData),
      DER.tagged(
        0,
        DER.sequence(
          DER.integer(0), originatorInfo, DER.element(0x31, infos + otherRecipients.flatMap { $0 }),
          encrypted,
          DER.octets(Array(box.tag.prefix(tagLength))), unauthenticatedAttributes)))
  }

  /// Of a certificate's key.
  package static func keyIdentifier(of issued: IssuedCertificate) throws -> [UInt8] {
    ForgedSignature.keyIdentifier(
      try P256.KeyAgreement.PrivateKey(pemRepresentation: issued.privateKeyPEM).publicKey
        .x963Representation)
  }

  private func recipient(_ issued: IssuedCertificate, _ key: SymmetricKey) throws -> [UInt8] {
    // The tests have the recipient's private key at hand; its public half is what a sender uses.
    let theirs = try P256.KeyAgreement.PrivateKey(pemRepresentation: issued.privateKeyPEM).publicKey
    let ephemeral = P256.KeyAgreement.PrivateKey()
    let wrap = DER.sequence(DER.oid(Name.aes256Wrap))
    // ECC-CMS-SharedInfo (RFC 5753 7.2): the algorithm of the wrap and its key's length in bits.
    let info = DER.sequence(wrap, DER.tagged(2, DER.octets([0, 0, 1, 0])))
    let wrapping = try ephemeral.sharedSecretFromKeyAgreement(with: theirs)
      .x963DerivedSymmetricKey(using: SHA256.self, sharedInfo: info, outputByteCount: 32)
    let wrapped = try AES.KeyWrap.wrap(key, using: wrapping)
    let point = [0] + Array(ephemeral.publicKey.x963Representation)
    return DER.tagged(
      1, DER.integer(3),
      DER.tagged(
        0, DER.tagged(1, DER.sequence(DER.oid(Name.ecPublicKey)), DER.element(0x03, point))),
      DER.sequence(DER.oid(Name.ecdhSHA256), wrap),
      DER.sequence(
        DER.sequence(
          DER.tagged(
            0,
            DER.octets(
              keyIdentifier ?? ForgedSignature.keyIdentifier(theirs.x963Representation))),
          DER.octets(Array(wrapped)))))
  }
}

/// RecipientInfos that need no certificate (RFC 5652 6.2.3, 6.2.4): their form is all that counts.
package enum SharedSecretRecipient {
  /// A key that both sides are said to have (KEKRecipientInfo).
  package static let key = DER.tagged(
    2, DER.integer(4), DER.sequence(DER.octets([1])), DER.sequence(DER.oid(Name.aes256Wrap)),
    DER.octets([UInt8](repeating: 7, count: 40)))
  /// A password (PasswordRecipientInfo).
  package static let password = DER.tagged(
    3, DER.integer(0), DER.sequence(DER.oid(Name.aes256Wrap)),
    DER.octets([UInt8](repeating: 7, count: 40)))
}

extension IssuedCertificate {
  /// The certificate's bytes.
  package var der: [UInt8] {
    let lines = certificatePEM.split(separator: "\n").filter { !$0.hasPrefix("-----") }
    return Array(Data(base64Encoded: lines.joined()) ?? Data())
  }
}
