import Exchange
import Rules
import Testing

/// The testing library has attachments of its own.
private typealias Attachment = Exchange.Attachment

/// Documents of which only the first bytes matter.
private enum Paper {
  static func document(_ number: UInt8, _ mediaType: MediaType = .pdf) throws -> Attachment {
    let digest = try #require(AttachmentDigest(octets: [UInt8](repeating: number, count: 32)))
    return Attachment(
      mediaType: mediaType, digest: digest, bytes: Array("%PDF-1.4 \(number)".utf8)[...])
  }
}

struct AttachmentRuleTests {
  private let distribution = Notice.minutes.with { $0.facts = Case.with(["level": 2]) }

  private func copies(
    _ ask: Ask, _ attachments: [Attachment]
  ) throws -> [String: PermittedCopy] {
    let policy = try Shipped.policy.get()
    let notification = try ask.notification().with(Attachments(attachments))
    let copies = try policy.permitted(policy.decide(ask.request()), notification)
    return Dictionary(uniqueKeysWithValues: copies.map { ($0.recipient.text, $0) })
  }

  /// By hand from MAPPA Guidance 7.16, 13a.15, 13b.3, 15.23, 17.3, 17.4: the type, the role, the document.
  private static let readers: Set<String> = [
    "mappa-a.referred coordinator referralForm",
    "mappa-f.returned coordinator prisonReport",
    "minutes.distributed.level2 probation minutes", "minutes.distributed.level2 police minutes",
    "minutes.distributed.level2 yot minutes", "minutes.distributed.level2 prison minutes",
    "minutes.distributed.level3 probation minutes", "minutes.distributed.level3 police minutes",
    "minutes.distributed.level3 yot minutes", "minutes.distributed.level3 prison minutes",
    "transfer.level1-notified coordinator transferForm",
    "transfer.level23-minutes coordinator minutes",
  ]

  @Test func `of all types and roles, those alone can be given a document that the table names`()
    throws
  {
    let policy = try Shipped.policy.get()
    var found: Set<String> = []
    for rule in policy.rulebook.types.values {
      let documents = rule.fields.filter { field in
        if case .attachment = field.rule.kind { true } else { false }
      }
      for recipient in rule.recipients {
        for role in recipient.roles {
          for field in documents where recipient.fields.contains(field.name) {
            found.insert("\(rule.type) \(role.rawValue) \(field.name)")
          }
        }
      }
    }
    #expect(found == AttachmentRuleTests.readers)
    #expect(!found.contains { $0.contains(" jobcentre ") })
  }

  @Test
  func `minutes go to the receiving co-ordinator whole, and the lead agency learns that they went`()
    throws
  {
    let document = try Paper.document(1)
    let ask = Notice.minutesOfTransfer.with { $0.data["minutes"] = document.reference.json }
    let copies = try copies(ask, [document])
    #expect(Set(copies.keys) == ["coordinator:northumbria", "probation:durham"])
    let whole = try #require(copies["coordinator:northumbria"])
    #expect(whole.attachments == Attachments([document]))
    #expect(whole.fields["minutes"] == document.reference.json)
    let rest = try #require(copies["probation:durham"])
    #expect(rest.attachments.isEmpty)
    #expect(Set(rest.fields.keys) == ["prisonNumber", "pncId", "receivingArea", "meetingDate"])
    // Withheld as any field is, with the reason.
    let outcome = try ask.decision().outcome(of: "minutes", to: "probation:durham")
    #expect(outcome?.outcome == .noRule)
    #expect(outcome?.reason.rule == "PRO-01")
  }

  @Test(arguments: [(Optional("2026-02-20"), true), ("2026-01-09", false), (nil, false)])
  func `a prison gets the minutes of the meeting that it reported to, and of no other`(
    reported: String?, gets: Bool
  ) throws {
    let document = try Paper.document(1)
    let ask = distribution.with { ask in
      ask.data["minutes"] = document.reference.json
      ask.facts = Case.with(["level": 2, "prisonReportMeeting": reported.map { .string($0) }])
    }
    let copies = try copies(ask, [document])
    #expect(copies["probation:durham"]?.attachments == Attachments([document]))
    let prison = try #require(copies["prison:durham"])
    #expect(prison.attachments.isEmpty != gets)
    #expect((prison.fields["minutes"] == nil) != gets)
    #expect(prison.fields["meetingDate"] == "2026-02-20")
  }

  @Test func `without the Chair's approval nobody gets minutes`() throws {
    let ask = distribution.with { $0.data["chairApproved"] = false }
    let decision = try ask.decision()
    #expect(decision.outcome == .refused)
    #expect(decision.rules == ["MIN-02"])
  }

  @Test func `a level 1 case goes by MAPPA G, a level 2 case by its minutes`() throws {
    let minutes = Notice.minutesOfTransfer
    #expect(try minutes.with { $0.facts = Case.facts }.decision().rules == ["TRF-02"])
    #expect(
      try Notice.transfer.with { $0.facts = Case.with(["level": 2]) }.decision().rules
        == ["TRF-02"])
  }

  @Test func `a document in a field that the rulebook does not know goes to nobody`() throws {
    let (known, unknown) = (try Paper.document(1), try Paper.document(2))
    let ask = Notice.minutesOfTransfer.with {
      $0.data["minutes"] = known.reference.json
      $0.data["annex"] = unknown.reference.json
    }
    for copy in try copies(ask, [known, unknown]).values {
      #expect(copy.attachments[unknown.digest] == nil)
      #expect(copy.fields["annex"] == nil)
    }
    #expect(try ask.decision().unknownFields == 1)
  }

  @Test func `where the bytes are not at hand there is no copy, rather than one without them`()
    throws
  {
    let document = try Paper.document(1)
    let ask = Notice.minutesOfTransfer.with { $0.data["minutes"] = document.reference.json }
    #expect(try Set(copies(ask, []).keys) == ["probation:durham"])
  }

  @Test(
    arguments: [
      ("text", "RULE-102"), (["length": 5], "RULE-104"),
      (["mediatype": "text/plain", "length": 5, "sha256": .string(digest)], "RULE-109"),
      (["mediatype": "image/png", "length": 5, "sha256": .string(digest)], "RULE-109"),
      (
        ["mediatype": "application/pdf", "length": 20_971_521, "sha256": .string(digest)],
        "RULE-103"
      ),
      (["mediatype": "application/pdf", "length": 0, "sha256": .string(digest)], "RULE-104"),
      (["mediatype": "application/pdf", "length": 5, "sha256": "ABC"], "RULE-104"),
    ] as [(JSONValue, String)])
  func `a value that is no document of the field is the sender's mistake`(
    value: JSONValue, code: String
  ) throws {
    let problems = try Notice.minutesOfTransfer.with { $0.data["minutes"] = value }.problems()
    #expect(problems.map(\.code) == [code])
    #expect(problems.map(\.field) == ["minutes"])
  }

  private static let digest = String(repeating: "ab", count: 32)

  @Test func `a rulebook that gives a document to a role whose texts are read is refused`() throws {
    let codes = #expect(throws: PolicyProblems.self) {
      try Rulebook.parse(
        files: Shipped.rulebookFiles().map { name, text in
          switch name {
          case "jobcentre.yaml":
            (
              name,
              text.replacing(
                "required: [discussionDate, discussionReference, discussionReason]",
                with: "required: [discussionDate, discussionReference, discussionReason, report]"
              ).replacing(
                "fields: [discussionDate, discussionReference]",
                with: "fields: [discussionDate, discussionReference, report]")
            )
          case "fields.yaml":
            (
              name,
              text
                + "  report: {title: Report, item: action-points, kind: attachment, longest: 9, "
                + "media-types: application/pdf}\n"
            )
          default: (name, text)
          }
        })
    }
    #expect(codes?.problems.map(\.code) == [.unreadDocument])
  }
}
