import Exchange
import Foundation
import Logging
import Store
import Synchronization
import Testing

@testable import Daemon
@testable import Demo
@testable import Mailbox

/// Another MESH service, in memory, that fails as it is told.
final class PlayedCarrier: SendingCarrier {
  enum Fault: Sendable {
    /// It takes the message, and the answer is lost.
    case answerLost
    /// The request is lost on its way.
    case requestLost
    /// It takes the first part, and the line breaks before the others.
    case partsLost
    case refused(MeshError)
  }

  struct Post: Sendable {
    let to: MailboxID
    let localID: String
    let body: [UInt8]
    let id: CarrierMessageID
    var status: MeshStatus
  }

  struct State {
    var posts: [Post] = []
    var faults: [Fault] = []
    var calls: [String] = []
    var findErrors: [MeshError] = []
    var parts = 1
  }

  let state = Mutex(State())

  var posts: [Post] { state.withLock(\.posts) }
  var calls: [String] { state.withLock(\.calls) }

  func fail(_ faults: Fault...) { state.withLock { $0.faults = faults } }

  func set(_ status: MeshStatus) {
    state.withLock { state in
      for place in state.posts.indices { state.posts[place].status = status }
    }
  }

  func parts(of count: Int) -> Int { state.withLock(\.parts) }

  func send(
    to recipient: MailboxID, workflow: String, localID: String, body: [UInt8]
  ) async throws(MeshError) -> CarrierMessageID {
    let result = state.withLock { state -> Result<CarrierMessageID, MeshError> in
      state.calls.append("send")
      let fault = state.faults.isEmpty ? nil : state.faults.removeFirst()
      if case .requestLost = fault { return .failure(.unconfirmed("lost")) }
      if case .refused(let error) = fault { return .failure(error) }
      guard let id = CarrierMessageID("C\(state.posts.count + 1)") else {
        return .failure(.malformed("id"))
      }
      state.posts.append(
        Post(
          to: recipient, localID: localID, body: body, id: id,
          status: state.parts > 1 ? .uploading : .accepted))
      if case .partsLost = fault { state.faults = [.partsLost] }
      if case .answerLost = fault { return .failure(.unconfirmed("lost")) }
      return .success(id)
    }
    return try result.get()
  }

  func sendRest(of id: CarrierMessageID, body: [UInt8], total: Int) async throws(MeshError) {
    let error = state.withLock { state -> MeshError? in
      guard total > 1 else { return nil }
      state.calls.append("rest \(total)")
      if case .partsLost = state.faults.first {
        state.faults = []
        return .later(status: 503, retryAfter: nil)
      }
      for place in state.posts.indices where state.posts[place].id == id {
        state.posts[place].status = .accepted
      }
      return nil
    }
    if let error { throw error }
  }

  func find(localID: String) async throws(MeshError) -> MeshTracking? {
    let result = state.withLock { state -> Result<MeshTracking?, MeshError> in
      state.calls.append("find")
      if !state.findErrors.isEmpty { return .failure(state.findErrors.removeFirst()) }
      return .success(
        state.posts.first { $0.localID == localID }.map {
          MeshTracking(id: $0.id, status: $0.status, parts: state.parts)
        })
    }
    return try result.get()
  }

  func track(_ id: CarrierMessageID) async throws(MeshError) -> MeshTracking {
    let found = state.withLock { state in
      state.calls.append("track")
      return state.posts.first { $0.id == id }
    }
    guard let found else { throw .gone(status: 404) }
    return MeshTracking(id: id, status: found.status)
  }
}

@Suite struct `A recipient whose mailbox is at another service` {
  private let party: PartyID
  private let hub: Hub
  private let carrier = PlayedCarrier()
  private let worker: CarrierWorker

  /// A MAPPA J lies there for the Jobcentre.
  init() async throws {
    party = try Area.party("jobcentre:durham").id
    hub = try await Hub()
    try await hub.share("registered-adult", "j")
    worker = hub.worker(carrier, to: party)
  }

  private func delivery() async throws -> Delivery {
    let exchange = try #require(try await hub.store.exchanges(state: "shared", limit: 1).first)
    return try #require(try await hub.view(exchange.exchange).deliveries.last?.delivery)
  }

  private func round(after pause: Duration = .zero) async throws {
    hub.clock.set(hub.clock.now + pause)
    try await worker.round()
  }

  @Test func `is sent its copy once, under the delivery's id, and has it when it acknowledges`()
    async throws
  {
    let copy = try #require(try await hub.store.delivery(delivery().id, party: party))
    try await round()
    try await round(after: .seconds(600))
    let post = try #require(carrier.posts.first)
    #expect(carrier.posts.count == 1)
    #expect(post.localID == copy.delivery.id.text)
    #expect(post.body == copy.bytes)
    #expect(post.to == (try Area.party("jobcentre:durham").mailbox))
    #expect(try await delivery().carriage?.state == .sent)
    #expect(try await delivery().carriage?.message == post.id)
    #expect(try await delivery().state == .pending)
    // Asked an hour after it was sent, and then every hour.
    #expect(carrier.calls == ["send"])
    try await round(after: .seconds(3000))
    #expect(carrier.calls == ["send", "track"])
    carrier.set(.acknowledged)
    try await round(after: .seconds(3600))
    #expect(try await delivery().state == .collected)
    try await round(after: .days(3))
    #expect(carrier.calls == ["send", "track", "track"])
  }

  @Test func `is sent nothing twice when the carrier's answer was lost`() async throws {
    carrier.fail(.answerLost)
    try await round()
    #expect(try await delivery().carriage?.state == .sending)
    // Nothing is asked before the carrier's listing has settled.
    try await round(after: .seconds(59))
    #expect(carrier.calls == ["send"])
    try await round(after: .seconds(1))
    #expect(carrier.calls == ["send", "find"])
    #expect(try await delivery().carriage?.state == .sent)
    #expect(try await delivery().carriage?.message?.text == "C1")
    #expect(carrier.posts.count == 1)
  }

  @Test func `is sent it again, under the same id, when the carrier knows nothing of it`()
    async throws
  {
    carrier.fail(.requestLost)
    try await round()
    try await round(after: .seconds(60))
    #expect(try await delivery().carriage?.state == .failed)
    #expect(try await delivery().carriage?.code == "MESH-033")
    try await round()
    #expect(carrier.calls == ["send", "find", "send"])
    #expect(carrier.posts.map(\.localID) == [try await delivery().id.text])
    #expect(try await delivery().carriage?.attempts == 2)
  }

  @Test func `is looked for first after a crash between the record of a post and the post`()
    async throws
  {
    try await hub.store.enrol([party], with: "national")
    let id = try await delivery().id
    let now = hub.clock.now
    let began = try await hub.store.carried(id, .began, next: now, at: now)
    #expect(began == .post)
    // Here the process ended.
    try await round()
    #expect(carrier.calls == ["find"])
    try await round()
    #expect(carrier.calls == ["find", "send"])
  }

  @Test func `gets the parts that are left when the line broke between them`() async throws {
    carrier.state.withLock { $0.parts = 3 }
    carrier.fail(.partsLost)
    try await round()
    #expect(carrier.posts.map(\.status) == [.uploading])
    #expect(try await delivery().carriage?.state == .sending)
    try await round(after: .seconds(3600))
    #expect(carrier.calls == ["send", "rest 3", "find", "rest 3"])
    #expect(carrier.posts.map(\.status) == [.accepted])
    #expect(try await delivery().carriage?.state == .sent)
  }

  @Test func `is tried again at growing distances when the carrier refuses the message`()
    async throws
  {
    carrier.fail(
      .refused(.refused(status: 417, serviceCode: "12")),
      .refused(.refused(status: 417, serviceCode: "12")))
    try await round()
    #expect(try await delivery().carriage?.state == .failed)
    #expect(try await delivery().carriage?.code == "MESH-023")
    try await round(after: .seconds(60))
    try await round(after: .seconds(60))
    #expect(carrier.calls == ["send", "send"])
    try await round(after: .seconds(60))
    #expect(carrier.calls == ["send", "send", "send"])
    #expect(carrier.posts.count == 1)
  }

  @Test func `waits while the carrier refuses our credentials, and the operator is told`()
    async throws
  {
    carrier.fail(.refused(.credential(status: 403)))
    try await round()
    #expect(
      hub.lines.all.contains { $0.contains("carrier has trouble") && $0.contains("MESH-020") })
    try await round(after: .seconds(899))
    #expect(carrier.calls == ["send"])
    #expect(worker.course.health.lastErrorCode == "MESH-020")
    try await round(after: .seconds(1))
    #expect(carrier.calls == ["send", "send"])
    #expect(worker.course.health.lastErrorCode == nil)
  }

  @Test func `is sent nothing that was withdrawn before it went out`() async throws {
    carrier.fail(.refused(.later(status: 503, retryAfter: .seconds(600))))
    try await round()
    let id = try await delivery().id
    let action = try await hub.store.withdraw(id, reason: "ACC-02", at: hub.clock.now)
    #expect(action == .removeFromMailbox)
    try await round(after: .seconds(700))
    #expect(carrier.calls == ["send"])
    #expect(try await hub.store.counts().carriages["national"]?["done"] == 1)
  }

  @Test func `is told when what went out is withdrawn: the copy cannot be called back`()
    async throws
  {
    try await round()
    let action = try await hub.store.withdraw(
      delivery().id, reason: "ACC-02", at: hub.clock.now)
    #expect(action == .removeAndTellRecipient)
  }

  @Test func `gets what came back uncollected again, under the same id, and it is said aloud`()
    async throws
  {
    try await round()
    let id = try await delivery().id
    let reported = try await hub.report(on: carrier.posts[0].id, localID: nil)
    #expect(reported == .acknowledge)
    #expect(try await delivery().carriage?.state == .returned)
    #expect(try await hub.store.counts().carriages["national"]?["returned"] == 1)
    let said = hub.lines.all.filter { $0.contains("delivery came back uncollected") }
    #expect(said.count == 1 && said[0].contains("MESH-032"))
    // The same report again, after a crash before it was acknowledged.
    #expect(try await hub.report(on: carrier.posts[0].id, localID: nil) == .acknowledge)
    try await round()
    #expect(carrier.posts.map(\.localID) == [id.text, id.text])
    #expect(try await delivery().carriage?.message?.text == "C2")
    // A late report on the first says nothing of the second.
    #expect(try await hub.report(on: carrier.posts[0].id, localID: id.text) == .acknowledge)
    #expect(try await delivery().carriage?.state == .sent)
    // None of them became a message that somebody has to look at.
    #expect(try await hub.store.exchanges(state: "set-aside", limit: 10).isEmpty)
  }

  @Test func `is matched by our own id where the report names no message of ours`() async throws {
    try await round()
    #expect(try await hub.report(on: nil, localID: delivery().id.text) == .acknowledge)
    #expect(try await delivery().carriage?.state == .returned)
  }

  @Test func `a report on something unknown is kept for a person`() async throws {
    try await round()
    let other = try #require(CarrierMessageID("ELSEWHERE"))
    #expect(try await hub.report(on: other, localID: "not ours") == .acknowledge)
    let kept = try await hub.store.exchanges(state: "set-aside", limit: 10)
    #expect(kept.map(\.ending?.code) == ["INTK-012"])
    #expect(try await delivery().carriage?.state == .sent)
  }

  @Test func `what tracking calls undeliverable is sent again too`() async throws {
    try await round()
    carrier.set(.undeliverable)
    try await round(after: .seconds(3600))
    #expect(try await delivery().carriage?.state == .returned)
    try await round()
    #expect(carrier.posts.count == 2)
  }
}

extension Hub {
  fileprivate func worker(_ carrier: PlayedCarrier, to party: PartyID) -> CarrierWorker {
    let (clock, lines) = (clock, lines)
    return CarrierWorker(
      name: "national", carrier: carrier, parties: [party], settings: .init(), store: store,
      regime: regime, course: CarrierCourse(random: { 0.5 }), wakeup: Wakeup(),
      now: { clock.now }, log: logger(clock, lines))
  }

  private func logger(_ clock: Clock, _ lines: LogLines) -> Logger {
    Logger(label: "carrier") { label in
      JSONLogHandler(label: label, now: { clock.now }, write: { lines.add($0) })
    }
  }

  /// A report comes to our mailbox at the carrier.
  fileprivate func report(
    on message: CarrierMessageID?, localID: String?
  ) async throws -> Disposition {
    let (clock, lines) = (clock, lines)
    let reports = ReportIntake(
      inbox: "national", store: store, now: { clock.now }, log: logger(clock, lines),
      onReturned: {})
    let id = try #require(CarrierMessageID("R" + UUID().uuidString.replacing("-", with: "")))
    let report = message.map {
      MeshReport(linkedID: $0, code: "14", event: "SEND", text: "not collected", at: clock.now)
    }
    return await reports.take(
      InboundMessage(
        id: id, kind: .report(report), from: nil, to: nil, workflowID: nil, localID: localID,
        body: []))
  }
}
