import Exchange
import Foundation
import Testing

@testable import Mailbox

private let python = ProcessInfo.processInfo.environment["MESH_SANDBOX_PYTHON"]

/// The client against the public reference sandbox (PyPI `mesh-sandbox`), over mutual TLS. Runs where
/// `MESH_SANDBOX_PYTHON` names a Python that has it and uvicorn.
@Suite(.enabled(if: python != nil), .timeLimit(.minutes(1)))
struct `The MESH client and the reference sandbox` {
  @Test func `send, list, download, acknowledge and track`() async throws {
    let authority = try ClientTestAuthority.shared.get()
    let folder = FileManager.default.temporaryDirectory.appending(path: "mesh-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in ["server.pem", "server.key", "ca.pem"] {
      try Data(authority[name]).write(to: folder.appending(path: name))
    }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: try #require(python))
    process.arguments = ["-c", Self.program, folder.path]
    process.environment = [
      "SHARED_KEY": "TestKey", "STORE_MODE": "memory", "AUTH_MODE": "full", "PATH": "/usr/bin:/bin",
    ]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { process.terminate() }
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    let port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)))

    let transport = try HTTPSTransport()
    func client(_ mailbox: String, password: String = "password") throws -> MeshClient {
      let endpoint = try MeshEndpoint(
        baseURL: "https://127.0.0.1:\(port)", mailbox: try #require(MailboxID(mailbox)),
        password: password, sharedSecret: "TestKey", identity: try authority.identity())
      return MeshClient(
        endpoint: endpoint, transport: transport,
        now: { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) })
    }
    let (sender, recipient) = (try client("X26ABC1"), try client("X26ABC2"))
    let body = (0..<200_000).map { UInt8($0 % 251) }

    try await sender.handshake()
    try await recipient.handshake()
    var sent: [CarrierMessageID] = []
    for number in 0..<12 {
      sent.append(
        try await sender.send(
          to: recipient.endpoint.mailbox, workflow: "SALLYPORT_NOTICE", localID: "L\(number)",
          body: body))
    }
    #expect(try await sender.track(sent[0]).status == .accepted)
    var limits = MeshEndpoint.Limits()
    limits.pageSize = 10
    let paging = MeshClient(
      endpoint: try MeshEndpoint(
        baseURL: recipient.endpoint.baseURL, mailbox: recipient.endpoint.mailbox,
        password: "password", sharedSecret: "TestKey", identity: try authority.identity(),
        limits: limits), transport: transport, now: recipient.now)
    let page = try await paging.list()
    #expect(Set(page.ids) == Set(sent))
    let message = try await recipient.download(sent[3])
    #expect(message.body == body)
    #expect(message.from?.text == "X26ABC1")
    #expect(message.workflowID == "SALLYPORT_NOTICE")
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

    await #expect(throws: MeshError.credential(status: 403)) {
      try await client("X26ABC1", password: "wrong").handshake()
    }
    await #expect(throws: MeshError.gone(status: 404)) {
      try await recipient.download(try #require(CarrierMessageID("0000")))
    }
    await transport.shutdown()
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
