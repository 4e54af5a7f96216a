import Exchange
import Foundation
import Synchronization
import Testing

@testable import Mailbox

/// Somebody else's HTTPS service, played from a script: a raw TLS server of another make, which can also
/// do what a good one never does. Ends with the object.
final class ClientServiceDouble: Sendable {
  struct Reply: Encodable, Sendable {
    enum Mode: String, Encodable {
      case whole, hang, drip, endless, drop, raw
      /// The whole answer as far as `cut` bytes, then the connection is reset.
      case cut
    }

    /// Method and path with query: `GET /a?b=c`.
    var on: String
    var mode = Mode.whole
    var status = 200
    var headers: [[String]] = []
    var body = ""
    /// Whether `body` is base64 of what is sent.
    var isBase64 = false
    var cut = 0
    /// Answers every such request, not only the first.
    var always = false

    static func get(
      _ path: String, _ status: Int = 200, _ headers: [[String]] = [], body: String = ""
    ) -> Reply {
      Reply(on: "GET \(path)", status: status, headers: headers, body: body)
    }
  }

  struct Seen: Decodable, Sendable {
    var connection: Int
    /// Common name of the client's certificate.
    var peer: String
    var line: String
    var headers: [String: String]
    var bodyLength: Int
  }

  fileprivate struct State {
    var unread: [UInt8] = []
    var port: Int?
    var seen: [Seen] = []
    var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let process = Process()
  private let input = Pipe()
  private let folder: URL
  private let state: StateBox
  let port: Int
  let authority: ClientTestAuthority

  fileprivate final class StateBox: Sendable {
    let state = Mutex(State())
  }

  /// - Parameter isOld: speaks TLS 1.2 and nothing newer.
  init(_ script: [Reply], isOld: Bool = false) async throws {
    authority = try ClientTestAuthority.shared.get()
    folder = FileManager.default.temporaryDirectory.appending(path: "mesh-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["server.pem", "server.key", "ca.pem", "clean.crl", "revoked.crl"] {
      try Data(authority[name]).write(to: folder.appending(path: name))
    }
    try JSONEncoder().encode(script).write(to: folder.appending(path: "script.json"))
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", Self.program, folder.path, isOld ? "old" : "new"]
    process.standardInput = input
    let output = Pipe()
    process.standardOutput = output
    let box = StateBox()
    state = box
    output.fileHandleForReading.readabilityHandler = { handle in
      let bytes = handle.availableData
      if bytes.isEmpty { handle.readabilityHandler = nil }
      let waited = box.state.withLock { $0.read(bytes) }
      for continuation in waited { continuation.resume() }
    }
    try process.run()
    await Self.wait(for: 0, in: box)
    let port = box.state.withLock(\.port)
    self.port = try #require(port, "python3 is needed")
  }

  deinit {
    try? input.fileHandleForWriting.close()
    try? FileManager.default.removeItem(at: folder)
  }

  var url: String { "https://127.0.0.1:\(port)" }
  func file(_ name: String) -> String { folder.appending(path: name).path }

  /// The requests seen, once there are so many. Those of a test that has had its answers come at once.
  func seen(_ count: Int) async -> [Seen] {
    await Self.wait(for: count, in: state)
    return state.state.withLock(\.seen)
  }

  /// The requests seen so far.
  var seenSoFar: Int { state.state.withLock(\.seen.count) }

  private static func wait(for count: Int, in box: StateBox) async {
    await withCheckedContinuation { continuation in
      let isThere = box.state.withLock { state in
        if state.port != nil && state.seen.count >= count { return true }
        state.waiting.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  private static let program = #"""
    import base64, json, os, socket, ssl, struct, sys, threading, time
    folder = sys.argv[1]
    script = json.load(open(folder + "/script.json"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
    context.load_verify_locations(folder + "/ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    if sys.argv[2] == "old":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    lock, used = threading.Lock(), set()
    def say(value):
        with lock:
            print(json.dumps(value), flush=True)
    def pick(line):
        with lock:
            for place, reply in enumerate(script):
                if place not in used and reply["on"] == line:
                    if not reply["always"]:
                        used.add(place)
                    return reply
        return {"mode": "whole", "status": 500, "headers": [], "body": "not in the script"}
    def answer(connection, reader, reply):
        mode, body = reply["mode"], reply["body"].encode()
        if reply.get("isBase64"):
            body = base64.b64decode(body)
        if mode == "hang":
            reader.read(1)
            return False
        if mode == "drop":
            return False
        if mode == "raw":
            connection.sendall(body)
            return False
        head = "HTTP/1.1 %d Scripted\r\n" % reply["status"]
        head += "".join("%s: %s\r\n" % (name, value) for name, value in reply["headers"])
        if mode == "whole":
            connection.sendall((head + "Content-Length: %d\r\n\r\n" % len(body)).encode() + body)
            return True
        if mode == "cut":
            whole = (head + "Content-Length: %d\r\n\r\n" % len(body)).encode() + body
            connection.sendall(whole[:reply["cut"]])
            # With no time to linger the close is a reset.
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if mode == "drip":
            connection.sendall((head + "Content-Length: 100000\r\n\r\n").encode())
            while True:
                connection.sendall(b"x")
                time.sleep(0.1)
        if mode == "endless":
            connection.sendall((head + "Connection: close\r\n\r\n").encode())
            while True:
                connection.sendall(b"x" * 16384)
    def serve(raw, number):
        try:
            with context.wrap_socket(
                    raw, server_side=True, do_handshake_on_connect=False) as connection:
                try:
                    connection.do_handshake()
                except ssl.SSLError:
                    # Closed with unread bytes, the socket would be reset and the alert lost.
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(4096):
                        pass
                    return
                subject = dict(part[0] for part in connection.getpeercert()["subject"])
                reader = connection.makefile("rb")
                while True:
                    words = reader.readline().decode().split()
                    if not words:
                        return
                    headers = {}
                    while True:
                        header = reader.readline().decode().strip()
                        if not header:
                            break
                        name, value = header.split(":", 1)
                        headers[name.lower()] = value.strip()
                    body = reader.read(int(headers.get("content-length", "0")))
                    line = words[0] + " " + words[1]
                    say({"connection": number, "peer": subject["commonName"], "line": line,
                         "headers": headers, "bodyLength": len(body)})
                    if not answer(connection, reader, pick(line)):
                        return
        except (ssl.SSLError, OSError):
            pass
    def accept():
        number = 0
        while True:
            raw, _ = listener.accept()
            number += 1
            threading.Thread(target=serve, args=(raw, number), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    say({"port": listener.getsockname()[1]})
    sys.stdin.read()
    os._exit(0)
    """#
}

extension ClientServiceDouble.State {
  /// Takes in what the process wrote; those who have waited long enough.
  mutating func read(_ bytes: Data) -> [CheckedContinuation<Void, Never>] {
    unread += bytes
    while let end = unread.firstIndex(of: 0x0a) {
      let line = Data(unread[..<end])
      unread.removeSubrange(...end)
      if let request = try? JSONDecoder().decode(ClientServiceDouble.Seen.self, from: line) {
        seen.append(request)
      } else if let first = try? JSONDecoder().decode([String: Int].self, from: line) {
        port = first["port"]
      }
    }
    // The process has ended: nothing more will come.
    let isOver = bytes.isEmpty
    let count = seen.count
    let hasPort = port != nil
    defer { waiting.removeAll { isOver || (hasPort && $0.count <= count) } }
    return waiting.filter { isOver || (hasPort && $0.count <= count) }.map(\.continuation)
  }
}
