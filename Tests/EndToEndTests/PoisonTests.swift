import Daemon
import Exchange
import Glibc
import Store
import Testing

/// A message that ends the process whenever it is opened.
extension CrashTests.InTheMiddle {
  @Test func `a polled message that ends the process is set aside at its third counted try`()
    async throws
  {
    try await CrashWorld.run { world in
      let story = try CrashStory(world)
      try await story.publish("release-date")
      try await story.publish("registered-adult")
      let poison = try await story.publish("j")
      try await story.publish("registered-unaware")

      let deaths = try await CrashTests.InTheMiddle.deaths(
        .afterOpen, of: poison.key, world, story)
      // The first start does not count tries: nothing had gone wrong before it.
      #expect(deaths == 3)
      #expect(try await story.isAcknowledged(poison))
      for name in ["release-date", "registered-adult", "registered-unaware"] {
        try await CrashTests.InTheMiddle.expectShared(name, story)
      }
      try await Invariants(world, story).holdAfterCrash("poison")
      await story.leave()
    }
  }

  @Test func `a posted message that ends the process is set aside, and its repeat goes through`()
    async throws
  {
    try await CrashWorld.run { world in
      let story = try CrashStory(world)
      try await story.publish("registered-adult")
      try await story.publish("j")
      try await CrashTests.crash(at: "after-raw-commit", world, story)
      let store = try world.openStore()
      let line = try #require(try await store.exchanges(state: "waiting", limit: 2).first)
      let poison = try await store.exchange(line.exchange.text)

      let deaths = try await CrashTests.InTheMiddle.deaths(
        .afterOpen, of: poison.carrier, world, story)
      #expect(deaths == 2)
      try await CrashTests.InTheMiddle.expectShared("answer to j", story)
      try await Invariants(world, story).holdAfterCrash("poison")
      await story.leave()
    }
  }

  @Test func `a held message that ends the process when it is decided again is set aside`()
    async throws
  {
    try await CrashWorld.run { world in
      let story = try CrashStory(world)
      try await story.publish("registered-unaware")
      let poison = try await story.publish("j-unaware")
      try await story.publish("j-unaware-2")

      let deaths = try await CrashTests.InTheMiddle.deaths(
        .beforeReconsider, of: poison.key, world, story)
      #expect(deaths == 3)
      for name in ["discussion", "j-unaware-2"] {
        try await CrashTests.InTheMiddle.expectShared(name, story)
      }
      try await Invariants(world, story).holdAfterCrash("poison")
      await story.leave()
    }
  }

  /// Starts the daemon, with the message deadly each time, until it lives to do all the work.
  private static func deaths(
    _ point: FaultPoint, of poison: CarrierKey, _ world: CrashWorld, _ story: CrashStory
  ) async throws -> Int {
    for deaths in 0..<6 {
      let daemon = try world.startDaemon(fault: "\(point.rawValue)@\(poison.message)")
      defer { daemon.remove() }
      let end = try await eventually("the daemon to end itself or to do its work") {
        () -> DaemonProcess.End?? in
        if let end = daemon.end { return .some(end) }
        try await story.turn()
        return try await story.outstanding(answers: 0).isEmpty ? .some(nil) : nil
      }
      guard let end else {
        let known = try await story.store?.carrierMessage(poison)
        #expect(known?.ending == .setAside(code: "INTK-003"))
        daemon.stop()
        #expect(try await eventually("the daemon to stop") { daemon.end } == .exited(0))
        return deaths
      }
      #expect(end == .killed(signal: SIGKILL))
    }
    return .max
  }

  private static func expectShared(_ name: String, _ story: CrashStory) async throws {
    let event = try await story.event(name)
    let store = try #require(await story.store)
    var found: [ExchangeView] = []
    for line in try await store.exchanges(state: "shared", limit: 100) {
      let view = try await store.exchange(line.exchange.text)
      if view.notification?.id == event.id { found.append(view) }
    }
    #expect(found.count == 1, "\(name)")
    let told = found.first?.deliveries.filter { $0.state != .pending }.map(\.party.text)
    #expect(told?.sorted() == CrashStory.told[name]?.sorted(), "\(name)")
  }
}
