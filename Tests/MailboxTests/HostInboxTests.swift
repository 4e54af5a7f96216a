import Exchange
import Foundation
import Mailbox
import Testing

@Suite(.timeLimit(.minutes(2)))
struct HostInboxTests {
  @Test func `a handshake names the client, in both versions`() async throws {
    try await HostBench.run { host in
      let names = ["mex-ClientVersion: invented 1.0", "mex-OSName: Linux", "MEX-OSVERSION: 6"]
      let two = try await host.call("POST", "/ALPHA", headers: names)
      #expect(two.status == 200)
      #expect(two.body.isEmpty)
      let one = try await host.call("GET", "/alpha", version: 1, headers: names)
      #expect(one.text == #"{"mailboxId":"ALPHA"}"#)
      let mailbox = try #require(MailboxID("ALPHA"))
      #expect(await host.keeper.lastHandshake(of: mailbox)?.version == "invented 1.0")
    }
  }

  @Test func `a handshake without its headers is a validation error`() async throws {
    try await HostBench.run { host in
      let reply = try await host.call("POST", "/ALPHA", headers: ["mex-OSName: Linux"])
      #expect(reply.status == 400)
      #expect(reply.headers["content-type"] == "application/json")
      #expect(
        reply.text
          == #"{"detail":[{"loc":["header","mex-clientversion"],"msg":"Field required","type":"missing"},"#
          + #"{"loc":["header","mex-osversion"],"msg":"Field required","type":"missing"}]}"#)
    }
  }

  @Test func `an empty inbox is an empty list, in both versions`() async throws {
    try await HostBench.run { host in
      let two = try await host.get("/ALPHA/inbox")
      #expect(two.headers["content-type"] == "application/vnd.mesh.v2+json")
      #expect(
        two.text
          == #"{"approx_inbox_count":0,"links":{"self":"/messageexchange/ALPHA/inbox"},"messages":[]}"#
      )
      let one = try await host.get("/ALPHA/inbox", version: 1)
      #expect(one.text == #"{"messages":[]}"#)
    }
  }

  @Test func `25 messages come in pages of 10, while those listed are acknowledged`() async throws {
    try await HostBench.run { host in
      var sent: [String] = []
      for number in 1...25 {
        sent.append(try await host.send("sealed \(number)", from: "BRAVO", to: "ALPHA"))
      }
      var path = "/ALPHA/inbox?max_results=10"
      var pages: [[String]] = []
      var counts: [Int64] = []
      while pages.count < 4 {
        let reply = try await host.get(path)
        let page = try #require(reply.json["messages"]?.array).compactMap(\.string)
        pages.append(page)
        counts.append(try #require(reply.json["approx_inbox_count"]?.integer))
        // Also the last of the page, behind which the cursor points.
        for id in page.suffix(3) {
          let done = try await host.call("PUT", "/ALPHA/inbox/\(id)/status/acknowledged")
          #expect(done.status == 200)
        }
        guard let next = reply.json["links"]?["next"]?.string else { break }
        #expect(next.hasPrefix("/messageexchange/ALPHA/inbox?continue_from="))
        #expect(next.hasSuffix("&max_results=10"))
        path = String(next.dropFirst("/messageexchange".count))
      }
      #expect(pages.map(\.count) == [10, 10, 5])
      #expect(pages.flatMap { $0 } == sent)
      #expect(counts == [25, 22, 19])
      let rest = try await host.get("/ALPHA/inbox", version: 1)
      #expect(rest.json["messages"]?.array?.count == 16)
    }
  }

  @Test func `version 1 goes on behind a message id, acknowledged or not`() async throws {
    try await HostBench.run { host in
      let first = try await host.send("a", from: "BRAVO", to: "ALPHA")
      let second = try await host.send("b", from: "BRAVO", to: "ALPHA")
      _ = try await host.call("PUT", "/ALPHA/inbox/\(first)/status/acknowledged")
      let reply = try await host.get("/ALPHA/inbox?continue_from=\(first)", version: 1)
      #expect(reply.text == #"{"messages":["\#(second)"]}"#)
    }
  }

  @Test(arguments: [
    "max_results=9", "max_results=5001", "max_results=ten", "continue_from=short",
    "continue_from=c1_0000000000000000_00000000", "continue_from=20200101000000000_ABCDEF",
    "workflow_filter=W", "workflow_filter=%21%2A",
  ])
  func `a parameter out of range is a validation error`(_ query: String) async throws {
    try await HostBench.run { host in
      let reply = try await host.get("/ALPHA/inbox?\(query)")
      #expect(reply.status == 400)
      let place = reply.detail?["loc"]?.array?.compactMap(\.string)
      #expect(place == ["query", String(query.prefix { $0 != "=" })])
    }
  }

  @Test func `a cursor of another mailbox is refused`() async throws {
    try await HostBench.run { host in
      for _ in 1...11 { try await host.send("x", from: "BRAVO", to: "ALPHA") }
      let reply = try await host.get("/ALPHA/inbox?max_results=10")
      let next = try #require(reply.json["links"]?["next"]?.string)
      let stolen = next.replacing("/messageexchange/ALPHA", with: "/BRAVO")
      #expect(try await host.get(stolen, as: "BRAVO").status == 400)
    }
  }

  @Test func `the list is filtered by workflow, and the count is not`() async throws {
    try await HostBench.run { host in
      let notice = try await host.send("a", from: "BRAVO", to: "ALPHA", workflow: "NOTICE")
      let answer = try await host.send("b", from: "BRAVO", to: "ALPHA", workflow: "NOTICE_ACK")
      for (filter, expected) in [
        ("NOTICE", [notice]), ("!NOTICE", [answer]), ("NOTICE*", [notice, answer]),
        ("!NOTICE_*", [notice]), ("*ACK*", [answer]), ("!*ACK*", [notice]),
      ] {
        let escaped = filter.replacing("!", with: "%21").replacing("*", with: "%2A")
        let reply = try await host.get("/ALPHA/inbox?workflow_filter=\(escaped)")
        #expect(reply.json["messages"]?.array?.compactMap(\.string) == expected)
        #expect(reply.json["approx_inbox_count"]?.integer == 2)
        #expect(
          reply.json["links"]?["self"]?.string
            == "/messageexchange/ALPHA/inbox?workflow_filter=\(escaped)")
      }
    }
  }

  @Test func `the count is told in both versions`() async throws {
    try await HostBench.run { host in
      for _ in 1...3 { try await host.send("x", from: "BRAVO", to: "ALPHA") }
      let two = try await host.get("/ALPHA/count")
      #expect(two.text == #"{"count":3}"#)
      #expect(two.headers["content-type"] == "application/json")
      let one = try await host.get("/ALPHA/count", version: 1)
      #expect(one.json["count"]?.integer == 3)
      #expect(one.json["allResultsIncluded"]?.bool == true)
      #expect(one.json["internalID"]?.string?.isEmpty == false)
    }
  }

  @Test func `a message is downloaded with its headers, whole and as part 1`() async throws {
    try await HostBench.run { host in
      let id = try await host.send("sealed bytes", from: "BRAVO", to: "ALPHA", localID: "ref-1")
      let reply = try await host.get("/ALPHA/inbox/\(id.lowercased())")
      #expect(reply.status == 200)
      #expect(reply.text == "sealed bytes")
      #expect(reply.headers["content-type"] == "application/cms")
      #expect(reply.headers["content-length"] == "12")
      for (name, value) in [
        ("messageid", id), ("messagetype", "DATA"), ("from", "BRAVO"), ("to", "ALPHA"),
        ("workflowid", "SALLYPORT_NOTICE"), ("chunk-range", "1:1"), ("total-chunks", "1"),
        ("localid", "ref-1"), ("filename", "\(id).dat"), ("addresstype", "ALL"),
        ("version", "1.0"), ("statuscode", "00"), ("statusevent", "TRANSFER"),
        ("statusdescription", "Transferred to recipient mailbox"), ("statussuccess", "SUCCESS"),
        ("statustimestamp", "20260202093000"),
      ] { #expect(reply.headers["mex-\(name)"] == value, "\(name)") }
      #expect(reply.headers["mex-subject"] == nil)
      #expect(reply.headers["content-encoding"] == nil)
      let part = try await host.get("/ALPHA/inbox/\(id)/1", version: 1)
      #expect(part.text == "sealed bytes")
      #expect(part.headers["content-type"] == "application/octet-stream")
    }
  }

  @Test func `parts that are not there are refused`() async throws {
    try await HostBench.run { host in
      let id = try await host.send("x", from: "BRAVO", to: "ALPHA")
      for (part, status) in [("2", 404), ("0", 400), ("-1", 400), ("one", 400)] {
        #expect(try await host.get("/ALPHA/inbox/\(id)/\(part)").status == status)
      }
    }
  }

  @Test func `a message of another mailbox reads like one that does not exist`() async throws {
    try await HostBench.run { host in
      let id = try await host.send("x", from: "BRAVO", to: "ALPHA")
      for name in [id, "20260202093000000_FFFFFF", "no-such-form"] {
        let replies = [
          try await host.get("/SALLYPORT/inbox/\(name)", as: "SALLYPORT"),
          try await host.call(
            "PUT", "/SALLYPORT/inbox/\(name)/status/acknowledged", as: "SALLYPORT"),
        ]
        for reply in replies {
          #expect(reply.status == 404)
          #expect(reply.detail?["code"]?.string == "20")
        }
      }
      #expect(try await host.get("/ALPHA/count").text == #"{"count":1}"#)
    }
  }

  @Test func `HEAD gives the headers to recipient and sender, and 404 to others`() async throws {
    try await HostBench.run { host in
      let id = try await host.send("sealed bytes", from: "BRAVO", to: "ALPHA")
      let mine = try await host.call("HEAD", "/ALPHA/inbox/\(id)")
      #expect(mine.status == 200)
      #expect(mine.headers["mex-messageid"] == id)
      #expect(mine.headers["content-length"] == "12")
      #expect(mine.exit == 0)
      let sender = try await host.call("HEAD", "/BRAVO/inbox/\(id)", as: "BRAVO")
      #expect(sender.status == 200)
      let other = try await host.call("HEAD", "/SALLYPORT/inbox/\(id)", as: "SALLYPORT")
      #expect(other.status == 404)
      #expect(try await host.get("/BRAVO/inbox/\(id)", as: "BRAVO").status == 404)
    }
  }

  @Test func `a refusal of HEAD has no body, so that the connection goes on`() async throws {
    try await HostBench.run { host in
      let request =
        "HEAD /messageexchange/ALPHA/inbox/NONE HTTP/1.1\r\nHost: h\r\n"
        + "Authorization: \(try host.token("ALPHA"))\r\n\r\n"
        + "GET /messageexchange/_ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
      let pki = host.pki
      let run = try await HostTool.run(
        "/usr/bin/openssl",
        [
          "s_client", "-connect", "127.0.0.1:\(host.port)", "-cert", pki.path("alpha.pem"),
          "-key", pki.path("alpha.key"), "-CAfile", pki.path("ca.pem"), "-quiet", "-ign_eof",
        ], input: Array(request.utf8))
      let answers = run.output.components(separatedBy: "HTTP/1.1 ").dropFirst()
      #expect(answers.map { $0.prefix(3) } == ["404", "200"])
      #expect(answers.first?.contains("errorCode") == false)
    }
  }

  @Test func `acknowledging takes a message out of the list, and twice is as good as once`()
    async throws
  {
    try await HostBench.run { host in
      let id = try await host.send("x", from: "BRAVO", to: "ALPHA")
      let path = "/ALPHA/inbox/\(id)/status/acknowledged"
      let first = try await host.call("PUT", path)
      #expect(first.status == 200)
      #expect(first.body.isEmpty)
      let second = try await host.call("PUT", path, version: 1)
      #expect(second.text == #"{"messageId":"\#(id)"}"#)
      #expect(try await host.get("/ALPHA/inbox", version: 1).text == #"{"messages":[]}"#)
      // Clients that acknowledge early still fetch.
      #expect(try await host.get("/ALPHA/inbox/\(id)").text == "x")
    }
  }

  @Test func `a message not collected in time is gone, and its sender has a report`() async throws {
    try await HostBench.run { host in
      let id = try await host.send("x", from: "BRAVO", to: "ALPHA", localID: "ref-9")
      let carrier = try #require(CarrierMessageID(id))
      #expect(await host.keeper.expire(carrier, in: try #require(MailboxID("ALPHA"))))
      let late = try await host.get("/ALPHA/inbox/\(id)")
      #expect(late.status == 410)
      #expect(late.detail?["code"]?.string == "Message already accepted")
      let list = try await host.get("/BRAVO/inbox", as: "BRAVO")
      let report = try #require(list.json["messages"]?.array?.first?.string)
      let reply = try await host.get("/BRAVO/inbox/\(report)", as: "BRAVO")
      #expect(reply.status == 200)
      #expect(reply.body.isEmpty)
      for (name, value) in [
        ("messagetype", "REPORT"), ("linkedmsgid", id), ("localid", "ref-9"),
        ("chunk-range", "1:0"), ("total-chunks", "0"), ("statuscode", "14"),
        ("statussuccess", "ERROR"), ("statusevent", "SEND"),
      ] { #expect(reply.headers["mex-\(name)"] == value, "\(name)") }
      #expect(reply.headers["content-type"] == nil)
      #expect(reply.headers["mex-from"] == nil)
    }
  }

  @Test func `one connection serves many requests`() async throws {
    try await HostBench.run { host in
      let pki = host.pki
      var arguments: [String] = []
      for _ in 1...5 {
        arguments += arguments.isEmpty ? [] : ["--next"]
        arguments += [
          "--silent", "--cacert", pki.path("ca.pem"), "--cert", pki.path("alpha.pem"), "--key",
          pki.path("alpha.key"), "--output", "/dev/null", "--write-out",
          "%{http_code}:%{num_connects} ", "--header",
          "Authorization: \(try host.token("ALPHA"))",
          "https://127.0.0.1:\(host.port)/messageexchange/ALPHA/inbox",
        ]
      }
      let run = try await HostTool.run("/usr/bin/curl", arguments)
      #expect(run.output == "200:1 200:0 200:0 200:0 200:0 ")
    }
  }

  @Test func `ping and lookups need no token, and show only the service's own mailbox`()
    async throws
  {
    let own = try HostConfiguration.OwnMailbox(
      mailbox: #require(MailboxID("SALLYPORT")), name: "Invented exchange", odsCode: "X26",
      workflows: ["SALLYPORT_NOTICE"])
    try await HostBench.with { $0.ownMailbox = own }.run { host in
      let found = #"{"results":[{"mailbox_id":"SALLYPORT","mailbox_name":"Invented exchange"}]}"#
      for (path, version, text) in [
        (
          "/_ping", 2,
          #"{"build_label":"sallyport","env":"test","outcome":"Yes","status":"running"}"#
        ),
        ("/endpointlookup/x26/SALLYPORT_NOTICE", 2, found),
        ("/workflowsearch/SALLYPORT_NOTICE", 2, found),
        ("/workflowsearch/SALLYPORT_NOTICE", 1, found),
        (
          "/endpointlookup/X26/SALLYPORT_NOTICE", 1,
          #"{"query_id":"","results":[{"address":"SALLYPORT","description":"Invented exchange","#
            + #""endpoint_type":"MESH"}]}"#
        ),
        ("/endpointlookup/Y99/SALLYPORT_NOTICE", 2, #"{"results":[]}"#),
        ("/workflowsearch/OTHER", 2, #"{"results":[]}"#),
      ] {
        let reply = try await host.call("GET", path, version: version, token: "")
        #expect(reply.status == 200)
        #expect(reply.text == text)
      }
    }
  }
}
