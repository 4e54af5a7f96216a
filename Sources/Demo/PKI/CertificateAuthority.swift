import COpenSSL
package import Exchange

/// A certificate authority in memory, for tests and the demonstration: P-256, no files, no processes.
///
/// What it issues passes OpenSSL's strict checks (`X509_V_FLAG_X509_STRICT`) and those of RFC 5280.
package struct CertificateAuthority: Sendable {
  /// The authority's own certificate.
  package let certificatePEM: String
  /// The certificates from this authority up to, and without, the root. Empty for a root.
  package let intermediatesPEM: String
  private let privateKeyPEM: String

  /// Makes a root, valid from one hour before `now`.
  package static func make(
    name: String, now: Instant, lifetime: Duration = .seconds(10 * 365 * 86_400)
  ) throws(CertificateProblem) -> CertificateAuthority {
    let draft = try CertificateDraft(
      name: name, key: .p256, from: now - .seconds(3600), to: now + lifetime, signer: nil)
    defer { draft.free() }
    try draft.add(NID_basic_constraints, "critical,CA:TRUE")
    try draft.add(NID_key_usage, "critical,keyCertSign,cRLSign")
    try draft.add(NID_subject_key_identifier, "hash")
    let made = try draft.signed()
    return CertificateAuthority(
      certificatePEM: made.certificatePEM, intermediatesPEM: "", privateKeyPEM: made.privateKeyPEM)
  }

  /// Makes an authority below this one, which may issue to ends alone (path length 0).
  package func intermediate(
    name: String, now: Instant, lifetime: Duration = .seconds(5 * 365 * 86_400)
  ) throws(CertificateProblem) -> CertificateAuthority {
    let signer = try CertificateSigner(certificatePEM: certificatePEM, keyPEM: privateKeyPEM)
    defer { signer.free() }
    let draft = try CertificateDraft(
      name: name, key: .p256, from: now - .seconds(3600), to: now + lifetime, signer: signer)
    defer { draft.free() }
    try draft.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
    try draft.add(NID_key_usage, "critical,keyCertSign,cRLSign")
    try draft.add(NID_subject_key_identifier, "hash")
    try draft.add(NID_authority_key_identifier, "keyid:always")
    let made = try draft.signed()
    return CertificateAuthority(
      certificatePEM: made.certificatePEM,
      intermediatesPEM: made.certificatePEM + intermediatesPEM, privateKeyPEM: made.privateKeyPEM)
  }

  /// Makes a key and a certificate for it.
  ///
  /// An RSA key of 2048 bits takes some tenths of a second.
  package func issue(
    _ request: CertificateRequest, now: Instant
  ) throws(CertificateProblem) -> IssuedCertificate {
    let signer = try CertificateSigner(certificatePEM: certificatePEM, keyPEM: privateKeyPEM)
    defer { signer.free() }
    let draft = try CertificateDraft(
      name: request.commonName, key: request.key, from: now + request.notBefore,
      to: now + request.notAfter, signer: signer)
    defer { draft.free() }
    try fill(draft, request)
    let made = try draft.signed()
    return IssuedCertificate(
      certificatePEM: made.certificatePEM, chainPEM: made.certificatePEM + intermediatesPEM,
      privateKeyPEM: made.privateKeyPEM, serial: draft.serial, fingerprint: made.fingerprint)
  }

  /// A certificate for a key that is somebody else's; the draft takes the key over.
  func issue(
    _ request: CertificateRequest, for key: OpaquePointer, now: Instant
  ) throws(CertificateProblem) -> String {
    let signer: CertificateSigner
    do {
      signer = try CertificateSigner(certificatePEM: certificatePEM, keyPEM: privateKeyPEM)
    } catch {
      EVP_PKEY_free(key)
      throw error
    }
    defer { signer.free() }
    let draft = try CertificateDraft(
      name: request.commonName, owning: key, from: now + request.notBefore,
      to: now + request.notAfter, signer: signer)
    defer { draft.free() }
    try fill(draft, request)
    return try draft.signedCertificate()
  }

  private func fill(
    _ draft: CertificateDraft, _ request: CertificateRequest
  ) throws(CertificateProblem) {
    try draft.add(NID_basic_constraints, "critical,CA:FALSE")
    switch request.use {
    case .tlsServer(let hosts):
      try draft.add(NID_key_usage, "critical,digitalSignature")
      try draft.add(NID_ext_key_usage, "serverAuth")
      try draft.add(NID_subject_alt_name, try CertificateAuthority.alternativeNames(hosts))
    case .tlsClient:
      try draft.add(NID_key_usage, "critical,digitalSignature")
      try draft.add(NID_ext_key_usage, "clientAuth")
    case .signing:
      try draft.add(NID_key_usage, "critical,digitalSignature,nonRepudiation")
      try draft.add(NID_ext_key_usage, "emailProtection")
    case .encryption:
      let usage =
        switch request.key {
        case .p256, .p384: "critical,keyAgreement"
        case .rsa: "critical,keyEncipherment"
        }
      try draft.add(NID_key_usage, usage)
      try draft.add(NID_ext_key_usage, "emailProtection")
    }
    try draft.add(NID_subject_key_identifier, "hash")
    try draft.add(NID_authority_key_identifier, "keyid:always")
  }

  /// Makes this authority's revocation list (PEM).
  ///
  /// - Parameters:
  ///   - revoked: serial numbers, hex, of certificates that this authority issued.
  ///   - number: the CRL number (RFC 5280 5.2.3); rises from list to list.
  package func revocationList(
    revoked: [String], thisUpdate: Instant, nextUpdate: Instant, number: Int
  ) throws(CertificateProblem) -> String {
    let signer = try CertificateSigner(certificatePEM: certificatePEM, keyPEM: privateKeyPEM)
    defer { signer.free() }
    let list = try CertificateParts.require(X509_CRL_new(), "revocation list")
    defer { X509_CRL_free(list) }
    let now = try CertificateParts.time(thisUpdate)
    defer { ASN1_TIME_free(now) }
    let next = try CertificateParts.time(nextUpdate)
    defer { ASN1_TIME_free(next) }
    guard X509_CRL_set_version(list, 1) == 1,
      X509_CRL_set_issuer_name(list, X509_get_subject_name(signer.certificate)) == 1,
      X509_CRL_set1_lastUpdate(list, now) == 1, X509_CRL_set1_nextUpdate(list, next) == 1
    else { throw CertificateProblem(step: "revocation list") }
    for serial in revoked {
      let entry = try CertificateParts.require(X509_REVOKED_new(), "revoked serial")
      let number = try CertificateParts.integer(hex: serial)
      defer { ASN1_INTEGER_free(number) }
      guard X509_REVOKED_set_serialNumber(entry, number) == 1,
        X509_REVOKED_set_revocationDate(entry, now) == 1, X509_CRL_add0_revoked(list, entry) == 1
      else {
        X509_REVOKED_free(entry)
        throw CertificateProblem(step: "revoked serial")
      }
    }
    var context = X509V3_CTX()
    X509V3_set_ctx(&context, signer.certificate, nil, nil, list, 0)
    let keyIdentifier = try CertificateParts.require(
      X509V3_EXT_conf_nid(nil, &context, NID_authority_key_identifier, "keyid:always"),
      "CRL extension")
    defer { X509_EXTENSION_free(keyIdentifier) }
    let counted = try CertificateParts.require(ASN1_INTEGER_new(), "CRL number")
    defer { ASN1_INTEGER_free(counted) }
    guard X509_CRL_add_ext(list, keyIdentifier, -1) == 1,
      ASN1_INTEGER_set_int64(counted, Int64(number)) == 1,
      X509_CRL_add1_ext_i2d(list, NID_crl_number, counted, 0, 0) == 1
    else { throw CertificateProblem(step: "CRL extension") }
    guard X509_CRL_sort(list) == 1, X509_CRL_sign(list, signer.key, EVP_sha256()) > 0 else {
      throw CertificateProblem(step: "signing a revocation list")
    }
    return try CertificateParts.text("PEM of a revocation list") {
      PEM_write_bio_X509_CRL($0, list)
    }
  }

  private static func alternativeNames(_ hosts: [String]) throws(CertificateProblem) -> String {
    // OpenSSL reads this text as a small language of its own (commas, sections): let no host speak it.
    let plain = hosts.allSatisfy { host in
      !host.isEmpty
        && host.utf8.allSatisfy { byte in
          (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte)
            || "-.:*".utf8.contains(byte)
        }
    }
    guard plain, !hosts.isEmpty else { throw CertificateProblem(step: "host names") }
    return hosts.map { host in
      let isAddress =
        host.utf8.contains(UInt8(ascii: ":"))
        || host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
      return (isAddress ? "IP:" : "DNS:") + host
    }.joined(separator: ",")
  }
}
