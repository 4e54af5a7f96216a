import Daemon
import Exchange
import Glibc
import Store
import Testing

/// The real program is ended by SIGKILL at each step and started again; nothing may be lost, nothing may
/// happen twice, and the ledger must stay whole (docs/architecture.md, the table of crashes).
///
/// A kill leaves what the kernel has of the files: what a power cut leaves is not shown here.
@Suite struct CrashTests {
  /// Plays the whole story; each fault in turn ends the daemon, then one without a fault finishes.
  static func survive(_ faults: [String]) async throws {
    try await CrashWorld.run { world in
      let story = try CrashStory(world)
      do {
        try await story.putUpBacklog()
        for fault in faults {
          try await crash(at: fault, world, story)
          try await Invariants(world, story).holdAfterCrash(fault)
        }
        try await finish(world, story)
        try await Invariants(world, story).holdAtTheEnd(starts: faults.count + 1)
      } catch {
        let rest = try? await story.outstanding()
        Issue.record("\(faults): \(error)\nopen: \(rest ?? [])\n\(world.lastWords)")
      }
      await story.leave()
    }
  }

  /// Starts a daemon that ends itself at a fault, and lets the agencies go on until it has.
  static func crash(
    at fault: String, _ world: CrashWorld, _ story: CrashStory
  ) async throws {
    let daemon = try world.startDaemon(fault: fault)
    defer { daemon.remove() }
    let end = try await eventually("the daemon to end itself at \(fault)") {
      if let end = daemon.end { return end }
      try await story.turn()
      return nil
    }
    #expect(end == .killed(signal: SIGKILL), "\(fault)")
  }

  private static func finish(_ world: CrashWorld, _ story: CrashStory) async throws {
    let daemon = try world.startDaemon()
    defer { daemon.remove() }
    try await eventually("the work to be done") { () -> Void? in
      if let end = daemon.end { throw EndedByItself(end: end) }
      try await story.turn()
      return try await story.outstanding().isEmpty ? () : nil
    }
    try await eventually("everything to be collected again") {
      try await story.collectAgain() ? () : nil
    }
    // Connections that nobody closes would hold the stop up for a second.
    await story.leave()
    daemon.stop()
    let end = try await eventually("the daemon to stop") { daemon.end }
    #expect(end == .exited(0))
  }

  struct EndedByItself: Error {
    let end: DaemonProcess.End
  }

  /// `after-attempt` is passed only in the recovery from another crash, two on the way to a carrier,
  /// which these agencies do not need, and those of keys while they are changed (`KeyRotationTests`).
  static let points = FaultPoint.allCases.filter {
    ![.afterAttempt, .beforeSend, .afterSend].contains($0) && !FaultPoint.ofKeys.contains($0)
  }

  // The two suites run beside each other, the cases of each one at a time.

  @Suite(.serialized) struct AtTheFirstPass {
    @Test(arguments: CrashTests.points)
    func `what was killed at a step goes on where it was`(point: FaultPoint) async throws {
      try await CrashTests.survive([point.rawValue])
    }

    static let pairs: [[FaultPoint]] = [
      [.beforeCommit, .beforeCommit], [.afterCommit, .afterCommit],
      [.beforeAcknowledge, .beforeAcknowledge], [.beforeRawCommit, .beforeRawCommit],
      [.afterRawCommit, .afterRawCommit], [.beforeCommit, .afterAttempt],
      [.afterRawCommit, .afterAttempt], [.afterCommit, .beforePublish],
      [.afterReconsider, .beforeReconsider],
    ]

    @Test(arguments: pairs)
    func `what was killed again while it recovered recovers`(points: [FaultPoint]) async throws {
      try await CrashTests.survive(points.map(\.rawValue))
    }
  }

  @Suite(.serialized) struct InTheMiddle {
    /// The second or third time by, so that some of the work is done and some is not.
    static let faults = CrashTests.points.map { point in
      switch point {
      case .afterDownload, .afterOpen, .beforeCommit, .beforePublish: "\(point.rawValue):3"
      default: "\(point.rawValue):2"
      }
    }

    @Test(arguments: faults)
    func `what was killed with half of the work done does the other half`(
      fault: String
    ) async throws {
      try await CrashTests.survive([fault])
    }
  }
}
