import Daemon
import Exchange
import Mailbox
import Store
import Testing

@testable import Demo

/// What the agencies do around a daemon that may be dead at any moment: put up what they have to say,
/// collect, answer, and do again what was not confirmed, as real systems do.
actor CrashStory {
  /// A message that lies in an agency's inbox.
  struct Upstream: Sendable, Hashable {
    let name: String
    let agency: PartyID
    let message: CarrierMessageID

    /// Inboxes are called by their agency's role.
    var key: CarrierKey {
      CarrierKey(inbox: String(agency.text.prefix { $0 != ":" }), message: message)
    }
  }

  /// A notification that an agency posts until it is accepted.
  struct Post: Sendable {
    let name: String
    let event: EventID
    let sealed: [UInt8]
    /// The ids under which it was accepted; the sender stops at the first.
    var accepted: CarrierMessageID?
  }

  /// Who must have each notification, by hand from the rulebook's paragraphs: registrations go to the
  /// co-ordinator and the holding prison (MAPPA Guidance 2.12, 6.2), release dates to offender manager
  /// and police (2.12, 15.3), a MAPPA J and the discussion before it to the Jobcentre (3.26, 3.28), its
  /// answer to the offender manager (3.33).
  static let told: [String: Set<String>] = [
    "registered-adult": ["coordinator:durham", "prison:durham"],
    "registered-unaware": ["coordinator:durham", "prison:durham"],
    "release-date": ["probation:durham", "police:durham"],
    "j": ["jobcentre:durham"],
    "j-unaware": ["jobcentre:durham"],
    "j-unaware-2": ["jobcentre:durham"],
    "discussion": ["jobcentre:durham"],
    "answer to j": ["probation:durham"],
    "answer to j-unaware": ["probation:durham"],
    "answer to j-unaware-2": ["probation:durham"],
  ]
  private static let answered = ["MJ-1001": "j", "MJ-1004": "j-unaware", "MJ-2004": "j-unaware-2"]

  let world: CrashWorld
  let recipients: [Recipient]
  private let jobcentre: Recipient
  private let transport: HTTPSTransport
  private let lines: [String: Notification]
  private(set) var store: Store?
  private(set) var upstream: [Upstream] = []
  private(set) var posts: [DeliveryID: Post] = [:]

  init(_ world: CrashWorld) throws {
    self.world = world
    transport = try HTTPSTransport()
    var lines: [String: Notification] = [:]
    for step in try Story(now: .wallClock, world: world.demo).steps {
      switch step.act {
      case .publish(let notification), .forge(let notification, _):
        lines[step.name] = notification
      case .post, .replay, .answer: break
      }
    }
    // A second MAPPA J about the same person, which waits for the same discussion. Of the same time:
    // whichever is recorded first, both set the case's fact.
    let first = try #require(lines["j-unaware"])
    lines["j-unaware-2"] = Notification(
      id: try #require(EventID("\(first.id)-second")), source: first.source, type: first.type,
      time: first.time, subject: first.subject, audience: first.audience,
      data: first.data.merging(["reference": "MJ-2004"]) { _, new in new })
    self.lines = lines
    let transport = transport
    let names = ["prison", "probation", "police", "jobcentre", "coordinator"]
    recipients = try names.map {
      try Recipient(world.agency("\($0):durham"), in: world, transport: transport)
    }
    jobcentre = recipients[3]
  }

  /// Ends the agencies' connections.
  func leave() async { await transport.shutdown() }

  func line(_ name: String) throws -> Notification { try #require(lines[name]) }

  /// What waits in the inboxes when the daemon first starts, in no good order: some of it is about a
  /// person whose registration comes behind it.
  func putUpBacklog() async throws {
    try await publish("release-date")
    try await publish("release-date")
    try await publish("j")
    try await publish("registered-adult")
    try await publish("registered-unaware")
    try await publish("j-unaware")
    try await publish("j-unaware-2")
    let forger = try world.demo.party("immigration:casework")
    try await put(
      "forgery", by: line("forgery").source,
      world.demo.forge(line("forgery"), signedBy: forger, now: .wallClock))
  }

  /// Seals one of the story's notifications and puts it into its sender's inbox.
  @discardableResult
  func publish(_ name: String) async throws -> Upstream {
    let notification = try line(name)
    let agency = try world.agency(notification.source.text)
    return try await put(name, by: notification.source, agency.seal(notification))
  }

  @discardableResult
  private func put(_ name: String, by agency: PartyID, _ sealed: [UInt8]) async throws -> Upstream {
    let id = try await world.agency(agency.text).publish(sealed, localID: "crash-\(upstream.count)")
    let entry = Upstream(name: name, agency: agency, message: id)
    upstream.append(entry)
    return entry
  }

  func isAcknowledged(_ entry: Upstream) async throws -> Bool {
    try await world.agency(entry.agency.text).isAcknowledged(entry.message)
  }

  /// Everybody does what can be done now. Whoever does not reach the daemon tries again at the next turn.
  func turn() async throws {
    store = store ?? (try? world.openStore())
    try await recordDiscussion()
    do {
      for recipient in recipients { try await recipient.collect() }
      try await answer()
    } catch is MeshError {}
  }

  /// Everybody asks once more for what was given before, as soon as the daemon can be reached; false
  /// until then.
  func collectAgain() async throws -> Bool {
    do {
      for recipient in recipients { try await recipient.collectAgain() }
      return true
    } catch is MeshError { return false }
  }

  /// The discussion takes place once both MAPPA Js are held for it, or will not come.
  private func recordDiscussion() async throws {
    guard let store, !upstream.contains(where: { $0.name == "discussion" }) else { return }
    let waiting = upstream.filter { $0.name.hasPrefix("j-unaware") }
    guard !waiting.isEmpty else { return }
    for entry in waiting {
      let ending = try await store.carrierMessage(entry.key)?.ending
      guard ending == .held(code: "JCP-01") || ending?.word == "set-aside" else { return }
    }
    try await publish("discussion")
  }

  /// The Jobcentre answers each MAPPA J that it collected: the same sealed bytes until they are accepted.
  private func answer() async throws {
    let type = try line("j").type
    for copy in await jobcentre.copies(of: type) {
      let delivery = try #require(DeliveryID(copy.id.text))
      var post = try posts[delivery] ?? answer(to: copy)
      posts[delivery] = post
      guard post.accepted == nil else { continue }
      post.accepted = try await jobcentre.post(
        post.sealed, to: world.demo.own.mailbox, localID: post.event.text)
      posts[delivery] = post
    }
  }

  private func answer(to copy: Notification) throws -> Post {
    let reference = try #require(copy.data["reference"]?.string)
    let name = try #require(CrashStory.answered[reference])
    let event = try #require(EventID("crash-answer-\(reference)"))
    let agency = try world.agency("jobcentre:durham")
    let notification = Notification(
      id: event, source: agency.party.id,
      type: try #require(NotificationType("mappa-j.acknowledged")),
      time: .wallClock, subject: copy.subject, audience: world.demo.own.id, correlationID: copy.id,
      data: [
        "receivedOn": .string(Instant.wallClock.londonDate.description),
        "adviserContact": "Adviser desk, 01632 960002", "jReference": .string(reference),
      ])
    return Post(name: "answer to \(name)", event: event, sealed: try agency.seal(notification))
  }

  /// What has not come to its end yet, as far as anybody can see; empty when all is done.
  ///
  /// - Parameter answers: how many MAPPA Js there are to answer.
  func outstanding(answers: Int = answered.count) async throws -> [String] {
    guard let store else { return ["no store"] }
    let accepted = posts.values.filter { $0.accepted != nil }
    var rest = accepted.count < answers ? ["\(accepted.count) answers accepted"] : []
    let counts = try await store.counts()
    for (inbox, states) in counts.exchanges {
      rest += states.filter { ["waiting", "held"].contains($0.key) }.map {
        "\($0.value) \($0.key) of \(inbox)"
      }
    }
    for (party, states) in counts.deliveries where states["pending"] != nil {
      rest.append("not collected by \(party)")
    }
    for (party, states) in counts.receipts {
      if let due = states["due"] { rest.append("\(due) receipts owed to \(party)") }
    }
    for recipient in recipients {
      let page = try await store.mailboxPage(of: recipient.party.id, limit: 1)
      if page.count > 0 { rest.append("receipts not collected by \(recipient.party.id)") }
    }
    for entry in upstream where try await !isAcknowledged(entry) {
      rest.append("\(entry.name) not acknowledged")
    }
    return rest
  }

  /// By which source and id each notification is known for ever.
  func event(_ name: String) throws -> (source: PartyID, id: EventID) {
    if let post = posts.values.first(where: { $0.name == name }) {
      return (jobcentre.party.id, post.event)
    }
    let line = try line(name)
    return (line.source, line.id)
  }
}
