import Exchange
import Foundation
import Synchronization
import Testing

@testable import Mailbox

/// Where the double has the mailbox of the tests.
let box = "/messageexchange/X26ABC1"

@Suite(.timeLimit(.minutes(1))) struct `The MESH client` {
  func client(
    _ double: ClientServiceDouble, limits: MeshEndpoint.Limits = .init()
  ) throws -> MeshClient {
    let endpoint = try MeshEndpoint(
      baseURL: double.url, mailbox: try #require(MailboxID("X26ABC1")), password: "password",
      sharedSecret: "TestKey", identity: try double.authority.identity(), limits: limits)
    let number = Mutex(0)
    return MeshClient(
      endpoint: endpoint, transport: try HTTPSTransport(),
      nonce: {
        // The double plays for as long as somebody can call it.
        withExtendedLifetime(double) {}
        return number.withLock {
          $0 += 1
          return "nonce-\($0)"
        }
      }, now: { Instant(milliseconds: 1_588_597_500_000) })  // 2020-05-04T13:05:00Z
  }

  func id(_ text: String) throws -> CarrierMessageID {
    try #require(CarrierMessageID(text))
  }

  func failure<Answer>(
    _ call: () async throws(MeshError) -> Answer
  ) async -> MeshError? {
    do throws(MeshError) {
      _ = try await call()
      return nil
    } catch {
      return error
    }
  }

  func message(
    _ id: String, range: String? = nil, more: [[String]] = []
  ) -> [[String]] {
    [["Mex-MessageID", id], ["mex-messagetype", "DATA"]]
      + (range.map { [["Mex-Chunk-Range", $0]] } ?? []) + more
  }

  // MARK: Tokens

  @Test func `carries a fresh token in every request`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "POST \(box)", always: true),
      .get("\(box)/inbox", body: #"{"messages":[]}"#),
    ])
    let client = try client(double)
    try await client.handshake()
    try await client.handshake()
    _ = try await client.list()
    let seen = await double.seen(3)
    let tokens = seen.compactMap { $0.headers["authorization"] }.compactMap(MeshToken.init)
    #expect(tokens.map(\.nonce) == ["nonce-1", "nonce-2", "nonce-3"])
    #expect(tokens.allSatisfy { $0.verify(password: "password", secret: "TestKey") })
    #expect(seen.allSatisfy { $0.headers["accept"] == "application/vnd.mesh.v2+json" })
    #expect(seen.allSatisfy { $0.headers["accept-encoding"] == "identity" })
    for name in ["mex-clientversion", "mex-osname", "mex-osversion"] {
      #expect(seen[0].headers[name]?.isEmpty == false)
    }
  }

  @Test func `tries again once, with a fresh token, when the connection was closed`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "POST \(box)"),
      .init(on: "PUT \(box)/inbox/A1/status/acknowledged", mode: .drop),
      .init(on: "PUT \(box)/inbox/A1/status/acknowledged"),
      .init(on: "PUT \(box)/inbox/B2/status/acknowledged", mode: .drop, always: true),
    ])
    let client = try client(double)
    try await client.handshake()
    try await client.acknowledge(try id("A1"))
    let seen = await double.seen(3)
    let tokens = Set(seen.compactMap { $0.headers["authorization"] })
    #expect(tokens.count == 3)
    let b2 = try id("B2")
    let error = await failure { () throws(MeshError) in try await client.acknowledge(b2) }
    #expect(error?.code == "MESH-008")
    #expect(error?.kind == .later(retryAfter: nil))
    #expect(await double.seen(5).count == 5)
  }

  // MARK: Lists

  @Test func `follows the listing's links within the same inbox`() async throws {
    let double = try await ClientServiceDouble([
      .get(
        "\(box)/inbox",
        body:
          #"{"messages":["A1","b2"],"links":{"self":"x","next":"\#(box)/inbox?continue_from=B2"},"#
          + #""approx_inbox_count":3}"#),
      .get("\(box)/inbox?continue_from=B2", body: #"{"messages":["B2","C3"],"links":{}}"#),
    ])
    let page = try await client(double).list()
    #expect(page.ids.map(\.text) == ["A1", "B2", "C3"])
    #expect(page.approximateCount == 3)
    #expect(page.next == nil)
  }

  @Test func `stops following when it has enough, and goes on from there`() async throws {
    let next = "\(box)/inbox?continue_from=B2"
    let double = try await ClientServiceDouble([
      .get("\(box)/inbox", body: #"{"messages":["A1","B2"],"links":{"next":"\#(next)"}}"#),
      .get(next, body: #"{"messages":["C3"],"links":{"next":null}}"#),
    ])
    let client = try client(double)
    let first = try await client.list(maximum: 2)
    #expect(first.ids.map(\.text) == ["A1", "B2"])
    #expect(first.next?.path == next)
    let second = try await client.list(maximum: 2, from: first.next)
    #expect(second.ids.map(\.text) == ["C3"])
  }

  @Test func `reads at most so many pages of a listing without end`() async throws {
    var limits = MeshEndpoint.Limits()
    limits.pages = 3
    let pages = (0..<5).map { number in
      ClientServiceDouble.Reply.get(
        number == 0 ? "\(box)/inbox" : "\(box)/inbox?continue_from=\(number)",
        body: #"{"messages":[],"links":{"next":"\#(box)/inbox?continue_from=\#(number + 1)"}}"#)
    }
    let double = try await ClientServiceDouble(pages)
    let page = try await client(double, limits: limits).list()
    #expect(page.next?.path == "\(box)/inbox?continue_from=3")
    #expect(await double.seen(3).count == 3)
  }

  @Test func `follows no link out of the inbox`() async throws {
    let links = [
      "https://elsewhere.example/messageexchange/X26ABC1/inbox?a=1", "//elsewhere.example/inbox?a",
      "/messageexchange/OTHER/inbox?a=1", "/messageexchange/X26ABC1/inbox",
      "/messageexchange/X26ABC1/../OTHER/inbox?a", "/messageexchange/X26ABC1/inbox?a#b",
      "/messageexchange/X26ABC1/inbox?a b", "@elsewhere.example/messageexchange/X26ABC1/inbox?a",
      "/messageexchange/X26ABC1/inbox/A1?a=1",
    ]
    let double = try await ClientServiceDouble(
      links.map { link in
        .get("\(box)/inbox", body: #"{"messages":[],"links":{"next":"\#(link)"}}"#)
      })
    let client = try client(double)
    for link in links {
      let error = await failure { () throws(MeshError) in try await client.list() }
      #expect(error?.code == "MESH-027", "\(link)")
    }
    #expect(await double.seen(links.count).count == links.count)
  }

  @Test func `refuses a listing that runs in a circle`() async throws {
    let next = "\(box)/inbox?continue_from=B2"
    let double = try await ClientServiceDouble([
      .get("\(box)/inbox", body: #"{"messages":["A1"],"links":{"next":"\#(next)"}}"#),
      .get(next, body: #"{"messages":["B2"],"links":{"next":"\#(next)"}}"#),
    ])
    let client = try client(double)
    #expect(await failure { () throws(MeshError) in try await client.list() }?.code == "MESH-027")
  }

  @Test func `sets apart entries that are not ids, and keeps the others`() async throws {
    let double = try await ClientServiceDouble([
      .get("\(box)/inbox", body: #"{"messages":["A1","../B2","C/3",4,"","D4"]}"#)
    ])
    let page = try await client(double).list()
    #expect(page.ids.map(\.text) == ["A1", "D4"])
    #expect(page.unreadable == 4)
  }

  @Test func `refuses a listing that is not one`() async throws {
    let bodies = [
      "", "[]", "null", "{", #"{"messages":{}}"#, #"{"messages":[],"messages":["A1"]}"#,
      #"{"messages":[],"links":{"next":7}}"#, String(repeating: "[", count: 1000),
    ]
    let double = try await ClientServiceDouble(bodies.map { .get("\(box)/inbox", body: $0) })
    let client = try client(double)
    for body in bodies {
      let error = await failure { () throws(MeshError) in try await client.list() }
      #expect(error?.code == "MESH-024", "\(body)")
      #expect(error?.kind == .malformed, "\(body)")
    }
  }

  // MARK: Downloads

  @Test func `downloads a message with what the carrier says of it`() async throws {
    let headers = message(
      "A1",
      more: [
        ["Mex-From", "x26abc2"], ["Mex-To", "X26ABC1"], ["MEX-WORKFLOWID", "NOTICE"],
        ["mex-localid", "L1"], ["Mex-FileName", "A1.dat"],
      ])
    let double = try await ClientServiceDouble([
      .get("\(box)/inbox/A1", 200, headers, body: "sealed")
    ])
    let message = try await client(double).download(try id("A1"))
    #expect(message.kind == .data)
    #expect(message.from?.text == "X26ABC2")
    #expect(message.to?.text == "X26ABC1")
    #expect(message.workflowID == "NOTICE")
    #expect(message.localID == "L1")
    #expect(message.body == Array("sealed".utf8))
  }

  @Test func `joins chunks`() async throws {
    let double = try await ClientServiceDouble([
      .get("\(box)/inbox/A1", 206, message("A1", range: "1:3"), body: "one "),
      .get("\(box)/inbox/A1/2", 206, [["mex-chunk-range", "2:3"]], body: "two "),
      .get("\(box)/inbox/A1/3", 200, [["mex-chunk-range", "3:3"]], body: "three"),
    ])
    let message = try await client(double).download(try id("A1"))
    #expect(message.body == Array("one two three".utf8))
  }

  @Test func `refuses chunks other than announced`() async throws {
    let cases = [
      // First status and range, second status and range.
      (206, "1:2", 206, "2:2"), (206, "1:2", 206, "2:3"), (206, "1:2", 200, "1:2"),
      (206, "1:1", 200, "2:2"), (200, "1:2", 200, "2:2"), (206, "1:33", 200, "2:33"),
      (206, "2:2", 200, "2:2"), (200, "zero", 200, "2:2"), (206, "1:2", 200, "3:3"),
    ]
    let script = cases.enumerated().flatMap { place, chunk -> [ClientServiceDouble.Reply] in
      [
        .get("\(box)/inbox/A\(place)", chunk.0, message("A\(place)", range: chunk.1), body: "one"),
        .get(
          "\(box)/inbox/A\(place)/2", chunk.2, [["mex-chunk-range", chunk.3]], body: "two"),
      ]
    }
    let client = try client(try await ClientServiceDouble(script))
    for (place, chunk) in cases.enumerated() {
      let id = try id("A\(place)")
      let error = await failure { () throws(MeshError) in try await client.download(id) }
      #expect(error?.code == "MESH-026", "\(chunk)")
    }
  }

  @Test func `bounds the message, all chunks together`() async throws {
    var limits = MeshEndpoint.Limits()
    limits.messageBytes = 10
    let double = try await ClientServiceDouble([
      .get("\(box)/inbox/A1", 206, message("A1", range: "1:2"), body: "12345"),
      .get("\(box)/inbox/A1/2", 200, [["mex-chunk-range", "2:2"]], body: "678901"),
      .get("\(box)/inbox/B2", 206, message("B2", range: "1:2"), body: "1234567890"),
      .get("\(box)/inbox/C3", 200, message("C3"), body: "1234567890"),
    ])
    let client = try client(double, limits: limits)
    for name in ["A1", "B2"] {
      let id = try id(name)
      let error = await failure { () throws(MeshError) in try await client.download(id) }
      #expect(error?.kind == .tooLarge, "\(name)")
      #expect(error?.code == "MESH-025", "\(name)")
    }
    #expect(try await client.download(try id("C3")).body.count == 10)
  }

  @Test func `refuses a message whose headers do not fit`() async throws {
    let cases = [
      [["mex-messageid", "B2"], ["mex-messagetype", "DATA"]], [["mex-messagetype", "DATA"]],
      [["mex-messageid", "A1"]], [["mex-messageid", "A1"], ["mex-messagetype", "OTHER"]],
      [["mex-messageid", "A1"], ["mex-messagetype", "DATA"], ["mex-messagetype", "REPORT"]],
      [["mex-messageid", "A1"], ["mex-messagetype", "DATA"], ["content-encoding", "gzip"]],
    ]
    let double = try await ClientServiceDouble(
      cases.map { .get("\(box)/inbox/A1", 200, $0, body: "x") })
    let (client, a1) = (try client(double), try id("A1"))
    for headers in cases {
      let error = await failure { () throws(MeshError) in try await client.download(a1) }
      #expect(error?.code == "MESH-024", "\(headers)")
    }
  }

  @Test func `reads a report and takes no payload from it`() async throws {
    let headers = [
      ["Mex-MessageID", "R1"], ["Mex-MessageType", "REPORT"], ["Mex-Chunk-Range", "1:0"],
      ["Mex-LinkedMsgID", "A1"], ["Mex-StatusCode", "14"], ["Mex-StatusEvent", "SEND"],
      ["Mex-StatusDescription", "Message not collected by recipient after 5 days"],
      ["Mex-StatusTimestamp", "20200504130507"],
    ]
    let double = try await ClientServiceDouble([.get("\(box)/inbox/R1", 200, headers)])
    let message = try await client(double).download(try id("R1"))
    let report = MeshReport(
      linkedID: try id("A1"), code: "14", event: "SEND",
      text: "Message not collected by recipient after 5 days",
      at: try #require(Instant("2020-05-04T13:05:07Z")))
    #expect(message.kind == .report(report))
  }
}
