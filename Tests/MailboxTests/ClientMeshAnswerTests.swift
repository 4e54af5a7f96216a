import Exchange
import Foundation
import Testing

@testable import Mailbox

extension `The MESH client` {
  // MARK: Sending

  @Test func `sends a message once and gives its id`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "POST \(box)/outbox", status: 202, body: #"{"message_id":"A1"}"#)
    ])
    let id = try await client(double).send(
      to: try #require(MailboxID("X26ABC2")), workflow: "NOTICE", localID: "L1", body: [1, 2, 3])
    #expect(id.text == "A1")
    let seen = await double.seen(1)[0]
    #expect(seen.headers["mex-to"] == "X26ABC2")
    #expect(seen.headers["mex-workflowid"] == "NOTICE")
    #expect(seen.headers["mex-localid"] == "L1")
    #expect(seen.bodyLength == 3)
  }

  @Test func `never repeats a send, and says when its outcome is unknown`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "POST \(box)"),
      .init(on: "POST \(box)/outbox", mode: .drop),
      .init(on: "POST \(box)/outbox", status: 202, body: "not JSON"),
      .init(on: "POST \(box)/outbox", status: 504),
      .init(on: "POST \(box)/outbox", status: 503),
      .init(on: "POST \(box)/outbox", status: 417, body: #"{"detail":[{"code":"12","msg":"no"}]}"#),
    ])
    let (client, to) = (try client(double), try #require(MailboxID("X26ABC2")))
    try await client.handshake()
    func send() async -> MeshError? {
      await failure { () throws(MeshError) in
        try await client.send(to: to, workflow: "NOTICE", localID: "L1", body: [1])
      }
    }
    for _ in 0..<3 { #expect(await send()?.kind == .unconfirmed) }
    #expect(await send()?.kind == .later(retryAfter: nil))
    let refused = await send()
    #expect(refused?.kind == .refused)
    #expect(refused?.detail == "HTTP 417, its code 12")
    #expect(await double.seen(6).count == 6)
  }

  @Test func `does not send an empty body, or headers with line breaks`() async throws {
    let double = try await ClientServiceDouble([])
    let (client, to) = (try client(double), try #require(MailboxID("X26ABC2")))
    let empty = await failure { () throws(MeshError) in
      try await client.send(to: to, workflow: "NOTICE", localID: "L1", body: [])
    }
    #expect(empty?.code == "MESH-030")
    let broken = await failure { () throws(MeshError) in
      try await client.send(to: to, workflow: "NOTICE", localID: "L1\r\nMex-To: X", body: [1])
    }
    #expect(broken?.code == "MESH-001")
    #expect(broken?.kind == .refused)
    #expect(double.seenSoFar == 0)
  }

  @Test func `tracks a message`() async throws {
    let path = "\(box)/outbox/tracking?messageID=A1"
    let double = try await ClientServiceDouble([
      .get(path, body: #"{"message_id":"A1","status":"Acknowledged","extra":null}"#),
      .get(path, body: #"{"message_id":"B2","status":"accepted"}"#),
      .get(path, 404),
    ])
    let (client, a1) = (try client(double), try id("A1"))
    #expect(try await client.track(a1).status == .acknowledged)
    #expect(
      await failure { () throws(MeshError) in try await client.track(a1) }?.kind == .malformed)
    #expect(await failure { () throws(MeshError) in try await client.track(a1) }?.kind == .gone)
  }

  // MARK: Answers and what follows from them

  @Test func `maps what a service answers`() async throws {
    let cases: [(status: Int, retryAfter: String, kind: MeshError.Kind)] = [
      (401, "", .credential), (403, "", .credential), (404, "", .gone),
      (410, "", .gone), (417, "", .refused), (400, "", .refused), (302, "", .refused),
      (429, "", .later(retryAfter: nil)), (429, "120", .later(retryAfter: .seconds(120))),
      (429, "999999", .later(retryAfter: .seconds(86_400))),
      (503, "Mon, 04 May 2020 13:06:30 GMT", .later(retryAfter: .seconds(90))),
      (503, "Mon, 04 May 2020 13:00:00 GMT", .later(retryAfter: .zero)),
      (503, "soon", .later(retryAfter: nil)), (500, "", .later(retryAfter: nil)),
      (600, "", .malformed),
    ]
    let double = try await ClientServiceDouble(
      cases.map { answer in
        .get(
          "\(box)/inbox/A1", answer.status,
          answer.retryAfter.isEmpty ? [] : [["Retry-After", answer.retryAfter]])
      })
    let (client, a1) = (try client(double), try id("A1"))
    for answer in cases {
      let error = await failure { () throws(MeshError) in try await client.download(a1) }
      #expect(error?.kind == answer.kind, "\(answer)")
    }
  }

  @Test func `takes a listing that is not found for a wrong mailbox, not for a gone message`()
    async throws
  {
    let double = try await ClientServiceDouble([.get("\(box)/inbox", 404)])
    let client = try client(double)
    #expect(await failure { () throws(MeshError) in try await client.list() }?.kind == .refused)
  }

  @Test func `takes a server that it does not trust for the operator's turn`() async throws {
    let double = try await ClientServiceDouble([])
    let endpoint = try MeshEndpoint(
      baseURL: double.url + "/", mailbox: try #require(MailboxID("X26ABC1")), password: "password",
      sharedSecret: "TestKey", identity: try double.authority.identity(trusting: "other"))
    let client = MeshClient(
      endpoint: endpoint, transport: try HTTPSTransport(), now: { Instant(milliseconds: 0) })
    let error = await failure { () throws(MeshError) in try await client.list() }
    #expect(error?.kind == .credential)
    #expect(error?.code == "MESH-005")
    #expect(error?.turn == .operator)
  }

  @Test func `keeps password and secret out of descriptions and dumps`() async throws {
    let double = try await ClientServiceDouble([])
    let client = try client(double)
    var dumped = ""
    dump(client.endpoint, to: &dumped)
    for text in ["\(client.endpoint)", dumped, String(reflecting: client.endpoint)] {
      #expect(!text.contains("password") && !text.contains("TestKey"))
    }
  }

  @Test(arguments: [
    "http://mesh.example", "https://", "https://user@mesh.example", "https://mesh.example?a",
    "https://mesh.example#a", "https://mesh.example/a//b", "https://mesh.example/../a",
    "mesh.example",
  ])
  func `refuses a base URL of another form`(url: String) async throws {
    let authority = try ClientTestAuthority.shared.get()
    let mailbox = try #require(MailboxID("X26ABC1"))
    #expect(throws: MeshError.unusable("")) {
      try MeshEndpoint(
        baseURL: url, mailbox: mailbox, password: "password", sharedSecret: "TestKey",
        identity: try authority.identity())
    }
  }
}
