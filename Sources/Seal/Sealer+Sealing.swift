import COpenSSL
package import Exchange

extension Sealer {
  /// Signs a recipient's copy and seals it to that recipient.
  ///
  /// - Returns: DER. Two calls give different bytes: keep what was committed, do not seal again.
  package func seal(
    _ copy: OutboundNotification, now: Instant
  ) throws(SealError) -> [UInt8] {
    try seal(
      SignedContent.joining(copy.content, copy.attachments), to: copy.recipient, now: now)
  }

  /// Signs a notification of our own and seals it to its audience.
  package func seal(_ notification: Notification, now: Instant) throws(SealError) -> [UInt8] {
    guard notification.source == identity else { throw .sourceNotUs(notification.source) }
    return try seal(
      SignedContent.joining(notification.content, notification.attachments),
      to: notification.audience, now: now)
  }

  private func seal(
    _ content: [UInt8], to recipient: PartyID, now: Instant
  ) throws(SealError) -> [UInt8] {
    let certificates = try encryptionCertificates(of: recipient, now: now)
    return try encrypt(try sign(content, now: now), to: certificates)
  }

  /// The recipient's certificates that may be sealed to now. One that has ended or was revoked is
  /// passed over while another is left; a missing revocation list stops the copy.
  private func encryptionCertificates(
    of recipient: PartyID, now: Instant
  ) throws(SealError) -> [Certificate] {
    guard let party = parties[recipient] else { throw .recipientUnknown(recipient) }
    var usable: [Certificate] = []
    for certificate in party.encryption {
      do {
        _ = try party.judge(certificate, for: .encryption, now: now)
        usable.append(certificate)
      } catch {
        if error.isHold { throw error }
      }
    }
    guard !usable.isEmpty else { throw .recipientWithoutCertificate(recipient) }
    return usable
  }

  /// SignedData with content, one signer named by key identifier, no certificates.
  private func sign(_ content: [UInt8], now: Instant) throws(SealError) -> [UInt8] {
    guard signing.certificate.notBefore <= now, now <= signing.certificate.notAfter else {
      throw .ownCertificateNotValid(identity)
    }
    ERR_clear_error()
    defer { ERR_clear_error() }
    let flags = UInt32(CMS_BINARY | CMS_NOCERTS | CMS_NOSMIMECAP)
    let named = signing.certificate.keyIdentifier == nil ? 0 : UInt32(CMS_USE_KEYID)
    guard let source = MemoryBuffer(content),
      let message = source.read({ CMS_sign(nil, nil, nil, $0, flags | UInt32(CMS_PARTIAL)) })
    else { throw .cryptographyFailed(step: "signing") }
    defer { CMS_ContentInfo_free(message) }
    guard
      let signer = CMS_add1_signer(
        message, signing.certificate.pointer, signing.key.pointer, EVP_sha256(), flags | named),
      let time = ASN1_TIME_set(nil, Int(now.milliseconds / 1000))
    else { throw .cryptographyFailed(step: "signing") }
    defer { ASN1_TIME_free(time) }
    // OpenSSL would put the machine's own clock here.
    guard
      CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, time.pointee.type, time, -1) == 1,
      source.read({ CMS_final(message, $0, nil, flags) }) == 1
    else { throw .cryptographyFailed(step: "signing") }
    return try encode(message)
  }

  /// AuthEnvelopedData with AES-256-GCM.
  private func encrypt(
    _ bytes: [UInt8], to certificates: [Certificate]
  ) throws(SealError) -> [UInt8] {
    ERR_clear_error()
    defer { ERR_clear_error() }
    let flags = UInt32(CMS_BINARY)
    guard let source = MemoryBuffer(bytes),
      let message = source.read({
        CMS_encrypt(nil, $0, EVP_aes_256_gcm(), flags | UInt32(CMS_PARTIAL))
      })
    else { throw .cryptographyFailed(step: "encrypting") }
    defer { CMS_ContentInfo_free(message) }
    for certificate in certificates {
      let recipient = CMS_add1_recipient_cert(
        message, certificate.pointer, flags | UInt32(CMS_KEY_PARAM))
      guard let recipient, let parameters = CMS_RecipientInfo_get0_pkey_ctx(recipient) else {
        throw .cryptographyFailed(step: "encrypting")
      }
      // OpenSSL's own choice would be PKCS #1 v1.5 and a key derivation with SHA-1.
      let chosen =
        switch certificate.key {
        case .elliptic: EVP_PKEY_CTX_set_ecdh_kdf_md(parameters, EVP_sha256()) > 0
        case .rsa:
          EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_OAEP_PADDING) > 0
            && EVP_PKEY_CTX_set_rsa_oaep_md(parameters, EVP_sha256()) > 0
        case nil: false
        }
      guard chosen else { throw .cryptographyFailed(step: "encrypting") }
    }
    guard source.read({ CMS_final(message, $0, nil, flags) }) == 1 else {
      throw .cryptographyFailed(step: "encrypting")
    }
    return try encode(message)
  }

  private func encode(_ message: OpaquePointer) throws(SealError) -> [UInt8] {
    var encoded: UnsafeMutablePointer<UInt8>?
    let length = i2d_CMS_ContentInfo(message, &encoded)
    guard length > 0, let encoded else { throw .cryptographyFailed(step: "encoding") }
    defer { CRYPTO_free(encoded, #file, #line) }
    return Array(UnsafeBufferPointer(start: encoded, count: Int(length)))
  }
}
