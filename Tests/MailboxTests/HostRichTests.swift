import Exchange
import Mailbox
import Testing

/// Listings with metadata, what time does to messages, and what keeps one party from crowding out others.
@Suite(.timeLimit(.minutes(2)))
struct HostRichTests {
  @Test func `a listing shows what came, newest first, in every state`() async throws {
    try await HostBench.run { host in
      let old = try await host.send("12345", from: "ALPHA", to: "BRAVO", localID: "ref-1")
      let new = try await host.send("x", from: "ALPHA", to: "BRAVO")
      _ = try await host.call("PUT", "/BRAVO/inbox/\(old)/status/acknowledged", as: "BRAVO")
      let reply = try await host.get("/BRAVO/inbox/rich", as: "BRAVO")
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "application/vnd.mesh.v2+json")
      #expect(reply.json["valid_at"]?.string == "2026-02-02T09:30:00.000Z")
      #expect(reply.json["links"]?["self"]?.string == "/messageexchange/BRAVO/inbox/rich")
      #expect(reply.json["links"]?["next"] == nil)
      let messages = try #require(reply.json["messages"]?.array)
      #expect(messages.map { $0["message_id"]?.string } == [new, old])
      #expect(messages.map { $0["status"]?.string } == ["accepted", "acknowledged"])
      #expect(
        messages[1]
          == [
            "message_id": .string(old), "message_type": "DATA", "local_id": "ref-1",
            "sender": "ALPHA", "sender_name": "", "recipient": "BRAVO", "recipient_name": "",
            "sent_date": "2026-02-02T09:30:00.000Z", "status": "acknowledged", "total_chunks": 1,
            "expiry_timestamp": "2026-02-07T09:30:00.000Z", "workflow_id": "SALLYPORT_NOTICE",
          ])
      // The sender sees the same from its side, and an open upload first.
      let begun = try await host.call(
        "POST", "/ALPHA/outbox",
        headers: ["Mex-To: BRAVO", "Mex-WorkflowID: W", "Mex-Chunk-Range: 1:4"], body: "x")
      let sent = try await host.get("/ALPHA/outbox/rich").json["messages"]?.array
      #expect(
        sent?.map { $0["message_id"]?.string } == [begun.json["message_id"]?.string, new, old])
      #expect(sent?.map { $0["status"]?.string } == ["uploading", "accepted", "acknowledged"])
      #expect(sent?.first?["total_chunks"]?.integer == 4)
      #expect(
        try await host.get("/SALLYPORT/inbox/rich", as: "SALLYPORT").json["messages"]?.array == [])
    }
  }

  @Test func `a listing goes on where its page ended, whatever came meanwhile`() async throws {
    try await HostBench.run { host in
      var sent: [String] = []
      for number in 1...7 {
        sent.append(try await host.send("\(number)", from: "ALPHA", to: "BRAVO"))
      }
      for (box, mailbox) in [("inbox", "BRAVO"), ("outbox", "ALPHA")] {
        var path = "/\(mailbox)/\(box)/rich?max_results=3"
        var seen: [String] = []
        for _ in 0..<4 {
          let reply = try await host.get(path, as: mailbox)
          let page = try #require(reply.json["messages"]?.array)
          seen += page.compactMap { $0["message_id"]?.string }
          try await host.send("later", from: "ALPHA", to: "BRAVO")
          guard let next = reply.json["links"]?["next"]?.string else { break }
          #expect(page.count == 3)
          path = String(next.dropFirst("/messageexchange".count))
        }
        #expect(Array(seen.suffix(7)) == sent.reversed())
      }
    }
  }

  @Test func `a listing begins when it is told to`() async throws {
    try await HostBench.run { host in
      try await host.send("x", from: "ALPHA", to: "BRAVO")
      for (start, count) in [
        ("2026-02-02T09:30:00Z", 1), ("2026-02-02T09:30:01", 0), ("2026-02-02", 1),
        ("2026-02-02T11:00:00%2B01:00", 0), ("2026-02-02T10:00:00%2B01:00", 1),
      ] {
        let reply = try await host.get("/BRAVO/inbox/rich?start_time=\(start)", as: "BRAVO")
        #expect(reply.json["messages"]?.array?.count == count, "\(start)")
      }
      for query in [
        "start_time=yesterday", "max_results=0", "max_results=501", "continue_from=x",
        "continue_from=c1_0000000000000000_00000000",
      ] {
        let reply = try await host.get("/BRAVO/inbox/rich?\(query)", as: "BRAVO")
        #expect(reply.status == 400, "\(query)")
        #expect(reply.detail?["loc"]?.array?.first?.string == "query")
      }
    }
  }

  @Test func `uncollected for five days it is reported, after thirty it is deleted`() async throws {
    try await HostBench.run { host in
      let id = try await host.send("x", from: "ALPHA", to: "BRAVO", localID: "ref-1")
      let kept = try await host.send("y", from: "ALPHA", to: "BRAVO")
      _ = try await host.call("PUT", "/BRAVO/inbox/\(kept)/status/acknowledged", as: "BRAVO")
      let day = 86_400
      #expect(await host.keeper.clockReached(hostNow + .seconds(5 * day - 1)).isEmpty)
      let expired = await host.keeper.clockReached(hostNow + .seconds(5 * day))
      #expect(expired.map(\.text) == [id])
      #expect(try await host.get("/BRAVO/inbox", as: "BRAVO").json["messages"]?.array == [])
      #expect(try await host.get("/BRAVO/inbox/\(id)", as: "BRAVO").status == 410)
      let tracking = try await host.get("/ALPHA/outbox/tracking?messageID=\(id)").json
      #expect(tracking["status"]?.string == "undeliverable")
      #expect(tracking["status_success"]?.bool == false)
      #expect(tracking["status_code"]?.string == "14")
      let list = try await host.get("/ALPHA/inbox").json["messages"]?.array
      let report = try #require(list?.first?.string)
      let reply = try await host.get("/ALPHA/inbox/\(report)/1")
      #expect(reply.status == 200 && reply.body.isEmpty)
      #expect(reply.headers["mex-linkedmsgid"] == id)
      #expect(
        reply.headers["mex-statusdescription"] == "Message not collected by recipient after 5 days")
      #expect(try await host.get("/ALPHA/inbox/\(report)/2").status == 404)
      // The report itself is never reported on.
      #expect(await host.keeper.clockReached(hostNow + .seconds(10 * day)).map(\.text) == [report])
      #expect(try await host.get("/ALPHA/inbox").json["messages"]?.array == [])
      #expect(try await host.get("/BRAVO/inbox/\(kept)", as: "BRAVO").text == "y")
      await host.keeper.clockReached(hostNow + .seconds(30 * day))
      for gone in [id, kept] {
        #expect(try await host.get("/BRAVO/inbox/\(gone)", as: "BRAVO").status == 404)
        #expect(try await host.get("/ALPHA/outbox/tracking?messageID=\(gone)").status == 404)
      }
    }
  }

  @Test func `what lies in a mailbox that was switched off is reported as that`() async throws {
    try await HostBench.run { host in
      try await host.send("x", from: "ALPHA", to: "BRAVO")
      await host.keeper.setActive(try #require(MailboxID("BRAVO")), false)
      await host.keeper.clockReached(hostNow + .seconds(5 * 86_400))
      let list = try await host.get("/ALPHA/inbox").json["messages"]?.array
      let reply = try await host.get("/ALPHA/inbox/\(try #require(list?.first?.string))")
      #expect(
        reply.headers["mex-statusdescription"]
          == "Message was not collected as the mailbox is deactivated")
    }
  }

  @Test func `fifty recipients poll beside one that asks for everything at once`() async throws {
    try await HostBench.with { $0.limits.requestsAtOnce = 2 }.run { host in
      let fingerprint = try #require(host.pki.fingerprints["alpha"])
      let names = (1...50).map { "M\($0)" }
      for name in names {
        let mailbox = try #require(MailboxID(name))
        await host.keeper.open(
          mailbox,
          credentials: MailboxCredentials(
            password: "password-of-\(name)", certificateFingerprints: [fingerprint]))
        _ = await host.keeper.accept(
          SubmittedMessage(
            sender: try #require(MailboxID("ALPHA")), recipient: mailbox,
            metadata: MeshMetadata(workflowID: "W"), payload: Array(name.utf8),
            receivedAt: hostNow))
      }
      // A body that never ends holds its own mailbox's turns alone.
      let text = String(repeating: "a", count: 100_000)
      let answers = try await withThrowingTaskGroup(of: [Int].self) { tasks in
        for _ in 0..<2 {
          tasks.addTask {
            let slow = try await host.call(
              "POST", "/BRAVO/outbox", as: "BRAVO",
              headers: ["Mex-To: ALPHA", "Mex-WorkflowID: W"],
              body: text, arguments: ["--limit-rate", "50000"])
            #expect(slow.status == 202)
            return []
          }
        }
        for name in names {
          tasks.addTask {
            let list = try await host.get("/\(name)/inbox", as: name)
            let id = try #require(list.json["messages"]?.array?.first?.string)
            let got = try await host.get("/\(name)/inbox/\(id)", as: name)
            #expect(got.text == name)
            let done = try await host.call(
              "PUT", "/\(name)/inbox/\(id)/status/acknowledged", as: name)
            return [list.status, got.status, done.status]
          }
        }
        return try await tasks.reduce(into: []) { $0 += $1 }
      }
      #expect(answers == [Int](repeating: 200, count: 150))
    }
  }

  @Test func `more requests of one mailbox at once are put off, and their token stays good`()
    async throws
  {
    let keeper = MemoryKeeper(now: { hostNow })
    let gate = HostGate()
    let front = HostGatedKeeper(keeper: keeper, gate: gate)
    let setup = HostSetup(
      change: { $0.limits.requestsAtOnce = 1 }, keeper: keeper, front: front)
    try await setup.run { host in
      let token = try host.token("ALPHA")
      async let held = host.get("/ALPHA/inbox")
      // Until that one is inside.
      await gate.reached()
      let refused = try await host.call("GET", "/ALPHA/count", token: token)
      #expect(refused.status == 429)
      #expect(refused.headers["retry-after"] == "1")
      #expect(refused.detail?["msg"]?.string == "Too many requests of this mailbox at once")
      #expect(try await host.get("/BRAVO/outbox/rich", as: "BRAVO").status == 200)
      gate.open()
      #expect(try await held.status == 200)
      #expect(try await host.call("GET", "/ALPHA/count", token: token).status == 200)
    }
  }
}

/// Holds whoever comes to it until it is opened.
final class HostGate: Sendable {
  private let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
  private let (openings, opened) = AsyncStream.makeStream(of: Void.self)

  func pass() async {
    arrived.yield()
    for await _ in openings {}
  }

  func reached() async { for await _ in arrivals { return } }
  func open() { opened.finish() }
}

/// A keeper that holds whoever lists an inbox.
private struct HostGatedKeeper: MailboxKeeper {
  let keeper: MemoryKeeper
  let gate: HostGate

  func page(
    of mailbox: MailboxID, after cursor: InboxCursor?, limit: Int, workflow: MeshWorkflowFilter?
  ) async throws -> HostedPage {
    await gate.pass()
    return try await keeper.page(of: mailbox, after: cursor, limit: limit, workflow: workflow)
  }

  func credentials(of mailbox: MailboxID) async -> MailboxCredentials? {
    await keeper.credentials(of: mailbox)
  }
  func message(
    _ id: CarrierMessageID, for mailbox: MailboxID, headersOnly: Bool
  ) async -> HostedMessageAnswer {
    await keeper.message(id, for: mailbox, headersOnly: headersOnly)
  }
  func acknowledge(_ id: CarrierMessageID, in mailbox: MailboxID) async -> AcknowledgeAnswer {
    await keeper.acknowledge(id, in: mailbox)
  }
  func accept(_ message: SubmittedMessage) async -> SubmitAnswer { await keeper.accept(message) }
  func beginUpload(
    _ message: SubmittedMessage, parts: Int, encoding: String?
  ) async -> SubmitAnswer {
    await keeper.beginUpload(message, parts: parts, encoding: encoding)
  }
  func add(_ part: SubmittedPart) async -> PartAnswer { await keeper.add(part) }
  func track(_ id: CarrierMessageID, by sender: MailboxID) async -> HostedTracking? {
    await keeper.track(id, by: sender)
  }
  func track(localID: String, by sender: MailboxID) async -> [HostedTracking] {
    await keeper.track(localID: localID, by: sender)
  }
  func listing(
    _ box: HostedBox, of mailbox: MailboxID, since: Instant, before position: Int64?, limit: Int
  ) async -> HostedListing {
    await keeper.listing(box, of: mailbox, since: since, before: position, limit: limit)
  }
}
