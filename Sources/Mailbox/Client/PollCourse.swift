import Exchange

/// What a poller remembers from one poll to the next. Pure: time and randomness are passed in.
struct PollCourse {
  /// A message that failed or was left.
  private struct Trouble {
    var backoff: Backoff
    var notBefore: Instant
    var isPassing: Bool
  }

  private let settings: InboxPoller.Settings
  private var backoff: Backoff
  private var credentialBackoff: Backoff
  private var troubles: [CarrierMessageID: Trouble] = [:]
  /// Ids listed since the walk through the inbox began, while it goes over several polls.
  private var walked: Set<CarrierMessageID>?
  private var fruitlessPolls = 0
  private var hadTrouble = false
  private var givenUp = 0

  private(set) var state = InboxState()
  /// Where the next poll goes on; nil: at the start.
  private(set) var link: PageLink?
  private var lastHandshake: Instant? { state.lastHandshake }

  init(_ settings: InboxPoller.Settings) {
    self.settings = settings
    backoff = settings.backoff
    credentialBackoff = Backoff(base: settings.credentialPause, cap: settings.credentialCap)
  }

  func handshakeIsDue(at now: Instant) -> Bool {
    guard let lastHandshake else { return true }
    return now >= lastHandshake + settings.handshakeInterval
  }

  mutating func greeted(at now: Instant) { state.lastHandshake = now }

  mutating func note(_ error: MeshError, at now: Instant) {
    hadTrouble = true
    state.lastErrorCode = error.code
    state.lastErrorAt = now
    state.troubleSince = state.troubleSince ?? now
  }

  /// A page has come. Forgets messages that are in the inbox no longer.
  mutating func listed(_ page: InboxPage, isFromStart: Bool, at now: Instant) {
    if isFromStart { (walked, givenUp) = ([], 0) }
    walked?.formUnion(page.ids)
    // Beyond this the walk is not remembered, and nothing forgotten at its end.
    if let seen = walked, seen.count > 20_000 { walked = nil }
    if page.next == nil, let seen = walked {
      troubles = troubles.filter { seen.contains($0.key) }
    }
    link = page.next
    state.waiting = page.approximateCount ?? page.ids.count
    if page.unreadable > 0 { note(.malformed("an id in messages"), at: now) }
  }

  /// The ids that may be tried now.
  func due(_ ids: [CarrierMessageID], at now: Instant) -> [CarrierMessageID] {
    ids.filter { id in troubles[id].map { $0.notBefore <= now } ?? true }
  }

  /// The last failure of a message that has failed often enough, so that trying on is of no use.
  func hopeless(_ id: CarrierMessageID, _ outcome: InboxPoller.Outcome) -> MeshError? {
    guard case .failed(let error, isDurable: false) = outcome, !error.isCancellation else {
      return nil
    }
    let isPassing = error.isPassing
    let known = troubles[id].map { $0.isPassing == isPassing ? $0.backoff.failures : 0 } ?? 0
    return known + 1 >= (isPassing ? settings.passingTries : settings.tries) ? error : nil
  }

  mutating func settled(
    _ id: CarrierMessageID, _ outcome: InboxPoller.Outcome, at now: Instant, random: Double
  ) {
    switch outcome {
    case .acknowledged, .known: troubles[id] = nil
    case .givenUp:
      troubles[id] = nil
      givenUp += 1
    case .left: postpone(id, least: .zero, isPassing: true, at: now, random: random)
    case .failed(let error, _):
      note(error, at: now)
      switch error.kind {
      case .later(let retryAfter):
        postpone(id, least: retryAfter ?? .zero, isPassing: true, at: now, random: random)
      case .credential, .gone, .refused, .malformed, .tooLarge, .unconfirmed:
        // A listing that lags behind: asking again soon is of no use either.
        postpone(
          id, least: settings.credentialPause, isPassing: false, at: now, random: random)
      }
    }
  }

  private mutating func postpone(
    _ id: CarrierMessageID, least: Duration, isPassing: Bool, at now: Instant, random: Double
  ) {
    guard troubles[id] != nil || troubles.count < settings.troubled else { return }
    let known = troubles[id].flatMap { $0.isPassing == isPassing ? $0.backoff : nil }
    var backoff = known ?? settings.backoff
    let pause = backoff.failed(random: random)
    troubles[id] = Trouble(
      backoff: backoff, notBefore: now + max(pause, least), isPassing: isPassing)
  }

  /// A poll came to its end. How long to wait until the next.
  mutating func succeeded(_ result: PollResult, at now: Instant, random: Double) -> Duration {
    let pause = pause(after: result, random: random)
    backoff.succeeded()
    credentialBackoff.succeeded()
    (state.lastPoll, state.lastSuccess) = (now, now)
    state.nextPoll = pause > .zero ? now + pause : nil
    state.backoffUntil = nil
    state.needsOperator = false
    state.troubled = troubles.count
    state.givenUp = givenUp
    if !hadTrouble { (state.lastErrorCode, state.troubleSince) = (nil, nil) }
    hadTrouble = false
    return pause
  }

  private mutating func pause(after result: PollResult, random: Double) -> Duration {
    guard result.hasMore else {
      fruitlessPolls = 0
      return settings.interval * (1 + random / 10)
    }
    if result.acknowledged > 0 {
      // The inbox has moved under the link: from its start again.
      link = nil
      fruitlessPolls = 0
      return .zero
    }
    fruitlessPolls += 1
    guard fruitlessPolls < settings.fruitlessPolls else {
      fruitlessPolls = 0
      return settings.interval * (1 + random / 10)
    }
    return .zero
  }

  /// The inbox as a whole failed. How long to leave it alone.
  mutating func failed(_ error: MeshError, at now: Instant, random: Double) -> Duration {
    // A link that the service no longer takes must not fail the next poll too.
    link = nil
    note(error, at: now)
    hadTrouble = false
    state.troubled = troubles.count
    let pause: Duration
    switch error.kind {
    case .credential:
      state.needsOperator = true
      pause = settings.credentialPause + credentialBackoff.failed(random: random)
    case .later(let retryAfter):
      pause = max(backoff.failed(random: random), retryAfter ?? .zero)
    case .gone, .refused, .malformed, .tooLarge, .unconfirmed:
      // Such an answer to a listing does not pass by itself soon; no faster than an ordinary poll.
      pause = max(settings.interval, backoff.failed(random: random))
    }
    state.lastPoll = now
    (state.backoffUntil, state.nextPoll) = (now + pause, now + pause)
    return pause
  }
}

extension MeshError {
  /// Usually over after a while, by itself.
  fileprivate var isPassing: Bool {
    if case .later = kind { true } else { false }
  }
}
