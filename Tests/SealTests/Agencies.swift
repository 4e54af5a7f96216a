import Demo
import Exchange
import Seal
import Testing

/// An invented party with keys of its own.
struct Agency: Sendable {
  let id: PartyID
  let signing: IssuedCertificate
  let encryption: IssuedCertificate

  func identity() throws -> OwnIdentity {
    OwnIdentity(
      party: id,
      signing: KeyPair(
        certificate: signing.certificatePEM, key: try PrivateKey(pem: signing.privateKeyPEM)),
      decryption: [
        KeyPair(
          certificate: encryption.certificatePEM, key: try PrivateKey(pem: encryption.privateKeyPEM)
        )
      ])
  }
}

/// Invented agencies under one invented authority, made once for all tests.
struct Agencies: Sendable {
  static let now = Instant(milliseconds: 1_770_000_000_000)
  private static let made = Result { try Agencies() }
  static func shared() throws -> Agencies { try made.get() }

  let root: CertificateAuthority
  let authority: CertificateAuthority
  let lists: [String]
  /// P-256.
  let prison: Agency
  let police: Agency
  let hub: Agency
  /// RSA-2048.
  let probation: Agency
  let rsaHub: Agency

  init() throws {
    let now = Agencies.now
    root = try CertificateAuthority.make(name: "Invented Root", now: now)
    authority = try root.intermediate(name: "Invented Authority", now: now)
    lists = try Agencies.lists(root, authority)
    prison = try Agencies.agency("prison:durham", .p256, authority)
    police = try Agencies.agency("police:durham", .p256, authority)
    hub = try Agencies.agency("sallyport:north-east", .p256, authority)
    probation = try Agencies.agency("probation:durham", .rsa(bits: 2048), authority)
    rsaHub = try Agencies.agency("sallyport:north-east", .rsa(bits: 2048), authority)
  }

  static func agency(
    _ id: String, _ key: CertificateRequest.Key, _ authority: CertificateAuthority
  ) throws -> Agency {
    Agency(
      id: try PartyID.of(id),
      signing: try authority.issue(
        CertificateRequest(commonName: id, use: .signing, key: key), now: now),
      encryption: try authority.issue(
        CertificateRequest(commonName: id, use: .encryption, key: key), now: now))
  }

  /// Current lists of both authorities, with these serial numbers revoked.
  static func lists(
    _ root: CertificateAuthority, _ authority: CertificateAuthority, revoked: [String] = [],
    revokedByRoot: [String] = [], nextUpdate: Instant = now + .seconds(86_400)
  ) throws -> [String] {
    let begin = now - .seconds(30 * 86_400)
    return [
      try root.revocationList(
        revoked: revokedByRoot, thisUpdate: begin, nextUpdate: now + .seconds(86_400), number: 1),
      try authority.revocationList(
        revoked: revoked, thisUpdate: begin, nextUpdate: nextUpdate, number: 1),
    ]
  }

  func trust(_ agency: Agency) -> PartyTrust {
    PartyTrust(
      party: agency.id, signingCertificates: [agency.signing.certificatePEM],
      encryptionCertificates: [agency.encryption.certificatePEM],
      trustAnchors: [root.certificatePEM], intermediates: [authority.certificatePEM],
      revocationLists: lists)
  }

  /// A hub that knows prison, police and probation.
  func hubSealer(limits: SealLimits = SealLimits()) throws -> Sealer {
    try Sealer(
      identity: try hub.identity(), parties: [prison, police, probation].map(trust), limits: limits)
  }

  func sealer(_ agency: Agency, knowing others: [PartyTrust]) throws -> Sealer {
    try Sealer(identity: try agency.identity(), parties: others)
  }

  /// A notification of the prison to the hub; the person is invented.
  func notification(
    id: String = "n-1", source: PartyID? = nil, audience: PartyID? = nil
  ) throws -> Notification {
    Notification(
      id: try #require(EventID(id)), source: source ?? prison.id,
      type: try #require(NotificationType("release-date.changed")), time: Agencies.now,
      subject: try #require(SubjectReference("ref-0001")), audience: audience ?? hub.id,
      data: ["releaseDate": "2026-03-02"])
  }
}

extension PartyID {
  static func of(_ text: String) throws -> PartyID { try #require(PartyID(text)) }
}
