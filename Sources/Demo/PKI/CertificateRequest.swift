/// What a certificate is to say, for ``CertificateAuthority/issue(_:now:)``.
package struct CertificateRequest: Sendable {
  /// What the key may be used for; settles key usage and extended key usage.
  package enum Use: Sendable {
    /// A TLS server under these names: DNS names and IP addresses (`127.0.0.1`).
    case tlsServer(hosts: [String])
    case tlsClient
    /// Signs messages: digitalSignature, nonRepudiation, emailProtection.
    case signing
    /// Is sealed to: keyAgreement (EC) or keyEncipherment (RSA), emailProtection.
    case encryption
  }

  package enum Key: Sendable {
    case p256
    case p384
    /// Bits: 1024 is possible, so that tests can see it refused.
    case rsa(bits: Int)
  }

  /// At most 64 characters (RFC 5280 A.1, ub-common-name).
  package var commonName: String
  package var use: Use
  package var key: Key
  /// Begin and end of validity, counted from the moment of issue.
  package var notBefore: Duration
  package var notAfter: Duration

  package init(
    commonName: String, use: Use, key: Key = .p256, notBefore: Duration = .seconds(-3600),
    notAfter: Duration = .seconds(365 * 86_400)
  ) {
    self.commonName = commonName
    self.use = use
    self.key = key
    self.notBefore = notBefore
    self.notAfter = notAfter
  }
}

/// A certificate with its private key, in text forms.
package struct IssuedCertificate: Sendable {
  package let certificatePEM: String
  /// The certificate, then the intermediates that lead to the root, without the root.
  package let chainPEM: String
  /// PKCS #8, unencrypted: for tests and the demonstration alone.
  package let privateKeyPEM: String
  /// Lower-case hex.
  package let serial: String
  /// SHA-256 of the certificate (DER), lower-case hex.
  package let fingerprint: String
}

/// A step of making a certificate that failed; `step` is a word of ours, never key material.
package struct CertificateProblem: Error, Equatable, Sendable {
  package let step: String
}
