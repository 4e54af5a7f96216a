import Exchange
import Foundation
import Mailbox
import Testing

/// Messages in parts, both ways (MESH API specification, "Send message chunk", "Get message chunk").
@Suite(.timeLimit(.minutes(2)))
struct HostPartsTests {
  private static let good = ["Mex-To: BRAVO", "Mex-WorkflowID: W"]

  /// Begins a message of several parts; its id.
  private func begin(
    _ host: HostBench, _ range: String = "1:3", body: String = "one-", bytes: [UInt8]? = nil,
    headers: [String] = []
  ) async throws -> String {
    let reply = try await host.call(
      "POST", "/ALPHA/outbox", headers: Self.good + ["Mex-Chunk-Range: \(range)"] + headers,
      body: body, bytes: bytes)
    #expect(reply.status == 202)
    return try #require(reply.json["message_id"]?.string)
  }

  private func refuse(
    _ reply: HostReply, _ status: Int, _ code: String = "",
    at place: SourceLocation = #_sourceLocation
  ) {
    #expect(reply.status == status, sourceLocation: place)
    #expect(reply.detail?["code"]?.string == code, sourceLocation: place)
    #expect(reply.detail?["msg"]?.string?.isEmpty == false, sourceLocation: place)
  }

  @Test func `a message in parts is nobody's until its last part, then whole and as it was sent`()
    async throws
  {
    try await HostBench.run { host in
      let id = try await begin(
        host, headers: ["Mex-LocalID: ref-1", "Mex-Content-Type: application/cms"])
      let tracking = "/ALPHA/outbox/tracking?messageID=\(id)"
      #expect(try await host.get(tracking).json["status"]?.string == "uploading")
      #expect(
        try await host.get("/ALPHA/outbox/tracking/ref-1", version: 1).json["status"]?.string
          == "Uploading")
      let second = try await host.part("2:3", of: id, body: "two-")
      #expect(second.status == 202)
      #expect(second.text == #"{"message_id":"\#(id)"}"#)
      #expect(try await host.get("/BRAVO/count", as: "BRAVO").text == #"{"count":0}"#)
      #expect(try await host.get("/BRAVO/inbox/\(id)", as: "BRAVO").status == 404)
      #expect(try await host.call("HEAD", "/ALPHA/inbox/\(id)").status == 410)
      let last = try await host.part("3:3", of: id, version: 1, body: "three")
      #expect(last.text == #"{"blockID":3,"messageID":"\#(id)"}"#)
      #expect(try await host.get(tracking).json["status"]?.string == "accepted")
      let old = try await host.get(tracking, version: 1).json
      #expect(old["chunkCount"]?.integer == 3)
      #expect(old["fileSize"]?.integer == 13)

      var whole = ""
      for (part, status, text) in [(1, 206, "one-"), (2, 206, "two-"), (3, 200, "three")] {
        let reply = try await host.get("/BRAVO/inbox/\(id)/\(part)", as: "BRAVO")
        #expect(reply.status == status)
        #expect(reply.headers["mex-chunk-range"] == "\(part):3")
        #expect(reply.headers["mex-total-chunks"] == "3")
        #expect(reply.headers["content-type"] == "application/octet-stream")
        #expect(reply.headers["mex-content-type"] == "application/cms")
        #expect(reply.text == text)
        whole += reply.text
      }
      #expect(whole == "one-two-three")
      let first = try await host.get("/BRAVO/inbox/\(id)", as: "BRAVO")
      #expect(first.status == 206 && first.text == "one-")
      #expect(try await host.get("/BRAVO/inbox/\(id)/4", as: "BRAVO").status == 404)
      let head = try await host.call("HEAD", "/BRAVO/inbox/\(id)", as: "BRAVO")
      #expect(head.status == 200)
      #expect(head.headers["content-length"] == "4")
    }
  }

  @Test func `a part sent again takes the place of its earlier copy`() async throws {
    try await HostBench.run { host in
      let id = try await begin(host)
      for text in ["wrong-", "two-"] {
        #expect(try await host.part("2:3", of: id, body: text).status == 202)
      }
      #expect(try await host.part("3:3", of: id, body: "three").status == 202)
      #expect(try await host.get("/BRAVO/inbox/\(id)/2", as: "BRAVO").text == "two-")
      refuse(try await host.part("3:3", of: id, body: "again"), 423)
      #expect(try await host.get("/BRAVO/inbox/\(id)/3", as: "BRAVO").text == "three")
    }
  }

  @Test func `the checks of a part come in the protocol's order`() async throws {
    try await HostBench.run { host in
      let id = try await begin(host)
      let chunks = "InvalidHeaderChunks"
      // Not of its form, whatever else is wrong.
      for path in [id, "20260202093000000_FFFFFF"] {
        for range in ["", "two", "0:3", "4:3", "3:3"] {
          let reply = try await host.call(
            "POST", "/ALPHA/outbox/\(path)/2",
            headers: range.isEmpty ? [] : ["Mex-Chunk-Range: \(range)"], body: "x")
          refuse(reply, 417, chunks)
          #expect(reply.json["message_id"]?.string == path)
        }
      }
      refuse(try await host.part("2:3", of: "20260202093000000_FFFFFF"), 404)
      refuse(try await host.part("2:3", of: "no-id"), 404)
      refuse(try await host.part("2:3", of: id, as: "BRAVO"), 404)
      refuse(try await host.part("4:4", of: id), 406)
      let gzip = ["Content-Encoding: gzip"]
      let changed = try await host.part("2:3", of: id, headers: gzip, bytes: gzipped([1]))
      refuse(changed, 417, chunks)
      #expect(changed.detail?["msg"]?.string?.contains("cannot change content encoding") == true)
      #expect(changed.json["message_id"]?.string == id)
      refuse(try await host.part("2:4", of: id), 417, chunks)
      refuse(
        try await host.part("2:3", of: id, headers: ["Content-Encoding: br"]), 422,
        "UnsupportedContentEncoding")
      refuse(try await host.part("2:3", of: id, body: ""), 417, "02")
      // The last before a middle one: refused, and still uploading.
      refuse(try await host.part("3:3", of: id), 417, chunks)
      #expect(try await host.part("2:3", of: id, body: "two-").status == 202)
      refuse(try await host.part("2:2", of: id), 417, chunks)
      #expect(try await host.part("3:3", of: id, body: "three").status == 202)
      refuse(try await host.part("2:3", of: id), 423)
      let whole = try await host.send("whole", from: "ALPHA", to: "BRAVO")
      refuse(try await host.part("2:3", of: whole), 423)
    }
  }

  @Test func `the limit of a message holds for all its parts together`() async throws {
    try await HostBench.with { $0.limits.bodyBytes = 1000 }.run { host in
      let half = String(repeating: "a", count: 400)
      let id = try await begin(host, body: half)
      #expect(try await host.part("2:3", of: id, body: half).status == 202)
      // In place of the earlier copy, not beside it.
      #expect(try await host.part("2:3", of: id, body: half).status == 202)
      refuse(
        try await host.part("3:3", of: id, body: String(repeating: "a", count: 201)), 413,
        "TooLarge")
      #expect(
        try await host.part("3:3", of: id, body: String(repeating: "a", count: 200)).status == 202)
    }
  }

  @Test func `a mailbox may have so many uploads open, and one that is never finished is dropped`()
    async throws
  {
    let keeper = MemoryKeeper(uploads: 2, now: { hostNow })
    try await HostSetup(keeper: keeper).run { host in
      let first = try await begin(host)
      _ = try await begin(host)
      let third = try await host.call(
        "POST", "/ALPHA/outbox", headers: Self.good + ["Mex-Chunk-Range: 1:2"], body: "x")
      refuse(third, 429)
      #expect(third.headers["retry-after"] == "60")
      // Of this mailbox alone, and of uploads alone.
      try await host.send("whole", from: "ALPHA", to: "BRAVO")
      let other = try await host.call(
        "POST", "/BRAVO/outbox", as: "BRAVO",
        headers: ["Mex-To: ALPHA", "Mex-WorkflowID: W", "Mex-Chunk-Range: 1:2"], body: "x")
      #expect(other.status == 202)
      await keeper.clockReached(hostNow + .seconds(86_399))
      #expect(try await host.part("2:3", of: first).status == 202)
      await keeper.clockReached(hostNow + .seconds(86_400))
      refuse(try await host.part("3:3", of: first), 404)
      #expect(try await host.get("/ALPHA/outbox/tracking?messageID=\(first)").status == 404)
      _ = try await begin(host)
    }
  }

  @Test func `a long message that came whole goes out in parts`() async throws {
    try await HostBench.with { $0.limits.downloadPartBytes = 1024 }.run { host in
      let text = (0..<2500).map { String($0 % 10) }.joined()
      let id = try await host.send(text, from: "ALPHA", to: "BRAVO")
      var got = ""
      for (part, status, length) in [(1, 206, 1024), (2, 206, 1024), (3, 200, 452)] {
        let reply = try await host.get("/BRAVO/inbox/\(id)/\(part)", as: "BRAVO")
        #expect(reply.status == status)
        #expect(reply.headers["mex-chunk-range"] == "\(part):3")
        #expect(reply.body.count == length)
        got += reply.text
      }
      #expect(got == text)
      #expect(
        try await host.get("/BRAVO/inbox/\(id)/4", as: "BRAVO").detail?["code"]?.string == "20")
      let exact = try await host.send(String(text.prefix(1024)), from: "ALPHA", to: "BRAVO")
      let one = try await host.get("/BRAVO/inbox/\(exact)", as: "BRAVO")
      #expect(one.status == 200 && one.headers["mex-chunk-range"] == "1:1")
    }
  }
}
