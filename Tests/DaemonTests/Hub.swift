import Exchange
import Foundation
import Logging
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

/// Store, rules and clock as the daemon has them, without network, and the invented agencies around it.
final class Hub: Sendable {
  let folder: TemporaryFolder
  let clock = Clock()
  let store: Store
  let regime: RegimeInForce
  let pipeline: IntakePipeline
  let lines = LogLines()

  init() async throws {
    folder = try TemporaryFolder()
    let loaded = try Area.regime
    regime = RegimeInForce(loaded)
    store = try Store.open(
      directory: folder.path + "/state", keys: Area.ring().storeKeys(), mode: .owner)
    let digests = try #require(
      PolicyDigests(
        rulebook: loaded.policy.rulebook.digest, agreement: loaded.policy.agreement.digest))
    try await store.recordService(.started(version: "1.0.0", digests), at: .start)
    let (clock, lines) = (clock, lines)
    pipeline = IntakePipeline(
      store: store, regime: regime, now: { clock.now },
      log: Logger(label: "intake") { label in
        JSONLogHandler(label: label, now: { clock.now }, write: { lines.add($0) })
      })
  }
}

// What agencies send.
extension Hub {
  /// As its source signs and seals it, now by the hub's clock or at another moment.
  func seal(_ notice: Exchange.Notification, at moment: Instant? = nil) throws -> [UInt8] {
    let world = try Area.world
    let source = try Area.party(notice.source.text)
    let moment = moment ?? clock.now
    // Agencies keep their lists current, whatever ours are.
    var own = world.trust(in: world.own)
    if moment > .start + .days(6) { own.revocationLists = [try Area.revocationList(at: moment)] }
    return try Sealer(identity: world.identity(of: source), parties: [own])
      .seal(notice, now: moment)
  }

  static func carrier(_ id: String, in inbox: String = "prison") throws -> CarrierKey {
    CarrierKey(inbox: inbox, message: try #require(CarrierMessageID(id)))
  }

  /// Takes bytes as they lay in an inbox.
  ///
  /// - Returns: the id that the message got, and whether it may be acknowledged upstream.
  @discardableResult
  func take(
    _ bytes: [UInt8], as id: String, inbox: String = "prison", attempt: Int = 1
  ) async throws -> (exchange: ExchangeID, mayAcknowledge: Bool) {
    let exchange = ExchangeID.random()
    let message = ArrivedMessage(
      carrier: try Hub.carrier(id, in: inbox), origin: .inbox, exchange: exchange, bytes: bytes,
      receivedAt: clock.now)
    return (exchange, try await pipeline.take(message, attempt: attempt))
  }

  /// Seals a notice, takes it, and answers what the store has of it.
  @discardableResult
  func take(_ notice: Exchange.Notification, as id: String) async throws -> ExchangeView {
    let taken = try await take(seal(notice), as: id)
    #expect(taken.mayAcknowledge)
    return try await view(taken.exchange)
  }

  /// Takes several notices of the story, in order; each must be shared.
  func share(_ steps: String...) async throws {
    for step in steps {
      let view = try await take(Notice.named(step), as: step.uppercased().replacing("-", with: "_"))
      try #require(view.ending == .shared, "\(step)")
    }
  }
}

// What comes of it.
extension Hub {
  func view(_ exchange: ExchangeID) async throws -> ExchangeView {
    try await store.exchange(exchange.text)
  }

  /// The copies that wait in a party's mailbox, oldest first, opened with that party's key.
  func copies(_ id: String) async throws -> [Exchange.Notification] {
    let world = try Area.world
    let party = try Area.party(id)
    let sealer = try Sealer(
      identity: world.identity(of: party), parties: [world.trust(in: world.own, relays: true)])
    var copies: [Exchange.Notification] = []
    for item in try await store.mailboxPage(of: party.id, limit: 100).items {
      let copy = try #require(try await store.delivery(item.id, party: party.id))
      copies.append(try sealer.open(copy.bytes, now: clock.now).notification)
    }
    return copies
  }

  /// How many copies wait in all mailboxes together.
  func copyCount() async throws -> Int {
    var count = 0
    for party in try Area.world.agencies {
      count += try await store.mailboxPage(of: party.id, limit: 100).count
    }
    return count
  }

  func snapshot(of person: Person) async throws -> CaseSnapshot? {
    let identifiers = [
      PersonIdentifier(kind: .prisonNumber, value: person.prisonNumber),
      PersonIdentifier(kind: .pncId, value: person.pncID),
    ]
    guard case .one(let snapshot) = try await store.findCase(by: identifiers) else { return nil }
    return snapshot
  }

  /// Decides again what has reason to be: as the daemon's worker does, leaving patience aside.
  @discardableResult
  func reconsider() async throws -> [ExchangeID] {
    let held = try await store.heldDue(decidedBefore: Instant(milliseconds: 0), limit: 64)
    for exchange in held { try await reconsider(exchange.exchange) }
    return held.map(\.exchange)
  }

  func reconsider(_ exchange: ExchangeID) async throws {
    try await pipeline.reconsider(store.heldExchange(exchange))
  }
}

extension Area {
  /// The regime with other certificates or lists, as after a change of files that rules do not name.
  static func regime(_ change: (inout Seal.PartyTrust) -> Void) throws -> Regime {
    let (world, base) = (try world, try regime)
    let parties = world.agencies.map { party in
      var trust = world.trust(in: party)
      change(&trust)
      return trust
    }
    return Regime(
      policy: base.policy,
      sealer: try Sealer(identity: world.identity(of: world.own), parties: parties),
      calendar: base.calendar, mailboxes: base.mailboxes)
  }

  /// A revocation list of the area's authority that is current from an hour before a moment.
  static func revocationList(at moment: Instant) throws -> String {
    try world.authority.revocationList(
      revoked: [], thisUpdate: moment - .seconds(3600), nextUpdate: moment + .days(7), number: 2)
  }
}

/// The notices of the story, by the names of its steps.
enum Notice {
  private static let all = Result {
    let story = try Story(now: .start, world: Area.world)
    return Dictionary(
      uniqueKeysWithValues: story.steps.compactMap { step -> (String, Exchange.Notification)? in
        switch step.act {
        case .publish(let notice), .post(let notice), .forge(let notice, _): (step.name, notice)
        case .replay, .answer: nil
        }
      })
  }

  static func named(_ step: String) throws -> Exchange.Notification {
    try #require(try all.get()[step])
  }

  static func cast() throws -> Cast { try Cast(today: Instant.start.londonDate) }
}

extension Exchange.Notification {
  /// The same with something changed; of `data` only what is given, `null` removes.
  func with(
    id: String? = nil, source: String? = nil, type: String? = nil, time: Instant? = nil,
    subject: SubjectReference? = nil, audience: PartyID? = nil, answers: EventID? = nil,
    data changes: [String: JSONValue] = [:]
  ) throws -> Exchange.Notification {
    Exchange.Notification(
      id: try id.map { try #require(EventID($0)) } ?? self.id,
      source: try source.map { try #require(PartyID($0)) } ?? self.source,
      type: try type.map { try #require(NotificationType($0)) } ?? self.type,
      time: time ?? self.time, subject: subject ?? self.subject,
      audience: audience ?? self.audience, correlationID: answers ?? correlationID,
      data: data.merging(changes) { _, new in new }.filter { $0.value != .null },
      attachments: attachments)
  }
}

extension ExchangeView {
  var recipients: [String] { deliveries.map(\.party.text).sorted() }
  var rules: [String] { decision?.reasons.map(\.rule) ?? [] }
}
