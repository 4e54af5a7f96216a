import Exchange
import Testing

@testable import Mailbox

@Suite struct `A MESH token` {
  // The example of the MESH API specification; the hash was checked with Python's hmac module.
  private let example =
    "NHSMESH X26ABC1:bd0e2bd5-218e-41d0-83a9-73fdec414803:0:202005041305:"
    + "1d7da1305d2c4f169b097f4e7fddbc8dfba024de2ea0fdee858b64536f2a90bc"

  @Test func `is made as in the published example`() throws {
    let token = MeshToken.make(
      mailbox: try #require(MailboxID("X26ABC1")),
      nonce: "bd0e2bd5-218e-41d0-83a9-73fdec414803", count: 0,
      timestamp: try #require(Instant("2020-05-04T13:05:59Z")), password: "password",
      secret: "TestKey")
    #expect(token.headerValue == example)
  }

  @Test func `is read and verified, whatever the case of its hash`() throws {
    let token = try #require(MeshToken(parsing: example))
    #expect(token.mailbox.text == "X26ABC1")
    #expect(token.count == 0)
    #expect(token.timestamp == Instant("2020-05-04T13:05:00Z"))
    #expect(token.verify(password: "password", secret: "TestKey"))
    #expect(!token.verify(password: "Password", secret: "TestKey"))
    #expect(!token.verify(password: "password", secret: "testKey"))
    let parts = example.split(separator: ":")
    let raised = (parts.dropLast() + [Substring(parts[4].uppercased())]).joined(separator: ":")
    #expect(
      try #require(MeshToken(parsing: raised)).verify(password: "password", secret: "TestKey"))
  }

  @Test func `keeps leading zeros of the count in what is hashed`() throws {
    // python3: hmac.new(b"TestKey", b"X26ABC1:n1:007:password:202005041305", "sha256")
    let text =
      "NHSMESH X26ABC1:n1:007:202005041305:"
      + "20fa8365c036af984331458b9ba2f5b435771341182ce7326932cca55fa928a2"
    let token = try #require(MeshToken(parsing: text))
    #expect(token.count == 7)
    #expect(token.headerValue == text)
    #expect(token.verify(password: "password", secret: "TestKey"))
  }

  @Test(arguments: [
    "", "NHSMESH", "NHSMESH ", "Bearer a:b:0:202005041305:00",
    "NHSMESH X26ABC1:n:0:202005041305", "NHSMESH X26ABC1:n:0:202005041305:00",
    "NHSMESH X26ABC1:n:-1:202005041305:HASH", "NHSMESH X26ABC1:n::202005041305:HASH",
    "NHSMESH X26ABC1:n:0:202013041305:HASH", "NHSMESH X26ABC1:n:0:20200504130:HASH",
    "NHSMESH X26/ABC1:n:0:202005041305:HASH", "NHSMESH X26ABC1:n m:0:202005041305:HASH",
    "NHSMESH X26ABC1:n:0:202005041305:HASH:more", "nhsmesh X26ABC1:n:0:202005041305:HASH",
  ])
  func `is refused in any other form`(text: String) {
    let hash = String(repeating: "0a", count: 32)
    #expect(MeshToken(parsing: text.replacing("HASH", with: hash)) == nil)
  }

  @Test func `is fresh for two hours on either side`() throws {
    let token = try #require(MeshToken(parsing: example))
    for (now, fresh) in [
      ("2020-05-04T15:05:59Z", true), ("2020-05-04T15:06:00Z", false),
      ("2020-05-04T11:05:00Z", true), ("2020-05-04T11:04:59Z", false),
    ] {
      #expect(token.isFresh(at: try #require(Instant(now))) == fresh, "\(now)")
    }
  }
}
