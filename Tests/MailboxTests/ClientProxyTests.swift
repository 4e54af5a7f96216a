import Foundation
import Testing

@testable import Mailbox

/// A proxy of another make: answers CONNECT, notes who asked for what, and passes bytes on.
private final class ProxyDouble {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  let port: Int

  init() throws {
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", Self.program]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    port = try #require(Int(Self.line(of: output)))
  }

  deinit { try? input.fileHandleForWriting.close() }

  /// What the next connection asked for: `CONNECT host:port credentials`.
  func asked() -> String { Self.line(of: output) }

  private static func line(of output: Pipe) -> String {
    String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static let program = #"""
    import os, socket, sys, threading
    listener = socket.create_server(("127.0.0.1", 0))
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        sink.close()
    def serve(client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        lines = head.decode().split("\r\n")
        basic = [l.split()[-1] for l in lines if l.lower().startswith("proxy-authorization")]
        target = lines[0].split()[1]
        print("CONNECT", target, *basic, flush=True)
        if "authorization: nhsmesh" in head.decode().lower():
            print("LEAK", flush=True)
        if basic != ["dXNlcjpwYXNz"]:
            client.sendall(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        host, port = target.rsplit(":", 1)
        upstream = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Through\r\n\r\n")
        threading.Thread(target=pump, args=(upstream, client), daemon=True).start()
        pump(client, upstream)
    def accept():
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
    os._exit(0)
    """#
}

@Suite(.timeLimit(.minutes(1))) struct `The HTTPS transport and a proxy` {
  private func request(
    _ double: ClientServiceDouble, _ proxy: HTTPSProxy
  ) throws -> HTTPSRequest {
    HTTPSRequest(
      .get, double.url + "/", headers: [("Authorization", "NHSMESH secret")],
      identity: try double.authority.identity(), proxy: proxy, lane: "lane")
  }

  @Test func `goes through the proxy, which learns the name alone`() async throws {
    let (double, proxy) = (
      try await ClientServiceDouble([.init(on: "GET /", body: "hello")]), try ProxyDouble()
    )
    // dXNlcjpwYXNz is "user:pass" in base64.
    let through = try HTTPSProxy(
      url: "http://127.0.0.1:\(proxy.port)", credentials: "user:pass")
    let answer = try await HTTPSTransport().perform(try request(double, through))
    #expect(answer.body == Array("hello".utf8))
    #expect(proxy.asked() == "CONNECT 127.0.0.1:\(double.port) dXNlcjpwYXNz")
    #expect(await double.seen(1)[0].headers["proxy-authorization"] == nil)
  }

  @Test func `says that the proxy refuses, and that nothing was sent`() async throws {
    let (double, proxy) = (try await ClientServiceDouble([]), try ProxyDouble())
    let wrong = try HTTPSProxy(url: "http://127.0.0.1:\(proxy.port)")
    let (transport, wrongRequest) = (try HTTPSTransport(), try request(double, wrong))
    do throws(TransportError) {
      _ = try await transport.perform(wrongRequest)
      Issue.record("let through")
    } catch {
      #expect(error.kind == .proxyRefused)
      #expect(!error.mayHaveArrived)
    }
    #expect(double.seenSoFar == 0)
  }

  @Test(arguments: [
    "https://proxy:1", "http://proxy", "http://:1", "http://proxy:0", "http://proxy:70000",
    "http://user:pass@proxy:1", "http://proxy:1/path", "socks5://proxy:1", "http://pro xy:1", "",
  ])
  func `takes no other form of address`(url: String) {
    #expect(throws: TransportError(.invalidRequest)) { try HTTPSProxy(url: url) }
  }

  @Test func `shows no password in a text or a dump`() throws {
    let proxy = try HTTPSProxy(url: "http://proxy:1", credentials: "user:secret:word")
    #expect(proxy.password == "secret:word")
    var dumped = ""
    dump(proxy, to: &dumped)
    for text in ["\(proxy)", String(reflecting: proxy), dumped] {
      #expect(!text.contains("secret"))
    }
  }

  @Test func `speaks no TLS below the version that is asked for`() async throws {
    let double = try await ClientServiceDouble(
      [.init(on: "GET /", body: "hello", always: true)], isOld: true)
    let authority = double.authority
    let transport = try HTTPSTransport()
    func request(_ minimum: TLSMinimum) throws -> HTTPSRequest {
      let identity = try TLSIdentity(
        certificate: authority["client.pem"], key: authority["client.key"],
        authorities: authority["ca.pem"], minimum: minimum)
      return HTTPSRequest(.get, double.url + "/", identity: identity, lane: "lane")
    }
    #expect(try await transport.perform(try request(.tls12)).status == 200)
    let newer = try request(.tls13)
    await #expect(throws: TransportError(.handshakeRefused)) { try await transport.perform(newer) }
  }
}
