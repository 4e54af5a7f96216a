import Exchange
import Foundation
import Mailbox
import Testing

@Suite(.timeLimit(.minutes(2)))
struct HostAuthorizationTests {
  private func expectRefusal(
    _ reply: HostReply, _ status: Int, _ text: String, code: String = "", event: String = "",
    at place: SourceLocation = #_sourceLocation
  ) throws {
    #expect(reply.status == status, sourceLocation: place)
    #expect(reply.detail?["msg"]?.string == text, sourceLocation: place)
    #expect(reply.detail?["code"]?.string == code, sourceLocation: place)
    #expect(reply.detail?["event"]?.string == event, sourceLocation: place)
    #expect(reply.headers["content-type"] == "application/vnd.mesh.v2+json", sourceLocation: place)
  }

  @Test func `a good token opens its mailbox, and opens it once`() async throws {
    try await HostBench.run { host in
      let token = try host.token("ALPHA")
      #expect(try await host.call("GET", "/ALPHA/inbox", token: token).status == 200)
      let again = try await host.call("GET", "/ALPHA/inbox", token: token)
      try expectRefusal(again, 403, "Error Duplicated Authentication Token")
      #expect(try await host.get("/ALPHA/inbox").status == 200)
    }
  }

  @Test func `the token of the published test vector is taken at its time`() async throws {
    // Not the test clock's time: the vector is of 2020, so here it is only too old, and nothing else.
    let vector =
      "NHSMESH X26ABC1:bd0e2bd5-218e-41d0-83a9-73fdec414803:0:202005041305:"
      + "1d7da1305d2c4f169b097f4e7fddbc8dfba024de2ea0fdee858b64536f2a90bc"
    try await HostBench.run { host in
      let reply = try await host.call("GET", "/X26ABC1/inbox", token: vector)
      try expectRefusal(reply, 403, "Authentication Token is more than 2 hours from server time")
    }
  }

  @Test(arguments: [
    "", "Bearer abc", "NHSMESH ALPHA:n:0:202602020930", "NHSMESH ALPHA:n:x:202602020930:00",
  ])
  func `a missing or malformed header is refused`(_ header: String) async throws {
    try await HostBench.run { host in
      let reply = try await host.call("GET", "/ALPHA/inbox", token: header)
      try expectRefusal(reply, 403, "Error reading from Authorization header")
    }
  }

  @Test func `a token made with the wrong password is refused`() async throws {
    try await HostBench.run { host in
      let token = try host.token("ALPHA", password: "guess")
      let reply = try await host.call("GET", "/ALPHA/inbox", token: token)
      try expectRefusal(reply, 403, "Invalid Authentication Token")
    }
  }

  @Test func `the hash is compared without regard to case`() async throws {
    try await HostBench.run { host in
      let token = try host.token("ALPHA")
      let cut = try #require(token.lastIndex(of: ":"))
      let shouted = token[...cut] + token[token.index(after: cut)...].uppercased()
      #expect(try await host.call("GET", "/alpha/inbox", token: String(shouted)).status == 200)
    }
  }

  @Test(arguments: [(-7200, 200), (-7260, 403), (7200, 200), (7260, 403)])
  func `the token's minute may be two hours off`(_ seconds: Int, _ status: Int) async throws {
    try await HostBench.run { host in
      let token = try host.token("ALPHA", at: hostNow + .seconds(seconds))
      #expect(try await host.call("GET", "/ALPHA/inbox", token: token).status == status)
    }
  }

  @Test func `a token of another mailbox is refused`() async throws {
    try await HostBench.run { host in
      let reply = try await host.call("GET", "/ALPHA/inbox", token: try host.token("SALLYPORT"))
      try expectRefusal(reply, 403, "Mailbox id does not match token")
    }
  }

  @Test func `an unknown mailbox, one switched off and one of another certificate read the same`()
    async throws
  {
    try await HostBench.run { host in
      await host.keeper.setActive(try #require(MailboxID("SALLYPORT")), false)
      for (mailbox, certificate) in [
        ("NOBODY", "alpha"), ("SALLYPORT", "alpha"), ("ALPHA", "bravo"),
      ] {
        let reply = try await host.call(
          "GET", "/\(mailbox)/inbox", as: mailbox, certificate: certificate)
        try expectRefusal(reply, 403, "No mailbox matched", code: "EPL-151", event: "SEND")
      }
      let codes = host.log.lines.compactMap { $0.metadata["code"] }
      #expect(codes == ["HOST-023", "HOST-023", "HOST-024"])
    }
  }

  @Test(arguments: ["", "stranger"])
  func `without a certificate of the client CA there is no TLS connection`(_ certificate: String)
    async throws
  {
    try await HostBench.run { host in
      let reply = try await host.call("GET", "/_ping", certificate: certificate, token: "")
      #expect(reply.exit != 0)
      #expect(reply.status == 0)
    }
  }

  @Test func `the verification hook replaces the built-in check, and sees the certificate`()
    async throws
  {
    let pki = try await HostPKI.shared.value
    let admitted = try await HostTool.run(
      "/usr/bin/openssl", ["x509", "-in", pki.path("stranger.pem"), "-noout", "-serial"])
    #expect(admitted.status == 0)
    let seen = HostCounter()
    try await HostBench.with { configuration in
      configuration.verifyClient = { chain in
        _ = seen.next()
        return chain.count == 1 && (chain.first?.count ?? 0) > 200
      }
    }.run { host in
      let reply = try await host.call("GET", "/_ping", certificate: "stranger", token: "")
      #expect(reply.status == 200)
    }
    #expect(seen.next() == 2)
    try await HostBench.with { $0.verifyClient = { _ in false } }.run { host in
      let reply = try await host.call("GET", "/_ping", certificate: "alpha", token: "")
      #expect(reply.exit != 0)
    }
  }

  @Test func `TLS 1.1 is refused and TLS 1.2 taken`() async throws {
    try await HostBench.run { host in
      let old = try await host.call(
        "GET", "/_ping", token: "",
        arguments: ["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"])
      #expect(old.exit != 0)
      let taken = try await host.call("GET", "/_ping", token: "", arguments: ["--tls-max", "1.2"])
      #expect(taken.status == 200)
    }
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"])
  func `no connection resumes the session of another`(_ version: String) async throws {
    try await HostBench.run { host in
      let session = HostFiles.name()
      let ping = Array(
        "GET /messageexchange/_ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".utf8)
      func connect(_ extra: [String]) async throws -> String {
        let pki = host.pki
        return try await HostTool.run(
          "/usr/bin/openssl",
          [
            "s_client", version, "-connect", "127.0.0.1:\(host.port)", "-cert",
            pki.path("alpha.pem"), "-key", pki.path("alpha.key"), "-CAfile", pki.path("ca.pem"),
            "-ign_eof",
          ] + extra, input: ping
        ).output
      }
      let first = try await connect(["-sess_out", session])
      #expect(first.contains("HTTP/1.1 200"))
      #expect(FileManager.default.fileExists(atPath: session))
      let second = try await connect(["-sess_in", session])
      #expect(second.contains("HTTP/1.1 200"))
      #expect(second.contains("\nNew, TLSv1"))
      #expect(!second.contains("Reused"))
    }
  }

  @Test func `certificates are replaced while the host runs`() async throws {
    let pki = try await HostPKI.shared.value
    try await HostBench.run { bench in
      #expect(throws: HostProblem.tlsRefused) {
        try bench.host.replaceCertificates(
          chainPEM: pki.bytes("bravo.pem"), privateKeyPEM: pki.bytes("alpha.key"),
          clientCAPEM: pki.bytes("ca.pem"))
      }
      #expect(try await bench.call("GET", "/_ping", token: "").status == 200)
      // Served with another certificate and another client CA from now on.
      try bench.host.replaceCertificates(
        chainPEM: pki.bytes("stranger.pem"), privateKeyPEM: pki.bytes("stranger.key"),
        clientCAPEM: pki.bytes("otherca.pem"))
      let known = try await bench.call("GET", "/_ping", token: "", arguments: ["--insecure"])
      #expect(known.status == 0)
      let stranger = try await bench.call(
        "GET", "/_ping", certificate: "stranger", token: "",
        arguments: ["--cacert", pki.path("otherca.pem")])
      #expect(stranger.status == 200)
    }
  }

  @Test func `a keeper that cannot tell who somebody is does not make them wrong`() async throws {
    try await HostSetup(front: HostSilentKeeper()).run { host in
      let reply = try await host.get("/ALPHA/inbox")
      try expectRefusal(reply, 503, "Not now; try again")
    }
  }

  @Test func `a token answered with 503 is good again, as clients repeat it`() async throws {
    let keeper = MemoryKeeper(messages: 0, now: { hostNow })
    try await HostSetup(keeper: keeper).run { host in
      let token = try host.token("ALPHA")
      for _ in 0..<2 {
        let reply = try await host.call(
          "POST", "/ALPHA/outbox", token: token, headers: ["Mex-To: BRAVO", "Mex-WorkflowID: W"],
          body: "sealed")
        try expectRefusal(reply, 503, "Not now; try again")
      }
    }
  }

  @Test func `more requests in a minute than are remembered are put off`() async throws {
    try await HostBench.with { $0.limits.tokensPerMailbox = 10 }.run { host in
      for _ in 0..<10 { #expect(try await host.get("/ALPHA/count").status == 200) }
      let reply = try await host.get("/ALPHA/count")
      try expectRefusal(reply, 503, "Too many requests; try again in a minute")
      #expect(try await host.get("/BRAVO/count", as: "BRAVO").status == 200)
    }
  }

  @Test func `refusals of version 1 have the flat form`() async throws {
    try await HostBench.run { host in
      let reply = try await host.get("/ALPHA/inbox/20260202093000000_ABCDEF", version: 1)
      #expect(reply.status == 404)
      #expect(reply.headers["content-type"] == "application/json")
      #expect(
        reply.text
          == #"{"errorCode":"20","errorDescription":"Message does not exist","errorEvent":"RECEIVE"}"#
      )
    }
  }

  @Test func `an unreadable Accept, an unknown path and a wrong method are answered in form`()
    async throws
  {
    try await HostBench.run { host in
      let odd = try await host.call(
        "GET", "/ALPHA/inbox", headers: ["Accept: application/vnd.mesh.2+json"])
      #expect(odd.status == 400)
      #expect(odd.json["errorDescription"]?.string == "Accept header api format incorrect")
      for (method, path, status) in [
        ("POST", "/ALPHA/inbox/rich", 405), ("GET", "/ALPHA/nothing", 404),
        ("DELETE", "/ALPHA/inbox", 405), ("GET", "/ALPHA/outbox", 405),
      ] {
        let reply = try await host.call(method, path)
        #expect(reply.status == status)
        #expect(reply.json["errorDescription"]?.string != nil)
      }
    }
  }

  @Test func `the log holds route, status and mailbox, and nothing of the message`() async throws {
    try await HostBench.run { host in
      _ = try await host.call(
        "POST", "/ALPHA/outbox",
        headers: [
          "Mex-To: BRAVO", "Mex-WorkflowID: W", "Mex-Subject: Ivor Madeup",
          "Mex-LocalID: madeup-7",
        ], body: "payload of Ivor Madeup")
      _ = try await host.get("/IVOR-MADEUP/inbox", as: "IVOR-MADEUP")
      let all = host.log.lines.map { "\($0.message) \($0.metadata)" }.joined().lowercased()
      #expect(!all.contains("madeup"))
      let sent = try #require(host.log.lines.first)
      #expect(sent.metadata["route"] == "/{mailbox}/outbox")
      #expect(sent.metadata["status"] == "202")
      #expect(sent.metadata["mailbox"] == "ALPHA")
      #expect(sent.metadata["method"] == "POST")
      #expect(
        Set(sent.metadata.keys)
          == ["route", "status", "mailbox", "method", "request", "microseconds"])
    }
  }
}

/// A keeper whose store does not answer.
private struct HostSilentKeeper: MailboxKeeper {
  func credentials(of mailbox: MailboxID) throws -> MailboxCredentials? {
    throw KeeperRefusal.unavailable
  }
  func page(
    of mailbox: MailboxID, after cursor: InboxCursor?, limit: Int, workflow: MeshWorkflowFilter?
  ) throws -> HostedPage { throw KeeperRefusal.unavailable }
  func message(
    _ id: CarrierMessageID, for mailbox: MailboxID, headersOnly: Bool
  ) throws -> HostedMessageAnswer { throw KeeperRefusal.unavailable }
  func acknowledge(_ id: CarrierMessageID, in mailbox: MailboxID) throws -> AcknowledgeAnswer {
    throw KeeperRefusal.unavailable
  }
  func accept(_ message: SubmittedMessage) throws -> SubmitAnswer {
    throw KeeperRefusal.unavailable
  }
  func beginUpload(
    _ message: SubmittedMessage, parts: Int, encoding: String?
  ) throws -> SubmitAnswer { throw KeeperRefusal.unavailable }
  func add(_ part: SubmittedPart) throws -> PartAnswer { throw KeeperRefusal.unavailable }
  func listing(
    _ box: HostedBox, of mailbox: MailboxID, since: Instant, before position: Int64?, limit: Int
  ) throws -> HostedListing { throw KeeperRefusal.unavailable }
  func track(_ id: CarrierMessageID, by sender: MailboxID) throws -> HostedTracking? {
    throw KeeperRefusal.unavailable
  }
  func track(localID: String, by sender: MailboxID) throws -> [HostedTracking] {
    throw KeeperRefusal.unavailable
  }
}
