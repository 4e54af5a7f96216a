/// What is inside a message: a CloudEvents 1.0 event of one type about one subject.
///
/// Parsed once from the signed content; from here on only typed values travel.
package struct Notification: Equatable, Sendable {
  /// The sender's own id; with `source` it names this notification for ever.
  package let id: EventID
  /// The party that says this, and owns it.
  package let source: PartyID
  package let type: NotificationType
  /// When the sender says that it happened or was signed off.
  package let time: Instant
  /// The sender's opaque reference to the person.
  package let subject: SubjectReference
  /// To whom the content was sealed: binds the signature to one reader.
  package let audience: PartyID
  /// The id, as the sender knows it, of what this answers.
  package let correlationID: EventID?
  /// The id, as the sender knows it, of what brought this about.
  package let causationID: EventID?
  /// After this moment the sender wants it delivered no more.
  package let expiryTime: Instant?
  /// Why it is shared, a code of the rulebook; the rulebook's own where absent.
  package let purpose: String?
  /// The lawful basis, a code of the catalogue (`LB-01`); the rulebook's own where absent.
  package let basis: String?
  /// The marking of the content.
  package let dataClassification: String?
  /// The fields by name, unread until the rulebook says what they are.
  package let data: [String: JSONValue]
  /// How many attributes were not known to us. Their names are the sender's choice and are not kept.
  package let unknownAttributes: Int
  /// The documents that its fields name. Empty where only the envelope was looked up: then a copy that
  /// would have to hold one cannot be made.
  package private(set) var attachments = Attachments.none

  package init(
    id: EventID, source: PartyID, type: NotificationType, time: Instant,
    subject: SubjectReference, audience: PartyID, correlationID: EventID? = nil,
    causationID: EventID? = nil, expiryTime: Instant? = nil, purpose: String? = nil,
    basis: String? = nil, dataClassification: String? = nil, data: [String: JSONValue],
    unknownAttributes: Int = 0, attachments: Attachments = .none
  ) {
    self.id = id
    self.source = source
    self.type = type
    self.time = time
    self.subject = subject
    self.audience = audience
    self.correlationID = correlationID
    self.causationID = causationID
    self.expiryTime = expiryTime
    self.purpose = purpose
    self.basis = basis
    self.dataClassification = dataClassification
    self.data = data
    self.unknownAttributes = unknownAttributes
    self.attachments = attachments
  }

  /// The same with the documents that belong to it.
  package func with(_ attachments: Attachments) -> Notification {
    var whole = self
    whole.attachments = attachments
    return whole
  }
}

/// Why signed content is not a notification. The sender's turn; names the attribute, never its value.
package enum NotificationProblem: Error, Equatable, Sendable {
  /// EXCH-001: not JSON; EXCH-005 to EXCH-008: beyond our bounds, a member twice, not UTF-8.
  case notJSON(JSONProblem)
  /// EXCH-002: not a CloudEvents 1.0 event in JSON.
  case notCloudEvents
  /// EXCH-009: an event whose data is not JSON.
  case foreignData
  /// EXCH-003: a required attribute is missing.
  case missing(attribute: String)
  /// EXCH-004: an attribute is not of its form.
  case malformed(attribute: String)
  /// EXCH-010 to EXCH-019: the documents do not fit what the fields say of them.
  case attachment(AttachmentProblem)

  package var code: String {
    switch self {
    case .notJSON(.malformed): "EXCH-001"
    case .notJSON(.tooLong): "EXCH-005"
    case .notJSON(.tooDeep): "EXCH-006"
    case .notJSON(.duplicateMember): "EXCH-007"
    case .notJSON(.notUTF8): "EXCH-008"
    case .notCloudEvents: "EXCH-002"
    case .foreignData: "EXCH-009"
    case .missing: "EXCH-003"
    case .malformed: "EXCH-004"
    case .attachment(let problem): problem.code
    }
  }
}

extension NotificationProblem: CustomStringConvertible {
  /// The code and what is wrong, without any value.
  package var description: String {
    let text =
      switch self {
      case .notJSON(let problem): "not JSON: \(problem)"
      case .notCloudEvents: "not a CloudEvents 1.0 event in JSON"
      case .foreignData: "data is not JSON, or lies elsewhere than in data"
      case .missing(let attribute): "\(attribute) is missing"
      case .malformed(let attribute): "\(attribute) is not of its form"
      case .attachment(let problem): problem.description
      }
    return "\(code) \(text)"
  }
}

extension Notification {
  /// Attributes of CloudEvents 1.0 and the extensions that Sallyport reads.
  static let knownAttributes: Set<String> = [
    "specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema",
    "audience", "correlationid", "causationid", "expirytime", "purpose", "basis",
    "dataclassification", "owner", "data", "ackby", "decision", "policydigest", "onbehalfof",
    "flags",
  ]

  /// Parses the CloudEvents JSON format (CloudEvents 1.0.2, section 3 of the JSON event format).
  package init(
    parsing content: some Collection<UInt8>, limits: JSONLimits = JSONLimits()
  ) throws(NotificationProblem) {
    let event: JSONValue
    do { event = try JSONValue.parse(content, limits: limits) } catch { throw .notJSON(error) }
    // A member that is null counts as left out (JSON event format, section 2.2).
    guard let members = event.object?.filter({ $0.value != .null }),
      members["specversion"] == "1.0"
    else { throw .notCloudEvents }
    guard members["datacontenttype"].map({ $0 == "application/json" }) ?? true,
      members["data_base64"] == nil
    else { throw .foreignData }
    let attributes = Attributes(members: members)
    id = try attributes.required("id", EventID.init)
    source = try attributes.required("source", PartyID.init)
    type = try attributes.required("type", NotificationType.init)
    time = try attributes.required("time", Instant.init)
    subject = try attributes.required("subject", SubjectReference.init)
    audience = try attributes.required("audience", PartyID.init)
    correlationID = try attributes.optional("correlationid", EventID.init)
    causationID = try attributes.optional("causationid", EventID.init)
    expiryTime = try attributes.optional("expirytime", Instant.init)
    purpose = try attributes.optional("purpose", code)
    basis = try attributes.optional("basis", code)
    dataClassification = try attributes.optional("dataclassification", code)
    guard let data = members["data"] else { throw .missing(attribute: "data") }
    guard let fields = data.object else { throw .malformed(attribute: "data") }
    self.data = fields
    unknownAttributes = members.keys.count { !Notification.knownAttributes.contains($0) }
  }

  /// The event as canonical CloudEvents JSON: what a party signs, before its attachments.
  package var content: [UInt8] {
    var members: [String: JSONValue] = [
      "specversion": "1.0", "datacontenttype": "application/json",
      "id": .string(id.text), "source": .string(source.text), "type": .string(type.text),
      "time": .string(time.description), "subject": .string(subject.text),
      "audience": .string(audience.text), "data": .object(data),
    ]
    members["correlationid"] = correlationID.map { .string($0.text) }
    members["causationid"] = causationID.map { .string($0.text) }
    members["expirytime"] = expiryTime.map { .string($0.description) }
    members["purpose"] = purpose.map { .string($0) }
    members["basis"] = basis.map { .string($0) }
    members["dataclassification"] = dataClassification.map { .string($0) }
    return JSONValue.object(members).canonicalBytes
  }
}

/// A short code: letters, digits, spaces and `.()-_`, at most 64.
private func code(_ text: String) -> String? {
  let allowed = text.utf8.allSatisfy { byte in
    (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte)
      || " .()-_".utf8.contains(byte)
  }
  return (1...64).contains(text.utf8.count) && allowed ? text : nil
}

private struct Attributes {
  let members: [String: JSONValue]

  func optional<Value>(
    _ name: String, _ parse: (String) -> Value?
  ) throws(NotificationProblem) -> Value? {
    guard let member = members[name] else { return nil }
    guard let text = member.string, let value = parse(text) else {
      throw .malformed(attribute: name)
    }
    return value
  }

  func required<Value>(
    _ name: String, _ parse: (String) -> Value?
  ) throws(NotificationProblem) -> Value {
    guard let value = try optional(name, parse) else { throw .missing(attribute: name) }
    return value
  }
}
