import COpenSSL
package import Exchange

/// New keys of ours, and the certificates that follow for them.
package enum OwnKey {
  /// A new P-256 key, as PEM (PKCS #8). What OpenSSL held of it is overwritten; the bytes are the
  /// caller's to overwrite.
  package static func make() throws(SealError) -> [UInt8] {
    guard let key = sallyport_generate_ec("P-256") else { throw .cryptographyFailed(step: "key") }
    defer { EVP_PKEY_free(key) }
    guard let buffer = MemoryBuffer(),
      buffer.read({ PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) }) == 1
    else { throw .cryptographyFailed(step: "PEM of a key") }
    return buffer.bytes
  }

  /// The request (PKCS #10, PEM) by which an authority certifies a key of ours: it names the party, and
  /// the use as key usage and extended key usage (RFC 8550 4.4.2, 4.4.4).
  package static func request(
    for key: PrivateKey, party: PartyID, use: CertificateUse
  ) throws(SealError) -> String {
    guard let request = X509_REQ_new() else { throw .cryptographyFailed(step: "request") }
    defer { X509_REQ_free(request) }
    let usage =
      switch use {
      case .signing: "critical,digitalSignature,nonRepudiation"
      case .encryption: "critical,keyAgreement"
      }
    let usagePart = X509V3_EXT_conf_nid(nil, nil, NID_key_usage, usage)
    defer { X509_EXTENSION_free(usagePart) }
    let purpose = X509V3_EXT_conf_nid(nil, nil, NID_ext_key_usage, "emailProtection")
    defer { X509_EXTENSION_free(purpose) }
    guard let usagePart, let purpose, let buffer = MemoryBuffer(),
      X509_REQ_set_version(request, 0) == 1,
      X509_NAME_add_entry_by_txt(
        X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8, party.text, -1, -1, 0) == 1,
      X509_REQ_set_pubkey(request, key.pointer) == 1,
      sallyport_request_extend(request, usagePart, purpose) == 1,
      X509_REQ_sign(request, key.pointer, EVP_sha256()) > 0,
      buffer.read({ PEM_write_bio_X509_REQ($0, request) }) == 1
    else { throw .cryptographyFailed(step: "request") }
    return String(decoding: buffer.bytes, as: UTF8.self)
  }
}

/// The first certificate of a PEM text, as operators ask about it.
package struct OwnCertificate: Sendable {
  private let certificate: Certificate

  /// Nil when it cannot be read.
  package init?(pem: String) {
    guard let first = Certificate.read(pem: pem)?.first else { return nil }
    certificate = first
  }

  /// All certificates of a text, empty when one cannot be read.
  package static func all(pem: String) -> [OwnCertificate] {
    (Certificate.read(pem: pem) ?? []).map { OwnCertificate($0) }
  }

  private init(_ certificate: Certificate) { self.certificate = certificate }

  /// SHA-256 of the certificate (DER), lower-case hex.
  package var fingerprint: String { certificate.fingerprint }
  package var notBefore: Instant { certificate.notBefore }
  package var notAfter: Instant { certificate.notAfter }

  package func allows(_ use: CertificateUse) -> Bool {
    certificate.key != nil && certificate.allows(use)
  }

  package func belongs(to key: PrivateKey) -> Bool {
    ERR_clear_error()
    defer { ERR_clear_error() }
    return X509_check_private_key(certificate.pointer, key.pointer) == 1
  }
}

extension PrivateKey {
  /// From bytes that stay the caller's.
  package convenience init(pem: [UInt8]) throws(SealError) {
    try self.init(pem: String(decoding: pem, as: UTF8.self))
  }
}

extension Sealer {
  /// Whether a message can be opened only with one of these certificates of ours; false for what is no
  /// message.
  package static func isSealed(
    _ bytes: [UInt8], to certificatePEM: String
  ) -> Bool {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let own = Certificate.read(pem: certificatePEM)?.first,
      let message = parseCMS(bytes)
    else { return false }
    defer { CMS_ContentInfo_free(message) }
    return sallyport_cms_is_for(message, own.pointer) == 1
  }
}
