import Exchange
import Foundation
import Glibc
import Rules
import Seal
import Store
import Synchronization
import Testing

@testable import Daemon
@testable import Demo

extension Hub {
  /// What operators may do over this store; `woken` hears who is told to go on.
  func acts(woken: LogLines = LogLines()) -> OperatorActs {
    OperatorActs(
      store: store, regime: regime, board: InboxBoard(stateDirectory: folder.path),
      now: { [clock] in clock.now }, log: pipeline.log,
      version: "1.0.0",
      onConfirmed: { woken.add("held") }, onRequeued: { woken.add("submissions") })
  }

  /// Listens in the hub's state directory while `body` runs.
  func controlled(
    patience: Duration = .seconds(5), mayAct: @escaping @Sendable (uid_t) -> Bool = { _ in true },
    _ body: (ControlClient) async throws -> Void
  ) async throws {
    let path = folder.path + "/state/control.sock"
    let service = ControlService(
      place: .init(socketFile: path, group: nil), acts: acts(), patience: patience, mayAct: mayAct)
    let running = Task { try await service.run() }
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(ControlClient(socketFile: path)))
    } catch { result = .failure(error) }
    running.cancel()
    try await running.value
    try result.get()
  }

  func heldNote() async throws -> ExchangeID {
    try await share("registered-adult")
    let held = try await take(Notice.named("j-note"), as: "M2")
    try #require(held.ending == .held(code: "FREE-01"))
    return held.exchange
  }
}

extension ControlAnswer {
  var code: String? {
    guard case .refused(let refusal) = self else { return nil }
    return refusal.code
  }

  var entry: Int? {
    guard case .done(let done) = self else { return nil }
    return done.entry
  }
}

@Suite struct `Operators' acts follow rules and state` {
  @Test func `a note that a person read goes out, and the ledger says who answered for it`()
    async throws
  {
    let hub = try await Hub()
    let held = try await hub.heldNote()
    let woken = LogLines()
    let answer = await hub.acts(woken: woken).perform(
      .confirm(held, rule: "FREE-01", reason: "read"), by: "uid 0 (root)")
    #expect(woken.all == ["held"])
    #expect(try await hub.view(held).leaves.last == answer.entry)
    #expect(try await hub.reconsider() == [held])
    let after = try await hub.view(held)
    #expect(after.ending == .shared)
    #expect(after.recipients == ["jobcentre:durham"])
    let entry = try #require(answer.entry)
    let detail = try #require(try await hub.store.detail(of: entry).detail)
    let json = try JSONValue.parse(detail)
    #expect(json["by"] == "uid 0 (root)")
    #expect(json["reason"] == "read")
    #expect(json["rule"] == "FREE-01")
  }

  @Test func `no person can confirm that the discussion with the Jobcentre took place`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-unaware")
    let held = try await hub.take(Notice.named("j-unaware"), as: "M2")
    try #require(held.ending == .held(code: "JCP-01"))
    let woken = LogLines()
    let answer = await hub.acts(woken: woken).perform(
      .confirm(held.exchange, rule: "JCP-01", reason: "they said so"), by: "uid 0")
    #expect(answer.code == "CTRL-006")
    #expect(woken.all.isEmpty)
    #expect(try await hub.view(held.exchange).confirmations.isEmpty)
    #expect(try await hub.view(held.exchange).leaves == held.leaves)
  }

  @Test func `a signature of long ago is for a person, and goes on with a flag`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let later = Instant.start + .days(11)
    let list = try Area.revocationList(at: later)
    hub.regime.swap(for: try Area.regime { $0.revocationLists = [list] })
    hub.clock.set(later)
    let taken = try await hub.take(
      hub.seal(Notice.named("release-date"), at: .start), as: "M2")
    try #require(try await hub.view(taken.exchange).ending == .held(code: "INTK-007"))
    let answer = await hub.acts().perform(
      .confirm(taken.exchange, rule: "INTK-007", reason: "asked the sender"), by: "uid 0")
    #expect(answer.entry != nil)
    #expect(try await hub.reconsider() == [taken.exchange])
    let after = try await hub.view(taken.exchange)
    #expect(after.ending == .shared)
    #expect(after.rules.contains("FLAG-signed-long-ago"))
  }

  @Test func `nobody answers for something else than they were shown`() async throws {
    let hub = try await Hub()
    let held = try await hub.heldNote()
    let answer = await hub.acts().perform(
      .confirm(held, rule: "INTK-007", reason: "read"), by: "uid 0")
    #expect(answer.code == "CTRL-007")
    #expect(try await hub.view(held).confirmations.isEmpty)
  }

  @Test func `what is unknown or in another state is refused`() async throws {
    let hub = try await Hub()
    let shared = try await hub.take(Notice.named("registered-adult"), as: "M1")
    let acts = hub.acts()
    let unknown = ExchangeID.random()
    let requests: [ControlRequest] = [
      .confirm(unknown, rule: "FREE-01", reason: "r"), .requeue(unknown, reason: "r"),
      .withdraw(DeliveryID.random(), reason: "ACC-02"),
      .confirm(shared.exchange, rule: "FREE-01", reason: "r"),
      .requeue(shared.exchange, reason: "r"),
    ]
    var codes: [String?] = []
    for request in requests { codes.append(await acts.perform(request, by: "uid 0").code) }
    #expect(codes == ["STOR-015", "STOR-015", "STOR-015", "STOR-018", "STOR-018"])
    #expect(try await hub.view(shared.exchange).leaves == shared.leaves)
  }

  @Test func `what was set aside is opened again, and goes out once the mistake is mended`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let mended = hub.regime.current
    let foreign = try Area.regime { party in
      if party.party.text == "prison:durham" { party.signingCertificates = [] }
    }
    hub.regime.swap(for: foreign)
    let taken = try await hub.take(hub.seal(Notice.named("release-date")), as: "M2")
    try #require(try await hub.view(taken.exchange).ending == .setAside(code: "SEAL-013"))
    hub.regime.swap(for: mended)
    let woken = LogLines()
    let answer = await hub.acts(woken: woken).perform(
      .requeue(taken.exchange, reason: "certificate pinned"), by: "uid 0")
    #expect(answer.entry != nil)
    #expect(woken.all == ["submissions"])
    #expect(try await hub.takeSubmissions() == [.shared])
    #expect(try await hub.copies("police:durham").count == 1)
  }

  @Test func `a delivery is taken back once, and the ledger says by whom`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let shared = try await hub.take(Notice.named("release-date"), as: "M2")
    let police = try #require(shared.deliveries.first { $0.party.text == "police:durham" })
    let acts = hub.acts()
    let request = ControlRequest.withdraw(police.id, reason: "ACC-02")
    let answer = await acts.perform(request, by: "uid 0 (root)")
    #expect(
      answer == .done(.init(by: "uid 0 (root)", entry: nil, recipientHasIt: false)))
    #expect(try await hub.copies("police:durham").isEmpty)
    #expect(try await hub.copies("probation:durham").count == 1)
    let entry = try #require(try await hub.view(shared.exchange).leaves.last)
    let detail = try #require(try await hub.store.detail(of: entry).detail)
    #expect(try JSONValue.parse(detail)["by"] == "uid 0 (root)")
    #expect(await acts.perform(request, by: "uid 0").code == "CTRL-012")
  }

  @Test func `who has a copy already must be told by other means`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let shared = try await hub.take(Notice.named("release-date"), as: "M2")
    let police = try #require(shared.deliveries.first { $0.party.text == "police:durham" })
    _ = try await hub.store.recordCollected(police.id, party: police.party, at: .start)
    let answer = await hub.acts().perform(.withdraw(police.id, reason: "ACC-02"), by: "uid 0")
    #expect(answer == .done(.init(by: "uid 0", entry: nil, recipientHasIt: true)))
  }
}

@Suite struct `The control socket takes one known request at a time, from known users` {
  private static let id = "0b52f1c6-77d0-4c9e-9f52-6d2d4c6ef001"

  @Test(arguments: [
    ("", "CTRL-002"), ("confirm", "CTRL-002"), ("[]", "CTRL-002"), ("{}", "CTRL-002"),
    (#"{"do":"erase","exchange":"\#(id)","reason":"r"}"#, "CTRL-002"),
    (#"{"do":"requeue","exchange":"\#(id)"}"#, "CTRL-002"),
    (#"{"do":"requeue","exchange":"\#(id)","reason":"r","by":"root"}"#, "CTRL-002"),
    (#"{"do":"requeue","do":"confirm","exchange":"\#(id)","reason":"r"}"#, "CTRL-002"),
    (#"{"do":"requeue","exchange":"0b52","reason":"r"}"#, "CTRL-002"),
    (#"{"do":"confirm","exchange":"\#(id)","rule":"' OR 1","reason":"r"}"#, "CTRL-002"),
    (#"{"do":"requeue","exchange":"\#(id)","reason":""}"#, "CTRL-008"),
    (#"{"do":"requeue","exchange":"\#(id)","reason":"  "}"#, "CTRL-008"),
    (#"{"do":"requeue","exchange":"\#(id)","reason":"a\nb"}"#, "CTRL-008"),
    (#"{"do":"requeue","exchange":"\#(id)","reason":7}"#, "CTRL-008"),
    (#"{"do":"hello","exchange":"\#(id)"}"#, "CTRL-002"),
    (#"{"do":"look","exchange":"0b5"}"#, "CTRL-002"),
    (#"{"do":"look","exchange":"0b5 %"}"#, "CTRL-002"),
    (#"{"do":"hold","exchange":"0b52","reason":"r"}"#, "CTRL-002"),
    (#"{"do":"withdraw","delivery":"\#(id)","reason":"in words"}"#, "CTRL-008"),
  ])
  func `what is no request is refused by code`(line: String, code: String) {
    do throws(ControlProblem) {
      _ = try ControlRequest(line: Array(line.utf8))
      Issue.record("taken")
    } catch {
      #expect(error.code == code)
    }
  }

  @Test func `a request reads back as it was written`() throws {
    let exchange = try #require(ExchangeID(Self.id))
    let delivery = try #require(DeliveryID(Self.id))
    let requests: [ControlRequest] = [
      .confirm(exchange, rule: "FREE-01", reason: "“read”, é"),
      .requeue(exchange, reason: String(repeating: "r", count: 500)),
      .withdraw(delivery, reason: "ACC-02"), .hold(exchange, reason: "r"),
      .endHold(exchange, reason: "r"), .discard(exchange, reason: "r"), .hello, .look("0b52"),
    ]
    for request in requests {
      #expect(try ControlRequest(line: request.json.canonicalBytes) == request)
    }
  }

  @Test func `a command reaches the store, and is recorded under the user whom the kernel names`()
    async throws
  {
    let hub = try await Hub()
    let held = try await hub.heldNote()
    try await hub.controlled { client in
      let answer = try await client.ask(.confirm(held, rule: "FREE-01", reason: "read"))
      guard case .done(let done) = answer else {
        Issue.record("\(answer)")
        return
      }
      #expect(done.by.hasPrefix("uid \(geteuid())"))
      #expect(try await hub.view(held).leaves.last == done.entry)
      #expect(try await client.ask(.requeue(.random(), reason: "r")).code == "STOR-015")
    }
    try await hub.reconsider()
    #expect(try await hub.view(held).ending == .shared)
  }

  @Test func `another user than root or the daemon's own is refused, and nothing is changed`()
    async throws
  {
    let hub = try await Hub()
    let held = try await hub.heldNote()
    let seen = Mutex<[uid_t]>([])
    let mayAct: @Sendable (uid_t) -> Bool = { user in
      seen.withLock { $0.append(user) }
      return false
    }
    try await hub.controlled(mayAct: mayAct) { client in
      let answer = try await client.ask(.confirm(held, rule: "FREE-01", reason: "read"))
      #expect(answer.code == "CTRL-001")
    }
    #expect(seen.withLock { $0 } == [geteuid()])
    #expect(try await hub.view(held).confirmations.isEmpty)
  }

  @Test func `too much, too slow and more than a line are refused, and the next is heard`()
    async throws
  {
    let hub = try await Hub()
    try await hub.controlled(patience: .milliseconds(200)) { client in
      let lines: [(bytes: [UInt8], code: String)] = [
        (Array(repeating: UInt8(ascii: "x"), count: 17_000), "CTRL-003"),
        (Array(#"{"do":"#.utf8), "CTRL-004"),
        (Array("{}\n{}\n".utf8), "CTRL-002"),
        (Array("{}\n".utf8), "CTRL-002"),
      ]
      for (bytes, code) in lines {
        let line = try await client.exchange(bytes).get()
        #expect(ControlAnswer(line: line)?.code == code)
      }
      #expect(try await client.ask(.requeue(.random(), reason: "r")).code == "STOR-015")
    }
  }

  @Test func `the socket is its owner's alone, is made anew, and is gone with the daemon`()
    async throws
  {
    let hub = try await Hub()
    let path = hub.folder.path + "/state/control.sock"
    for _ in 0..<2 {
      // What a process that was killed leaves behind is nobody's.
      let left = try ControlSocket.listen(at: path)
      try await hub.controlled { client in
        let found = try FileManager.default.attributesOfItem(atPath: path)
        #expect(found[.posixPermissions] as? Int == 0o600)
        #expect(try await client.ask(.requeue(.random(), reason: "r")).code == "STOR-015")
      }
      withExtendedLifetime(left) {}
      #expect(!FileManager.default.fileExists(atPath: path))
    }
    let client = ControlClient(socketFile: path)
    await #expect(throws: ControlProblem.notReached) {
      try await client.ask(.requeue(.random(), reason: "r"))
    }
  }

  @Test func `a file of that name which is no socket is left alone`() async throws {
    let hub = try await Hub()
    try hub.folder.write("state/control.sock", "somebody's")
    #expect(throws: ControlProblem.notOpened(errno: EEXIST)) {
      try ControlSocket.listen(at: hub.folder.path + "/state/control.sock")
    }
    #expect(try hub.folder.read("state/control.sock") == Array("somebody's".utf8))
  }

  @Test func `a folder whose path is longer than an address works too`() async throws {
    let folder = try TemporaryFolder()
    let long = folder.path + "/" + String(repeating: "long", count: 30)
    try FileManager.default.createDirectory(atPath: long, withIntermediateDirectories: false)
    let socket = try ControlSocket.listen(at: long + "/control.sock")
    let client = try ControlSocket.connect(to: long + "/control.sock")
    let connection = try #require(ControlSocket.accept(socket))
    #expect(ControlSocket.peer(of: connection) == geteuid())
    withExtendedLifetime(client) {}
  }
}
