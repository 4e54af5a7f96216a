import Exchange
import Foundation
import Glibc
import Logging
import Mailbox
import Seal
import Store
import Synchronization
import Testing

@testable import Daemon
@testable import Demo

/// A publisher of revocation lists that answers what a test says.
private final class Publisher: RevocationSource {
  private let answer = Mutex<Result<[UInt8], any Error>>(
    .failure(SealError.listNotPublished(status: 404)))
  private let asked = Mutex(0)

  var count: Int { asked.withLock { $0 } }

  func publish(_ list: String) { answer.withLock { $0 = .success(Array(list.utf8)) } }
  func fail(_ error: any Error) { answer.withLock { $0 = .failure(error) } }

  func fetch(_ feed: RevocationFeed) async throws -> [UInt8] {
    asked.withLock { $0 += 1 }
    return try answer.withLock { $0 }.get()
  }
}

/// An installation whose agreement has every party's list fetched, and the worker that fetches.
private struct Fetching {
  static let url = "http://crl.example.org/area.crl"

  let installed: Installed
  let clock = Clock()
  let lines = LogLines()
  let publisher = Publisher()
  let regime: RegimeInForce
  let worker: RevocationWorker
  private let changes = Wakeups()

  init() throws {
    installed = try Installed()
    let text = try Area.world.agreementYAML.replacing(
      "revocation: certificates/root.crl", with: "revocation: \(Fetching.url)")
    try installed.folder.write("config/agreement.yaml", text)
    let configuration = try installed.configuration
    let (clock, lines, changes) = (clock, lines, changes)
    regime = RegimeInForce(try Regime.load(configuration, ring: Area.ring()))
    worker = RevocationWorker(
      source: publisher, cache: RevocationCache(stateDirectory: configuration.stateDirectory),
      regime: regime, now: { clock.now },
      log: Logger(label: "revocation") { label in
        JSONLogHandler(label: label, now: { clock.now }, write: { lines.add($0) })
      }, onChange: { changes.add() })
  }

  var changed: Int { changes.count }

  /// As the reload after a change does.
  func reload() throws {
    regime.swap(for: try Regime.load(installed.configuration, ring: Area.ring()))
  }

  /// What becomes of a good message of the prison now.
  func open() throws -> String {
    let world = try Area.world
    var own = world.trust(in: world.own)
    own.revocationLists = [try Area.revocationList(at: clock.now)]
    let bytes = try Sealer(
      identity: world.identity(of: world.party("prison:durham")), parties: [own]
    )
    .seal(Notice.named("release-date"), now: clock.now)
    do throws(SealError) {
      return try regime.current.sealer.open(bytes, now: clock.now).verdict.revocation.rawValue
    } catch {
      return error.code
    }
  }

  final class Wakeups: Sendable {
    private let number = Mutex(0)
    var count: Int { number.withLock { $0 } }
    func add() { number.withLock { $0 += 1 } }
  }
}

@Suite struct `Revocation lists are fetched, kept, and fetched again in time` {
  private func list(
    at moment: Instant, days: Int = 7, number: Int = 1, revoked: [String] = []
  ) throws -> String {
    try Area.world.authority.revocationList(
      revoked: revoked, thisUpdate: moment, nextUpdate: moment + .days(days), number: number)
  }

  @Test func `until the first one is there messages stay, and no file has a mistake`() async throws
  {
    let all = try Fetching()
    #expect(all.regime.current.feeds.map(\.url) == [Fetching.url])
    #expect(all.regime.current.feeds[0].parties.count == 8)
    #expect(try all.open() == "SEAL-026")
    await all.worker.round()
    #expect(all.changed == 0)
    #expect(all.lines.all.contains { $0.contains("SEAL-074") })
    all.publisher.publish(try list(at: .start - .minutes(10)))
    // It is asked again soon, not at once.
    await all.worker.round()
    #expect(all.publisher.count == 1)
    all.clock.set(.start + .minutes(1))
    await all.worker.round()
    #expect(all.changed == 1)
    try all.reload()
    #expect(try all.open() == "current")
  }

  @Test func `a start without network finds the list that was fetched before`() async throws {
    let all = try Fetching()
    all.publisher.publish(try list(at: .start - .minutes(10)))
    await all.worker.round()
    let again = try Regime.load(all.installed.configuration, ring: Area.ring())
    #expect(again.sealer.inventory.revocationListsEnd.count == 8)
    #expect(
      again.sealer.inventory.revocationListsEnd.values.allSatisfy {
        $0 == .start - .minutes(10) + .days(7)
      })
    // A file that somebody spoiled counts as none, and keeps nothing else from being loaded.
    let folder = try all.installed.configuration.stateDirectory + "/revocation"
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      #expect(name.count == 68 && name.hasSuffix(".crl"))
      try Data("spoiled".utf8).write(to: URL(filePath: folder + "/" + name))
    }
    try all.reload()
    #expect(try all.open() == "SEAL-026")
  }

  @Test func `a new list takes the old one's place, and whom it names is refused`() async throws {
    let all = try Fetching()
    all.publisher.publish(try list(at: .start - .minutes(10)))
    await all.worker.round()
    let serial = try Area.party("prison:durham").signing.serial
    all.publisher.publish(try list(at: .start + .minutes(30), number: 2, revoked: [serial]))
    all.clock.set(.start + .minutes(59))
    await all.worker.round()
    #expect(all.publisher.count == 1)
    all.clock.set(.start + .minutes(60))
    await all.worker.round()
    #expect(all.publisher.count == 2 && all.changed == 2)
    try all.reload()
    #expect(try all.open() == "SEAL-023")
  }

  @Test func `the same list again is no change`() async throws {
    let all = try Fetching()
    all.publisher.publish(try list(at: .start - .minutes(10)))
    for hour in 0..<5 {
      all.clock.set(.start + .minutes(60 * hour))
      await all.worker.round()
    }
    #expect(all.publisher.count == 5 && all.changed == 1)
  }

  @Test func `what may not take its place is told with its code, and the old one stays`()
    async throws
  {
    let all = try Fetching()
    let good = try list(at: .start - .minutes(10), number: 5)
    all.publisher.publish(good)
    await all.worker.round()
    let twin = try CertificateAuthority.make(name: "Sallyport demonstration root", now: .start)
    let forged = try twin.revocationList(
      revoked: [], thisUpdate: .start, nextUpdate: .start + .days(30), number: 9)
    let wrong: [(Result<String, any Error>, String)] = [
      (.success("<html>not found</html>"), "SEAL-070"), (.success(forged), "SEAL-071"),
      (.success(try list(at: .start - .minutes(20), number: 6)), "SEAL-072"),
      (.success(try list(at: .start - .minutes(5), number: 4)), "SEAL-072"),
      (.success(try list(at: .start + .days(40), number: 6)), "SEAL-073"),
      (.failure(SealError.listNotPublished(status: 503)), "SEAL-074"),
    ]
    for (place, (answer, code)) in wrong.enumerated() {
      switch answer {
      case .success(let text): all.publisher.publish(text)
      case .failure(let error): all.publisher.fail(error)
      }
      all.clock.set(.start + .minutes(60 * (place + 1)))
      await all.worker.round()
      #expect(all.lines.all.last?.contains(code) == true, "\(code)")
    }
    #expect(all.changed == 1)
    try all.reload()
    #expect(try all.open() == "current")
    // Past its next update it counts as stale, a week later no longer.
    all.clock.set(.start + .days(8))
    #expect(try all.open() == "stale")
    all.clock.set(.start + .days(14))
    #expect(try all.open() == "SEAL-025")
  }

  @Test func `it is asked for before it ends, each hour, and soon again after a failure`() {
    let now = Instant.start
    var schedule = RevocationSchedule(at: now)
    #expect(schedule.due == now)
    schedule.succeeded(nextUpdate: now + .days(7), at: now)
    #expect(schedule.due == now + .minutes(60))
    schedule.succeeded(nextUpdate: now + .minutes(40), at: now)
    #expect(schedule.due == now + .minutes(25))
    schedule.succeeded(nextUpdate: now + .minutes(3), at: now)
    #expect(schedule.due == now + .minutes(5))
    schedule.succeeded(nextUpdate: now - .days(3), at: now)
    #expect(schedule.due == now + .minutes(5))
    for minutes in [1, 2, 4, 8, 16, 16, 16] {
      schedule.failed(at: now)
      #expect(schedule.due == now + .minutes(minutes))
    }
    schedule.succeeded(nextUpdate: now + .days(7), at: now)
    schedule.failed(at: now)
    #expect(schedule.due == now + .minutes(1))
  }

  @Test func `over plain HTTP, bounded in size; another status is none`() async throws {
    let transport = try HTTPSTransport()
    let source = WebRevocationSource(transport, authorities: [])
    func fetch(_ head: String, _ body: [UInt8]) async throws -> String {
      let port = try OneAnswer.serve(
        Array("HTTP/1.1 \(head)\r\nConnection: close\r\n\r\n".utf8) + body)
      let feed = RevocationFeed(
        url: "http://127.0.0.1:\(port)/a.crl", parties: [],
        authorities: [try Area.world.authority.certificatePEM])
      do {
        let bytes = try await source.fetch(feed)
        return bytes == body ? "same" : "other"
      } catch {
        return (error as? SealError)?.code ?? (error as? TransportError)?.code ?? "\(error)"
      }
    }
    let list = Array(try list(at: .start).utf8)
    #expect(try await fetch("200 OK", list) == "same")
    #expect(try await fetch("404 Not Found", list) == "SEAL-074")
    // Not followed, wherever it points.
    #expect(try await fetch("302 Found\r\nLocation: file:///etc/passwd", []) == "SEAL-074")
    #expect(
      try await fetch("200 OK", [UInt8](repeating: 0x30, count: (8 << 20) + 1)) == "MESH-009")
    await transport.shutdown()
  }
}

@Suite struct `Certificates and lists are found where the agreement says, in either form` {
  @Test func `several anchors, intermediates, lists; PEM and DER`() throws {
    let installed = try Installed()
    let world = try Area.world
    let between = try world.authority.intermediate(name: "Between", now: .start)
    let signing = try between.issue(
      CertificateRequest(commonName: "prison:durham", use: .signing), now: .start)
    let list = try between.revocationList(
      revoked: [], thisUpdate: .start - .minutes(60), nextUpdate: .start + .days(7), number: 1)
    func der(_ pem: String) throws -> Data {
      try #require(
        Data(
          base64Encoded: pem.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()))
    }
    let folder = installed.folder.path + "/config/certificates/"
    try der(between.certificatePEM).write(to: URL(filePath: folder + "between.der"))
    try der(signing.certificatePEM).write(to: URL(filePath: folder + "new.der"))
    try der(list).write(to: URL(filePath: folder + "between.crl"))
    try der(world.party("prison:durham").tls.certificatePEM)
      .write(to: URL(filePath: folder + "tls.der"))
    let own = "certificates/prison-durham"
    let yaml = world.agreementYAML
    let start = try #require(yaml.range(of: "\(own)/signing.pem"))
    let trust = """
      trust:
            anchors: certificates/root.pem
            revocation: certificates/root.crl
      """
    let place = try #require(yaml[start.upperBound...].range(of: trust))
    let changed =
      yaml[..<place.lowerBound] + """
        trust:
              anchors: [certificates/root.pem]
              intermediates: [certificates/between.der]
              revocation: [certificates/root.crl, certificates/between.crl]
        """ + yaml[place.upperBound...]
    try installed.folder.write(
      "config/agreement.yaml",
      String(changed)
        .replacing("[\(own)/signing.pem]", with: "[\(own)/signing.pem, certificates/new.der]")
        .replacing("[\(own)/tls.pem]", with: "[certificates/tls.der]"))
    let regime = try Regime.load(installed.configuration, ring: Area.ring())
    let notice = try Notice.named("release-date")
    for certificate in [try world.party("prison:durham").signing, signing] {
      let pair = KeyPair(
        certificate: certificate.certificatePEM,
        key: try PrivateKey(pem: certificate.privateKeyPEM))
      let sealed = try Sealer(
        identity: OwnIdentity(party: notice.source, signing: pair, decryption: []),
        parties: [world.trust(in: world.own)]
      ).seal(notice, now: .start)
      #expect(try regime.sealer.open(sealed, now: .start).notification == notice)
    }
    let mailbox = try #require(MailboxID("PRISONDUR1"))
    #expect(
      regime.mailboxes[mailbox]?.certificateFingerprints
        == [try world.party("prison:durham").tls.fingerprint])
  }
}

/// An HTTP server on loopback that gives one answer to one caller.
private enum OneAnswer {
  static func serve(_ answer: [UInt8]) throws -> UInt16 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(listener >= 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(listener, pointer, length) == 0 && listen(listener, 1) == 0
          && getsockname(listener, pointer, &length) == 0
      }
    }
    try #require(bound)
    let thread = Thread {
      let caller = accept(listener, nil, nil)
      close(listener)
      guard caller >= 0 else { return }
      var request = [UInt8](repeating: 0, count: 4096)
      _ = recv(caller, &request, request.count, 0)
      var sent = 0
      while sent < answer.count {
        let count = answer[sent...].withUnsafeBytes {
          send(caller, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { break }
        sent += count
      }
      close(caller)
    }
    thread.start()
    return UInt16(bigEndian: address.sin_port)
  }
}
