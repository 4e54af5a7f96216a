package import Exchange
package import Mailbox

/// A mailbox of ours at an agency's or a national HTTPS service, and how it is reached. Paths are absolute.
package struct ServiceSettings: Equatable, Sendable {
  /// `https://host:port`.
  package var url: String
  /// Our mailbox there.
  package var mailbox: MailboxID
  package var passwordFile: String
  package var sharedSecretFile: String
  package var certificateFile: String
  package var keyFile: String
  package var authorityFile: String
  /// Lists of every issuer in the chain of the service's certificate; nil: not checked.
  package var revocationFile: String?
  package var tlsMinimum = TLSMinimum.tls12
  /// `http://host:port`; nil: none, whatever the environment says.
  package var proxy: String?
  /// One line, `user:password`.
  package var proxyCredentialsFile: String?
  /// Until name, connection and TLS are done: 1 s to 5 min.
  package var connectTimeout = Duration.seconds(10)
  /// Until one whole answer is there: 1 s to 1 h.
  package var requestTimeout = Duration.seconds(300)

  /// - Parameter limits: of messages; times are these settings'.
  /// - Throws: `BoundedFile.Problem`, `TransportError` or `MeshError` for what cannot be used.
  package func endpoint(_ limits: MeshEndpoint.Limits) throws -> MeshEndpoint {
    var limits = limits
    (limits.connect, limits.total) = (connectTimeout, requestTimeout)
    let proxy = try proxy.map { url in
      try HTTPSProxy(url: url, credentials: try proxyCredentialsFile.map(BoundedFile.secret))
    }
    let identity = try TLSIdentity(
      certificate: BoundedFile.bytes(certificateFile), key: BoundedFile.bytes(keyFile),
      authorities: BoundedFile.bytes(authorityFile), revocationFile: revocationFile,
      minimum: tlsMinimum)
    return try MeshEndpoint(
      baseURL: url, mailbox: mailbox, password: BoundedFile.secret(passwordFile),
      sharedSecret: BoundedFile.secret(sharedSecretFile), identity: identity, proxy: proxy,
      limits: limits)
  }
}

extension ServiceSettings {
  /// Reads the members of one group; those that stand beside them are the caller's.
  init?(reading section: SettingsReader) {
    let url = section.httpsURL("url")
    let mailbox = section.identifier("mailbox", MailboxID.init)
    let password = section.path("password")
    let secret = section.path("shared_secret")
    let certificate = section.path("certificate")
    let key = section.path("key")
    let authority = section.path("authority")
    let revocation = section.optionalPath("revocation")
    let minimum = section.word(
      "tls_minimum", among: TLSMinimum.allCases.map(\.rawValue), default: "1.2")
    let proxy = section.proxyURL("proxy")
    let credentials = section.optionalPath("proxy_credentials")
    let connect = section.duration(
      "connect_timeout", from: .seconds(1), through: .seconds(300), default: .seconds(10))
    let total = section.duration(
      "request_timeout", from: .seconds(1), through: .seconds(3600), default: .seconds(300))
    guard let url, let mailbox, let password, let secret, let certificate, let key, let authority
    else { return nil }
    self.init(
      url: url, mailbox: mailbox, passwordFile: password, sharedSecretFile: secret,
      certificateFile: certificate, keyFile: key, authorityFile: authority,
      revocationFile: revocation, tlsMinimum: TLSMinimum(rawValue: minimum) ?? .tls12,
      proxy: proxy, proxyCredentialsFile: credentials, connectTimeout: connect,
      requestTimeout: total)
  }
}
