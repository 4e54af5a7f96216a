@_spi(Rules) import Exchange
import Testing

@Suite struct NotificationTests {
  static let full: [String: JSONValue] = [
    "specversion": "1.0", "datacontenttype": "application/json", "id": "N-1",
    "source": "prison:durham", "type": "release-date.changed", "time": "2026-02-02T09:30:00.000Z",
    "subject": "c-81f3", "audience": "sallyport:north-east", "correlationid": "N-0",
    "causationid": "X/7", "expirytime": "2026-03-02T09:30:00.000Z", "purpose": "public-protection",
    "basis": "LB-01", "dataclassification": "OFFICIAL-SENSITIVE",
    "data": ["releaseDate": "2026-10-15"],
  ]
  static let required = ["id", "source", "type", "time", "subject", "audience"]
  static let optional = [
    "correlationid", "causationid", "expirytime", "purpose", "basis", "dataclassification",
  ]

  private func parse(_ members: [String: JSONValue]) throws(NotificationProblem) -> Notification {
    try Notification(parsing: JSONValue.object(members).canonicalBytes)
  }

  private func parse(changing name: String, to value: JSONValue?) throws(NotificationProblem)
    -> Notification
  {
    var members = NotificationTests.full
    members[name] = value
    return try parse(members)
  }

  @Test func `every attribute is read`() throws {
    let notification = try parse(NotificationTests.full)
    #expect(notification.id == (try eventID("N-1")))
    #expect(notification.source == (try party("prison:durham")))
    #expect(notification.type == NotificationType("release-date.changed"))
    #expect(notification.time == (try moment("2026-02-02T09:30:00Z")))
    #expect(notification.subject == SubjectReference("c-81f3"))
    #expect(notification.audience == (try party("sallyport:north-east")))
    #expect(notification.correlationID == (try eventID("N-0")))
    #expect(notification.causationID == (try eventID("X/7")))
    #expect(notification.expiryTime == (try moment("2026-03-02T09:30:00Z")))
    #expect(notification.purpose == "public-protection")
    #expect(notification.basis == "LB-01")
    #expect(notification.dataClassification == "OFFICIAL-SENSITIVE")
    #expect(notification.data == ["releaseDate": "2026-10-15"])
    #expect(notification.unknownAttributes == 0)
  }

  @Test(arguments: required + ["data"])
  func `a required attribute that is missing or null is named`(name: String) {
    #expect(throws: NotificationProblem.missing(attribute: name)) {
      try parse(changing: name, to: nil)
    }
    #expect(throws: NotificationProblem.missing(attribute: name)) {
      try parse(changing: name, to: .null)
    }
  }

  @Test(arguments: required + optional)
  func `an attribute that is not of its form is named`(name: String) {
    for value: JSONValue in ["", "\u{1}", 7, true, ["N-1"], ["a": "b"]] {
      #expect(throws: NotificationProblem.malformed(attribute: name)) {
        try parse(changing: name, to: value)
      }
    }
  }

  @Test(arguments: ["[]", "\"x\"", "1"])
  func `data that is no object is malformed`(text: String) throws {
    let value = try JSONValue.parse(text.utf8)
    #expect(throws: NotificationProblem.malformed(attribute: "data")) {
      try parse(changing: "data", to: value)
    }
  }

  @Test(arguments: optional)
  func `an optional attribute may be missing or null`(name: String) throws {
    let without = try parse(changing: name, to: nil)
    #expect(try parse(changing: name, to: .null) == without)
    #expect(without != (try parse(NotificationTests.full)))
  }

  @Test func `only CloudEvents 1.0 in JSON is taken`() throws {
    for (name, value): (String, JSONValue?) in [
      ("specversion", nil), ("specversion", "0.3"), ("specversion", 1), ("specversion", .null),
    ] {
      #expect(throws: NotificationProblem.notCloudEvents) { try parse(changing: name, to: value) }
    }
    for (name, value): (String, JSONValue) in [
      ("datacontenttype", "text/xml"), ("data_base64", "AA=="),
    ] {
      #expect(throws: NotificationProblem.foreignData) { try parse(changing: name, to: value) }
    }
    #expect(throws: NotificationProblem.notCloudEvents) { try Notification(parsing: "[]".utf8) }
    #expect(throws: NotificationProblem.notJSON(.malformed(offset: 0))) {
      try Notification(parsing: "<xml/>".utf8)
    }
    #expect(throws: NotificationProblem.notJSON(.duplicateMember(offset: 8))) {
      try Notification(parsing: #"{"id":1,"id":2}"#.utf8)
    }
    let plain = try parse(changing: "datacontenttype", to: nil)
    #expect(try parse(changing: "datacontenttype", to: .null) == plain)
    #expect(try parse(changing: "data_base64", to: .null) == plain)
  }

  @Test func `unknown attributes are counted and forgotten`() throws {
    var members = NotificationTests.full
    members["comment"] = "invented"
    members["x"] = ["y": 1]
    let notification = try parse(members)
    #expect(notification.unknownAttributes == 2)
    let content = String(decoding: notification.content, as: UTF8.self)
    #expect(!content.contains("invented") && !content.contains("comment"))
  }

  @Test func `what Sallyport writes into a notification is known`() throws {
    var members = NotificationTests.full
    for name in ["owner", "ackby", "decision", "policydigest", "onbehalfof", "dataschema"] {
      members[name] = "x"
    }
    #expect(try parse(members).unknownAttributes == 0)
  }

  @Test func `content is canonical and read back as the same notification`() throws {
    let notification = try parse(NotificationTests.full)
    #expect(
      String(decoding: notification.content, as: UTF8.self)
        == #"{"audience":"sallyport:north-east","basis":"LB-01","causationid":"X/7","#
        + #""correlationid":"N-0","data":{"releaseDate":"2026-10-15"},"#
        + #""dataclassification":"OFFICIAL-SENSITIVE","datacontenttype":"application/json","#
        + #""expirytime":"2026-03-02T09:30:00.000Z","id":"N-1","purpose":"public-protection","#
        + #""source":"prison:durham","specversion":"1.0","subject":"c-81f3","#
        + #""time":"2026-02-02T09:30:00.000Z","type":"release-date.changed"}"#)
    #expect(try Notification(parsing: notification.content) == notification)
  }

  @Test func `limits on the JSON are kept`() {
    let bytes = JSONValue.object(NotificationTests.full).canonicalBytes
    #expect(throws: NotificationProblem.notJSON(.tooLong(limit: 100))) {
      try Notification(parsing: bytes, limits: JSONLimits(bytes: 100))
    }
    #expect(throws: NotificationProblem.notJSON(.tooDeep(limit: 1))) {
      try Notification(parsing: bytes, limits: JSONLimits(depth: 1))
    }
  }

  @Test func `problems have stable codes`() {
    #expect(NotificationProblem.notJSON(.malformed(offset: 0)).code == "EXCH-001")
    #expect(NotificationProblem.notJSON(.tooLong(limit: 1)).code == "EXCH-005")
    #expect(NotificationProblem.notJSON(.tooDeep(limit: 1)).code == "EXCH-006")
    #expect(NotificationProblem.notJSON(.duplicateMember(offset: 0)).code == "EXCH-007")
    #expect(NotificationProblem.notJSON(.notUTF8).code == "EXCH-008")
    #expect(NotificationProblem.foreignData.code == "EXCH-009")
    #expect(NotificationProblem.notCloudEvents.code == "EXCH-002")
    #expect(NotificationProblem.missing(attribute: "id").code == "EXCH-003")
    #expect(NotificationProblem.malformed(attribute: "id").code == "EXCH-004")
  }
}

@Suite struct OutboundNotificationTests {
  private func outbound(answerBy: CivilDate?, correlationID: EventID?) throws
    -> OutboundNotification
  {
    var members = NotificationTests.full
    members["data"] = ["restriction": "no-work-with-children", "offence": "invented secret"]
    members["extra"] = "unknown"
    let original = try Notification(parsing: JSONValue.object(members).canonicalBytes)
    let copy = PermittedCopy(
      recipient: try party("jobcentre:durham"), fields: ["restriction": "no-work-with-children"],
      by: RulesAuthority())
    return OutboundNotification(
      permitted: copy, of: original,
      delivery: try #require(DeliveryID("01234567-89ab-4def-8246-8acf13579bde")),
      subject: try #require(SubjectReference("jc-7")), correlationID: correlationID,
      answerBy: answerBy,
      decision: try #require(ExchangeID("11111111-1111-4111-8111-111111111111")),
      policyDigest: "abc", purpose: "staff-safety", basis: "LB-02")
  }

  @Test func `a copy says only what was permitted, under the recipient's own reference`() throws {
    let copy = try outbound(answerBy: day("2026-02-09"), correlationID: eventID("J-1"))
    #expect(copy.recipient == (try party("jobcentre:durham")))
    #expect(
      String(decoding: copy.content, as: UTF8.self)
        == #"{"ackby":"2026-02-09","audience":"jobcentre:durham","basis":"LB-02","#
        + #""correlationid":"J-1","data":{"restriction":"no-work-with-children"},"#
        + #""dataclassification":"OFFICIAL-SENSITIVE","datacontenttype":"application/json","#
        + #""decision":"11111111-1111-4111-8111-111111111111","#
        + #""expirytime":"2026-03-02T09:30:00.000Z","id":"01234567-89ab-4def-8246-8acf13579bde","#
        + #""owner":"prison:durham","policydigest":"abc","purpose":"staff-safety","#
        + #""source":"prison:durham","specversion":"1.0","subject":"jc-7","#
        + #""time":"2026-02-02T09:30:00.000Z","type":"release-date.changed"}"#)
  }

  @Test func `nothing of the original passes but what is named`() throws {
    let text = String(
      decoding: try outbound(answerBy: nil, correlationID: nil).content, as: UTF8.self)
    for secret in ["invented secret", "c-81f3", "N-1", "N-0", "X/7", "LB-01", "unknown", "ackby"] {
      #expect(!text.contains(secret))
    }
  }

  @Test func `a copy is itself a notification to its recipient`() throws {
    let copy = try outbound(answerBy: day("2026-02-09"), correlationID: nil)
    let read = try Notification(parsing: copy.content)
    #expect(read.id.text == copy.delivery.text)
    #expect(read.audience == copy.recipient)
    #expect(read.data == ["restriction": "no-work-with-children"])
    #expect(read.unknownAttributes == 0)
  }
}
