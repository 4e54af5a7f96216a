import COpenSSL
import Exchange

/// An authority's certificate and key, decoded for one use. The maker frees it.
struct CertificateSigner {
  let certificate: OpaquePointer
  let key: OpaquePointer

  init(certificatePEM: String, keyPEM: String) throws(CertificateProblem) {
    let certificate = try CertificateParts.parse(certificatePEM, "certificate") {
      PEM_read_bio_X509($0, nil, nil, nil)
    }
    do {
      key = try CertificateParts.parse(keyPEM, "private key") {
        PEM_read_bio_PrivateKey($0, nil, nil, nil)
      }
    } catch {
      X509_free(certificate)
      throw error
    }
    self.certificate = certificate
  }

  func free() {
    X509_free(certificate)
    EVP_PKEY_free(key)
  }
}

/// A certificate in the making, with a fresh key. The maker frees it.
struct CertificateDraft {
  /// Lower-case hex.
  let serial: String
  private let certificate: OpaquePointer
  private let key: OpaquePointer
  /// Nil for a certificate that signs itself.
  private let signer: CertificateSigner?

  init(
    name: String, key kind: CertificateRequest.Key, from: Instant, to: Instant,
    signer: CertificateSigner?
  ) throws(CertificateProblem) {
    let made =
      switch kind {
      case .p256: sallyport_generate_ec("P-256")
      case .p384: sallyport_generate_ec("P-384")
      case .rsa(let bits): sallyport_generate_rsa(UInt32(clamping: bits))
      }
    try self.init(
      name: name, owning: try CertificateParts.require(made, "key"), from: from, to: to,
      signer: signer)
  }

  /// - Parameter key: taken over, whatever comes of it.
  init(
    name: String, owning key: OpaquePointer, from: Instant, to: Instant, signer: CertificateSigner?
  ) throws(CertificateProblem) {
    guard let certificate = X509_new() else {
      EVP_PKEY_free(key)
      throw CertificateProblem(step: "certificate")
    }
    (self.key, self.certificate, self.signer) = (key, certificate, signer)
    // The top bits are set to 01: a positive number of a fixed 16 octets (RFC 5280 4.1.2.2).
    var generator = SystemRandomNumberGenerator()
    var octets = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    octets[0] = octets[0] & 0x3f | 0x40
    serial = CertificateParts.hex(octets)
    do {
      try fill(name: name, from: from, to: to)
    } catch {
      free()
      throw error
    }
  }

  func free() {
    X509_free(certificate)
    EVP_PKEY_free(key)
  }

  private func fill(name: String, from: Instant, to: Instant) throws(CertificateProblem) {
    let begin = try CertificateParts.time(from)
    defer { ASN1_TIME_free(begin) }
    let end = try CertificateParts.time(to)
    defer { ASN1_TIME_free(end) }
    let number = try CertificateParts.integer(hex: serial)
    defer { ASN1_INTEGER_free(number) }
    let subject = try CertificateParts.require(X509_NAME_new(), "name")
    defer { X509_NAME_free(subject) }
    let issuer = signer.map { X509_get_subject_name($0.certificate) } ?? subject
    guard (1...64).contains(name.count),
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1,
      X509_set_version(certificate, 2) == 1, X509_set_serialNumber(certificate, number) == 1,
      X509_set1_notBefore(certificate, begin) == 1, X509_set1_notAfter(certificate, end) == 1,
      X509_set_subject_name(certificate, subject) == 1,
      X509_set_issuer_name(certificate, issuer) == 1, X509_set_pubkey(certificate, key) == 1
    else { throw CertificateProblem(step: "certificate") }
  }

  /// Adds an extension, in OpenSSL's configuration notation (x509v3_config(5)).
  func add(_ kind: Int32, _ value: String) throws(CertificateProblem) {
    var context = X509V3_CTX()
    X509V3_set_ctx(&context, signer?.certificate ?? certificate, certificate, nil, nil, 0)
    let part = try CertificateParts.require(
      X509V3_EXT_conf_nid(nil, &context, kind, value), "extension")
    defer { X509_EXTENSION_free(part) }
    guard X509_add_ext(certificate, part, -1) == 1 else {
      throw CertificateProblem(step: "extension")
    }
  }

  /// The certificate alone, for a key that somebody else holds.
  func signedCertificate() throws(CertificateProblem) -> String {
    guard X509_sign(certificate, signer?.key ?? key, EVP_sha256()) > 0 else {
      throw CertificateProblem(step: "signing a certificate")
    }
    return try CertificateParts.text("PEM of a certificate") {
      PEM_write_bio_X509($0, certificate)
    }
  }

  func signed() throws(CertificateProblem) -> (
    certificatePEM: String, privateKeyPEM: String, fingerprint: String
  ) {
    guard X509_sign(certificate, signer?.key ?? key, EVP_sha256()) > 0 else {
      throw CertificateProblem(step: "signing a certificate")
    }
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 32
    guard X509_digest(certificate, EVP_sha256(), &digest, &length) == 1, length == 32 else {
      throw CertificateProblem(step: "fingerprint")
    }
    let certificateText = try CertificateParts.text("PEM of a certificate") {
      PEM_write_bio_X509($0, certificate)
    }
    let keyText = try CertificateParts.text("PEM of a key") {
      PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil)
    }
    return (certificateText, keyText, CertificateParts.hex(digest))
  }
}
