import Exchange
import Synchronization
import Testing

@testable import Mailbox

/// An inbox in memory that fails as it is told.
final class PlayedInbox: PolledInbox {
  struct State {
    var ids: [CarrierMessageID] = []
    var pageSize = 500
    var listErrors: [MeshError] = []
    var handshakeErrors: [MeshError] = []
    var downloadErrors: [CarrierMessageID: MeshError] = [:]
    var acknowledgeErrors: [CarrierMessageID: MeshError] = [:]
    var calls: [String] = []
    var underWay = 0
    var mostUnderWay = 0
  }

  let state: Mutex<State>
  init(_ ids: [CarrierMessageID]) {
    var state = State()
    state.ids = ids
    self.state = Mutex(state)
  }

  var calls: [String] { state.withLock(\.calls) }

  func handshake() async throws(MeshError) {
    let error = state.withLock { state -> MeshError? in
      state.calls.append("handshake")
      return state.handshakeErrors.isEmpty ? nil : state.handshakeErrors.removeFirst()
    }
    if let error { throw error }
  }

  func list(maximum: Int, from link: PageLink?) async throws(MeshError) -> InboxPage {
    let result = state.withLock { state -> Result<InboxPage, MeshError> in
      state.calls.append(link == nil ? "list" : "list on")
      if !state.listErrors.isEmpty { return .failure(state.listErrors.removeFirst()) }
      let start = link.flatMap { Int($0.path.split(separator: "=")[1]) } ?? 0
      let ids = state.ids.dropFirst(start).prefix(state.pageSize)
      let end = start + ids.count
      let next = MailboxID("BOX").flatMap {
        PageLink("/messageexchange/BOX/inbox?continue_from=\(end)", mailbox: $0)
      }
      return .success(InboxPage(ids: Array(ids), next: end < state.ids.count ? next : nil))
    }
    return try result.get()
  }

  func download(_ id: CarrierMessageID) async throws(MeshError) -> InboundMessage {
    state.withLock { state in
      state.calls.append("download \(id)")
      state.underWay += 1
      state.mostUnderWay = max(state.mostUnderWay, state.underWay)
    }
    for _ in 0..<20 { await Task.yield() }
    let error = state.withLock { state in
      state.underWay -= 1
      return state.downloadErrors[id]
    }
    if let error { throw error }
    return InboundMessage(
      id: id, kind: .data, from: nil, to: nil, workflowID: nil, localID: nil, body: [])
  }

  func acknowledge(_ id: CarrierMessageID) async throws(MeshError) {
    let error = state.withLock { state -> MeshError? in
      state.calls.append("acknowledge \(id)")
      if let error = state.acknowledgeErrors[id] { return error }
      state.ids.removeAll { $0 == id }
      return nil
    }
    if let error { throw error }
  }
}

/// A clock that only sleeping moves on, and that ends the poller's task after so many sleeps.
final class PlayedClock: Sendable {
  private struct Over: Error {}
  private let state = Mutex((milliseconds: Int64(0), pauses: [Duration]()))
  private let sleeps: Int
  init(sleeps: Int) { self.sleeps = sleeps }

  var now: Instant { state.withLock { Instant(milliseconds: $0.milliseconds) } }
  var pauses: [Duration] { state.withLock(\.pauses) }

  func sleep(_ duration: Duration) throws {
    try state.withLock { state in
      state.pauses.append(duration)
      state.milliseconds += Int64(duration / .milliseconds(1))
      if state.pauses.count >= sleeps { throw Over() }
    }
  }
}

@Suite(.timeLimit(.minutes(1))) struct `The inbox poller` {
  private func ids(_ names: String...) throws -> [CarrierMessageID] {
    try names.map { try #require(CarrierMessageID($0)) }
  }

  private func poller(
    _ inbox: PlayedInbox, _ clock: PlayedClock = PlayedClock(sleeps: 1), known: Set<String> = [],
    settings: InboxPoller.Settings = .init(), states: StateList = StateList()
  ) -> InboxPoller {
    InboxPoller(
      inbox: inbox, settings: settings, now: { clock.now }, random: { 0.5 },
      sleep: { try clock.sleep($0) }, known: { known.contains($0.text) ? .finished : .new },
      report: { states.append($0) })
  }

  private static let later = MeshError.later(status: 503, retryAfter: nil)

  @Test func `acknowledges what was made durable and leaves the rest`() async throws {
    let inbox = PlayedInbox(try ids("A1", "B2", "C3"))
    let result = try await poller(inbox).pollOnce { $0.id.text == "B2" ? .leave : .acknowledge }
    #expect(result.handled == 3)
    #expect(result.acknowledged == 2)
    #expect(result.left == 1)
    #expect(inbox.state.withLock(\.ids).map(\.text) == ["B2"])
  }

  @Test func `only acknowledges what it knows`() async throws {
    let inbox = PlayedInbox(try ids("A1"))
    let result = try await poller(inbox, known: ["A1"]).pollOnce { _ in .leave }
    #expect(result.known == 1)
    #expect(result.handled == 0)
    #expect(inbox.calls == ["list", "acknowledge A1"])
  }

  @Test(arguments: [
    MeshError.gone(status: 410), .malformed("x"), .tooLarge(limit: 1), later,
    .credential(status: 403),
  ])
  func `lets one message that fails stop no other`(error: MeshError) async throws {
    let inbox = PlayedInbox(try ids("A1", "B2", "C3"))
    let bad = try #require(CarrierMessageID("A1"))
    inbox.state.withLock { $0.downloadErrors[bad] = error }
    let result = try await poller(inbox).pollOnce { _ in .acknowledge }
    #expect(result.acknowledged == 2)
    #expect(result.failed == 1)
  }

  @Test func `has at most four messages in hand`() async throws {
    let many = try (0..<40).map { try #require(CarrierMessageID("M\($0)")) }
    let inbox = PlayedInbox(many)
    let result = try await poller(inbox).pollOnce { _ in .acknowledge }
    #expect(result.acknowledged == 40)
    #expect((1...4).contains(inbox.state.withLock(\.mostUnderWay)))
  }

  @Test func `gives up a poll when one message after the other cannot be had`() async throws {
    let many = try (0..<40).map { try #require(CarrierMessageID("M\($0)")) }
    let inbox = PlayedInbox(many)
    inbox.state.withLock { state in for id in many { state.downloadErrors[id] = Self.later } }
    await #expect(throws: Self.later) {
      _ = try await poller(inbox).pollOnce { _ in .acknowledge }
    }
    // Five failed; at most three more were under way beside the fifth.
    #expect((5...8).contains(inbox.calls.filter { $0.hasPrefix("download") }.count))
  }

  @Test func `greets at the start and once a day, and polls every interval`() async throws {
    let inbox = PlayedInbox([])
    var settings = InboxPoller.Settings()
    settings.interval = .seconds(28_800)  // 8 h; with half of a tenth of spread 8 h 24 min
    let clock = PlayedClock(sleeps: 4)
    await poller(inbox, clock, settings: settings).run { _ in .acknowledge }
    #expect(inbox.calls == ["handshake", "list", "list", "list", "handshake", "list"])
    #expect(clock.pauses == Array(repeating: .seconds(30_240), count: 4))
  }

  @Test func `polls again at once while more waits`() async throws {
    let inbox = PlayedInbox(try ids("A1", "B2", "C3"))
    inbox.state.withLock { $0.pageSize = 2 }
    await poller(inbox).run { _ in .acknowledge }
    #expect(inbox.state.withLock(\.ids).isEmpty)
    #expect(inbox.calls.filter { $0.hasPrefix("list") } == ["list", "list"])
  }

  @Test func `gets past a full page of messages that were left`() async throws {
    let inbox = PlayedInbox(try ids("A1", "B2", "C3"))
    inbox.state.withLock { $0.pageSize = 2 }
    await poller(inbox).run { $0.id.text == "C3" ? .acknowledge : .leave }
    #expect(inbox.state.withLock(\.ids).map(\.text) == ["A1", "B2"])
    #expect(inbox.calls.filter { $0.hasPrefix("list") } == ["list", "list on"])
  }

  @Test func `backs off from an inbox that fails, longer each time, and no sooner than asked`()
    async throws
  {
    let inbox = PlayedInbox([])
    inbox.state.withLock {
      $0.listErrors = [
        Self.later, Self.later, .later(status: 429, retryAfter: .seconds(77)), Self.later,
      ]
    }
    let clock = PlayedClock(sleeps: 6)
    await poller(inbox, clock).run { _ in .acknowledge }
    // Half of 5, 10, then the 77 asked for rather than half of 20, half of 40; then the interval.
    #expect(clock.pauses == [2.5, 5, 77, 20, 315, 315].map { .seconds($0) })
  }

  @Test func `leaves an inbox that refuses its credentials alone for long, and says so`()
    async throws
  {
    let inbox = PlayedInbox([])
    inbox.state.withLock { $0.handshakeErrors = [.credential(status: 403)] }
    let clock = PlayedClock(sleeps: 2)
    let states = StateList()
    await poller(inbox, clock, states: states).run { _ in .acknowledge }
    // 15 minutes and half of 15.
    #expect(clock.pauses == [.seconds(1350), .seconds(315)])
    let seen = states.all
    #expect(seen.map(\.needsOperator) == [true, false])
    #expect(seen[0].lastErrorCode == "MESH-020")
    #expect(seen[0].backoffUntil == Instant(milliseconds: 1_350_000))
    #expect(seen[0].lastSuccess == nil)
    #expect(seen[1].lastErrorCode == nil)
    #expect(seen[1].lastSuccess == Instant(milliseconds: 1_350_000))
    #expect(seen[1].waiting == 0)
  }

  @Test func `polls a service that does not want its handshake`() async throws {
    let inbox = PlayedInbox(try ids("A1"))
    inbox.state.withLock { $0.handshakeErrors = [.refused(status: 400, serviceCode: nil)] }
    await poller(inbox).run { _ in .acknowledge }
    #expect(inbox.state.withLock(\.ids).isEmpty)
  }

  @Test func `tries a message that fails again and again at growing distances`() async throws {
    let inbox = PlayedInbox(try ids("A1"))
    let bad = try #require(CarrierMessageID("A1"))
    inbox.state.withLock { $0.downloadErrors[bad] = Self.later }
    var settings = InboxPoller.Settings()
    settings.interval = .seconds(20)  // 21 with its spread
    settings.backoff = Backoff(base: .seconds(60), cap: .seconds(240))
    let clock = PlayedClock(sleeps: 11)
    await poller(inbox, clock, settings: settings).run { _ in .acknowledge }
    // Polls at 0, 21, ..., 210. Tried at 0; +30: 42; +60: 105; +120: 231.
    let calls = inbox.calls.filter { $0 != "handshake" }
    let tried = calls.indices.filter { calls[$0].hasPrefix("download") }
    let polls = tried.map { place in calls[..<place].count { $0 == "list" } - 1 }
    #expect(polls == [0, 2, 5])
  }

  @Test func `acknowledges later what it could not acknowledge at once`() async throws {
    let inbox = PlayedInbox(try ids("A1"))
    let id = try #require(CarrierMessageID("A1"))
    inbox.state.withLock { $0.acknowledgeErrors[id] = Self.later }
    let durable = Mutex(Set<CarrierMessageID>())
    let poller = InboxPoller(
      inbox: inbox, now: { Instant(milliseconds: 0) }, sleep: { _ in },
      known: { id in durable.withLock { $0.contains(id) } ? .finished : .new })
    let handle: @Sendable (InboundMessage) async -> Disposition = { message in
      durable.withLock { _ = $0.insert(message.id) }
      return .acknowledge
    }
    #expect(try await poller.pollOnce(handle).failed == 1)
    inbox.state.withLock { $0.acknowledgeErrors = [:] }
    #expect(try await poller.pollOnce(handle).known == 1)
    #expect(inbox.calls.filter { $0.hasPrefix("download") }.count == 1)
  }

  @Test func `ends with its task`() async throws {
    let inbox = PlayedInbox(try ids("A1"))
    let poller = InboxPoller(
      inbox: inbox, now: { Instant(milliseconds: 0) },
      sleep: { _ in try await Task.sleep(for: .seconds(3600)) }, known: { _ in .new })
    let task = Task { await poller.run { _ in .acknowledge } }
    task.cancel()
    await task.value
  }
}

final class StateList: Sendable {
  private let states = Mutex([InboxState]())
  func append(_ state: InboxState) { states.withLock { $0.append(state) } }
  var all: [InboxState] { states.withLock { $0 } }
}
