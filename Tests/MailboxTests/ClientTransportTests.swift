import Foundation
import Testing

@testable import Mailbox

@Suite(.timeLimit(.minutes(1))) struct `The HTTPS transport` {
  private func get(
    _ double: ClientServiceDouble, _ path: String = "/", identity: TLSIdentity? = nil,
    lane: String = "lane", limits: HTTPSRequest.Limits = .init()
  ) throws -> HTTPSRequest {
    HTTPSRequest(
      .get, double.url + path, identity: try identity ?? double.authority.identity(),
      limits: limits, lane: lane)
  }

  private func failure(
    _ transport: HTTPSTransport, _ request: HTTPSRequest
  ) async -> TransportError? {
    do throws(TransportError) {
      _ = try await transport.perform(request)
      return nil
    } catch {
      return error
    }
  }

  // MARK: Connections and certificates

  @Test func `presents a certificate from memory and keeps its connection`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "GET /", headers: [["X-Word", " two  words "]], body: "hello", always: true)
    ])
    let transport = try HTTPSTransport()
    for _ in 0..<3 {
      let answer = try await transport.perform(try get(double))
      #expect(answer.status == 200)
      #expect(answer.body == Array("hello".utf8))
      #expect(answer.headers.values("x-WORD") == ["two  words"])
    }
    let seen = await double.seen(3)
    #expect(seen.map(\.connection) == [1, 1, 1])
    #expect(seen.map(\.peer) == ["client", "client", "client"])
    await transport.shutdown()
  }

  @Test func `never lends a connection to another certificate`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", always: true)])
    let transport = try HTTPSTransport()
    let second = try double.authority.identity("second")
    _ = try await transport.perform(try get(double))
    _ = try await transport.perform(try get(double, identity: second))
    _ = try await transport.perform(try get(double))
    let seen = await double.seen(3)
    #expect(seen.map(\.peer) == ["client", "second", "client"])
    #expect(seen.map(\.connection) == [1, 2, 1])
  }

  @Test func `refuses a server of another authority before it says anything`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", always: true)])
    let identity = try double.authority.identity(trusting: "other")
    let error = await failure(try HTTPSTransport(), try get(double, identity: identity))
    #expect(error?.kind == .untrustedServer)
    #expect(error?.mayHaveArrived == false)
    #expect(double.seenSoFar == 0)
  }

  @Test func `refuses a server of another name`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", always: true)])
    var request = try get(double)
    request.url = "https://localhost:\(double.port)/"
    #expect(await failure(try HTTPSTransport(), request)?.kind == .untrustedServer)
  }

  @Test func `refuses a revoked server when it has a revocation list`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", always: true)])
    let clean = try double.authority.identity(revocationFile: double.file("clean.crl"))
    let revoked = try double.authority.identity(revocationFile: double.file("revoked.crl"))
    let transport = try HTTPSTransport()
    #expect(await failure(transport, try get(double, identity: clean)) == nil)
    let error = await failure(transport, try get(double, identity: revoked))
    #expect(error?.kind == .untrustedServer)
    #expect(await double.seen(1).count == 1)
  }

  @Test func `says that the server does not take its certificate`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", always: true)])
    let stranger = try double.authority.identity("stranger")
    let error = await failure(try HTTPSTransport(), try get(double, identity: stranger))
    #expect(error?.kind == .handshakeRefused, "\(String(describing: error))")
    #expect(error?.mayHaveArrived == false)
  }

  @Test func `says that its own key is of another certificate`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", always: true)])
    let authority = double.authority
    let identity = try TLSIdentity(
      certificate: authority["client.pem"], key: authority["second.key"],
      authorities: authority["ca.pem"])
    let error = await failure(try HTTPSTransport(), try get(double, identity: identity))
    #expect(error?.kind == .unusableIdentity)
    #expect(throws: TransportError(.unusableIdentity)) {
      try TLSIdentity(certificate: [1], key: [2], authorities: [3])
    }
  }

  @Test func `says that nobody listens`() async throws {
    let double = try await ClientServiceDouble([])
    var request = try get(double)
    request.url = "https://127.0.0.1:1/"
    let error = await failure(try HTTPSTransport(), request)
    #expect(error?.kind == .unreachable)
    #expect(error?.mayHaveArrived == false)
  }

  // MARK: Bounds

  @Test func `cuts off a body above its limit, announced or not`() async throws {
    let double = try await ClientServiceDouble([
      .get("/announced", body: String(repeating: "x", count: 1001)),
      .get("/fits", body: String(repeating: "x", count: 1000)),
      .init(on: "GET /endless", mode: .endless),
    ])
    let transport = try HTTPSTransport()
    var limits = HTTPSRequest.Limits()
    limits.bodyBytes = 1000
    for path in ["/announced", "/endless"] {
      let error = await failure(transport, try get(double, path, limits: limits))
      #expect(error?.kind == .bodyTooLarge, "\(path)")
    }
    #expect(await failure(transport, try get(double, "/fits", limits: limits)) == nil)
  }

  @Test func `refuses more bytes in flight than the transport may hold`() async throws {
    let double = try await ClientServiceDouble([
      .get("/", body: String(repeating: "x", count: 60_000)), .get("/", body: "small"),
    ])
    var settings = HTTPSTransport.Settings()
    settings.bufferedBytes = 50_000
    let transport = try HTTPSTransport(settings)
    #expect(await failure(transport, try get(double))?.kind == .overloaded)
    // What the failed answer held was given back.
    #expect(await failure(transport, try get(double)) == nil)
  }

  @Test func `bounds number and length of headers`() async throws {
    let many = (0..<101).map { ["X-\($0)", "1"] }
    let long = [["X-Long", String(repeating: "x", count: 40_000)]]
    let double = try await ClientServiceDouble([
      .get("/many", 200, many), .get("/long", 200, long),
    ])
    let transport = try HTTPSTransport()
    for path in ["/many", "/long"] {
      #expect(await failure(transport, try get(double, path))?.kind == .headersTooLarge, "\(path)")
    }
  }

  @Test func `ends an answer that drips`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", mode: .drip)])
    var limits = HTTPSRequest.Limits()
    limits.stalled = .seconds(1)
    let error = await failure(try HTTPSTransport(), try get(double, limits: limits))
    #expect(error?.kind == .timedOut)
    #expect(error?.mayHaveArrived == true)
  }

  @Test func `ends an answer that never comes`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", mode: .hang)])
    var limits = HTTPSRequest.Limits()
    limits.total = .milliseconds(300)
    #expect(await failure(try HTTPSTransport(), try get(double, limits: limits))?.kind == .timedOut)
  }

  // MARK: Requests and answers

  @Test func `hands a redirect back and does not follow it`() async throws {
    let double = try await ClientServiceDouble([
      .get("/", 302, [["Location", "/elsewhere"]]), .get("/elsewhere"),
    ])
    let answer = try await HTTPSTransport().perform(try get(double))
    #expect(answer.status == 302)
    #expect(await double.seen(1).count == 1)
  }

  @Test func `sends a large body whole, without waiting to be asked for it`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "POST /", status: 202), .init(on: "PUT /"),
    ])
    let transport = try HTTPSTransport()
    var request = try get(double)
    request.method = .post
    request.body = [UInt8](repeating: 7, count: 3_000_000)
    request.headers = [("Content-Type", "application/octet-stream")]
    #expect(try await transport.perform(request).status == 202)
    request.method = .put
    request.body = []
    request.headers = []
    #expect(try await transport.perform(request).status == 200)
    let seen = await double.seen(2)
    #expect(seen.map(\.bodyLength) == [3_000_000, 0])
    #expect(seen[0].headers["expect"] == nil)
    #expect(seen[0].headers["content-type"] == "application/octet-stream")
    #expect(seen[1].headers["content-type"] == nil)
    #expect(seen[1].headers["content-length"] == "0")
  }

  @Test(arguments: ["GET", "POST"])
  func `does not repeat a request when a kept connection is closed`(method: String) async throws {
    let double = try await ClientServiceDouble([
      .get("/first"), .init(on: "\(method) /", mode: .drop), .init(on: "\(method) /"),
    ])
    let transport = try HTTPSTransport()
    _ = try await transport.perform(try get(double, "/first"))
    var request = try get(double)
    request.method = try #require(HTTPSRequest.Method(rawValue: method))
    request.body = method == "POST" ? [1, 2, 3] : []
    let error = await failure(transport, request)
    #expect(error?.kind == .connectionLost)
    #expect(error?.mayHaveArrived == true)
    // The third proves by its number on the line that nothing came between.
    #expect(await failure(transport, request) == nil)
    #expect(await double.seen(3).count == 3)
  }

  @Test func `says that the answer is not HTTP`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "GET /", mode: .raw, body: "220 mail.example ready\r\n\r\n")
    ])
    #expect(await failure(try HTTPSTransport(), try get(double))?.kind == .malformedAnswer)
  }

  @Test func `says that the answer ended early`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "GET /", mode: .raw, body: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    ])
    #expect(await failure(try HTTPSTransport(), try get(double))?.kind == .connectionLost)
  }

  @Test func `refuses what is not https, and headers with line breaks`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", always: true)])
    let transport = try HTTPSTransport()
    for url in ["http://127.0.0.1:\(double.port)/", "file:///etc/hostname", "https://a b/", ""] {
      var request = try get(double)
      request.url = url
      #expect(await failure(transport, request)?.kind == .invalidRequest, "\(url)")
    }
    for header in [("X", "a\r\nY: b"), ("X Y", "a"), ("", "a"), ("X", "ä")] {
      var request = try get(double)
      request.headers = [header]
      #expect(await failure(transport, request)?.kind == .invalidRequest, "\(header)")
    }
    #expect(double.seenSoFar == 0)
  }

  // MARK: Lanes, cancellation, end

  @Test func `lets one lane that hangs hold up no other`() async throws {
    let double = try await ClientServiceDouble([
      .init(on: "GET /hang", mode: .hang, always: true), .init(on: "GET /", always: true),
    ])
    var settings = HTTPSTransport.Settings()
    settings.inFlight = 3
    settings.perLane = 2
    let transport = try HTTPSTransport(settings)
    let hanging = try (0..<4).map { _ in try get(double, "/hang", lane: "stuck") }
    let tasks = hanging.map { request in Task { await failure(transport, request) } }
    _ = await double.seen(2)
    for _ in 0..<3 {
      #expect(await failure(transport, try get(double, lane: "well")) == nil)
    }
    #expect(await double.seen(5).filter { $0.line == "GET /hang" }.count == 2)
    await transport.shutdown()
    for task in tasks { #expect(await task.value?.kind == .shutDown) }
  }

  @Test func `refuses more requests than may be outstanding`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", mode: .hang, always: true)])
    var settings = HTTPSTransport.Settings()
    settings.outstanding = 1
    let transport = try HTTPSTransport(settings)
    let request = try get(double)
    let task = Task { await failure(transport, request) }
    _ = await double.seen(1)
    #expect(await failure(transport, request)?.kind == .overloaded)
    await transport.shutdown()
    _ = await task.value
  }

  @Test func `ends a request with its task, under way or waiting`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", mode: .hang, always: true)])
    var settings = HTTPSTransport.Settings()
    settings.perLane = 1
    let transport = try HTTPSTransport(settings)
    let request = try get(double)
    let underWay = Task { await failure(transport, request) }
    _ = await double.seen(1)
    let waiting = Task { await failure(transport, request) }
    waiting.cancel()
    let second = await waiting.value
    #expect(second?.kind == .cancelled)
    #expect(second?.mayHaveArrived == false)
    underWay.cancel()
    let first = await underWay.value
    #expect(first?.kind == .cancelled)
    #expect(first?.mayHaveArrived == true)
  }

  @Test func `fails everything after its shutdown, which may be asked for twice`() async throws {
    let double = try await ClientServiceDouble([.init(on: "GET /", always: true)])
    let transport = try HTTPSTransport()
    #expect(await failure(transport, try get(double)) == nil)
    await transport.shutdown()
    await transport.shutdown()
    #expect(await failure(transport, try get(double))?.kind == .shutDown)
  }
}
