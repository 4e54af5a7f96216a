import Exchange
import Foundation
import Testing

@testable import Mailbox

/// Messages in several parts, both ways, and parts that are coded.
extension `The MESH client` {
  private func coded(
    _ path: String, _ status: Int = 200, _ headers: [[String]], _ bytes: [UInt8]
  ) -> ClientServiceDouble.Reply {
    .init(
      on: "GET \(path)", status: status, headers: headers + [["Content-Encoding", "gzip"]],
      body: Data(bytes).base64EncodedString(), isBase64: true)
  }

  // MARK: Downloads

  @Test func `expands each part by itself where the service codes it`() async throws {
    let double = try await ClientServiceDouble([
      coded("\(box)/inbox/A1", 206, message("A1", range: "1:3"), try gzipped(Array("one ".utf8))),
      coded(
        "\(box)/inbox/A1/2", 206, [["mex-chunk-range", "2:3"]], try gzipped(Array("two ".utf8))),
      .get("\(box)/inbox/A1/3", 200, [["mex-chunk-range", "3:3"]], body: "three"),
    ])
    let message = try await client(double).download(try id("A1"))
    #expect(message.body == Array("one two three".utf8))
    #expect(await double.seen(3).allSatisfy { $0.headers["accept-encoding"] == "identity" })
  }

  @Test func `refuses a part that does not expand, or to more than allowed`() async throws {
    let bomb = try gzipped([UInt8](repeating: 0, count: 300_000))
    var limits = MeshEndpoint.Limits()
    limits.messageBytes = 100_000
    let double = try await ClientServiceDouble([
      coded("\(box)/inbox/A1", 200, message("A1"), bomb),
      coded("\(box)/inbox/B2", 200, message("B2"), Array(bomb.dropLast())),
      coded("\(box)/inbox/C3", 200, message("C3"), Array("plain".utf8)),
      .get(
        "\(box)/inbox/D4", 200, message("D4", more: [["content-encoding", "br"]]), body: "plain"),
    ])
    let client = try client(double, limits: limits)
    for (name, code) in [
      ("A1", "MESH-025"), ("B2", "MESH-025"), ("C3", "MESH-024"), ("D4", "MESH-024"),
    ] {
      let id = try id(name)
      let error = await failure { () throws(MeshError) in try await client.download(id) }
      #expect(error?.code == code, "\(name)")
    }
  }

  @Test func `goes on at the part that broke off`() async throws {
    let double = try await ClientServiceDouble([
      .get("\(box)/inbox/A1", 206, message("A1", range: "1:3"), body: "one "),
      .init(on: "GET \(box)/inbox/A1/2", mode: .drop),
      .init(on: "GET \(box)/inbox/A1/2", mode: .drop),
      .get("\(box)/inbox/A1/2", 503),
      .get("\(box)/inbox/A1/2", 206, [["mex-chunk-range", "2:3"]], body: "two "),
      .get("\(box)/inbox/A1/3", 200, [["mex-chunk-range", "3:3"]], body: "three"),
    ])
    let message = try await client(double).download(try id("A1"))
    #expect(message.body == Array("one two three".utf8))
    let lines = await double.seen(6).map(\.line)
    #expect(lines.count { $0 == "GET \(box)/inbox/A1" } == 1)
  }

  @Test func `breaks off when a part cannot be had, and at once when asked to wait`() async throws {
    let second = "\(box)/inbox/A1/2"
    let double = try await ClientServiceDouble([
      .init(
        on: "GET \(box)/inbox/A1", status: 206, headers: message("A1", range: "1:2"), body: "one",
        always: true),
      .get(second, 503), .get(second, 503), .get(second, 503), .get(second, 503),
      .get(second, 503, [["Retry-After", "77"]]),
    ])
    let (client, a1) = (try client(double), try id("A1"))
    let tired = await failure { () throws(MeshError) in try await client.download(a1) }
    #expect(tired?.kind == .later(retryAfter: nil))
    let asked = await failure { () throws(MeshError) in try await client.download(a1) }
    #expect(asked?.kind == .later(retryAfter: .seconds(77)))
    #expect(await double.seen(7).count == 7)
  }

  @Test func `takes nothing for whole that was cut, wherever the connection was reset`()
    async throws
  {
    let body = "an invented notice"
    let headers = message("A1", range: "1:1")
    let head =
      "HTTP/1.1 200 Scripted\r\n"
      + headers.map { "\($0[0]): \($0[1])\r\n" }.joined()
      + "Content-Length: \(body.utf8.count)\r\n\r\n"
    let length = head.utf8.count + body.utf8.count
    let path = "\(box)/inbox/A1"
    let double = try await ClientServiceDouble(
      (0..<length).flatMap { cut in
        // What breaks before any byte of an answer is asked for again, once, at once.
        (0..<2).map { _ in
          .init(on: "GET \(path)", mode: .cut, headers: headers, body: body, cut: cut)
        }
      } + [.get(path, 200, headers, body: body)])
    let (client, a1) = (try client(double), try id("A1"))
    for cut in 0..<length {
      let error = await failure { () throws(MeshError) in try await client.download(a1) }
      #expect(error != nil, "\(cut)")
    }
    #expect(try await client.download(a1).body == Array(body.utf8))
  }

  @Test func `bounds a listing of a million ids and an id of ten thousand characters`() async throws
  {
    let million = (0..<1_000_000).map { "\"M\($0)\"" }.joined(separator: ",")
    let long = String(repeating: "A", count: 10_000)
    let double = try await ClientServiceDouble([
      .get("\(box)/inbox", body: #"{"messages":[\#(million)]}"#),
      .get("\(box)/inbox", body: #"{"messages":["A1","\#(long)","A\u0000","../A","A1"]}"#),
    ])
    let client = try client(double)
    let error = await failure { () throws(MeshError) in try await client.list() }
    #expect(error?.code == "MESH-009")
    let page = try await client.list()
    #expect(page.ids.map(\.text) == ["A1"])
    #expect(page.unreadable == 3)
  }

  // MARK: Sending

  @Test func `sends what is long in parts, the first once and the others again where they broke`()
    async throws
  {
    var limits = MeshEndpoint.Limits()
    limits.partBytes = 4
    let rest = "POST \(box)/outbox/A1"
    let double = try await ClientServiceDouble([
      .init(on: "POST \(box)/outbox", status: 202, body: #"{"message_id":"A1"}"#),
      .init(on: "\(rest)/2", status: 503),
      .init(on: "\(rest)/2", status: 202, body: "null"),
      .init(on: "\(rest)/3", status: 202, body: #"{"message_id":"A1"}"#),
    ])
    let (client, to) = (try client(double, limits: limits), try #require(MailboxID("X26ABC2")))
    let body = Array("0123456789".utf8)
    #expect(client.parts(of: body.count) == 3)
    let sent = try await client.send(to: to, workflow: "NOTICE", localID: "L1", body: body)
    try await client.sendRest(of: sent, body: body, total: 3)
    let seen = await double.seen(4)
    #expect(seen.map { $0.headers["mex-chunk-range"] } == ["1:3", "2:3", "2:3", "3:3"])
    // 10 bytes in 3: 3, 3 and 4.
    #expect(seen.map(\.bodyLength) == [3, 3, 3, 4])
    #expect(seen[1].headers["mex-to"] == nil)
    #expect(Set(seen.compactMap { $0.headers["authorization"] }).count == 4)
  }

  @Test func `takes a part that comes too late for sent when the message is whole`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "POST \(box)/outbox/A1/2", status: 423, body: "{}"),
      .get(
        "\(box)/outbox/tracking?messageID=A1", body: #"{"message_id":"A1","status":"accepted"}"#),
      .init(on: "POST \(box)/outbox/B2/2", status: 423, body: "{}"),
      .get("\(box)/outbox/tracking?messageID=B2", body: #"{"message_id":"B2","status":"error"}"#),
      .init(on: "POST \(box)/outbox/C3/2", status: 406, body: "{}"),
      .init(on: "POST \(box)/outbox/D4/2", status: 404, body: "{}"),
    ])
    let client = try client(double)
    try await client.sendRest(of: try id("A1"), body: [1, 2], total: 2)
    for (name, code) in [("B2", "MESH-023"), ("C3", "MESH-023"), ("D4", "MESH-021")] {
      let id = try id(name)
      let error = await failure { () throws(MeshError) in
        try await client.sendRest(of: id, body: [1, 2], total: 2)
      }
      #expect(error?.code == code, "\(name)")
    }
  }

  @Test func `finds what it sent by its local id in the listing`() async throws {
    let rich = "\(box)/outbox/rich"
    let double = try await ClientServiceDouble([
      .get(
        rich,
        body: #"{"messages":[{"message_id":"A1","local_id":"L0","status":"Accepted"}],"#
          + #""links":{"next":"\#(rich)?continue_from=A1"}}"#),
      .get(
        "\(rich)?continue_from=A1",
        body: #"{"messages":[{"message_id":"R1","local_id":"L1","status":"Accepted","#
          + #""message_type":"REPORT"},{"message_id":"B2","local_id":"L1","status":"Uploading","#
          + #""total_chunks":3}],"links":{}}"#),
      .get(rich, body: #"{"messages":[]}"#),
      .get(
        rich,
        body: #"{"messages":[{"message_id":"A1","local_id":"L1","status":"accepted"},"#
          + #"{"message_id":"B2","local_id":"L1","status":"accepted"}]}"#),
    ])
    let client = try client(double)
    let found = try await client.find(localID: "L1")
    #expect(found == MeshTracking(id: try id("B2"), status: .uploading, parts: 3))
    #expect(try await client.find(localID: "L1") == nil)
    let twice = await failure { () throws(MeshError) in try await client.find(localID: "L1") }
    #expect(twice?.code == "MESH-031")
  }

  @Test func `asks tracking by local id where there is no such listing`() async throws {
    let rich = "\(box)/outbox/rich"
    let track = "\(box)/outbox/tracking/L%201"
    let double = try await ClientServiceDouble([
      .get(rich, 404), .get(track, body: #"{"messageId":"A1","status":"Acknowledged"}"#),
      .get(rich, 400), .get(track, 404),
      .get(rich, 404), .get(track, 300),
      .get(rich, 503),
    ])
    let client = try client(double)
    let found = try await client.find(localID: "L 1")
    #expect(found == MeshTracking(id: try id("A1"), status: .acknowledged))
    #expect(try await client.find(localID: "L 1") == nil)
    let twice = await failure { () throws(MeshError) in try await client.find(localID: "L 1") }
    #expect(twice?.code == "MESH-031")
    let later = await failure { () throws(MeshError) in try await client.find(localID: "L 1") }
    #expect(later?.kind == .later(retryAfter: nil))
  }
}
