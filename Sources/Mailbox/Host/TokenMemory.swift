import Exchange

/// Which tokens were used, for as long as they would still be accepted: one token is good for one
/// request.
///
/// A token is reserved when it has been authenticated. It is used once its request is answered, and
/// released if the answer is one that clients repeat with the same header (425, 429, 502, 503, 504):
/// burning it there would turn every retry into a 403. One that comes again before the first request
/// has its answer is put off: after a broken connection the client repeats sooner than the host knows.
///
/// Memory is bounded by mailbox. When it is full the oldest minute is forgotten, and tokens of that
/// minute or before are put off from then on, since nobody can tell any more whether they are new.
/// Clients in step with the clock do not notice.
struct TokenMemory {
  enum Verdict: Equatable {
    case reserved
    case used
    /// Its request has no answer yet.
    case pending
    /// Cannot be told, or no room left in the token's own minute.
    case crowded
  }

  /// Tokens of one mailbox by the minute that they name. The minute is part of what is hashed, so a
  /// token used again names the same one.
  fileprivate struct Uses {
    /// Whether the request of each has been answered.
    var byMinute: [Instant: [MeshToken.Use: Bool]] = [:]
    var count = 0
    var forgottenThrough: Instant?
    /// The earliest key, to forget expired ones without a walk at each request.
    var oldest: Instant?

    mutating func forget(_ minute: Instant) {
      count -= byMinute.removeValue(forKey: minute)?.count ?? 0
      oldest = byMinute.keys.min()
    }
  }

  /// Tokens remembered for one mailbox.
  let capacity: Int
  /// On either side of the clock.
  let window: Duration
  /// One entry a mailbox that has authenticated itself: as many as the keeper knows.
  private var mailboxes: [MailboxID: Uses] = [:]

  init(capacity: Int, window: Duration = .seconds(7200)) {
    (self.capacity, self.window) = (max(1, capacity), window)
  }

  mutating func reserve(_ token: MeshToken, at now: Instant) -> Verdict {
    let minute = token.timestamp
    let horizon = MeshToken.startOfMinute(now - window)
    return mailboxes[token.mailbox, default: Uses()].reserve(
      token.use, minute, horizon: horizon, capacity: capacity)
  }

  /// The request of the token is answered for good.
  mutating func settle(_ token: MeshToken) {
    mailboxes[token.mailbox]?.settle(token.use, token.timestamp)
  }

  mutating func release(_ token: MeshToken) {
    mailboxes[token.mailbox]?.release(token.use, token.timestamp)
  }

  /// How many tokens of the mailbox are remembered.
  func count(of mailbox: MailboxID) -> Int { mailboxes[mailbox]?.count ?? 0 }
}

extension TokenMemory.Uses {
  fileprivate mutating func reserve(
    _ use: MeshToken.Use, _ minute: Instant, horizon: Instant, capacity: Int
  ) -> TokenMemory.Verdict {
    // At most one key a minute of the window: 242.
    while let first = oldest, first < horizon { forget(first) }
    if let forgottenThrough, minute <= forgottenThrough { return .crowded }
    if let isAnswered = byMinute[minute]?[use] { return isAnswered ? .used : .pending }
    while count >= capacity {
      guard let first = oldest, first < minute else { return .crowded }
      forget(first)
      forgottenThrough = first
    }
    byMinute[minute, default: [:]][use] = false
    count += 1
    oldest = min(oldest ?? minute, minute)
    return .reserved
  }

  fileprivate mutating func settle(_ use: MeshToken.Use, _ minute: Instant) {
    // One that was forgotten meanwhile stays so.
    guard byMinute[minute]?[use] != nil else { return }
    byMinute[minute]?[use] = true
  }

  fileprivate mutating func release(_ use: MeshToken.Use, _ minute: Instant) {
    guard byMinute[minute]?.removeValue(forKey: use) != nil else { return }
    count -= 1
  }
}
