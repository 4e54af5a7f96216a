import Exchange
import Foundation
import Testing

@testable import Mailbox

private let python = ProcessInfo.processInfo.environment["MESH_SANDBOX_PYTHON"]

/// The public reference sandbox (PyPI `mesh-sandbox`) on loopback, over mutual TLS. Ends with the object.
private final class Sandbox: Sendable {
  let url: String
  let authority: ClientTestAuthority
  private let process: Process
  private let folder: URL

  init() throws {
    authority = try ClientTestAuthority.shared.get()
    folder = FileManager.default.temporaryDirectory.appending(path: "mesh-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["server.pem", "server.key", "ca.pem"] {
      try Data(authority[name]).write(to: folder.appending(path: name))
    }
    process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: try #require(python))
    process.arguments = ["-c", Self.program, folder.path]
    process.environment = [
      "SHARED_KEY": "TestKey", "STORE_MODE": "memory", "AUTH_MODE": "full", "PATH": "/usr/bin:/bin",
    ]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    let port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)))
    url = "https://127.0.0.1:\(port)"
  }

  deinit {
    process.terminate()
    try? FileManager.default.removeItem(at: folder)
  }

  func client(
    _ mailbox: String, password: String = "password", limits: MeshEndpoint.Limits = .init()
  ) throws -> MeshClient {
    let endpoint = try MeshEndpoint(
      baseURL: url, mailbox: try #require(MailboxID(mailbox)), password: password,
      sharedSecret: "TestKey", identity: try authority.identity(), limits: limits)
    return MeshClient(
      endpoint: endpoint, transport: try HTTPSTransport(),
      now: { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) })
  }

  /// One of its calls for tests alone.
  func admin(_ path: String, _ body: String) async throws {
    let request = HTTPSRequest(
      .post, "\(url)/messageexchange/admin/\(path)",
      headers: [("Content-Type", "application/json")],
      body: Array(body.utf8), identity: try authority.identity(), lane: "admin")
    let answer = try await HTTPSTransport().perform(request)
    try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
  }

  private static let program = #"""
    import socket, ssl, sys, threading, uvicorn
    folder = sys.argv[1]
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    config = uvicorn.Config(
        "mesh_sandbox.api:app", log_config=None, ssl_keyfile=folder + "/server.key",
        ssl_certfile=folder + "/server.pem", ssl_ca_certs=folder + "/ca.pem",
        ssl_cert_reqs=ssl.CERT_REQUIRED)
    # Connections wait in the listener's backlog until the server is up.
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])
    """#
}

/// The client against the reference sandbox. Runs where `MESH_SANDBOX_PYTHON` names a Python that has it
/// and uvicorn.
@Suite(.enabled(if: python != nil), .timeLimit(.minutes(1)))
struct `The MESH client and the reference sandbox` {
  private static let workflow = "SALLYPORT_NOTICE"

  @Test func `send, list, download, acknowledge and track`() async throws {
    let sandbox = try Sandbox()
    let (sender, recipient) = (try sandbox.client("X26ABC1"), try sandbox.client("X26ABC2"))
    let body = (0..<200_000).map { UInt8($0 % 251) }

    try await sender.handshake()
    try await recipient.handshake()
    var sent: [CarrierMessageID] = []
    for number in 0..<12 {
      sent.append(
        try await sender.send(
          to: recipient.endpoint.mailbox, workflow: Self.workflow, localID: "L\(number)",
          body: body))
    }
    #expect(try await sender.track(sent[0]).status == .accepted)
    var limits = MeshEndpoint.Limits()
    limits.pageSize = 10
    let page = try await sandbox.client("X26ABC2", limits: limits).list()
    #expect(Set(page.ids) == Set(sent))
    let message = try await recipient.download(sent[3])
    #expect(message.body == body)
    #expect(message.from?.text == "X26ABC1")
    #expect(message.workflowID == Self.workflow)
    #expect(message.localID == "L3")

    let third = sent[3]
    let poller = InboxPoller(
      inbox: recipient, now: recipient.now, sleep: { _ in },
      known: { $0 == third ? .finished : .new })
    let result = try await poller.pollOnce { $0.body == body ? .acknowledge : .leave }
    #expect(result.handled == 11)
    #expect(result.acknowledged == 12)
    #expect(try await recipient.list().ids.isEmpty)
    #expect(try await sender.track(sent[0]).status == .acknowledged)
  }

  @Test func `10 MB in parts, both ways, and what was half sent is found and finished`()
    async throws
  {
    let sandbox = try Sandbox()
    var limits = MeshEndpoint.Limits()
    limits.partBytes = 3_000_000
    let sender = try sandbox.client("X26ABC1", limits: limits)
    let recipient = try sandbox.client("X26ABC2")
    let to = recipient.endpoint.mailbox
    let body = (0..<10_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    #expect(sender.parts(of: body.count) == 4)
    let id = try await sender.send(to: to, workflow: Self.workflow, localID: "L1", body: body)
    // Here the process ended: what is there says how many parts it has.
    #expect(try await recipient.list().ids.isEmpty)
    let found = try await sender.find(localID: "L1")
    #expect(found == MeshTracking(id: id, status: .uploading, parts: 4))
    try await sender.sendRest(of: id, body: body, total: 4)
    #expect(try await sender.find(localID: "L1")?.status == .accepted)
    // The answer to the last part was lost, and they are sent again: 423, and it is whole.
    try await sender.sendRest(of: id, body: body, total: 4)
    let message = try await recipient.download(id)
    #expect(message.body == body)
    #expect(try await sender.find(localID: "L2") == nil)
  }

  @Test func `what it refuses is told by its code`() async throws {
    let sandbox = try Sandbox()
    let (sender, recipient) = (try sandbox.client("X26ABC1"), try sandbox.client("X26ABC2"))
    let to = recipient.endpoint.mailbox
    let id = try await sender.send(to: to, workflow: Self.workflow, localID: "L1", body: [1])
    await #expect(throws: MeshError.credential(status: 403)) {
      try await sandbox.client("X26ABC1", password: "wrong").handshake()
    }
    await #expect(throws: MeshError.gone(status: 404)) {
      try await recipient.download(try #require(CarrierMessageID("0000")))
    }
    await #expect(throws: MeshError.credential(status: 403)) {
      try await sandbox.client("X26ABC3").download(id)
    }
    // Not the sender's: unknown, so that nobody learns what others send.
    await #expect(throws: MeshError.gone(status: 404)) {
      try await sandbox.client("X26ABC3").track(id)
    }
    let nobody = try #require(MailboxID("NOBODY"))
    await #expect(throws: MeshError.refused(status: 417, serviceCode: "12")) {
      try await sender.send(to: nobody, workflow: Self.workflow, localID: "L2", body: [1])
    }
    await #expect(throws: MeshError.gone(status: 404)) {
      try await sender.sendRest(of: try #require(CarrierMessageID("0000")), body: [1, 2], total: 2)
    }
    _ = try await sender.send(to: to, workflow: Self.workflow, localID: "TWICE", body: [1])
    _ = try await sender.send(to: to, workflow: Self.workflow, localID: "TWICE", body: [1])
    await #expect(throws: MeshError.localIDNotUnique) { try await sender.find(localID: "TWICE") }
  }

  @Test func `errors that it is made to give: a failed message, its report, a message gone`()
    async throws
  {
    let sandbox = try Sandbox()
    let (sender, recipient) = (try sandbox.client("X26ABC1"), try sandbox.client("X26ABC2"))
    let id = try await sender.send(
      to: recipient.endpoint.mailbox, workflow: Self.workflow, localID: "L1", body: [1])
    try await sandbox.admin(
      "message/\(id)/event",
      #"{"status":"undeliverable","code":"14","event":"SEND","description":"not collected"}"#)
    #expect(try await sender.track(id).status == .undeliverable)
    #expect(try await sender.find(localID: "L1")?.status == .undeliverable)
    #expect(try await recipient.list().ids.isEmpty)
    await #expect(throws: MeshError.gone(status: 410)) { try await recipient.download(id) }
    try await sandbox.admin(
      "report",
      #"{"mailbox_id":"X26ABC1","code":"14","description":"Message not collected by recipient","#
        + #""workflow_id":"SALLYPORT_NOTICE","local_id":"L1","status":"undeliverable","#
        + #""linked_message_id":"\#(id)"}"#)
    let reported = try #require(try await sender.list().ids.first)
    let report = try await sender.download(reported)
    guard case .report(let said?) = report.kind else {
      Issue.record("no report")
      return
    }
    #expect(said.linkedID == id)
    #expect(said.code == "14")
    #expect(report.localID == "L1")
    #expect(report.body.isEmpty)
    try await sender.acknowledge(reported)
    #expect(try await sender.list().ids.isEmpty)
  }

  @Test func `parts that were put in as gzip come out plain`() async throws {
    let sandbox = try Sandbox()
    let recipient = try sandbox.client("X26ABC2")
    let text = Array(String(repeating: "An invented notice. ", count: 10_000).utf8)
    let token = MeshToken.make(
      mailbox: try #require(MailboxID("X26ABC1")), nonce: UUID().uuidString, count: 0,
      timestamp: recipient.now(), password: "password", secret: "TestKey")
    let request = HTTPSRequest(
      .post, "\(sandbox.url)/messageexchange/X26ABC1/outbox",
      headers: [
        ("Authorization", token.headerValue), ("Mex-To", "X26ABC2"),
        ("Mex-WorkflowID", Self.workflow), ("Content-Encoding", "gzip"),
        ("Accept", "application/vnd.mesh.v2+json"),
      ], body: try gzipped(text), identity: try sandbox.authority.identity(), lane: "gzip")
    #expect(try await HTTPSTransport().perform(request).status == 202)
    let id = try #require(try await recipient.list().ids.first)
    #expect(try await recipient.download(id).body == text)
  }
}
