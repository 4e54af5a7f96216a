import Demo
@_spi(Rules) import Exchange
import Forgery
import Seal
import Testing

@Suite struct `Copies are sealed to the recipient's pinned certificates` {
  let agencies: Agencies
  let now = Agencies.now

  init() throws { agencies = try Agencies.shared() }

  private func outbound(to recipient: PartyID) throws -> OutboundNotification {
    OutboundNotification(
      permitted: PermittedCopy(
        recipient: recipient, fields: ["releaseDate": "2026-03-02"], by: RulesAuthority()),
      of: try agencies.notification(), delivery: .random(),
      subject: try #require(SubjectReference("ref-for-police")), correlationID: nil, answerBy: nil,
      decision: .random(), policyDigest: "invented", purpose: "public-protection", basis: "LB-01")
  }

  @Test func `a copy keeps its source, and opens only for one that knows the hub relays`() throws {
    let sealed = try agencies.hubSealer().seal(outbound(to: agencies.police.id), now: now)
    var hub = agencies.trust(agencies.hub)
    let strict = try agencies.sealer(agencies.police, knowing: [hub])
    let error = #expect(throws: SealError.self) { try strict.open(sealed, now: now) }
    #expect(error?.code == "SEAL-031")
    hub.relays = true
    let opened = try agencies.sealer(agencies.police, knowing: [hub]).open(sealed, now: now)
    #expect(opened.notification.source == agencies.prison.id)
    #expect(opened.notification.audience == agencies.police.id)
    #expect(opened.verdict.signer == agencies.hub.id)
    // The hub itself cannot read what it sealed to somebody else.
    let own = #expect(throws: SealError.self) {
      try agencies.hubSealer().open(sealed, now: now)
    }
    #expect(own?.code == "SEAL-007")
  }

  @Test func `while a recipient changes its key, both the old and the new open`() throws {
    let newer = try Agencies.agency("police:durham", .rsa(bits: 2048), agencies.authority)
    var police = agencies.trust(agencies.police)
    police.encryptionCertificates.append(newer.encryption.certificatePEM)
    let sealed = try agencies.sealer(agencies.hub, knowing: [police])
      .seal(agencies.notification(source: agencies.hub.id, audience: police.party), now: now)
    for agency in [agencies.police, newer] {
      let sealer = try agencies.sealer(agency, knowing: [agencies.trust(agencies.hub)])
      #expect(try sealer.open(sealed, now: now).verdict.signer == agencies.hub.id)
    }
  }

  @Test func `while we change our key, messages to both open`() throws {
    let newer = try Agencies.agency("sallyport:north-east", .p256, agencies.authority)
    var identity = try newer.identity()
    identity.decryption += try agencies.hub.identity().decryption
    let sealer = try Sealer(identity: identity, parties: [agencies.trust(agencies.prison)])
    for hub in [agencies.hub, newer] {
      let sealed = try agencies.sealer(agencies.prison, knowing: [agencies.trust(hub)])
        .seal(agencies.notification(), now: now)
      #expect(throws: Never.self) { try sealer.open(sealed, now: now) }
    }
  }

  @Test func `a certificate that was revoked or has ended is not sealed to`() throws {
    let ended = try agencies.authority.issue(
      CertificateRequest(commonName: "ended", use: .encryption, notAfter: .seconds(-60)), now: now)
    var police = agencies.trust(agencies.police)
    police.encryptionCertificates.append(ended.certificatePEM)
    let notification = try agencies.notification(
      source: agencies.hub.id, audience: agencies.police.id)
    let sealed = try agencies.sealer(agencies.hub, knowing: [police]).seal(notification, now: now)
    let recipients = try OpenSSLCommand.use { tool in
      try tool.write(sealed, as: "sealed.der")
      let shape = try tool.run(
        "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "sealed.der")
      return shape.output.components(of: "encryptedKey:")
    }
    #expect(recipients == 1)
    police.revocationLists = try Agencies.lists(
      agencies.root, agencies.authority, revoked: [agencies.police.encryption.serial])
    let sealer = try agencies.sealer(agencies.hub, knowing: [police])
    let error = #expect(throws: SealError.self) { try sealer.seal(notification, now: now) }
    #expect(error?.code == "SEAL-041")
  }

  @Test func `a certificate for signing is not sealed to`() throws {
    var police = agencies.trust(agencies.police)
    police.encryptionCertificates = police.signingCertificates
    let sealer = try agencies.sealer(agencies.hub, knowing: [police])
    let error = #expect(throws: SealError.self) {
      try sealer.seal(outbound(to: agencies.police.id), now: now)
    }
    #expect(error?.code == "SEAL-041")
  }

  @Test func `without a revocation list nothing is sealed`() throws {
    var police = agencies.trust(agencies.police)
    police.revocationLists = []
    let sealer = try agencies.sealer(agencies.hub, knowing: [police])
    let error = #expect(throws: SealError.self) {
      try sealer.seal(outbound(to: agencies.police.id), now: now)
    }
    #expect(error?.code == "SEAL-026")
  }

  @Test func `nothing is sealed to a stranger, or in the name of another`() throws {
    let sealer = try agencies.hubSealer()
    let stranger = try PartyID.of("jobcentre:nowhere")
    let unknown = #expect(throws: SealError.self) {
      try sealer.seal(outbound(to: stranger), now: now)
    }
    #expect(unknown?.code == "SEAL-040")
    let foreign = #expect(throws: SealError.self) {
      try sealer.seal(agencies.notification(audience: agencies.police.id), now: now)
    }
    #expect(foreign?.code == "SEAL-042")
  }

  @Test func `with an own certificate that has ended nothing is signed`() throws {
    let sealer = try agencies.hubSealer()
    let later = now + .seconds(366 * 86_400)
    var police = agencies.trust(agencies.police)
    police.encryptionCertificates = [
      try agencies.authority.issue(
        CertificateRequest(
          commonName: "long", use: .encryption, notAfter: .seconds(800 * 86_400)), now: now
      ).certificatePEM
    ]
    police.revocationLists = try [agencies.root, agencies.authority].map {
      try $0.revocationList(
        revoked: [], thisUpdate: now, nextUpdate: later + .seconds(86_400), number: 2)
    }
    let own = try agencies.sealer(agencies.hub, knowing: [police])
    let error = #expect(throws: SealError.self) {
      try own.seal(outbound(to: agencies.police.id), now: later)
    }
    #expect(error?.code == "SEAL-043")
    // At this moment the police's usual certificate has ended too.
    let none = #expect(throws: SealError.self) {
      try sealer.seal(outbound(to: agencies.police.id), now: now + .seconds(-7200))
    }
    #expect(none?.code == "SEAL-041")
  }
}

extension String {
  fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
