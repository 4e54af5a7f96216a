import Daemon
import Exchange
import Foundation
import Glibc
import Logging
import ServiceLifecycle
import Store
import Synchronization
import Testing

@testable import Demo
@testable import sallyport

/// One installation on disk, and around it the agencies: their MESH services run in this process and
/// outlive every crash of the daemon, so that what they hold is the record of what was said to them.
struct CrashWorld: Sendable {
  let demo: DemoWorld
  let agencies: [PartyID: PretendAgency]
  let folder: String
  let hostURL: String
  let configurationFile: String
  let configuration: Configuration
  let ring: KeyRing

  /// Agencies whose inbox is polled.
  static let polled = ["prison:durham", "probation:durham"]

  /// Keys take long to make, and no test changes them.
  private static let demo = Result { try DemoWorld.make(now: .wallClock) }

  /// A new installation with nobody's message in it, while `body` runs.
  static func run(_ body: (CrashWorld) async throws -> Void) async throws {
    let demo = try demo.get()
    let folder =
      FileManager.default.temporaryDirectory.path() + "sallyport-crash-\(ExchangeID.random())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var agencies: [PartyID: PretendAgency] = [:]
    for party in demo.agencies where party.area != "northumbria" {
      agencies[party.id] = try await PretendAgency(party, in: demo, now: { .wallClock })
    }
    var log = Logger(label: "agency") { JSONLogHandler(label: $0) }
    log.logLevel = .critical
    let (ports, listening) = AsyncStream.makeStream(of: (PartyID, Int).self)
    var services: [any Service] = []
    for agency in try polled.map({ try #require(agencies[try demo.party($0).id]) }) {
      let id = agency.party.id
      services.append(try agency.host(logger: log) { listening.yield((id, $0)) })
    }
    var settings = ServiceGroupConfiguration(services: services, logger: log)
    settings.maximumGracefulShutdownDuration = .seconds(2)
    let group = ServiceGroup(configuration: settings)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        defer { listening.finish() }
        try await group.run()
      }
      var found: [(agency: DemoParty, port: Int)] = []
      for await (id, port) in ports {
        found.append((try demo.party(id.text), port))
        if found.count == polled.count { break }
      }
      do {
        let world = try CrashWorld(demo, agencies, folder: folder, inboxPorts: found)
        try await body(world)
      } catch {
        await group.triggerGracefulShutdown()
        throw error
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  private init(
    _ demo: DemoWorld, _ agencies: [PartyID: PretendAgency], folder: String,
    inboxPorts: [(agency: DemoParty, port: Int)]
  ) throws {
    let port = try FreePort.next()
    let installation = DemoInstallation(
      world: demo, folder: DemoFolder(path: folder), hostPort: port, inboxPorts: inboxPorts)
    let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    try installation.write(sharedFiles: source.appending(path: "config").path())
    self.demo = demo
    self.agencies = agencies
    self.folder = folder
    hostURL = "https://127.0.0.1:\(port)"
    configurationFile = installation.configurationFile
    (configuration, ring) = try Installation.keys(configurationFile: configurationFile)
  }

  func agency(_ id: String) throws -> PretendAgency {
    try #require(agencies[try demo.party(id).id])
  }

  var logFile: String { folder + "/daemon.log" }

  func startDaemon(fault: String? = nil) throws -> DaemonProcess {
    try DaemonProcess(configurationFile: configurationFile, fault: fault, log: logFile)
  }

  /// The store as an operator reads it, beside the daemon or without one.
  func openStore() throws -> Store {
    try Store.open(directory: configuration.stateDirectory, keys: ring.storeKeys(), mode: .reader)
  }

  /// The last lines that the daemon wrote, for whoever reads a failure.
  var lastWords: String {
    let text = (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n").filter { !$0.contains("mailbox request") }
    return lines.suffix(24).joined(separator: "\n")
  }
}

/// Ports below those that the system gives to outgoing connections: nobody takes one while the daemon
/// that listens there is dead.
enum FreePort {
  private static let last = Mutex(Int.random(in: 20_000..<30_000))

  static func next() throws -> Int {
    for _ in 0..<1000 {
      let port = last.withLock { last in
        last = last < 32_000 ? last + 1 : 20_000
        return last
      }
      if isFree(port) { return port }
    }
    throw WaitedTooLong(what: "a free port")
  }

  private static func isFree(_ port: Int) -> Bool {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { return false }
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      // bind takes any address type by its generic head, as POSIX has it.
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(socket, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
