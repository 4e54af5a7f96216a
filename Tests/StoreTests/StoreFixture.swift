import Exchange
import Foundation
import Ledger
import Rules

@testable import Store

/// A store in a temporary folder of its own, with invented parties and an invented person.
final class StoreFixture {
  let directory: String
  let keys: StoreKeys

  init() throws {
    directory =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("store-\(UUID().uuidString)").path
    keys = try StoreFixture.keys()
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  static func keys(store: UInt8 = 1, lookup: UInt8 = 2, version: Int = 1) throws -> StoreKeys {
    StoreKeys(
      store: try StoreKeys.StoreKey(
        version: version, bytes: [UInt8](repeating: store, count: 32)),
      lookup: lookup)
  }

  /// The store, empty of rules: nothing can be recorded.
  func openPlain(_ mode: Store.Mode = .owner) throws -> Store {
    try Store.open(directory: directory, keys: keys, mode: mode)
  }

  /// The store with the rules of the fixture in force. The entry that says so is number 0.
  func open() async throws -> Store {
    let store = try openPlain()
    try await store.recordService(.started(version: "1.0.0", StoreFixture.policy), at: .start)
    return store
  }

  /// All bytes of all files of the folder.
  func allBytes() throws -> [UInt8] {
    try FileManager.default.subpathsOfDirectory(atPath: directory).flatMap { name in
      Array((try? Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)"))) ?? Data())
    }
  }

  /// The files as a power cut would leave them, now: in a folder of their own.
  func image() throws -> StoreFixture {
    let image = try StoreFixture()
    try FileManager.default.copyItem(atPath: directory, toPath: image.directory)
    return image
  }
}

extension StoreKeys {
  init(store: StoreKey, lookup: UInt8) {
    do {
      try self.init(store: store, lookup: [UInt8](repeating: lookup, count: 32))
    } catch { preconditionFailure("32 bytes are a key") }
  }
}

extension Instant {
  /// 2026-02-02T09:30:00Z, a Monday.
  static let start = Instant(milliseconds: 1_770_024_600_000)
}

extension StoreFixture {
  static let prison = party("prison:durham")
  static let probation = party("probation:durham")
  static let jobcentre = party("jobcentre:durham")
  static let police = party("police:durham")

  static func party(_ text: String) -> PartyID {
    guard let party = PartyID(text) else { preconditionFailure("\(text) is a party") }
    return party
  }

  static func type(_ text: String) -> NotificationType {
    guard let type = NotificationType(text) else { preconditionFailure("\(text) is a type") }
    return type
  }

  static func event(_ text: String) -> EventID {
    guard let event = EventID(text) else { preconditionFailure("\(text) is an event id") }
    return event
  }

  static func carrier(_ number: Int, inbox: String = "durham") -> CarrierKey {
    guard let message = CarrierMessageID("M\(number)") else { preconditionFailure("an id") }
    return CarrierKey(inbox: inbox, message: message)
  }

  static let rulebook = "sha256:" + String(repeating: "1a", count: 32)
  static let agreement = "sha256:" + String(repeating: "2b", count: 32)
  static let otherRulebook = "sha256:" + String(repeating: "3c", count: 32)

  static func policy(_ rulebook: String, _ agreement: String) -> PolicyDigests {
    guard let policy = PolicyDigests(rulebook: rulebook, agreement: agreement) else {
      preconditionFailure("digests")
    }
    return policy
  }

  static let policy = policy(rulebook, agreement)

  /// The reason given for everything that is shared.
  static let reason = Reason(rule: "JCP-02", source: "MAPPA Guidance 3.25", text: "told by rule")

  static let identifiers = [
    PersonIdentifier(kind: .prisonNumber, value: "A1234ZZ"),
    PersonIdentifier(kind: .pncId, value: "99/123456Z"),
  ]
}

/// What a message says, with what the test at hand cares about; all else is invented.
struct Message {
  var number = 1
  var event = "evt-1"
  var source = StoreFixture.prison
  var type = "release-date.changed"
  var marker = "2026-03-06"
  var content: UInt8 = 7
  var receivedAt = Instant.start
  var outcome = Decision.Outcome.shared
  var recipients = [StoreFixture.probation]
  var facts: [FactChange] = []
  var factTime = Instant.start
  var rulebook = StoreFixture.rulebook
  var subjectCase = DecidedRecord.Case.none
  var answers: DeliveryID?
  var answerDue: Due?
  var deadlines: [NewDeadline] = []
  var changes: [DeadlineChange] = []
  var deliveries: [NewDelivery]?
  var supersedesHeld = false
  var inbox = "durham"
  var receipt: ReceiptOrder?
  var rule = "JCP-02"
  var lookAgainSeen = 0

  var notification: Exchange.Notification {
    Exchange.Notification(
      id: StoreFixture.event(event), source: source, type: StoreFixture.type(type),
      time: factTime, subject: subject, audience: StoreFixture.party("sallyport:durham"),
      data: ["releaseDate": .string(marker)])
  }

  private var subject: SubjectReference {
    guard let subject = SubjectReference("their-own-reference") else {
      preconditionFailure("a reference")
    }
    return subject
  }

  var verdict: Verdict {
    Verdict(
      signer: source, certificate: String(repeating: "c", count: 64), signingTime: .start,
      verifiedAt: .start, revocation: .current,
      contentDigest: [UInt8](repeating: content, count: 32))
  }

  var decision: Decision {
    Decision(
      outcome: outcome, type: StoreFixture.type(type), sender: source,
      reasons: [Reason(rule: rule, source: "MAPPA Guidance 3.25", text: "as told")],
      purpose: "public protection",
      basis: "LB-01",
      recipients: recipients.map { party in
        RecipientDecision(
          party: party, relation: "releaseArea", reason: StoreFixture.reason,
          fields: [
            FieldDecision(
              field: "releaseDate", outcome: .released, reason: StoreFixture.reason)
          ], answer: nil)
      }, factChanges: outcome == .shared ? facts : [], registersCase: false,
      answersDeadline: answers != nil, unknownFields: 0, urgent: false, rulebookDigest: rulebook,
      agreementDigest: StoreFixture.agreement)
  }

  func newDelivery(_ party: PartyID, id: DeliveryID = .random(), sealed: String = "sealed copy")
    -> NewDelivery
  {
    NewDelivery(
      delivery: Delivery(
        id: id, recipient: party, answerDue: answerDue,
        expiresAt: .start + .seconds(60 * 86_400)),
      sealed: Array(sealed.utf8), collectDue: .moment(.start + .seconds(86_400)),
      workflow: "SALLYPORT_NOTICE", releasedFields: ["releaseDate"], localID: "local")
  }

  func record(exchange: ExchangeID = .random(), at now: Instant? = nil) -> IntakeRecord {
    let copies = deliveries ?? (outcome == .shared ? recipients.map { newDelivery($0) } : [])
    return IntakeRecord(
      exchange: exchange, carrier: StoreFixture.carrier(number, inbox: inbox),
      receivedAt: receivedAt, recordedAt: now ?? receivedAt,
      original: Array("original \(marker)".utf8),
      outcome: .decided(
        DecidedRecord(
          notification: notification, verdict: verdict, decision: decision,
          subjectCase: subjectCase, deliveries: copies, deadlines: deadlines,
          deadlineChanges: changes, answers: answers, supersedesHeld: supersedesHeld)),
      receipt: receipt, lookAgainSeen: lookAgainSeen)
  }
}
