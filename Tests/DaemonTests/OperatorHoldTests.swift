import Exchange
import Foundation
import Glibc
import Mailbox
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `Operators keep back, close and look` {
  @Test func `a copy on hold is not given, and is given again once it is released`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let shared = try await hub.take(Notice.named("release-date"), as: "M2")
    let delivery = try #require(shared.deliveries.first { $0.party.text == "police:durham" })
    let keeper = StoreKeeper(
      store: hub.store, regime: hub.regime, ownMailbox: try Area.world.own.mailbox,
      now: { [clock = hub.clock] in clock.now }, log: hub.pipeline.log, onSubmission: {})
    let mailbox = try Area.party("police:durham").mailbox
    let id = try #require(delivery.id.carrierID)
    let woken = LogLines()
    let acts = hub.acts(woken: woken)
    let held = await acts.perform(.hold(shared.exchange, reason: "wrong"), by: "uid 0")
    guard case .done(let done) = held else {
      Issue.record("\(held)")
      return
    }
    #expect(done.copies == 2)
    await #expect(throws: KeeperRefusal.unavailable) {
      _ = try await keeper.message(id, for: mailbox, headersOnly: false)
    }
    #expect(try await hub.copies("police:durham").isEmpty)
    let again = await acts.perform(.hold(shared.exchange, reason: "wrong"), by: "uid 0")
    #expect(again.code == "STOR-022")
    #expect(
      await acts.perform(.endHold(shared.exchange, reason: "right"), by: "uid 0").entry != nil)
    #expect(woken.all == ["held", "submissions"])
    guard case .found = try await keeper.message(id, for: mailbox, headersOnly: false) else {
      Issue.record("not given")
      return
    }
  }

  @Test func `what is discarded is told to the sender as not taken, and to nobody else`()
    async throws
  {
    let hub = try await Hub()
    let held = try await hub.heldNote()
    let answer = await hub.acts().perform(.discard(held, reason: "sent anew"), by: "uid 0")
    #expect(answer.entry != nil)
    #expect(try await hub.view(held).ending == .discarded(code: "FREE-01"))
    #expect(try await hub.reconsider().isEmpty)
    #expect(try await hub.copies("jobcentre:durham").isEmpty)
  }

  @Test func `its age stays noted when another rule holds it after a person answered for that`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let later = Instant.start + .days(11)
    let list = try Area.revocationList(at: later)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    hub.clock.set(later)
    let taken = try await hub.take(hub.seal(Notice.named("j-note"), at: .start), as: "M2")
    for rule in ["INTK-007", "FREE-01"] {
      try #require(try await hub.view(taken.exchange).ending == .held(code: rule))
      _ = await hub.acts().perform(
        .confirm(taken.exchange, rule: rule, reason: "asked"), by: "uid 0")
      #expect(try await hub.reconsider() == [taken.exchange])
    }
    let after = try await hub.view(taken.exchange)
    #expect(after.ending == .shared)
    #expect(after.rules.contains("FLAG-signed-long-ago"))
  }

  @Test func `a look and a greeting change nothing`() async throws {
    let hub = try await Hub()
    let held = try await hub.heldNote()
    let entries = try await hub.store.leafCount()
    try await hub.controlled { client in
      #expect(await client.isRunning())
      #expect(try await client.ask(.hello) == .running(version: "1.0.0"))
      guard case .standing(let standing) = try await client.ask(.look(held.text)) else {
        Issue.record("no standing")
        return
      }
      #expect(standing.exchange == held)
      #expect(standing.state == "held")
      #expect(standing.code == "FREE-01")
      #expect(!standing.isOnHold)
      #expect(try await client.ask(.look(ExchangeID.random().text)).code == "STOR-015")
    }
    #expect(try await hub.store.leafCount() == entries)
    let nobody = ControlClient(socketFile: hub.folder.path + "/state/control.sock")
    #expect(!(await nobody.isRunning()))
  }

  @Test func `a group may act where the configuration names one that there is`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/admin.sock"
    let access = try ControlAccess(group: "root")
    #expect(access.group == 0)
    #expect(access.admits(0))
    #expect(access.admits(geteuid()))
    // 65534 is nobody's account on this system, and no member of the group.
    #expect(!access.admits(65_534))
    #expect(!(try ControlAccess(group: nil).admits(65_534)))
    let socket = try ControlSocket.listen(at: path, group: getegid())
    let found = try FileManager.default.attributesOfItem(atPath: path)
    #expect(found[.posixPermissions] as? Int == 0o660)
    #expect(found[.groupOwnerAccountID] as? gid_t == getegid())
    withExtendedLifetime(socket) {}
    #expect(throws: ControlProblem.noSuchGroup("no such group")) {
      _ = try ControlAccess(group: "no such group")
    }
  }
}
