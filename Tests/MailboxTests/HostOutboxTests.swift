import Exchange
import Foundation
import Mailbox
import Testing

@Suite(.timeLimit(.minutes(2)))
struct HostOutboxTests {
  private static let good = ["Mex-To: BRAVO", "Mex-WorkflowID: W"]

  @Test func `a message sent is accepted with its id, in both versions`() async throws {
    try await HostBench.run { host in
      let two = try await host.call("POST", "/ALPHA/outbox", headers: Self.good, body: "x")
      #expect(two.status == 202)
      #expect(two.headers["content-type"] == "application/json")
      let id = try #require(two.json["message_id"]?.string)
      #expect(two.text == #"{"message_id":"\#(id)"}"#)
      let one = try await host.call(
        "POST", "/ALPHA/outbox", version: 1, headers: Self.good, body: "y")
      #expect(one.json["messageID"]?.string?.count == 24)
      #expect(try await host.get("/BRAVO/count", as: "BRAVO").text == #"{"count":2}"#)
    }
  }

  @Test func `everything the sender said reaches the recipient`() async throws {
    try await HostBench.run { host in
      let sent = [
        "Mex-Subject": "a subject", "Mex-LocalID": "local 1", "Mex-FileName": "file.cms",
        "Mex-PartnerID": "partner", "Mex-Content-Checksum": "SHA-256: 0a/1b",
        "Mex-Content-Encrypted": "yes", "Mex-Content-Compressed": "1", "Mex-Chunk-Range": "1:1",
      ]
      let reply = try await host.call(
        "POST", "/ALPHA/outbox",
        headers: ["mex-to:  bravo ", "MEX-WORKFLOWID: W"] + sent.map { "\($0): \($1)" }, body: "x")
      let id = try #require(reply.json["message_id"]?.string)
      let got = try await host.get("/BRAVO/inbox/\(id)", as: "BRAVO")
      #expect(got.headers["mex-from"] == "ALPHA")
      for (name, value) in sent where !name.hasPrefix("Mex-Content-") {
        #expect(got.headers[name.lowercased()] == value)
      }
      #expect(got.headers["mex-content-checksum"] == "SHA-256: 0a/1b")
      #expect(got.headers["mex-content-encrypted"] == "Y")
      #expect(got.headers["mex-content-compressed"] == "Y")
    }
  }

  @Test func `a body in transfer chunks is taken, byte for byte`() async throws {
    try await HostBench.run { host in
      let text = String(repeating: "0123456789abcdef", count: 40_000)
      let reply = try await host.call(
        "POST", "/ALPHA/outbox", headers: Self.good + ["Transfer-Encoding: chunked"], body: text)
      let id = try #require(reply.json["message_id"]?.string)
      let got = try await host.get("/BRAVO/inbox/\(id)", as: "BRAVO")
      #expect(got.text == text)
      #expect(got.headers["content-length"] == "640000")
    }
  }

  /// Headers, status, event, code.
  static let refusals: [([String], Int, String, String)] = [
    (["Mex-To: NOBODY", "Mex-WorkflowID: W"], 417, "SEND", "12"),
    (["Mex-To: not a mailbox", "Mex-WorkflowID: W"], 417, "SEND", "12"),
    (["Mex-To: ", "Mex-WorkflowID: W"], 400, "SEND", "08"),
    (good + ["Mex-Subject: tab\there"], 400, "TRANSFER", "06"),
    (["Mex-To: BRAVO", "Mex-WorkflowID: https://example.invalid"], 400, "TRANSFER", "06"),
    (good + ["Mex-Content-Checksum: http://x"], 400, "TRANSFER", "06"),
    (good + ["Mex-Content-Checksum: a;b"], 400, "SEND", "Invalid checksum"),
    (good + ["Mex-Chunk-Range: 2:2"], 417, "SEND", "InvalidHeaderChunks"),
    (good + ["Mex-Chunk-Range: 0:2"], 417, "SEND", "InvalidHeaderChunks"),
    (good + ["Mex-Chunk-Range: 1:101"], 417, "SEND", "InvalidHeaderChunks"),
    (good + ["Mex-Chunk-Range: all"], 417, "SEND", "InvalidHeaderChunks"),
    (good + ["Content-Encoding: br"], 422, "SEND", "UnsupportedContentEncoding"),
    (good + ["Content-Encoding: gzip"], 422, "SEND", "UnsupportedContentEncoding"),
  ]

  @Test(arguments: refusals)
  func `what cannot be sent is refused, in form`(
    _ headers: [String], _ status: Int, _ event: String, _ code: String
  ) async throws {
    try await HostBench.run { host in
      let reply = try await host.call("POST", "/ALPHA/outbox", headers: headers, body: "x")
      #expect(reply.status == status)
      #expect(reply.detail?["event"]?.string == event)
      #expect(reply.detail?["code"]?.string == code)
      #expect(try await host.get("/BRAVO/count", as: "BRAVO").text == #"{"count":0}"#)
    }
  }

  @Test func `missing headers and values over their limits are validation errors`() async throws {
    try await HostBench.run { host in
      let bare = try await host.call("POST", "/ALPHA/outbox", body: "x")
      #expect(bare.status == 400)
      #expect(
        bare.json["detail"]?.array?.compactMap { $0["loc"]?.array?.last?.string }
          == ["mex-to", "mex-workflowid"])
      for (name, limit) in [
        ("Mex-Subject", 500), ("Mex-LocalID", 300), ("Mex-FileName", 300), ("Mex-PartnerID", 500),
        ("Mex-Content-Checksum", 100), ("Mex-Content-Type", 100),
      ] {
        let full = String(repeating: "a", count: limit)
        let taken = try await host.call(
          "POST", "/ALPHA/outbox", headers: Self.good + ["\(name): \(full)"], body: "x")
        #expect(taken.status == 202, "\(name)")
        let over = try await host.call(
          "POST", "/ALPHA/outbox", headers: Self.good + ["\(name): \(full)a"], body: "x")
        #expect(over.status == 400, "\(name)")
        #expect(over.detail?["type"]?.string == "string_too_long")
      }
    }
  }

  @Test func `an empty body is refused`() async throws {
    try await HostBench.run { host in
      for arguments in [[], ["--header", "Transfer-Encoding: chunked"]] {
        let reply = try await host.call(
          "POST", "/ALPHA/outbox", headers: Self.good, body: "", arguments: arguments)
        #expect(reply.status == 417)
        #expect(reply.detail?["event"]?.string == "COLLECT")
        #expect(reply.detail?["code"]?.string == "02")
      }
    }
  }

  @Test func `a body over the limit is refused, announced or not`() async throws {
    try await HostBench.with { $0.limits.bodyBytes = 1000 }.run { host in
      let text = String(repeating: "a", count: 1001)
      for extra in [[], ["Transfer-Encoding: chunked"]] {
        let reply = try await host.call(
          "POST", "/ALPHA/outbox", headers: Self.good + extra, body: text)
        #expect(reply.status == 413)
        #expect(reply.detail?["event"]?.string == "SEND")
        #expect(reply.headers["connection"] == "close")
      }
      let whole = try await host.call(
        "POST", "/ALPHA/outbox", headers: Self.good, body: String(text.dropLast()))
      #expect(whole.status == 202)
    }
  }

  @Test(arguments: [
    "Content-Length: 100\r\n\r\nonly this", "Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
  ])
  func `a body that breaks off is not a message`(_ rest: String) async throws {
    try await HostBench.run { host in
      let request =
        "POST /messageexchange/ALPHA/outbox HTTP/1.1\r\nHost: h\r\nMex-To: BRAVO\r\n"
        + "Mex-WorkflowID: W\r\nAuthorization: \(try host.token("ALPHA"))\r\n\(rest)"
      let pki = host.pki
      _ = try await HostTool.run(
        "/usr/bin/openssl",
        [
          "s_client", "-connect", "127.0.0.1:\(host.port)", "-cert", pki.path("alpha.pem"),
          "-key", pki.path("alpha.key"), "-CAfile", pki.path("ca.pem"), "-quiet",
          "-no_ign_eof",
        ], input: Array(request.utf8))
      try await host.send("whole", from: "ALPHA", to: "BRAVO")
      #expect(try await host.get("/BRAVO/count", as: "BRAVO").text == #"{"count":1}"#)
    }
  }

  @Test func `a sender who takes too long over a body is cut off`() async throws {
    try await HostBench.with { $0.limits.transferTimeout = .seconds(1) }.run { host in
      let reply = try await host.call(
        "POST", "/ALPHA/outbox", headers: Self.good,
        body: String(repeating: "a", count: 1_000_000), arguments: ["--limit-rate", "10000"])
      #expect(reply.status != 202)
      #expect(reply.exit != 0)
      #expect(try await host.get("/BRAVO/count", as: "BRAVO").text == #"{"count":0}"#)
    }
  }

  @Test func `a sender follows a message from accepted to acknowledged`() async throws {
    try await HostBench.run { host in
      let id = try await host.send("12345", from: "ALPHA", to: "BRAVO", localID: "ref-1")
      let path = "/ALPHA/outbox/tracking?messageID=\(id)"
      let accepted = try await host.get(path)
      #expect(accepted.headers["content-type"] == "application/vnd.mesh.v2+json")
      #expect(
        accepted.text
          == #"{"expiry_time":"2026-02-07T09:30:00.000Z","local_id":"ref-1","message_id":"\#(id)","#
          + #""recipient":"BRAVO","status":"accepted","status_code":"00","#
          + #""status_description":"Transferred to recipient mailbox","status_event":"TRANSFER","#
          + #""status_success":true,"status_timestamp":"2026-02-02T09:30:00.000Z","#
          + #""upload_timestamp":"2026-02-02T09:30:00.000Z","workflow_id":"SALLYPORT_NOTICE"}"#)
      _ = try await host.call("PUT", "/BRAVO/inbox/\(id)/status/acknowledged", as: "BRAVO")
      #expect(try await host.get(path).json["status"]?.string == "acknowledged")
      let one = try await host.get("/ALPHA/outbox/tracking/ref-1", version: 1).json
      #expect(one["status"]?.string == "Acknowledged")
      #expect(one["messageId"]?.string == id)
      #expect(one["downloadTimestamp"]?.string == "20260202093000")
      #expect(one["fileSize"]?.integer == 5)
      #expect(one["statusSuccess"]?.string == "SUCCESS")
      #expect(one["sender"]?.string == "ALPHA")
    }
  }

  @Test func `tracking tells nothing of unknown messages and those of other senders`()
    async throws
  {
    try await HostBench.run { host in
      let id = try await host.send("x", from: "ALPHA", to: "BRAVO", localID: "ref-1")
      for path in [
        "/BRAVO/outbox/tracking?messageID=\(id)", "/BRAVO/outbox/tracking/ref-1",
        "/BRAVO/outbox/tracking?messageID=20260202093000000_FFFFFF",
      ] { #expect(try await host.get(path, as: "BRAVO").status == 404) }
      #expect(try await host.get("/ALPHA/outbox/tracking").status == 400)
      try await host.send("y", from: "ALPHA", to: "BRAVO", localID: "ref-1")
      #expect(try await host.get("/ALPHA/outbox/tracking/ref-1").status == 300)
    }
  }

  @Test func `the old client's update call is an empty 200`() async throws {
    try await HostBench.run { host in
      let reply = try await host.call("POST", "/ALPHA/update", body: "anything")
      #expect(reply.status == 200)
      #expect(reply.body.isEmpty)
    }
  }

  @Test func `a host with a mistake in its configuration does not start`() async throws {
    let pki = try await HostPKI.shared.value
    let good = HostConfiguration(
      address: "127.0.0.1", port: 0, certificateChainPEM: try pki.bytes("server.pem"),
      privateKeyPEM: try pki.bytes("server.key"), clientCAPEM: try pki.bytes("ca.pem"),
      sharedSecret: "s", environment: "test")
    let mistakes: [((inout HostConfiguration) -> Void, String)] = [
      ({ $0.certificateChainPEM = [] }, "HOST-001"),
      ({ $0.privateKeyPEM = $0.certificateChainPEM }, "HOST-002"),
      ({ $0.clientCAPEM = Array("nothing".utf8) }, "HOST-003"),
      ({ $0.certificateChainPEM = $0.clientCAPEM }, "HOST-004"),
      ({ $0.sharedSecret = "" }, "HOST-005"), ({ $0.limits.bodyBytes = 0 }, "HOST-006"),
    ]
    for (mistake, code) in mistakes {
      var configuration = good
      mistake(&configuration)
      let problem = #expect(throws: HostProblem.self) {
        try MailboxHost(
          configuration: configuration, keeper: MemoryKeeper(now: { hostNow }), now: { hostNow },
          logger: HostLog().logger)
      }
      #expect(problem?.code == code)
    }
  }

  @Test func `a port that is taken is named`() async throws {
    try await HostBench.run { host in
      let problem = await #expect(throws: HostProblem.self) {
        try await HostBench.with { [port = host.port] in $0.port = port }.run { _ in }
      }
      #expect(problem?.code == "HOST-007")
    }
  }
}
