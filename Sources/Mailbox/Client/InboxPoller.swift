package import Exchange

/// What the poller needs of an inbox. `MeshClient` is one.
package protocol PolledInbox: Sendable {
  func handshake() async throws(MeshError)
  func list(maximum: Int, from link: PageLink?) async throws(MeshError) -> InboxPage
  func download(_ id: CarrierMessageID) async throws(MeshError) -> InboundMessage
  func acknowledge(_ id: CarrierMessageID) async throws(MeshError)
}

extension MeshClient: PolledInbox {}

/// What became of a message that the poller handed over.
package enum Disposition: Sendable {
  /// It is durable: take it out of the inbox.
  case acknowledge
  /// Not now: it stays, and is handed over again at a later poll.
  case leave
}

/// What is known of a message before it is downloaded.
package enum Recognition: Sendable {
  case new
  /// Durable here: it only wants acknowledging, again.
  case finished
  /// Given up (`InboxPoller.giveUp`): it is neither asked for nor acknowledged.
  case givenUp
}

/// How an inbox is doing, for status, metrics and alarms.
package struct InboxState: Sendable, Equatable {
  /// When the last poll ended, well or not.
  package var lastPoll: Instant?
  /// The last time a poll reached the inbox and came to its end.
  package var lastSuccess: Instant?
  /// Nil while a poll is under way that follows at once.
  package var nextPoll: Instant?
  package var lastHandshake: Instant?
  /// Code of the last failure, of the inbox or of one message; nil after a poll without any.
  package var lastErrorCode: String?
  package var lastErrorAt: Instant?
  /// Since when no poll was without failure; nil while all is well.
  package var troubleSince: Instant?
  /// The inbox is left alone until then.
  package var backoffUntil: Instant?
  /// How many messages the service says wait; may lag.
  package var waiting: Int?
  /// How many messages failed or were left and are tried again later.
  package var troubled = 0
  /// How many messages of the last listing were given up and still lie there.
  package var givenUp = 0
  /// Mailbox, password, secret, certificate or clock are refused: somebody must act.
  package var needsOperator = false

  package init() {}
}

/// What one poll did.
package struct PollResult: Sendable, Equatable {
  /// Handed over.
  package var handled = 0
  /// Acknowledged, the known ones among them.
  package var acknowledged = 0
  /// Known from before: acknowledged again without a download.
  package var known = 0
  package var left = 0
  package var failed = 0
  /// Given up, now or before: they stay in the inbox.
  package var givenUp = 0
  /// Whether more wait than this poll looked at.
  package var hasMore = false

  package init() {}
}

/// Polls one inbox: list, download, hand over, acknowledge; for as long as its task lives.
///
/// A message is acknowledged only after `handle` said so. A crash in between brings the same id again:
/// `known` recognises it. One message that fails never stops the others, and one inbox never another,
/// since each has a poller and a lane of its own.
package struct InboxPoller: Sendable {
  package struct Settings: Sendable {
    /// Between polls, unless more waits. MESH asks for five minutes at least, and one day at most.
    package var interval: Duration = .seconds(300)
    package var handshakeInterval: Duration = .seconds(86_400)
    /// Messages downloaded and handled at once.
    package var parallel = 4
    /// Messages looked at in one poll.
    package var messagesPerPoll = 500
    /// Pauses after failures of the inbox or of a message.
    package var backoff = Backoff(base: .seconds(5), cap: .seconds(900))
    /// The least pause after refused credentials, and the most that is added to it.
    package var credentialPause: Duration = .seconds(900)
    package var credentialCap: Duration = .seconds(3600)
    /// So many messages in a row that cannot be had just now end the poll.
    package var failuresInRow = 5
    /// Polls in a row, without a pause, that acknowledge nothing.
    package var fruitlessPolls = 10
    /// Messages whose pauses are remembered; others are tried at every poll.
    package var troubled = 1000
    /// A message that the service refuses, that is too large or not of the protocol is given up after so
    /// many tries, a quarter of an hour and more apart.
    package var tries = 3
    /// One that fails in ways which usually pass, while the inbox itself answers.
    package var passingTries = 24

    package init() {}
  }

  let inbox: any PolledInbox
  let settings: Settings
  let now: @Sendable () -> Instant
  let random: @Sendable () -> Double
  let sleep: @Sendable (Duration) async throws -> Void
  let known: @Sendable (CarrierMessageID) async -> Recognition
  let giveUp: @Sendable (CarrierMessageID, MeshError) async -> Bool
  let demand: PollDemand?
  let report: @Sendable (InboxState) -> Void

  /// - Parameters:
  ///   - random: from 0 up to, and without, 1; spreads pauses.
  ///   - sleep: throws when the task is cancelled.
  ///   - known: whether the message is durable here already, or was given up.
  ///   - giveUp: records that a message cannot be had, for a person; false when that could not be kept.
  ///   - demand: who may ask for a poll before its time.
  ///   - report: called after each poll.
  package init(
    inbox: any PolledInbox, settings: Settings = Settings(), now: @escaping @Sendable () -> Instant,
    random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
    sleep: @escaping @Sendable (Duration) async throws -> Void,
    known: @escaping @Sendable (CarrierMessageID) async -> Recognition,
    giveUp: @escaping @Sendable (CarrierMessageID, MeshError) async -> Bool = { _, _ in false },
    demand: PollDemand? = nil,
    report: @escaping @Sendable (InboxState) -> Void = { _ in }
  ) {
    (self.inbox, self.settings, self.now) = (inbox, settings, now)
    (self.random, self.sleep, self.known, self.report) = (random, sleep, known, report)
    (self.giveUp, self.demand) = (giveUp, demand)
  }

  /// Polls until the task is cancelled. Returns with every hand-over that had begun done.
  package func run(_ handle: @escaping @Sendable (InboundMessage) async -> Disposition) async {
    var course = PollCourse(settings)
    defer { demand?.end() }
    while !Task.isCancelled {
      let asked = demand?.begin()
      let pause: Duration
      do {
        try await greet(&course)
        let result = try await poll(&course, handle)
        pause = course.succeeded(result, at: now(), random: random())
        report(course.state)
        asked?.answer(.polled(result, course.state))
      } catch {
        if error.isCancellation && Task.isCancelled { return }
        pause = course.failed(error, at: now(), random: random())
        report(course.state)
        asked?.answer(.failed(error, course.state))
      }
      guard pause > .zero else { continue }
      do { try await wait(pause) } catch { return }
    }
  }

  /// Until the time is up, or somebody asks.
  private func wait(_ pause: Duration) async throws {
    guard let demand else { return try await sleep(pause) }
    let sleep = sleep
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await sleep(pause) }
      group.addTask { await demand.arrival() }
      try await group.next()
      group.cancelAll()
    }
  }

  /// One poll, from the start of the inbox, without memory of earlier ones and without a handshake.
  package func pollOnce(
    _ handle: @escaping @Sendable (InboundMessage) async -> Disposition
  ) async throws(MeshError) -> PollResult {
    var course = PollCourse(settings)
    return try await poll(&course, handle)
  }

  private func greet(_ course: inout PollCourse) async throws(MeshError) {
    guard course.handshakeIsDue(at: now()) else { return }
    do {
      try await inbox.handshake()
    } catch  where error.kind == .refused || error.kind == .malformed {
      // Only a sign of life: a service that does not want it can still be polled.
      course.note(error, at: now())
    }
    course.greeted(at: now())
  }

  private func poll(
    _ course: inout PollCourse, _ handle: @escaping @Sendable (InboundMessage) async -> Disposition
  ) async throws(MeshError) -> PollResult {
    let isFromStart = course.link == nil
    let page = try await inbox.list(maximum: settings.messagesPerPoll, from: course.link)
    course.listed(page, isFromStart: isFromStart, at: now())
    let ids = course.due(page.ids, at: now())
    var result = PollResult()
    result.hasMore = page.next != nil
    result.failed = page.unreadable
    var failuresInRow = 0
    var stop: MeshError?
    var refused: MeshError?
    await withTaskGroup(of: (CarrierMessageID, Outcome).self) { group in
      var rest = ids.makeIterator()
      for _ in 0..<max(1, settings.parallel) {
        guard let id = rest.next() else { break }
        group.addTask { (id, await settle(id, handle)) }
      }
      while let (id, outcome) = await group.next() {
        var outcome = outcome
        if let error = course.hopeless(id, outcome), await giveUp(id, error) { outcome = .givenUp }
        course.settled(id, outcome, at: now(), random: random())
        result.count(outcome)
        if case .failed(let error, _) = outcome, error.mayBeOfInbox {
          failuresInRow += 1
          if error.kind == .credential { refused = error }
          if failuresInRow >= settings.failuresInRow || error.isOfInbox { stop = stop ?? error }
        } else {
          failuresInRow = 0
        }
        if stop == nil, !Task.isCancelled, let id = rest.next() {
          group.addTask { (id, await settle(id, handle)) }
        }
      }
    }
    // What came in before the stop is settled; the rest waits with the whole inbox. Where no message was
    // given out and credentials were refused, it is the inbox that refuses, not one message.
    if let error = stop ?? (result.acknowledged == 0 ? refused : nil) { throw error }
    return result
  }

  enum Outcome: Sendable {
    case acknowledged
    case known
    case left
    case givenUp
    /// `isDurable`: it is here, but the acknowledgement failed.
    case failed(MeshError, isDurable: Bool)
  }

  private func settle(
    _ id: CarrierMessageID, _ handle: @escaping @Sendable (InboundMessage) async -> Disposition
  ) async -> Outcome {
    var isDurable = false
    do throws(MeshError) {
      switch await known(id) {
      case .finished:
        isDurable = true
        try await inbox.acknowledge(id)
        return .known
      case .givenUp: return .givenUp
      case .new: break
      }
      let message = try await inbox.download(id)
      guard await handle(message) == .acknowledge else { return .left }
      isDurable = true
      try await inbox.acknowledge(id)
      return .acknowledged
    } catch {
      return .failed(error, isDurable: isDurable)
    }
  }
}

extension MeshError {
  /// It can be the inbox as a whole that fails so, not one message.
  fileprivate var mayBeOfInbox: Bool {
    switch kind {
    case .later, .credential: true
    case .gone, .refused, .malformed, .tooLarge, .unconfirmed: false
    }
  }

  /// The service wants to be left alone, or we stop: no other message is asked for.
  fileprivate var isOfInbox: Bool {
    if case .later(retryAfter: .some) = kind { true } else { isCancellation }
  }
}

extension PollResult {
  fileprivate mutating func count(_ outcome: InboxPoller.Outcome) {
    switch outcome {
    case .acknowledged:
      handled += 1
      acknowledged += 1
    case .known:
      known += 1
      acknowledged += 1
    case .left:
      handled += 1
      left += 1
    case .givenUp: givenUp += 1
    case .failed: failed += 1
    }
  }
}
