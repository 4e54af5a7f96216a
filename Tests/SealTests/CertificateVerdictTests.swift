import Demo
import Exchange
import Forgery
import Seal
import Testing

@Suite struct `A signer's certificate is judged at the moment of opening` {
  let agencies: Agencies
  let now = Agencies.now
  let day = Duration.seconds(86_400)

  init() throws { agencies = try Agencies.shared() }

  /// Opens a good message of the prison at the hub, under a trust that `change` has altered.
  private func open(
    _ prison: Agency? = nil, at moment: Instant? = nil, _ change: (inout PartyTrust) throws -> Void
  ) throws -> Verdict {
    let prison = prison ?? agencies.prison
    let sealed = try OpenSSLCommand.use { tool in
      try tool.encrypt(
        tool.sign(agencies.notification().content, by: [prison.signing], "-nocerts"),
        to: agencies.hub.encryption)
    }
    var trust = agencies.trust(prison)
    try change(&trust)
    return try agencies.sealer(agencies.hub, knowing: [trust]).open(sealed, now: moment ?? now)
      .verdict
  }

  private func code(
    _ prison: Agency? = nil, at moment: Instant? = nil,
    _ change: (inout PartyTrust) throws -> Void = { _ in }
  ) throws -> String? {
    do {
      _ = try open(prison, at: moment, change)
      return nil
    } catch let error as SealError {
      #expect(error.disclosable)
      return error.code
    }
  }

  private func prison(_ request: CertificateRequest) throws -> Agency {
    Agency(
      id: agencies.prison.id, signing: try agencies.authority.issue(request, now: now),
      encryption: agencies.prison.encryption)
  }

  @Test func `one that has ended is refused`() throws {
    let ended = CertificateRequest(
      commonName: "ended", use: .signing, notBefore: .zero - day, notAfter: .seconds(-60))
    #expect(try code(prison(ended)) == "SEAL-020")
  }

  @Test func `one that has not begun is refused`() throws {
    let early = CertificateRequest(commonName: "early", use: .signing, notBefore: .seconds(60))
    #expect(try code(prison(early)) == "SEAL-021")
    #expect(try code(prison(early), at: now + .seconds(61)) == nil)
  }

  @Test(arguments: [
    (CertificateRequest.Use.encryption, "SEAL-022"), (.tlsClient, "SEAL-028"),
    (.tlsServer(hosts: ["x.test"]), "SEAL-028"),
  ])
  func `one for another use is refused`(use: CertificateRequest.Use, expected: String) throws {
    #expect(try code(prison(CertificateRequest(commonName: "other", use: use))) == expected)
  }

  @Test func `one that was revoked is refused`() throws {
    let lists = try Agencies.lists(
      agencies.root, agencies.authority, revoked: [agencies.prison.signing.serial])
    #expect(try code { $0.revocationLists = lists } == "SEAL-023")
  }

  @Test func `one whose authority was revoked is refused`() throws {
    let authority = try agencies.root.intermediate(name: "Withdrawn", now: now)
    let prison = try Agencies.agency("prison:durham", .p256, authority)
    let serial = try OpenSSLCommand.use { tool in
      try tool.write(authority.certificatePEM, as: "a.pem")
      return try tool.run("x509", "-in", "a.pem", "-noout", "-serial").output
        .dropFirst("serial=".count).prefix(32).lowercased()
    }
    let lists = try Agencies.lists(agencies.root, authority, revokedByRoot: [serial])
    let found = try code(prison) { trust in
      trust.intermediates = [authority.certificatePEM]
      trust.revocationLists = lists
    }
    #expect(found == "SEAL-023")
  }

  @Test func `one that leads to another root is refused`() throws {
    let other = try CertificateAuthority.make(name: "Another Root", now: now)
    #expect(try code { $0.trustAnchors = [other.certificatePEM] } == "SEAL-024")
    #expect(try code { $0.intermediates = [] } == "SEAL-024")
  }

  @Test func `a root of the same name with another key does not stand in for the root`() throws {
    let twin = try CertificateAuthority.make(name: "Invented Root", now: now)
    #expect(try code { $0.trustAnchors = [twin.certificatePEM] } == "SEAL-024")
  }

  @Test func `a revocation list past its next update by less than a week counts as stale`() throws {
    let lists = try Agencies.lists(
      agencies.root, agencies.authority, nextUpdate: now - .seconds(6 * 86_400))
    #expect(try open { $0.revocationLists = lists }.revocation == .stale)
  }

  @Test func `a stale list still revokes`() throws {
    let lists = try Agencies.lists(
      agencies.root, agencies.authority, revoked: [agencies.prison.signing.serial],
      nextUpdate: now - .seconds(6 * 86_400))
    #expect(try code { $0.revocationLists = lists } == "SEAL-023")
  }

  @Test func `a list a week past its next update holds the message`() throws {
    let lists = try Agencies.lists(
      agencies.root, agencies.authority, nextUpdate: now - .seconds(7 * 86_400))
    let error = #expect(throws: SealError.self) { _ = try open { $0.revocationLists = lists } }
    #expect(error?.code == "SEAL-025")
    #expect(error?.isHold == true)
    #expect(error?.turn == .operator)
  }

  @Test(arguments: [[], [0], [1]])
  func `a missing list of any issuer holds the message`(left: [Int]) throws {
    let lists = left.map { agencies.lists[$0] }
    let error = #expect(throws: SealError.self) { _ = try open { $0.revocationLists = lists } }
    #expect(error?.code == "SEAL-026")
    #expect(error?.isHold == true)
  }

  @Test func `a list signed by somebody else is no list`() throws {
    let twin = try agencies.root.intermediate(name: "Invented Authority", now: now)
    let forged = try twin.revocationList(
      revoked: [], thisUpdate: now, nextUpdate: now + day, number: 9)
    #expect(try code { $0.revocationLists[1] = forged } == "SEAL-026")
  }

  @Test func `a good verdict does not outlive the certificate or the lists`() throws {
    let brief = try prison(
      CertificateRequest(commonName: "brief", use: .signing, notAfter: .seconds(120)))
    let sealed = try OpenSSLCommand.use { tool in
      try tool.encrypt(
        tool.sign(agencies.notification().content, by: [brief.signing]), to: agencies.hub.encryption
      )
    }
    let sealer = try agencies.sealer(agencies.hub, knowing: [agencies.trust(brief)])
    #expect(throws: Never.self) { try sealer.open(sealed, now: now) }
    #expect(throws: Never.self) { try sealer.open(sealed, now: now + .seconds(119)) }
    let error = #expect(throws: SealError.self) {
      try sealer.open(sealed, now: now + .seconds(121))
    }
    #expect(error?.code == "SEAL-020")

    let long = try agencies.sealer(agencies.prison, knowing: [agencies.trust(agencies.hub)])
      .seal(agencies.notification(), now: now)
    let hub = try agencies.hubSealer()
    #expect(try hub.open(long, now: now + day - .seconds(1)).verdict.revocation == .current)
    #expect(try hub.open(long, now: now + day + .seconds(1)).verdict.revocation == .stale)
    let held = #expect(throws: SealError.self) {
      try hub.open(long, now: now + day + .seconds(7 * 86_400))
    }
    #expect(held?.code == "SEAL-025")
    #expect(try hub.open(long, now: now).verdict.revocation == .current)
  }
}
