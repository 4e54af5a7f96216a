package import Exchange
import Mailbox
import Seal

/// Why a notification was not sent.
package enum SendProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// It cannot be sealed as it is, or a key or certificate of the profile cannot be used.
  case notSealed(code: String, text: String)
  /// The carrier did not take it, or nobody knows whether it did.
  case notTaken(code: String, text: String)

  package var description: String {
    switch self {
    case .notSealed(let code, let text), .notTaken(let code, let text): "\(code) \(text)"
    }
  }
}

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
  /// - Throws: `SendProblem`, or `BoundedFile.Problem` for a file of the profile.
  package func send(_ notification: Notification) async throws -> CarrierMessageID {
    let sealed: [UInt8]
    do {
      sealed = try seal(notification)
    } catch let error as SealError {
      throw SendProblem.notSealed(code: error.code, text: error.text)
    }
    let transport = try HTTPSTransport()
    let result: Result<CarrierMessageID, MeshError>
    do throws(MeshError) {
      result = .success(
        try await client(transport).send(
          to: profile.recipientMailbox, workflow: Workflow.notice,
          localID: ExchangeID.random().text, body: sealed))
    } catch {
      result = .failure(error)
    }
    await transport.shutdown()
    switch result {
    case .success(let id): return id
    case .failure(let error):
      throw SendProblem.notTaken(
        code: error.code, text: error.title + (error.detail.map { ": \($0)" } ?? ""))
    }
  }

  private func seal(_ notification: Notification) throws -> [UInt8] {
    let key = try PrivateKey(pem: BoundedFile.text(profile.signingKeyFile))
    let pair = KeyPair(
      certificate: try BoundedFile.text(profile.signingCertificateFile), key: key)
    let sealer = try Sealer(
      identity: OwnIdentity(party: profile.party, signing: pair, decryption: [pair]),
      parties: [
        PartyTrust(
          party: profile.recipient, signingCertificates: [],
          encryptionCertificates: [BoundedFile.text(profile.recipientCertificateFile)],
          trustAnchors: [BoundedFile.text(profile.authorityFile)],
          revocationLists: [BoundedFile.text(profile.revocationFile)])
      ])
    return try sealer.seal(notification, now: now())
  }

  private func client(_ transport: HTTPSTransport) throws(MeshError) -> MeshClient {
    do {
      let identity = try TLSIdentity(
        certificate: BoundedFile.bytes(profile.tlsCertificateFile),
        key: BoundedFile.bytes(profile.tlsKeyFile),
        authorities: BoundedFile.bytes(profile.authorityFile))
      let endpoint = try MeshEndpoint(
        baseURL: profile.url, mailbox: profile.mailbox, password: profile.password,
        sharedSecret: profile.sharedSecret, identity: identity)
      return MeshClient(endpoint: endpoint, transport: transport, now: now)
    } catch let error as MeshError {
      throw error
    } catch {
      throw MeshError.unusable("a TLS file of the profile cannot be used")
    }
  }
}
