import Daemon
import Exchange
import Foundation
import Mailbox
import Seal
import Store
import Synchronization
import Testing

@testable import Demo

/// The program run as an operator does, to its end.
struct ProgramRun: Sendable {
  let status: Int32
  let output: String
  let talk: String

  init(_ arguments: [String], in world: CrashWorld) async throws {
    try await self.init(arguments + ["--config", world.configurationFile])
  }

  init(_ arguments: [String]) async throws {
    let process = Process()
    process.executableURL = DaemonProcess.program
    process.arguments = arguments
    let (output, talk) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = talk
    process.standardInput = FileHandle.nullDevice
    let ended = AsyncStream<Void>.makeStream()
    process.terminationHandler = { _ in ended.continuation.finish() }
    try process.run()
    for await _ in ended.stream {}
    status = process.terminationStatus
    // A command says far less than a pipe holds.
    self.output = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    self.talk = String(decoding: talk.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }
}

extension CrashWorld {
  @discardableResult
  func program(_ arguments: String..., expect status: Int32 = 0) async throws -> ProgramRun {
    let run = try await ProgramRun(arguments, in: self)
    #expect(run.status == status, "\(arguments): \(run.output)\(run.talk)")
    return run
  }

  func write(_ name: String, _ text: String) throws {
    let url = URL(filePath: "\(folder)/\(name)")
    try Data(text.utf8).write(to: url, options: .atomic)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o600], ofItemAtPath: url.path())
  }

  func read(_ name: String) throws -> String {
    try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
  }

  func editAgreement(_ old: String, _ new: String) throws {
    let text = try read("config/agreement.yaml")
    try #require(text.contains(old), "\(old)")
    try write("config/agreement.yaml", text.replacing(old, with: new))
  }

  /// The store with the ring as it is now.
  func openStoreAnew() throws -> Store {
    let (configuration, ring) = try Installation.keys(configurationFile: configurationFile)
    return try Store.open(
      directory: configuration.stateDirectory, keys: ring.storeKeys(), mode: .reader)
  }
}

/// Probation's system under load: it registers one invented person after the other, some by its inbox,
/// some by posting to Sallyport's host, with whatever keys and certificates it has at that moment.
actor RotationLoad {
  struct Keys: Sendable {
    var signing: IssuedCertificate
    var tls: IssuedCertificate
    /// Sallyport's, as the agreement lists them: all of them are sealed to.
    var encryption: [String]
  }

  let world: CrashWorld
  private let agency: PretendAgency
  private var transport: HTTPSTransport
  private(set) var keys: Keys
  private(set) var published: [CarrierMessageID] = []
  private(set) var posted: [CarrierMessageID] = []

  init(_ world: CrashWorld, transport: HTTPSTransport) throws {
    self.world = world
    self.transport = transport
    agency = try world.agency("probation:durham")
    keys = Keys(
      signing: agency.party.signing, tls: agency.party.tls,
      encryption: [world.demo.own.encryption.certificatePEM])
  }

  var sent: Int { published.count + posted.count }

  /// Other connections: those to a daemon that was stopped are of no use.
  func connect(by transport: HTTPSTransport) { self.transport = transport }

  func change(_ change: @Sendable (inout Keys) -> Void) { change(&keys) }

  /// Sends so many, one after the other: every second one is posted.
  func send(_ count: Int) async throws {
    for _ in 0..<count {
      let number = sent + 1
      let sealed = try sealer().seal(notification(number), now: .wallClock)
      if number.isMultiple(of: 2) {
        let id = try await client().send(
          to: world.demo.own.mailbox, workflow: PretendAgency.workflow, localID: "load-\(number)",
          body: sealed)
        posted.append(id)
      } else {
        published.append(try await agency.publish(sealed, localID: "load-\(number)"))
      }
    }
  }

  private func sealer() throws -> Sealer {
    var trust = world.demo.trust(in: world.demo.own)
    trust.encryptionCertificates = keys.encryption
    var identity = try world.demo.identity(of: agency.party)
    identity.signing = KeyPair(
      certificate: keys.signing.certificatePEM,
      key: try PrivateKey(pem: keys.signing.privateKeyPEM))
    return try Sealer(identity: identity, parties: [trust])
  }

  private func client() throws -> MeshClient {
    try world.client(of: agency.party, tls: keys.tls, transport)
  }

  func isAllAcknowledged() async throws -> Bool {
    for id in published where await !agency.isAcknowledged(id) { return false }
    return true
  }

  private func notification(_ number: Int) throws -> Exchange.Notification {
    // The check letter of a PNC ID is the figures modulo 23 in this alphabet.
    let letters = Array("ZABCDEFGHJKLMNPQRTUVWXY")
    let figures = 500_000 + number
    let pnc = "2020/0\(figures)\(letters[(20 * 10_000_000 + figures) % 23])"
    return Exchange.Notification(
      id: try #require(EventID("load-\(number)")), source: agency.party.id,
      type: try #require(NotificationType("case.registered")), time: .wallClock,
      subject: try #require(SubjectReference("load-person-\(number)")),
      audience: world.demo.own.id,
      data: [
        "prisonNumber": .string("Z\(3000 + number)ZZ"), "pncId": .string(pnc),
        "crn": .string("X\(500_000 + number)"), "dateOfBirth": "1980-01-01", "category": 2,
        "level": 1, "area": "durham", "leadAgency": "probation:durham",
        "offenderManager": "probation:durham", "supervisedBy": "probation",
        "holdingPrison": "prison:durham", "jobcentreArea": "durham", "releaseArea": "durham",
      ])
  }
}

/// A recipient's system that takes over new certificates of Sallyport as the agreement lists them.
actor RotationRecipient {
  private let party: DemoParty
  private var client: MeshClient
  private let world: CrashWorld
  private var trusted: [String]
  /// Each copy's event id and the certificate that it was signed under.
  private(set) var copies: [EventID: String] = [:]

  init(_ id: String, in world: CrashWorld, transport: HTTPSTransport) throws {
    self.world = world
    party = try world.demo.party(id)
    client = try world.client(of: party, tls: party.tls, transport)
    trusted = [world.demo.own.signing.certificatePEM]
  }

  /// Other connections, as `RotationLoad.connect(by:)`.
  func connect(by transport: HTTPSTransport) throws {
    client = try world.client(of: party, tls: party.tls, transport)
  }

  func trust(_ certificate: String) { trusted.append(certificate) }

  func collect() async throws {
    var trust = world.demo.trust(in: world.demo.own, relays: true)
    trust.signingCertificates = trusted
    let sealer = try Sealer(identity: world.demo.identity(of: party), parties: [trust])
    for id in try await client.list().ids {
      let opened = try sealer.open(try await client.download(id).body, now: .wallClock)
      try await client.acknowledge(id)
      copies[opened.notification.id] = opened.verdict.certificate
    }
  }
}

extension CrashWorld {
  fileprivate func client(
    of party: DemoParty, tls: IssuedCertificate, _ transport: HTTPSTransport
  ) throws -> MeshClient {
    let endpoint = try MeshEndpoint(
      baseURL: hostURL, mailbox: party.mailbox, password: party.password,
      sharedSecret: demo.sharedSecret,
      identity: TLSIdentity(
        certificate: tls.chainPEM.utf8, key: tls.privateKeyPEM.utf8,
        authorities: demo.authority.certificatePEM.utf8))
    return MeshClient(endpoint: endpoint, transport: transport, now: { .wallClock })
  }
}
