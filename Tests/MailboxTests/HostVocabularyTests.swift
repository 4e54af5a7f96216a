import Exchange
import HTTPTypes
import Testing

@testable import Mailbox

struct HostVocabularyTests {
  static let accepts: [(String?, Int?)] = [
    (nil, 1), ("", 1), ("*/*", 1), ("application/json", 1), ("application/vnd.mesh.v1+json", 1),
    ("application/vnd.mesh.v2+json", 2), ("application/vnd.mesh.v9+json", 2),
    ("application/vnd.mesh.v02+json", 2), ("Application/VND.Mesh.V2+JSON; q=0.9", 2),
    ("text/html, application/vnd.mesh.v2+json;q=1, */*", 2),
    ("application/vnd.mesh.v2+json, application/vnd.mesh.v1+json", 2),
    ("application/json;application/vnd.mesh.v2+json", 2),
    ("application/vnd.mesh.v0+json", nil), ("application/vnd.mesh+json", nil),
    ("application/vnd.mesh.v2", nil), ("application/vnd.mesh.vtwo+json", nil),
    ("x/vnd.mesh.v2+json", nil), ("application/vnd.mesh.v+json", nil),
  ]

  @Test(arguments: accepts)
  func `the version is the highest that Accept names`(_ accept: String?, _ version: Int?) {
    #expect(MeshVersion(accept: accept)?.rawValue == version)
  }

  @Test(arguments: ["", "A", "!*", "**", "!", "!**", String(repeating: "a", count: 256)])
  func `a filter without a word, or too long, is none`(_ text: String) {
    #expect(MeshWorkflowFilter(text) == nil)
  }

  @Test(arguments: ["", "1", "1:", ":1", "0:1", "2:1", "1:1:1", "+1:1", "1: 1", "1:9999999"])
  func `what is not a chunk range is none`(_ text: String) {
    #expect(MeshChunkRange(text) == nil)
  }

  @Test func `a chunk range is a part and a total`() throws {
    let range = try #require(MeshChunkRange("2:13"))
    #expect(range.part == 2)
    #expect(range.total == 13)
    #expect(range.description == "2:13")
  }

  @Test(arguments: [
    ("GET", "/messageexchange/_ping", "/_ping"),
    ("POST", "/messageexchange/ALPHA/", "/{mailbox}"),
    ("GET", "/messageexchange/ALPHA/inbox", "/{mailbox}/inbox"),
    ("GET", "/messageexchange/ALPHA/inbox/ABC", "/{mailbox}/inbox/{id}"),
    ("HEAD", "/messageexchange/ALPHA/inbox/ABC", "/{mailbox}/inbox/{id}"),
    ("GET", "/messageexchange/ALPHA/inbox/ABC/2", "/{mailbox}/inbox/{id}/{n}"),
    (
      "PUT", "/messageexchange/ALPHA/inbox/A/status/acknowledged",
      "/{mailbox}/inbox/{id}/status/acknowledged"
    ),
    ("POST", "/messageexchange/A/outbox", "/{mailbox}/outbox"),
    ("POST", "/messageexchange/A/outbox/X/2", "/{mailbox}/outbox/{id}/{n}"),
    ("GET", "/messageexchange/A/outbox/tracking", "/{mailbox}/outbox/tracking"),
    ("GET", "/messageexchange/A/inbox/rich", "/{mailbox}/inbox/rich"),
    ("GET", "/messageexchange/A/outbox/rich", "/{mailbox}/outbox/rich"),
    ("GET", "/messageexchange/A/outbox/tracking/a%2Fb", "/{mailbox}/outbox/tracking/{local_id}"),
  ])
  func `a path is one call, named without its identifiers`(
    _ method: String, _ path: String, _ pattern: String
  ) throws {
    let method = try #require(HTTPRequest.Method(method))
    #expect(try HostRoute(method, path: path[...]).pattern == pattern)
  }

  @Test(arguments: [
    "", "/", "/messageexchange", "/messageexchange/", "/messageexchange//inbox", "/other/A",
    "/messageexchange/A/inbox/%zz", "/messageexchange/A/inbox/%ff", "messageexchange/A",
    "/messageexchange/A/outbox/rich/b/c",
    "/messageexchange/" + String(repeating: "A", count: 9000),
  ])
  func `anything else is an unknown path`(_ path: String) {
    #expect(throws: HostRefusal.unknownPath) { try HostRoute(.get, path: path[...]) }
  }

  @Test func `identifiers of a path are decoded once`() throws {
    let route = try HostRoute(.get, path: "/messageexchange/a%2Db/outbox/tracking/x%252Fy+z")
    #expect(route == .trackLocal(mailbox: "a-b", localID: "x%2Fy+z"))
  }

  @Test func `the first of two equal parameters counts, and what cannot be read is left out`() {
    let query = HostQuery("a=1&a=2&b=x%20y+z&c&d=%zz&=")
    #expect(query["a"] == "1")
    #expect(query["b"] == "x y z")
    #expect(query["c"] == "")
    #expect(query["d"] == nil)
  }

  @Test func `a cursor of a position reads back, and no other text does`() throws {
    let mailbox = try #require(MailboxID("ALPHA"))
    for position in [0, 1, 4_294_967_296, Int64.max] {
      let text = InboxCursor.text(position: position, mailbox: mailbox)
      #expect(text.utf8.count == 28)
      #expect(InboxCursor(text, mailbox: mailbox) == .position(position))
    }
    for text in ["c1_ffffffffffffffff_00000000", "c1_00_00", "c1_", "", "no cursor"] {
      #expect(InboxCursor(text, mailbox: mailbox) == nil)
    }
  }

  @Test func `every refusal has a code of its own`() throws {
    let id = try #require(CarrierMessageID("ABC"))
    let all: [HostRefusal] = [
      .malformedAuthorization, .otherMailboxInToken, .tokenOutOfTime, .unknownMailbox,
      .certificateNotOfMailbox, .wrongToken, .tokenUsedBefore, .tokenMemoryFull,
      .malformedAccept, .invalid([]), .controlCharacters, .emptyRecipient, .forbiddenChecksum,
      .unknownMessage, .notFound, .messageOfAnotherMailbox, .messageGone, .unregisteredRecipient,
      .workflowNotRegistered, .emptyBody, .invalidChunkRange(nil), .unsupportedEncoding,
      .tooLarge, .busy, .localIDNotUnique, .unknownPath, .methodNotAllowed, .bodyCutOff, .failed,
      .tooManyAtOnce, .overQuota, .expandsTooFar, .notGzip, .partBeyondTotal, .uploadFinished,
      .encodingChanged(id), .totalChanged(id), .partsMissing(id), .tooManyParts,
    ]
    #expect(Set(all.map(\.form.code)).count == all.count)
    #expect(all.allSatisfy { $0.form.code.hasPrefix("HOST-0") })
  }

  @Test func `secrets show in no dump`() {
    let credentials = MailboxCredentials(
      password: "invented-password", certificateFingerprints: ["aa"])
    let configuration = HostConfiguration(
      address: "127.0.0.1", port: 1, certificateChainPEM: [], privateKeyPEM: [250, 251],
      clientCAPEM: [], sharedSecret: "invented-secret", environment: "test")
    var text =
      "\(credentials) \(configuration) \([credentials]) \(String(reflecting: configuration))"
    dump(credentials, to: &text)
    dump(configuration, to: &text)
    #expect(!text.contains("invented"))
    #expect(!text.contains("250"))
  }

  @Test func `bodies in flight are bounded together, and for each mailbox`() throws {
    let (alpha, bravo) = (try #require(MailboxID("ALPHA")), try #require(MailboxID("BRAVO")))
    let budget = BodyBudget(capacity: 100, share: 70)
    #expect(budget.take(60, for: alpha))
    #expect(!budget.take(11, for: alpha))
    #expect(budget.take(10, for: alpha))
    #expect(!budget.take(31, for: bravo))
    #expect(budget.take(30, for: bravo))
    budget.give(70, for: alpha)
    #expect(!budget.take(71, for: alpha))
    #expect(budget.take(70, for: alpha))
    #expect(!budget.take(1, for: bravo))
  }

  @Test func `what was taken of a budget goes back with the request`() throws {
    let alpha = try #require(MailboxID("ALPHA"))
    let budget = BodyBudget(capacity: 100, share: 100)
    do {
      let share = BodyShare(budget, alpha)
      #expect(share.take(60))
      #expect(share.take(40))
      #expect(!share.take(1))
    }
    #expect(budget.take(100, for: alpha))
  }

  @Test func `so many requests of one mailbox are let in, and others are not their concern`() throws
  {
    let (alpha, bravo) = (try #require(MailboxID("ALPHA")), try #require(MailboxID("BRAVO")))
    let turnstile = RequestTurnstile(limit: 2)
    #expect(turnstile.enter(alpha) && turnstile.enter(alpha))
    #expect(!turnstile.enter(alpha))
    #expect(turnstile.enter(bravo))
    turnstile.leave(alpha)
    #expect(turnstile.enter(alpha))
  }

  @Test(
    arguments: [
      (nil, false), ("", false), ("gzip", true), ("GZIP, deflate", true),
      ("deflate;q=1, gzip;q=0.5", true),
      ("*", true), ("gzip;q=0", false), ("*;q=0", false), ("gzip;q=0.000, *", false), ("br", false),
      ("identity, gzipped", false),
    ] as [(String?, Bool)])
  func `gzip is offered by name or star, unless its weight is nought`(
    _ header: String?, _ isOffered: Bool
  ) {
    #expect(offersGzip(header) == isOffered)
  }

  @Test func `limits out of range are named together`() {
    var limits = HostLimits()
    #expect(limits.faults.isEmpty)
    limits.bodyBytes = 300_000_000
    limits.idleTimeout = .zero
    #expect(
      limits.faults.map { $0.prefix { $0 != ":" } } == [
        "bodyBytes", "bodyBytesInFlight", "idleTimeout",
      ])
  }
}
