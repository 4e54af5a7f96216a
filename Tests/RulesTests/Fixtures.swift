import Exchange
import Foundation
import Rules

/// The shipped rulebook and example agreement, and people plainly invented.
enum Shipped {
  static let config = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "../../config").standardized

  static func rulebookFiles() throws -> [(name: String, text: String)] {
    let folder = config.appending(path: "rulebook")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".yaml") }.sorted()
      .map { ($0, try String(contentsOf: folder.appending(path: $0), encoding: .utf8)) }
  }

  static func agreementText() throws -> String {
    try String(contentsOf: config.appending(path: "agreement.example.yaml"), encoding: .utf8)
  }

  /// The shipped rulebook with one text replaced by another, as somebody might edit it.
  static func rulebook(
    replacing old: String = "", in file: String = "", with new: String = ""
  ) throws -> Rulebook {
    try Rulebook.parse(
      files: rulebookFiles().map { name, text in
        (name, name == file ? text.replacing(old, with: new) : text)
      })
  }

  static func policy(adding text: String = "") throws -> Policy {
    try Policy(
      rulebook: rulebook(), agreement: Agreement.parse(text: agreementText() + "\n" + text))
  }

  static let policy = Result { try Shipped.policy() }
}

func type(_ text: String) throws -> NotificationType {
  guard let type = NotificationType(text) else { throw Missing(what: text) }
  return type
}

func party(_ text: String) throws -> PartyID {
  guard let party = PartyID(text) else { throw Missing(what: text) }
  return party
}

func instant(_ text: String) throws -> Instant {
  guard let instant = Instant(text) else { throw Missing(what: text) }
  return instant
}

struct Missing: Error { let what: String }

/// What a test asks, with defaults of a notice that is in order.
struct Ask {
  var type: String
  var from: String
  var data: [String: JSONValue]
  var facts: [String: JSONValue]?
  var time = "2026-03-02T09:00:00Z"
  var now = "2026-03-02T09:05:00Z"
  var purpose: String?
  var basis: String?
  var expiry: String?
  var answered: AnsweredNotification?
  var confirmations: Set<String> = []

  /// - Parameter withDocuments: with bytes, which nobody looks at, for each document that a field names.
  func notification(withDocuments: Bool = false) throws -> Exchange.Notification {
    guard let id = EventID("event-1"), let subject = SubjectReference("subject-1") else {
      throw Missing(what: "id")
    }
    return try Exchange.Notification(
      id: id, source: party(from), type: Exchange.NotificationType(type).orThrow(type),
      time: instant(time), subject: subject, audience: party("sallyport:north"),
      expiryTime: expiry.map { try instant($0) }, purpose: purpose, basis: basis, data: data,
      attachments: withDocuments
        ? Attachments(
          Attachments.references(in: data).map {
            Attachment(mediaType: .pdf, digest: $0.digest, bytes: [0])
          }) : .none)
  }

  func request() throws -> DecisionRequest {
    let owner = try party("probation:durham")
    var generator = SystemRandomNumberGenerator()
    let source = ExchangeID(random: &generator)
    let at = try instant("2026-01-05T10:00:00Z")
    return try DecisionRequest(
      notification: notification(),
      facts: facts.map { facts in
        CaseFacts(
          facts.mapValues { Fact(value: $0, owner: owner, source: source, time: at) })
      }, answered: answered, now: instant(now), confirmations: confirmations)
  }

  func decision(by policy: Policy? = nil) throws -> Decision {
    try (policy ?? Shipped.policy.get()).decide(request())
  }

  func problems() throws -> [FieldProblem] {
    try Shipped.policy.get().check(notification())
  }

  func copies(by policy: Policy? = nil) throws -> [String: Set<String>] {
    let policy = try policy ?? Shipped.policy.get()
    let copies = try policy.permitted(policy.decide(request()), notification(withDocuments: true))
    return Dictionary(
      uniqueKeysWithValues: copies.map { ($0.recipient.text, Set($0.fields.keys)) })
  }

  func with(_ change: (inout Ask) -> Void) -> Ask {
    var copy = self
    change(&copy)
    return copy
  }
}

extension Optional {
  func orThrow(_ what: String) throws -> Wrapped {
    guard let self else { throw Missing(what: what) }
    return self
  }
}

extension Decision {
  var rules: [String] { reasons.map(\.rule) }
  var told: [String] { recipients.map(\.party.text) }

  func outcome(of field: String, to party: String) -> FieldDecision? {
    recipients.first { $0.party.text == party }?.fields.first { $0.field == field }
  }
}

/// A case in the middle of its sentence: level 1, supervised by probation, nobody who exists.
enum Case {
  static let facts: [String: JSONValue] = [
    "prisonNumber": "A0000XX", "pncId": "2001/0000000X", "crn": "X000000",
    "dateOfBirth": "1980-02-29", "category": 2, "level": 1, "area": "durham",
    "leadAgency": "probation:durham", "offenderManager": "probation:durham",
    "supervisedBy": "probation", "holdingPrison": "prison:durham", "jobcentreArea": "durham",
    "releaseArea": "durham",
  ]

  static func with(_ changes: [String: JSONValue?]) -> [String: JSONValue] {
    var facts = facts
    for (name, value) in changes { facts[name] = value }
    return facts
  }
}

/// One notice of each type that is in order and is shared in the case above.
enum Notice {
  static let identity: [String: JSONValue] = [
    "prisonNumber": "A0000XX", "pncId": "2001/0000000X", "crn": "X000000",
  ]

  static func identified(_ data: [String: JSONValue]) -> [String: JSONValue] {
    data.merging(identity) { own, _ in own }
  }

  static let registration = Ask(
    type: "case.registered", from: "probation:durham",
    data: identified([
      "dateOfBirth": "1980-02-29", "category": 2, "level": 1, "area": "durham",
      "leadAgency": "probation:durham", "offenderManager": "probation:durham",
      "supervisedBy": "probation", "holdingPrison": "prison:durham", "jobcentreArea": "durham",
      "releaseArea": "durham",
    ]))

  static let confirmed = Ask(
    type: "release-date.confirmed", from: "prison:durham",
    data: identified([
      "name": "Invented Person", "establishment": "HMP Nowhere", "releaseDate": "2026-09-01",
      "releaseArea": "durham", "releaseType": "licence",
    ]), facts: Case.facts)

  static let changed = Ask(
    type: "release-date.changed", from: "prison:durham",
    data: identified([
      "name": "Invented Person", "establishment": "HMP Nowhere", "releaseDate": "2026-08-14",
      "previousReleaseDate": "2026-09-01", "changeReason": "remand-time", "releaseArea": "durham",
      "releaseType": "licence",
    ]), facts: Case.facts)

  static let unexpected = Ask(
    type: "release.unexpected", from: "prison:durham",
    data: identified([
      "name": "Invented Person", "dateOfBirth": "1980-02-29", "establishment": "HMP Nowhere",
      "releaseDate": "2026-03-02", "releaseTime": "09:30", "releaseArea": "northumbria",
      "releaseType": "appeal",
    ]), facts: Case.facts)

  static let recall = Ask(
    type: "recall.initiated", from: "probation:durham",
    data: identified([
      "name": "Invented Person", "dateOfBirth": "1980-02-29", "recallDate": "2026-03-02",
      "recallType": "standard", "reasonClass": "out-of-contact",
    ]), facts: Case.facts)

  static let transfer = Ask(
    type: "transfer.level1-notified", from: "probation:durham",
    data: identified([
      "name": "Invented Person", "dateOfBirth": "1980-02-29", "category": 2,
      "leadAgency": "probation:durham", "offenderManagerContact": "0191 496 0000",
      "receivingArea": "northumbria", "screening": "Low likelihood, stable address.",
    ]), facts: Case.facts)

  static let immigration = Ask(
    type: "fno.released", from: "immigration:casework",
    data: identified([
      "name": "Invented Person", "releasedOn": "2026-03-02", "place": "Removal centre, Nowhere",
      "conditions": "Reports weekly.",
    ]), facts: Case.facts)

  static let mappaJ = Ask(
    type: "mappa-j.issued.release", from: "probation:durham",
    data: identified([
      "name": "Invented Person", "dateOfBirth": "1980-02-29",
      "restrictions": [
        ["code": "no-work-with-children"], ["code": "no-work-in-area", "parameter": "Oldtown"],
      ],
      "endDate": "2028-02-28", "staffRisk": false, "offenderManagerContact": "0191 496 0000",
      "offenderAware": true, "reference": "DUR/2026/17", "note": "Mornings suit best.",
      "category": 2, "level": 1, "offence": "An invented offence",
      "previousConvictions": "Invented ones", "riskToPublic": "high", "address": "1 Nowhere Lane",
    ]), facts: Case.facts)

  static let discussion = Ask(
    type: "mappa-j.prior-discussion.unaware", from: "probation:durham",
    data: identified([
      "discussionDate": "2026-02-27", "discussionReference": "PD-12",
      "discussionReason": "Telling would raise the risk.", "offence": "An invented offence",
    ]), facts: Case.facts)

  private static func document(_ mediaType: MediaType = .pdf) -> JSONValue {
    [
      "mediatype": .string(mediaType.rawValue), "length": 12,
      "sha256": .string(String(repeating: "0c", count: 32)),
    ]
  }

  static let referral = Ask(
    type: "mappa-a.referred", from: "probation:durham",
    data: identified([
      "name": "Invented Person", "dateOfBirth": "1980-02-29", "category": 2,
      "releaseDate": "2026-09-01", "offenderManagerContact": "0191 496 0000",
      "referralForm": document(.docx),
    ]), facts: Case.facts)

  static let prisonReport = Ask(
    type: "mappa-f.returned", from: "prison:durham",
    data: identified([
      "name": "Invented Person", "meetingDate": "2026-03-20", "prisonReport": document(.odt),
    ]), facts: Case.facts)

  static let minutes = Ask(
    type: "minutes.distributed.level2", from: "coordinator:durham",
    data: identified([
      "name": "Invented Person", "meetingDate": "2026-02-20", "chairApproved": true,
      "minutes": document(),
    ]), facts: Case.with(["level": 2, "prisonReportMeeting": "2026-02-20"]))

  static let minutesOfTransfer = Ask(
    type: "transfer.level23-minutes", from: "coordinator:durham",
    data: identified([
      "name": "Invented Person", "dateOfBirth": "1980-02-29", "category": 2, "level": 2,
      "leadAgency": "probation:durham", "offenderManagerContact": "0191 496 0000",
      "receivingArea": "northumbria", "meetingDate": "2026-02-20", "minutes": document(),
    ]), facts: Case.with(["level": 2]))

  static func acknowledgement() throws -> Ask {
    try Ask(
      type: "mappa-j.acknowledged", from: "jobcentre:durham",
      data: [
        "receivedOn": "2026-03-03", "adviserContact": "Adviser desk, 0191 496 0001",
        "jReference": "DUR/2026/17",
      ], facts: Case.facts,
      answered: AnsweredNotification(
        type: type("mappa-j.issued.release"), sender: party("probation:durham"),
        recipient: party("jobcentre:durham")))
  }

  static func all() throws -> [Ask] {
    try [
      registration, confirmed, changed, unexpected, recall, transfer, immigration, mappaJ,
      discussion, acknowledgement(), referral, prisonReport, minutes,
      minutes.with {
        $0.type = "minutes.distributed.level3"
        $0.facts = Case.with(["level": 3, "prisonReportMeeting": "2026-02-20"])
      }, minutesOfTransfer,
    ]
  }
}
