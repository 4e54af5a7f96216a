import Exchange
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `What was verified is relied on until its signer is revoked, however long it waits` {
  /// A MAPPA J of probation that waits for the discussion with the Jobcentre.
  private func waiting() async throws -> (hub: Hub, held: ExchangeID) {
    let hub = try await Hub()
    try await hub.share("registered-unaware")
    let held = try await hub.take(Notice.named("j-unaware"), as: "J1")
    try #require(held.ending == .held(code: "JCP-01"))
    return (hub, held.exchange)
  }

  private func revoking(_ party: String, at moment: Instant) throws -> Regime {
    let list = try Area.world.authority.revocationList(
      revoked: [Area.party(party).signing.serial], thisUpdate: moment - .seconds(60),
      nextUpdate: moment + .days(7), number: 2)
    return try Area.regime { $0.revocationLists = [list] }
  }

  @Test func `revoked between receipt and decision: held and told, until a person answers for it`()
    async throws
  {
    let (hub, held) = try await waiting()
    hub.clock.set(.start + .minutes(5))
    let discussion = try hub.seal(Notice.named("discussion"))
    _ = try await hub.take(discussion, as: "D1")
    let copies = try await hub.copyCount()
    hub.regime.swap(for: try revoking("probation:durham", at: hub.clock.now))
    try await hub.reconsider(held)
    let view = try await hub.view(held)
    #expect(view.ending == .held(code: "INTK-013"))
    #expect(view.deliveries.isEmpty)
    #expect(try await hub.copyCount() == copies)
    let alarm = hub.lines.all.first { $0.contains("signer withdrawn since") }
    #expect(alarm?.contains("INTK-013") == true && alarm?.contains("probation:durham") == true)
    // Looked at again it stays; the same list in force says the same.
    try await hub.reconsider(held)
    #expect(try await hub.view(held).ending == .held(code: "INTK-013"))
    try await hub.store.confirm(
      held, rule: "INTK-013", by: "officer-1", reason: "sent before the theft; rang them",
      at: hub.clock.now)
    try await hub.reconsider(held)
    #expect(try await hub.view(held).ending == .shared)
  }

  @Test func `a list that names it no more frees it`() async throws {
    let (hub, held) = try await waiting()
    hub.regime.swap(for: try revoking("probation:durham", at: .start))
    try await hub.reconsider(held)
    #expect(try await hub.view(held).ending == .held(code: "INTK-013"))
    hub.regime.swap(for: try Area.regime)
    try await hub.reconsider(held)
    #expect(try await hub.view(held).ending == .held(code: "JCP-01"))
  }

  @Test func `unpinned before it was decided: held likewise`() async throws {
    let (hub, held) = try await waiting()
    let probation = try Area.party("probation:durham").id
    let other = try Area.world.authority.issue(
      CertificateRequest(commonName: "next", use: .signing), now: .start)
    hub.regime.swap(
      for: try Area.regime { trust in
        if trust.party == probation { trust.signingCertificates = [other.certificatePEM] }
      })
    try await hub.reconsider(held)
    #expect(try await hub.view(held).ending == .held(code: "INTK-013"))
  }

  @Test func `another party's revocation changes nothing`() async throws {
    let (hub, held) = try await waiting()
    hub.regime.swap(for: try revoking("police:durham", at: .start))
    try await hub.reconsider(held)
    #expect(try await hub.view(held).ending == .held(code: "JCP-01"))
  }

  @Test func `a certificate that has ended since changes nothing: the verdict was kept`()
    async throws
  {
    let hub = try await Hub()
    let brief = try Area.world.authority.issue(
      CertificateRequest(commonName: "brief", use: .signing, notAfter: .days(1)), now: .start)
    let prison = try Area.party("prison:durham").id
    func regime(_ moment: Instant) throws -> Regime {
      let list = try Area.revocationList(at: moment)
      return try Area.regime { trust in
        trust.revocationLists = [list]
        if trust.party == prison { trust.signingCertificates = [brief.certificatePEM] }
      }
    }
    hub.regime.swap(for: try regime(.start))
    let world = try Area.world
    let sealed = try Sealer(
      identity: OwnIdentity(
        party: prison,
        signing: KeyPair(
          certificate: brief.certificatePEM, key: try PrivateKey(pem: brief.privateKeyPEM)),
        decryption: []), parties: [world.trust(in: world.own)]
    ).seal(Notice.named("release-date"), now: .start)
    let held = try await hub.take(sealed, as: "R1")
    #expect(try await hub.view(held.exchange).ending == .held(code: "INTK-004"))
    hub.clock.set(.start + .days(2))
    hub.regime.swap(for: try regime(hub.clock.now))
    // A new message by it is refused.
    let late = try await hub.take(sealed, as: "R2", inbox: "police")
    #expect(try await hub.view(late.exchange).ending == .setAside(code: "SEAL-020"))
    try await hub.share("registered-adult")
    try await hub.reconsider(held.exchange)
    let view = try await hub.view(held.exchange)
    #expect(view.ending == .shared)
    #expect(view.verdict?.certificate == brief.fingerprint)
    #expect(view.verdict?.verifiedAt == .start)
  }

  @Test func `revoked between opening and deciding, within one passage`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let bytes = try hub.seal(Notice.named("recall"))
    let before = try Area.regime
    let verified = try before.sealer.open(bytes, now: .start)
    var passage = IntakePassage(
      message: ArrivedMessage(
        carrier: try Hub.carrier("STEPS"), origin: .inbox, exchange: .random(), bytes: bytes,
        receivedAt: .start), regime: before, attempt: 1)
    (passage.opened, passage.openedBy) = (
      (verified.notification, verified.verdict), before.sealer
    )
    var intake = Intake(origin: .inbox)
    _ = intake.attempted(1)
    _ = intake.opened(
      Intake.Opened(
        signedAt: .start, statedAt: .start, isKnownType: true, isUrgent: true,
        revocation: .current), at: .start)
    let signer = verified.notification.source.text
    passage.regime = try revoking(signer, at: .start)
    // However urgent: whoever has the key may have written it.
    let action = try await hub.pipeline.identify(&intake, &passage)
    #expect(action == .commit(.held(code: "INTK-013")))
  }
}

@Suite struct `The edges of freshness and of repeats` {
  @Test func `a time 15 minutes ahead to the second is taken`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let ahead = Instant.start + .minutes(15)
    let notice = try Notice.named("release-date")
    let stated = try await hub.take(notice.with(id: "a", time: ahead), as: "A1")
    #expect(stated.ending == .shared)
    let signed = try await hub.take(hub.seal(notice.with(id: "b"), at: ahead), as: "B1")
    #expect(try await hub.view(signed.exchange).ending == .shared)
    let late = try await hub.take(hub.seal(notice.with(id: "c"), at: ahead + .seconds(1)), as: "C1")
    #expect(try await hub.view(late.exchange).ending == .setAside(code: "INTK-006"))
  }

  @Test func `two inboxes bring the same message at once: one effect, both acknowledged`()
    async throws
  {
    for _ in 0..<3 {
      let hub = try await Hub()
      try await hub.share("registered-adult")
      let bytes = try hub.seal(Notice.named("release-date"))
      let before = try await hub.copyCount()
      async let first = hub.take(bytes, as: "SAME", inbox: "prison")
      async let second = hub.take(bytes, as: "SAME", inbox: "police")
      let taken = try await [first, second]
      #expect(taken[0].mayAcknowledge && taken[1].mayAcknowledge)
      var endings: [String] = []
      for exchange in taken.map(\.exchange) {
        endings.append(try await hub.view(exchange).ending?.rawValue ?? "none")
      }
      #expect(endings.sorted() == ["duplicate", "shared"])
      #expect(try await hub.copyCount() == before + 2)
    }
  }
}
