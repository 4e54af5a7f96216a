import Exchange
import Foundation
import Logging
import Mailbox
import ServiceLifecycle
import Store
import Synchronization
import Testing

@testable import Daemon
@testable import Demo

/// The hosted mailboxes of the whole invented area behind real TLS, filled: every party has sent a
/// message and begun another, and the story's copies lie with their recipients.
final class GuardedHost: Sendable {
  /// What one party has here, that no other may come near.
  struct Belongings {
    let party: DemoParty
    /// Copies in its mailbox.
    var deliveries: [String]
    let sent: String
    let upload: String
    var localID: String { "local of \(party.mailbox)" }
  }

  let hub: Hub
  let keeper: StoreKeeper
  let world: DemoWorld
  let belongings: [Belongings]
  private let transport: HTTPSTransport
  private let port: Int
  private let count = Mutex(0)

  static func run(_ body: (GuardedHost) async throws -> Void) async throws {
    let world = try Area.world
    let hub = try await Hub()
    for (place, step) in try Story(now: .start, world: world).steps.enumerated() {
      switch step.act {
      case .publish(let notice), .post(let notice):
        try await hub.take(hub.seal(notice), as: "STEP\(place)")
      case .forge, .replay, .answer: break
      }
    }
    let keeper = hub.keeper()
    var belongings: [Belongings] = []
    for party in world.agencies {
      let message = Hub.submission(
        [1, 2, 3], from: party.mailbox, localID: "local of \(party.mailbox)")
      guard case .accepted(let sent) = try await keeper.accept(message),
        case .accepted(let upload) = try await keeper.beginUpload(
          message, parts: 3, encoding: nil)
      else { throw NotFilled() }
      let copies = try await hub.store.mailboxPage(of: party.id, limit: 100).items
      belongings.append(
        Belongings(
          party: party, deliveries: copies.compactMap(\.id.carrierID?.text), sent: sent.text,
          upload: upload.text))
    }
    var configuration = HostConfiguration(
      address: "127.0.0.1", port: 0, certificateChainPEM: Array(world.server.chainPEM.utf8),
      privateKeyPEM: Array(world.server.privateKeyPEM.utf8),
      clientCAPEM: Array(world.authority.certificatePEM.utf8), sharedSecret: world.sharedSecret,
      environment: "test")
    configuration.ownMailbox = HostConfiguration.OwnMailbox(
      mailbox: Hub.own, name: "Sallyport", odsCode: "SALLYPORT", workflows: Set(Workflow.all))
    var quiet = Logger(label: "guarded")
    quiet.logLevel = .critical
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let host = try MailboxHost(
      configuration: configuration, keeper: keeper, now: { [clock = hub.clock] in clock.now },
      logger: quiet, onListening: { listening.yield($0) })
    let group = ServiceGroup(services: [host], logger: quiet)
    let transport = try HTTPSTransport()
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        defer { listening.finish() }
        try await group.run()
      }
      let port = try #require(await ports.first { _ in true })
      let guarded = GuardedHost(
        hub: hub, keeper: keeper, world: world, belongings: belongings, transport: transport,
        port: port)
      let result: Result<Void, any Error>
      do { result = .success(try await body(guarded)) } catch { result = .failure(error) }
      await transport.shutdown()
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      try result.get()
    }
  }

  private init(
    hub: Hub, keeper: StoreKeeper, world: DemoWorld, belongings: [Belongings],
    transport: HTTPSTransport, port: Int
  ) {
    (self.hub, self.keeper, self.world, self.belongings) = (hub, keeper, world, belongings)
    (self.transport, self.port) = (transport, port)
  }

  struct NotFilled: Error {}

  /// One thing that somebody tries.
  struct Attempt: Sendable {
    var method: HTTPSRequest.Method
    var path: String
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []

    init(
      _ method: HTTPSRequest.Method, _ path: String,
      headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
      (self.method, self.path, self.headers, self.body) = (method, path, headers, body)
    }
  }

  /// An answer, without what differs between any two: when, and the name of the request.
  struct Reply: Equatable, CustomStringConvertible {
    let status: Int
    let headers: [String]
    let body: String

    var description: String { "\(status) \(headers) \(body)" }
  }

  /// - Parameters:
  ///   - claimed: whose token it is; of the party that connects when nil.
  func attempt(
    _ attempt: Attempt, by party: DemoParty, claiming claimed: MailboxID? = nil
  ) async throws -> Reply {
    let number = count.withLock { count in
      count += 1
      return count
    }
    let token = MeshToken.make(
      mailbox: claimed ?? party.mailbox, nonce: "7d1a1b2c-0000-4000-8000-00000000beef",
      count: number, timestamp: hub.clock.now, password: party.password,
      secret: world.sharedSecret)
    let identity = try TLSIdentity(
      certificate: party.tls.chainPEM.utf8, key: party.tls.privateKeyPEM.utf8,
      authorities: world.authority.certificatePEM.utf8)
    let answer = try await transport.perform(
      HTTPSRequest(
        attempt.method, "https://127.0.0.1:\(port)/messageexchange\(attempt.path)",
        headers: [
          ("Authorization", token.headerValue), ("Accept", "application/vnd.mesh.v2+json"),
        ] + attempt.headers, body: attempt.body, identity: identity, lane: party.id.text))
    var body = String(decoding: answer.body, as: UTF8.self)
    if let name = (try? JSONValue.parse(answer.body))?["internal_id"]?.string {
      body = body.replacing(name, with: "NAME")
    }
    return Reply(
      status: answer.status,
      headers: answer.headers.fields.filter { $0.name != "date" }.map { "\($0.name): \($0.value)" },
      body: body)
  }

  /// An id of the same form that nothing has.
  static func absent() -> String { ExchangeID.random().text.replacing("-", with: "").uppercased() }
}
