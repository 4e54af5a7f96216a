package import Exchange
import Mailbox
import Seal

/// Seals a party's notification and posts it to Sallyport's mailbox: for integrators at a command line.
package struct PartySender: Sendable {
  private let profile: SenderProfile
  private let now: @Sendable () -> Instant

  package init(_ profile: SenderProfile, now: @escaping @Sendable () -> Instant = { .wallClock }) {
    (self.profile, self.now) = (profile, now)
  }

  /// Fills in what the file leaves out: version, id, source, time, audience.
  ///
  /// - Throws: `NotificationProblem`.
  package func notification(
    from content: [UInt8]
  ) throws(NotificationProblem) -> Notification {
    let event: JSONValue
    do { event = try JSONValue.parse(content) } catch { throw .notJSON(error) }
    // A member that is null counts as left out (JSON event format, section 2.2).
    guard var members = event.object?.filter({ $0.value != .null }) else { throw .notCloudEvents }
    let defaults: [String: JSONValue] = [
      "specversion": "1.0", "id": .string(ExchangeID.random().text),
      "source": .string(profile.party.text), "time": .string(now().description),
      "audience": .string(profile.recipient.text),
    ]
    members.merge(defaults) { own, _ in own }
    return try Notification(parsing: JSONValue.object(members).canonicalBytes)
  }

  /// - Returns: the id under which the carrier took it.
  package func send(_ notification: Notification) async throws -> CarrierMessageID {
    let certificate = try BoundedFile.text(profile.signingCertificateFile)
    let key = try PrivateKey(pem: BoundedFile.text(profile.signingKeyFile))
    let pair = KeyPair(certificate: certificate, key: key)
    let sealer = try Sealer(
      identity: OwnIdentity(party: profile.party, signing: pair, decryption: [pair]),
      parties: [
        PartyTrust(
          party: profile.recipient, signingCertificates: [],
          encryptionCertificates: [BoundedFile.text(profile.recipientCertificateFile)],
          trustAnchors: [BoundedFile.text(profile.authorityFile)],
          revocationLists: [BoundedFile.text(profile.revocationFile)])
      ])
    let sealed = try sealer.seal(notification, now: now())
    let identity = try TLSIdentity(
      certificate: BoundedFile.bytes(profile.tlsCertificateFile),
      key: BoundedFile.bytes(profile.tlsKeyFile),
      authorities: BoundedFile.bytes(profile.authorityFile))
    let endpoint = try MeshEndpoint(
      baseURL: profile.url, mailbox: profile.mailbox, password: profile.password,
      sharedSecret: profile.sharedSecret, identity: identity)
    let transport = try HTTPSTransport()
    let client = MeshClient(endpoint: endpoint, transport: transport, now: now)
    let result: Result<CarrierMessageID, MeshError>
    do throws(MeshError) {
      result = .success(
        try await client.send(
          to: profile.recipientMailbox, workflow: "SALLYPORT_NOTICE",
          localID: ExchangeID.random().text, body: sealed))
    } catch {
      result = .failure(error)
    }
    await transport.shutdown()
    return try result.get()
  }
}
