import COpenSSL
package import Exchange

extension CertificateAuthority {
  /// Certifies somebody else's key by their request (PKCS #10, PEM); uses are those asked for here,
  /// whatever the request says. The key is P-256.
  ///
  /// - Returns: the certificate, PEM.
  package func certify(
    request text: String, commonName: String, use: CertificateRequest.Use, now: Instant,
    lifetime: Duration = .seconds(365 * 86_400)
  ) throws(CertificateProblem) -> String {
    let request = try CertificateParts.parse(text, "request") {
      PEM_read_bio_X509_REQ($0, nil, nil, nil)
    }
    defer { X509_REQ_free(request) }
    let key = try CertificateParts.require(X509_REQ_get_pubkey(request), "request")
    // Whoever asks must hold the private key: the request is signed with it.
    guard X509_REQ_verify(request, key) == 1 else {
      EVP_PKEY_free(key)
      throw CertificateProblem(step: "request")
    }
    return try issue(
      CertificateRequest(
        commonName: commonName, use: use, key: .p256, notAfter: lifetime), for: key, now: now)
  }
}
