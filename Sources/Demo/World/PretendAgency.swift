package import Exchange
package import Logging
package import Mailbox
import Seal

/// A pretend agency's system: it keeps an inbox for Sallyport to poll, posts to Sallyport's host, and
/// collects from its own mailbox there. Real TLS, real CMS, real MESH; only the agency is pretended.
package struct PretendAgency: Sendable {
  package static let workflow = "SALLYPORT_NOTICE"

  package let party: DemoParty
  private let world: DemoWorld
  private let sealer: Sealer
  private let keeper: MemoryKeeper
  private let now: @Sendable () -> Instant

  package init(
    _ party: DemoParty, in world: DemoWorld, now: @escaping @Sendable () -> Instant
  ) async throws {
    self.party = party
    self.world = world
    self.now = now
    sealer = try Sealer(
      identity: world.identity(of: party), parties: [world.trust(in: world.own, relays: true)])
    keeper = MemoryKeeper(now: now)
    for (owner, password) in [(world.own, world.own.password), (party, party.password)] {
      await keeper.open(
        owner.mailbox,
        credentials: MailboxCredentials(
          password: password, certificateFingerprints: [owner.tls.fingerprint]))
    }
  }

  /// The agency's own MESH service, on a free port of loopback.
  package func host(
    logger: Logger, onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) throws -> MailboxHost {
    let configuration = HostConfiguration(
      address: "127.0.0.1", port: 0, certificateChainPEM: Array(world.server.chainPEM.utf8),
      privateKeyPEM: Array(world.server.privateKeyPEM.utf8),
      clientCAPEM: Array(world.authority.certificatePEM.utf8), sharedSecret: world.sharedSecret,
      environment: "demonstration")
    return try MailboxHost(
      configuration: configuration, keeper: keeper, now: now, logger: logger,
      onListening: onListening)
  }

  package func seal(_ notification: Notification) throws -> [UInt8] {
    try sealer.seal(notification, now: now())
  }

  /// Puts sealed bytes into the agency's inbox, addressed to Sallyport.
  package func publish(_ sealed: [UInt8], localID: String) async throws -> CarrierMessageID {
    let answer = await keeper.accept(
      SubmittedMessage(
        sender: party.mailbox, recipient: world.own.mailbox,
        metadata: MeshMetadata(workflowID: PretendAgency.workflow, localID: localID),
        payload: sealed, receivedAt: now()))
    guard case .accepted(let id) = answer else { throw DemoProblem.noSuchParty(party.id.text) }
    return id
  }

  /// Whether Sallyport acknowledged what was published.
  package func isAcknowledged(_ id: CarrierMessageID) async -> Bool {
    await keeper.track(id, by: party.mailbox)?.status == .acknowledged
  }

  /// The agency's client at Sallyport's host.
  package func client(baseURL: String, transport: HTTPSTransport) throws -> MeshClient {
    let identity = try TLSIdentity(
      certificate: party.tls.chainPEM.utf8, key: party.tls.privateKeyPEM.utf8,
      authorities: world.authority.certificatePEM.utf8)
    let endpoint = try MeshEndpoint(
      baseURL: baseURL, mailbox: party.mailbox, password: party.password,
      sharedSecret: world.sharedSecret, identity: identity)
    return MeshClient(endpoint: endpoint, transport: transport, now: now)
  }

  /// Downloads, opens and acknowledges everything that waits in the agency's mailbox.
  package func collect(with client: MeshClient) async throws -> [CollectedCopy] {
    var copies: [CollectedCopy] = []
    for id in try await client.list().ids {
      let message = try await client.download(id)
      let opened = try sealer.open(message.body, now: now())
      try await client.acknowledge(id)
      copies.append(CollectedCopy(sealed: message.body, notification: opened.notification))
    }
    return copies
  }
}

/// A copy that a recipient took out of its mailbox, as it was sealed and as it reads.
package struct CollectedCopy: Sendable {
  package let sealed: [UInt8]
  package let notification: Notification
}

extension DemoWorld {
  /// What others pin of a party.
  func trust(in party: DemoParty, relays: Bool = false) -> PartyTrust {
    PartyTrust(
      party: party.id, signingCertificates: [party.signing.certificatePEM],
      encryptionCertificates: [party.encryption.certificatePEM],
      trustAnchors: [authority.certificatePEM], revocationLists: [revocationListPEM],
      relays: relays)
  }

  func identity(of party: DemoParty) throws -> OwnIdentity {
    OwnIdentity(
      party: party.id,
      signing: KeyPair(
        certificate: party.signing.certificatePEM,
        key: try PrivateKey(pem: party.signing.privateKeyPEM)),
      decryption: [
        KeyPair(
          certificate: party.encryption.certificatePEM,
          key: try PrivateKey(pem: party.encryption.privateKeyPEM))
      ])
  }
}
