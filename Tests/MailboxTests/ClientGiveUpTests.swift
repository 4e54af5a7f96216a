import Exchange
import Synchronization
import Testing

@testable import Mailbox

/// Messages that cannot be had, and polls that are asked for.
@Suite(.timeLimit(.minutes(1))) struct `The inbox poller and what cannot be had` {
  private static let later = MeshError.later(status: 503, retryAfter: nil)
  private let a1: CarrierMessageID

  init() throws { a1 = try #require(CarrierMessageID("A1")) }

  private func settings(interval: Duration = .seconds(3600)) -> InboxPoller.Settings {
    var settings = InboxPoller.Settings()
    settings.interval = interval
    return settings
  }

  @Test(arguments: [
    (MeshError.tooLarge(limit: 1), "MESH-025", 3), (.gone(status: 410), "MESH-021", 3),
    (.refused(status: 406, serviceCode: nil), "MESH-023", 3), (.malformed("x"), "MESH-024", 3),
    (later, "MESH-022", 24),
  ])
  func `gives a message up after so many tries, under its code, and asks no more`(
    error: MeshError, code: String, tries: Int
  ) async throws {
    let inbox = PlayedInbox([a1])
    let bad = a1
    inbox.state.withLock { $0.downloadErrors[bad] = error }
    let clock = PlayedClock(sleeps: 40)
    let givenUp = Mutex<[String]>([])
    let states = StateList()
    let poller = InboxPoller(
      inbox: inbox, settings: settings(), now: { clock.now }, random: { 0.5 },
      sleep: { try clock.sleep($0) },
      known: { _ in givenUp.withLock { $0.isEmpty } ? .new : .givenUp },
      giveUp: { _, error in
        givenUp.withLock { $0.append(error.code) }
        return true
      }, report: { states.append($0) })
    await poller.run { _ in .acknowledge }
    #expect(givenUp.withLock { $0 } == [code])
    #expect(inbox.calls.count { $0 == "download A1" } == tries)
    #expect(!inbox.calls.contains("acknowledge A1"))
    #expect(states.all.last?.givenUp == 1)
    #expect(states.all.last?.lastErrorCode == nil)
  }

  @Test func `tries on when it could not be recorded that a message was given up`() async throws {
    let inbox = PlayedInbox([a1])
    let bad = a1
    inbox.state.withLock { $0.downloadErrors[bad] = .tooLarge(limit: 1) }
    let clock = PlayedClock(sleeps: 10)
    let asked = Mutex(0)
    let poller = InboxPoller(
      inbox: inbox, settings: settings(), now: { clock.now }, random: { 0.5 },
      sleep: { try clock.sleep($0) }, known: { _ in .new },
      giveUp: { _, _ in
        asked.withLock { $0 += 1 }
        return false
      })
    await poller.run { _ in .acknowledge }
    #expect(inbox.calls.count { $0 == "download A1" } == 10)
    #expect(asked.withLock { $0 } == 8)
  }

  @Test func `never gives up what was handed over and could not be acknowledged`() async throws {
    let inbox = PlayedInbox([a1])
    let bad = a1
    inbox.state.withLock { $0.acknowledgeErrors[bad] = .refused(status: 400, serviceCode: nil) }
    let clock = PlayedClock(sleeps: 20)
    let poller = InboxPoller(
      inbox: inbox, settings: settings(), now: { clock.now }, random: { 0.5 },
      sleep: { try clock.sleep($0) }, known: { _ in .finished },
      giveUp: { _, _ in
        Issue.record("given up")
        return true
      })
    await poller.run { _ in .acknowledge }
    #expect(inbox.calls.count { $0 == "acknowledge A1" } >= 10)
  }

  @Test func `leaves the whole inbox alone for as long as a download was told to wait`()
    async throws
  {
    let many = try (0..<20).map { try #require(CarrierMessageID("M\($0)")) }
    let inbox = PlayedInbox(many)
    inbox.state.withLock { state in
      for id in many { state.downloadErrors[id] = .later(status: 429, retryAfter: .seconds(600)) }
    }
    let clock = PlayedClock(sleeps: 1)
    let poller = InboxPoller(
      inbox: inbox, settings: settings(), now: { clock.now }, random: { 0.5 },
      sleep: { try clock.sleep($0) }, known: { _ in .new })
    await poller.run { _ in .acknowledge }
    #expect(clock.pauses == [.seconds(600)])
    // Those that were under way beside the first.
    #expect(inbox.calls.count { $0.hasPrefix("download") } <= 4)
  }

  @Test func `takes refused credentials of all messages for the inbox's`() async throws {
    let inbox = PlayedInbox([a1])
    let bad = a1
    inbox.state.withLock { $0.downloadErrors[bad] = .credential(status: 403) }
    let states = StateList()
    let clock = PlayedClock(sleeps: 1)
    let poller = InboxPoller(
      inbox: inbox, settings: settings(), now: { clock.now }, random: { 0.5 },
      sleep: { try clock.sleep($0) }, known: { _ in .new }, report: { states.append($0) })
    await poller.run { _ in .acknowledge }
    #expect(states.all.map(\.needsOperator) == [true])
    #expect(clock.pauses == [.seconds(1350)])
  }

  // MARK: Asked for

  @Test func `polls when it is asked, and tells what came of it`() async throws {
    let inbox = PlayedInbox([])
    let demand = PollDemand()
    let states = StateList()
    let id = a1
    let poller = InboxPoller(
      inbox: inbox, settings: settings(), now: { Instant(milliseconds: 0) }, random: { 0.5 },
      sleep: { _ in try await Task.sleep(for: .seconds(3600)) }, known: { _ in .new },
      demand: demand, report: { states.append($0) })
    let task = Task { await poller.run { _ in .acknowledge } }
    _ = await demand.ask()
    inbox.state.withLock { $0.ids = [id] }
    guard case .polled(let result, let state) = await demand.ask() else {
      Issue.record("not polled")
      return
    }
    #expect(result.acknowledged == 1)
    #expect(state.lastErrorCode == nil)
    inbox.state.withLock { $0.listErrors = [Self.later] }
    guard case .failed(let error, _) = await demand.ask() else {
      Issue.record("not failed")
      return
    }
    #expect(error.code == "MESH-022")
    // Those who ask together share a poll.
    let before = inbox.calls.count
    async let one = demand.ask()
    async let two = demand.ask()
    _ = await (one, two)
    #expect((1...2).contains(inbox.calls.count - before))
    task.cancel()
    await task.value
    guard case .over = await demand.ask() else {
      Issue.record("not over")
      return
    }
  }
}
