import Exchange
import Foundation
import Logging
import Mailbox
import ServiceLifecycle
import Synchronization
import Testing

/// 2026-02-02T09:30:00Z: what the host's clock shows in these tests.
let hostNow = Instant(milliseconds: 1_770_024_600_000)

/// A running host with three mailboxes, and the `curl` command as its client.
struct HostBench: Sendable {
  let port: Int
  let host: MailboxHost
  let keeper: MemoryKeeper
  let pki: HostPKI
  let log: HostLog
  private let count = HostCounter()

  static let secret = "invented-shared-secret"

  /// ALPHA and BRAVO have a certificate each; SALLYPORT uses alpha's.
  static func run(_ body: (HostBench) async throws -> Void) async throws {
    try await HostSetup().run(body)
  }

  /// A host whose configuration is changed first.
  static func with(_ change: @escaping @Sendable (inout HostConfiguration) -> Void) -> HostSetup {
    HostSetup(change: change)
  }

  fileprivate static func run(
    _ setup: HostSetup, _ body: (HostBench) async throws -> Void
  ) async throws {
    let pki = try await HostPKI.shared.value
    let keeper = setup.keeper
    for (name, certificate) in [("ALPHA", "alpha"), ("BRAVO", "bravo"), ("SALLYPORT", "alpha")] {
      await keeper.open(
        try #require(MailboxID(name)),
        credentials: MailboxCredentials(
          password: "password-of-\(name)",
          certificateFingerprints: [try #require(pki.fingerprints[certificate])]))
    }
    var configuration = HostConfiguration(
      address: "127.0.0.1", port: 0, certificateChainPEM: try pki.bytes("server.pem"),
      privateKeyPEM: try pki.bytes("server.key"), clientCAPEM: try pki.bytes("ca.pem"),
      sharedSecret: secret, environment: "test")
    setup.change(&configuration)
    let log = HostLog()
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let host = try MailboxHost(
      configuration: configuration, keeper: setup.front ?? keeper, now: { hostNow },
      logger: log.logger,
      onListening: { listening.yield($0) })
    let group = ServiceGroup(services: [host], logger: Logger(label: "test"))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        defer { listening.finish() }
        try await group.run()
      }
      guard let port = await ports.first(where: { _ in true }) else {
        return try await tasks.waitForAll()
      }
      do {
        try await body(
          HostBench(port: port, host: host, keeper: keeper, pki: pki, log: log))
      } catch {
        await group.triggerGracefulShutdown()
        throw error
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  /// A header value good for one request.
  func token(_ mailbox: String, password: String? = nil, at time: Instant = hostNow) throws
    -> String
  {
    try MeshToken.make(
      mailbox: #require(MailboxID(mailbox)), nonce: "7d1a1b2c-0000-4000-8000-00000000beef",
      count: count.next(), timestamp: time, password: password ?? "password-of-\(mailbox)",
      secret: Self.secret
    ).headerValue
  }

  /// A further part of a message, as a client sends it.
  func part(
    _ range: String, of id: String, as mailbox: String = "ALPHA", version: Int = 2,
    headers: [String] = [], body: String = "x", bytes: [UInt8]? = nil
  ) async throws -> HostReply {
    try await call(
      "POST", "/\(mailbox)/outbox/\(id)/\(range.prefix { $0 != ":" })", as: mailbox,
      version: version, headers: ["Mex-Chunk-Range: \(range)"] + headers, body: body, bytes: bytes)
  }

  func get(_ path: String, as mailbox: String = "ALPHA", version: Int = 2) async throws -> HostReply
  {
    try await call("GET", path, as: mailbox, version: version)
  }

  /// Sends as `sender`; returns the message id.
  @discardableResult
  func send(
    _ text: String, from sender: String, to recipient: String,
    workflow: String = "SALLYPORT_NOTICE",
    localID: String = ""
  ) async throws -> String {
    let reply = try await call(
      "POST", "/\(sender)/outbox", as: sender,
      headers: ["Mex-To: \(recipient)", "Mex-WorkflowID: \(workflow)", "Mex-LocalID: \(localID)"],
      body: text)
    #expect(reply.status == 202)
    return try #require(reply.json["message_id"]?.string)
  }

  /// - Parameters:
  ///   - token: nil for a fresh one of the mailbox, empty for none.
  ///   - certificate: name of a certificate of the test PKI; empty for none.
  func call(
    _ method: String, _ path: String, as mailbox: String = "ALPHA", version: Int = 2,
    certificate: String? = nil, token: String? = nil, headers: [String] = [], body: String? = nil,
    bytes: [UInt8]? = nil, arguments: [String] = []
  ) async throws -> HostReply {
    let certificate = certificate ?? (mailbox == "BRAVO" ? "bravo" : "alpha")
    var options = ["--cacert", pki.path("ca.pem"), "--max-time", "30"]
    if !certificate.isEmpty {
      options += [
        "--cert", pki.path("\(certificate).pem"), "--key", pki.path("\(certificate).key"),
      ]
    }
    options += method == "HEAD" ? ["--head"] : ["--request", method]
    let value = try token ?? self.token(mailbox)
    if !value.isEmpty { options += ["--header", "Authorization: \(value)"] }
    options += ["--header", "Accept: application/vnd.mesh.v\(version)+json"]
    for header in headers {
      // For curl, `Name;` is a header without a value.
      options += ["--header", header.hasSuffix(": ") ? header.dropLast(2) + ";" : header]
    }
    if let bytes = bytes ?? body.map({ Array($0.utf8) }) {
      let file = try HostFiles.write(bytes)
      options += ["--data-binary", "@\(file)", "--header", "Content-Type: application/cms"]
    }
    return try await HostReply.curl(
      options + arguments + ["https://127.0.0.1:\(port)/messageexchange\(path)"])
  }
}

struct HostSetup: Sendable {
  var change: @Sendable (inout HostConfiguration) -> Void = { _ in }
  var keeper = MemoryKeeper(now: { hostNow })
  /// Asked instead of `keeper` when given.
  var front: (any MailboxKeeper)?

  func run(_ body: (HostBench) async throws -> Void) async throws {
    try await HostBench.run(self, body)
  }
}

/// What `curl` got.
struct HostReply {
  /// Exit status of curl; 0 when there was an answer.
  let exit: Int32
  let status: Int
  /// By lower-case name.
  let headers: [String: String]
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  /// Null when the body is not JSON.
  var json: JSONValue { (try? JSONValue.parse(body)) ?? .null }
  /// `detail[0]` of an error body of version 2.
  var detail: JSONValue? { json["detail"]?.array?.first }

  static func curl(_ arguments: [String]) async throws -> HostReply {
    let (head, body) = (HostFiles.name(), HostFiles.name())
    let run = try await HostTool.run(
      "/usr/bin/curl",
      ["--silent", "--noproxy", "*", "--http1.1", "--dump-header", head, "--output", body]
        + arguments)
    let lines = (try? String(contentsOfFile: head, encoding: .isoLatin1)) ?? ""
    var (status, headers) = (0, [String: String]())
    for line in lines.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("HTTP/") {
        (status, headers) = (Int(line.split(separator: " ")[1]) ?? 0, [:])
      } else if let colon = line.firstIndex(of: ":") {
        headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
          .trimmingCharacters(in: .whitespaces)
      }
    }
    let bytes = (try? Data(contentsOf: URL(fileURLWithPath: body))) ?? Data()
    return HostReply(exit: run.status, status: status, headers: headers, body: Array(bytes))
  }
}

/// Other people's programs, run without blocking a thread of the pool.
enum HostTool {
  static func run(
    _ path: String, _ arguments: [String], input: [UInt8] = []
  ) async throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let output = HostFiles.name()
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    process.standardInput = FileHandle(forReadingAtPath: try HostFiles.write(input))
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle.nullDevice
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
      process.terminationHandler = { _ in done.resume() }
      do { try process.run() } catch {
        process.terminationHandler = nil
        done.resume(throwing: error)
      }
    }
    let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    return (process.terminationStatus, text)
  }
}

/// Files of one test run, in a folder of their own.
enum HostFiles {
  static let folder: String = {
    let path = NSTemporaryDirectory() + "/host-tests-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: HostFiles.folder) }
    return path
  }()

  static func name() -> String { folder + "/\(UUID().uuidString)" }

  static func write(_ bytes: [UInt8]) throws -> String {
    let path = name()
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }
}

/// A test authority with a server and clients, made by the `openssl` command.
struct HostPKI: Sendable {
  let folder: String
  /// SHA-256 of the DER by certificate name, as `openssl x509 -fingerprint` tells it.
  let fingerprints: [String: String]

  static let shared = Task { try await make() }

  func path(_ name: String) -> String { folder + "/" + name }

  func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  private static func make() async throws -> HostPKI {
    let folder = HostFiles.folder
    let settings = try HostFiles.write(
      Array(
        """
        [req]
        distinguished_name = name
        [name]
        [ca]
        basicConstraints = critical, CA:TRUE
        keyUsage = critical, keyCertSign, cRLSign
        subjectKeyIdentifier = hash
        [leaf]
        basicConstraints = critical, CA:FALSE
        keyUsage = critical, digitalSignature
        extendedKeyUsage = serverAuth, clientAuth
        subjectAltName = IP:127.0.0.1
        """.utf8))
    var fingerprints: [String: String] = [:]
    // "stranger" is issued by an authority that the host does not know.
    for (name, issuer) in [
      ("ca", ""), ("otherca", ""), ("server", "ca"), ("alpha", "ca"), ("bravo", "ca"),
      ("stranger", "otherca"),
    ] {
      var arguments = [
        "req", "-x509", "-config", settings, "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=invented \(name)",
        "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem", "-extensions",
        issuer.isEmpty ? "ca" : "leaf",
      ]
      if !issuer.isEmpty {
        arguments += ["-CA", "\(folder)/\(issuer).pem", "-CAkey", "\(folder)/\(issuer).key"]
      }
      let made = try await HostTool.run("/usr/bin/openssl", arguments)
      try #require(made.status == 0)
      let told = try await HostTool.run(
        "/usr/bin/openssl",
        ["x509", "-in", "\(folder)/\(name).pem", "-noout", "-fingerprint", "-sha256"])
      fingerprints[name] = told.output.split(separator: "=").last.map {
        $0.lowercased().filter(\.isHexDigit)
      }
    }
    return HostPKI(folder: folder, fingerprints: fingerprints)
  }
}

final class HostCounter: Sendable {
  private let last = Mutex(0)

  func next() -> Int {
    last.withLock { last in
      last += 1
      return last
    }
  }
}

/// Keeps what the host logs.
final class HostLog: Sendable {
  struct Line {
    let message: String
    let metadata: [String: String]
  }

  private let kept = Mutex<[Line]>([])

  var lines: [Line] { kept.withLock { $0 } }

  var logger: Logger {
    Logger(label: "host") { _ in Recorder(log: self) }
  }

  private func keep(_ line: Line) { kept.withLock { $0.append(line) } }

  private struct Recorder: LogHandler {
    let log: HostLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      log.keep(
        Line(
          message: "\(event.message)",
          metadata: (event.metadata ?? [:]).mapValues { "\($0)" }))
    }
  }
}
