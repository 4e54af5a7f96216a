import Exchange
import Foundation
import Mailbox
import Testing

/// Compression for the transfer (MESH API specification, "Content-Encoding").
@Suite(.timeLimit(.minutes(2)))
struct HostGzipTests {
  private static let good = ["Mex-To: BRAVO", "Mex-WorkflowID: W"]
  private static let gzip = "Content-Encoding: gzip"
  private static let text = Array(String(repeating: "invented words ", count: 2000).utf8)

  @Test func `what came compressed is expanded and goes out plain`() async throws {
    let packed = try gzipped(Self.text)
    try await HostBench.run { host in
      let reply = try await host.call(
        "POST", "/ALPHA/outbox",
        headers: Self.good + [Self.gzip, "Mex-Content-Compressed: Y"], bytes: packed)
      let id = try #require(reply.json["message_id"]?.string)
      for offer in ["Accept-Encoding: gzip", "Accept-Encoding: identity"] {
        let got = try await host.call("GET", "/BRAVO/inbox/\(id)", as: "BRAVO", headers: [offer])
        #expect(got.body == Self.text)
        #expect(got.headers["content-encoding"] == nil)
        // The sender's word about the inside is carried through.
        #expect(got.headers["mex-content-compressed"] == "Y")
      }
    }
  }

  @Test func `each part is expanded by itself`() async throws {
    let parts = [Array(Self.text.prefix(17_000)), Array(Self.text.dropFirst(17_000))]
    let packed = [try gzipped(parts[0]), try gzipped(parts[1])]
    try await HostBench.run { host in
      let begun = try await host.call(
        "POST", "/ALPHA/outbox",
        headers: Self.good + [Self.gzip, "Mex-Chunk-Range: 1:2", "Transfer-Encoding: chunked"],
        bytes: packed[0])
      let id = try #require(begun.json["message_id"]?.string)
      let end = try await host.part("2:2", of: id, headers: [Self.gzip], bytes: packed[1])
      #expect(end.status == 202)
      for part in [1, 2] {
        let got = try await host.get("/BRAVO/inbox/\(id)/\(part)", as: "BRAVO")
        #expect(got.body == parts[part - 1])
      }
    }
  }

  @Test func `where it is kept compressed, clients that do not offer gzip get it expanded`()
    async throws
  {
    let packed = try gzipped(Self.text)
    try await HostBench.with { $0.compression = .kept }.run { host in
      let reply = try await host.call(
        "POST", "/ALPHA/outbox", headers: Self.good + [Self.gzip], bytes: packed)
      let id = try #require(reply.json["message_id"]?.string)
      let path = "/BRAVO/inbox/\(id)"
      let offered = try await host.call(
        "GET", path, as: "BRAVO", headers: ["Accept-Encoding: gzip, deflate"])
      #expect(offered.body == packed)
      #expect(offered.headers["content-encoding"] == "gzip")
      #expect(offered.headers["mex-content-compressed"] == "Y")
      let plain = try await host.get(path, as: "BRAVO")
      #expect(plain.body == Self.text)
      #expect(plain.headers["content-encoding"] == nil)
      #expect(plain.headers["mex-content-compressed"] == nil)
    }
  }

  @Test func `what is not whole gzip is refused`() async throws {
    let packed = try gzipped(Self.text)
    var damaged = packed
    damaged[packed.count - 5] ^= 1
    try await HostBench.run { host in
      for body in [Array("not gzip".utf8), Array(packed.dropLast()), damaged, packed + [1]] {
        let reply = try await host.call(
          "POST", "/ALPHA/outbox", headers: Self.good + [Self.gzip], bytes: body)
        #expect(reply.status == 422)
        #expect(reply.detail?["code"]?.string == "UnsupportedContentEncoding")
      }
      let empty = try await host.call(
        "POST", "/ALPHA/outbox", headers: Self.good + [Self.gzip], bytes: gzipped([]))
      #expect(empty.status == 417)
      #expect(empty.detail?["code"]?.string == "02")
      #expect(try await host.get("/BRAVO/count", as: "BRAVO").text == #"{"count":0}"#)
    }
  }

  /// A gigabyte of nought in a megabyte, and the same packed once more.
  @Test func `a bomb is refused with a body that says so, and holds no memory`() async throws {
    let zeros = HostFiles.name()
    let made = try await HostTool.run(
      "/bin/sh", ["-c", "head -c 1000000000 /dev/zero | gzip -1 > \(zeros)"])
    try #require(made.status == 0)
    let bomb = Array(try Data(contentsOf: URL(fileURLWithPath: zeros)))
    try #require(bomb.count < 10_000_000)
    try await HostBench.run { host in
      let before = try residentBytes()
      for _ in 0..<3 {
        let reply = try await host.call(
          "POST", "/ALPHA/outbox", headers: Self.good + [Self.gzip], bytes: bomb)
        #expect(reply.status == 413)
        #expect(reply.detail?["msg"]?.string == "Message expands to more than this service takes")
      }
      #expect(try residentBytes() - before < 256 << 20)
      #expect(try await host.get("/BRAVO/count", as: "BRAVO").text == #"{"count":0}"#)
    }
  }

  private func residentBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return try #require(Int(text.split(separator: " ")[1])) * 4096
  }
}
