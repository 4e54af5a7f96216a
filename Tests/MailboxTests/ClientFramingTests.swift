import Foundation
import Testing

@testable import Mailbox

/// Answers whose length cannot be relied on: never taken for whole.
@Suite(.timeLimit(.minutes(1))) struct `The HTTPS transport and the length of an answer` {
  static let wrong: [(name: String, answer: String)] = [
    ("longer than the body", "Content-Length: 10\r\n\r\nhalf"),
    ("negative", "Content-Length: -1\r\n\r\nwhole"),
    ("no number", "Content-Length: five\r\n\r\nwhole"),
    ("hexadecimal", "Content-Length: 0x5\r\n\r\nwhole"),
    ("signed", "Content-Length: +5\r\n\r\nwhole"),
    ("fractional", "Content-Length: 5.0\r\n\r\nwhole"),
    ("beyond all numbers", "Content-Length: 99999999999999999999999\r\n\r\nwhole"),
    ("twice, and not the same", "Content-Length: 5\r\nContent-Length: 4\r\n\r\nwhole"),
    ("twice in one line", "Content-Length: 5, 4\r\n\r\nwhole"),
    (
      "beside chunks",
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n"
    ),
    ("chunks without an end", "Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n"),
    ("a chunk cut short", "Transfer-Encoding: chunked\r\n\r\n9\r\nwhole"),
    ("a chunk of no size", "Transfer-Encoding: chunked\r\n\r\nxyz\r\nwhole\r\n0\r\n\r\n"),
    ("a chunk of negative size", "Transfer-Encoding: chunked\r\n\r\n-5\r\nwhole\r\n0\r\n\r\n"),
    ("a chunk longer than it says", "Transfer-Encoding: chunked\r\n\r\n3\r\nwhole\r\n0\r\n\r\n"),
    ("a header without a name", ": 5\r\nContent-Length: 5\r\n\r\nwhole"),
    ("a folded header", "X-Word: one\r\n two\r\nContent-Length: 5\r\n\r\nwhole"),
  ]

  @Test(arguments: wrong)
  func `is not taken for whole`(name: String, answer: String) async throws {
    let double = try await ClientServiceDouble([
      .init(on: "GET /", mode: .raw, body: "HTTP/1.1 200 OK\r\n" + answer)
    ])
    let request = HTTPSRequest(
      .get, double.url + "/", identity: try double.authority.identity(), lane: "lane")
    let transport = try HTTPSTransport()
    let taken = try? await transport.perform(request)
    #expect(taken == nil, "\(name)")
  }

  @Test func `is taken when it is right, in one piece or in chunks`() async throws {
    for answer in [
      "Content-Length: 5\r\n\r\nwhole", "Content-Length: 5\r\nContent-Length: 5\r\n\r\nwhole",
      "Transfer-Encoding: chunked\r\n\r\n2\r\nwh\r\n3\r\nole\r\n0\r\n\r\n",
    ] {
      let double = try await ClientServiceDouble([
        .init(on: "GET /", mode: .raw, body: "HTTP/1.1 200 OK\r\n" + answer)
      ])
      let request = HTTPSRequest(
        .get, double.url + "/", identity: try double.authority.identity(), lane: "lane")
      #expect(try await HTTPSTransport().perform(request).body == Array("whole".utf8))
    }
  }
}
