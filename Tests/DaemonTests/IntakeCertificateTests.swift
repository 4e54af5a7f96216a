import Exchange
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `Age, revocation lists and certificates hold what they must, and no more` {
  /// A signing 11 days before the hub's clock, with revocation lists that are current now.
  private func elevenDaysLater() async throws -> Hub {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let later = Instant.start + .days(11)
    let list = try Area.revocationList(at: later)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    hub.clock.set(later)
    return hub
  }

  @Test func `a message signed 11 days ago waits for a person`() async throws {
    let hub = try await elevenDaysLater()
    let taken = try await hub.take(
      hub.seal(Notice.named("release-date"), at: .start), as: "M2")
    #expect(try await hub.view(taken.exchange).ending == .held(code: "INTK-007"))
    // Deciding it again without a person's word changes nothing.
    try await hub.reconsider(taken.exchange)
    #expect(try await hub.view(taken.exchange).ending == .held(code: "INTK-007"))
    try await hub.store.confirm(
      taken.exchange, rule: "INTK-007", by: "officer-1", reason: "still true", at: hub.clock.now)
    #expect(try await hub.reconsider() == [taken.exchange])
    let view = try await hub.view(taken.exchange)
    #expect(view.ending == .shared)
    #expect(view.rules.contains("FLAG-signed-long-ago"))
  }

  @Test func `one signed 10 days ago to the second does not`() async throws {
    let hub = try await elevenDaysLater()
    let taken = try await hub.take(
      hub.seal(Notice.named("release-date"), at: .start + .days(1)), as: "M2")
    #expect(try await hub.view(taken.exchange).ending == .shared)
  }

  @Test func `an urgent one signed 11 days ago goes on, flagged`() async throws {
    let hub = try await elevenDaysLater()
    let taken = try await hub.take(hub.seal(Notice.named("recall"), at: .start), as: "M2")
    let view = try await hub.view(taken.exchange)
    #expect(view.ending == .shared)
    #expect(view.rules.contains("FLAG-signed-long-ago"))
  }

  @Test func `a stale revocation list holds the ordinary, flags the urgent, and a new one frees`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    // The list's next update was due at day 7.
    hub.clock.set(.start + .days(8))
    let ordinary = try await hub.take(Notice.named("release-date"), as: "M2")
    #expect(ordinary.ending == .held(code: "INTK-008"))
    try await hub.reconsider(ordinary.exchange)
    #expect(try await hub.view(ordinary.exchange).ending == .held(code: "INTK-008"))
    let urgent = try await hub.take(Notice.named("recall"), as: "M3")
    #expect(urgent.ending == .shared)
    #expect(urgent.rules.contains("FLAG-revocation-list-stale"))
    let list = try Area.revocationList(at: hub.clock.now)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    try await hub.reconsider(ordinary.exchange)
    #expect(try await hub.view(ordinary.exchange).ending == .shared)
  }

  @Test func `a signer who was revoked meanwhile does not come out of a hold`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    hub.clock.set(.start + .days(8))
    let held = try await hub.take(Notice.named("release-date"), as: "M2")
    #expect(held.ending == .held(code: "INTK-008"))
    let list = try Area.world.authority.revocationList(
      revoked: [Area.party("prison:durham").signing.serial],
      thisUpdate: hub.clock.now - .seconds(60), nextUpdate: hub.clock.now + .days(7), number: 2)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    try await hub.reconsider(held.exchange)
    let after = try await hub.view(held.exchange)
    #expect(after.ending == .setAside(code: "SEAL-023"))
    #expect(after.deliveries.isEmpty)
  }

  @Test
  func `a list a week past its end, or none, says nothing of a message: it stays where it is`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let none = try Area.regime { $0.revocationLists = [] }
    for (regime, moment) in [
      (try Area.regime, Instant.start + .days(14)), (none, .start + .seconds(60)),
    ] {
      hub.regime.swap(for: regime)
      hub.clock.set(moment)
      // Urgent ones too: nothing is known of who signed.
      for step in ["release-date", "recall"] {
        let bytes = try hub.seal(Notice.named(step))
        let taken = try await hub.take(bytes, as: "STAYS")
        #expect(!taken.mayAcknowledge)
        #expect(try await hub.store.carrierMessage(Hub.carrier("STAYS")) == nil)
      }
    }
    let list = try Area.revocationList(at: hub.clock.now)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    let taken = try await hub.take(hub.seal(Notice.named("release-date")), as: "STAYS")
    #expect(taken.mayAcknowledge)
    #expect(try await hub.view(taken.exchange).ending == .shared)
  }

  @Test
  func `an urgent copy for a party whose certificate has ended does not keep it from the others`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let police = try Area.party("police:durham")
    let ended = try Area.world.authority.issue(
      CertificateRequest(commonName: "ended", use: .encryption, notAfter: .days(1)), now: .start)
    hub.regime.swap(
      for: try Area.regime { trust in
        if trust.party == police.id { trust.encryptionCertificates = [ended.certificatePEM] }
      })
    hub.clock.set(.start + .days(2))
    let view = try await hub.take(Notice.named("recall"), as: "M2")
    #expect(view.ending == .shared)
    #expect(view.recipients == ["prison:durham"])
    // The operator learns whom to tell by other means.
    let alarm = hub.lines.all.first { $0.contains("copy could not be sealed") }
    #expect(alarm?.contains("police:durham") == true && alarm?.contains("SEAL-041") == true)
  }

  @Test func `a copy for a party whose certificate has ended holds everything until it is renewed`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let police = try Area.party("police:durham")
    let ended = try Area.world.authority.issue(
      CertificateRequest(commonName: "ended", use: .encryption, notAfter: .days(1)), now: .start)
    hub.regime.swap(
      for: try Area.regime { trust in
        if trust.party == police.id { trust.encryptionCertificates = [ended.certificatePEM] }
      })
    hub.clock.set(.start + .days(2))
    let before = try await hub.copyCount()
    let held = try await hub.take(Notice.named("release-date"), as: "M2")
    #expect(held.ending == .held(code: "SEAL-041"))
    // Nobody is told a part: not the offender manager, whose certificate is good, either.
    #expect(try await hub.copyCount() == before)
    #expect(try await hub.snapshot(of: Notice.cast().adult)?.facts["releaseDate"] == nil)
    try await hub.reconsider(held.exchange)
    #expect(try await hub.view(held.exchange).ending == .held(code: "SEAL-041"))
    // It comes up by itself after the patience of the worker.
    let due = try await hub.store.heldDue(
      decidedBefore: hub.clock.now + .seconds(1), limit: 10)
    #expect(due.map(\.exchange) == [held.exchange])

    hub.regime.swap(for: try Area.regime)
    try await hub.reconsider(held.exchange)
    let after = try await hub.view(held.exchange)
    #expect(after.ending == .shared)
    #expect(after.recipients == ["police:durham", "probation:durham"])
    #expect(try await hub.copies("police:durham").count == 1)
    let snapshot = try #require(try await hub.snapshot(of: Notice.cast().adult))
    #expect(snapshot.facts["releaseDate"] == "2026-11-02")
  }

  @Test func `a registration whose copies cannot be sealed begins no case before they can`()
    async throws
  {
    let hub = try await Hub()
    let ended = try Area.world.authority.issue(
      CertificateRequest(commonName: "ended", use: .encryption, notAfter: .days(1)), now: .start)
    hub.regime.swap(for: try Area.regime { $0.encryptionCertificates = [ended.certificatePEM] })
    hub.clock.set(.start + .days(2))
    let held = try await hub.take(Notice.named("registered-adult"), as: "M1")
    #expect(held.ending == .held(code: "SEAL-041"))
    #expect(try await hub.snapshot(of: Notice.cast().adult) == nil)
    hub.regime.swap(for: try Area.regime)
    try await hub.reconsider(held.exchange)
    #expect(try await hub.view(held.exchange).ending == .shared)
    #expect(try await hub.snapshot(of: Notice.cast().adult)?.version == 1)
  }
}
