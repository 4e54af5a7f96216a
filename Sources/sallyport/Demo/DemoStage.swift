import Daemon
import Demo
import Exchange
import Glibc
import Logging
import ServiceLifecycle
import Store

/// The demonstration while it runs: the agencies' services, the daemon, the story.
struct DemoStage {
  let world: DemoWorld
  let folder: DemoFolder
  let log: Logger

  /// Agencies whose inbox Sallyport polls; the others post to Sallyport's host.
  private static let polled: Set<String> = ["prison", "police", "probation", "immigration"]
  private static let patience = Duration.seconds(30)

  /// Sets the stage, runs `play` on it, and takes it down in order.
  func run(
    sharedFiles: String, _ play: @Sendable @escaping (DemoPlay) async throws -> Void
  ) async throws {
    let now: @Sendable () -> Instant = { .wallClock }
    var agencies: [PretendAgency] = []
    for party in world.agencies {
      agencies.append(try await PretendAgency(party, in: world, now: now))
    }
    let hosting = agencies.filter {
      DemoStage.polled.contains($0.party.role) && $0.party.area != "northumbria"
    }
    let ports = Ports()
    let stop = Wakeup()
    var services: [any Service] = [StopSwitch(stop: stop)]
    for agency in hosting {
      services.append(
        try agency.host(logger: log) { port in await ports.note(agency.party.id, port) })
    }
    var group = ServiceGroupConfiguration(
      services: services.map {
        .init(
          service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
          failureTerminationBehavior: .gracefullyShutdownGroup)
      }, logger: log)
    group.maximumGracefulShutdownDuration = .seconds(5)
    let hosts = ServiceGroup(configuration: group)
    let everybody = agencies
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await hosts.run() }
      defer { stop.signal() }
      let found = try await ports.all(hosting.map(\.party.id), within: DemoStage.patience)
      let installation = DemoInstallation(
        world: world, folder: folder, hostPort: try DemoStage.freePort(),
        inboxPorts: hosting.compactMap { agency in
          found[agency.party.id].map { (agency.party, $0) }
        })
      try installation.write(sharedFiles: sharedFiles)
      try await runDaemon(installation, agencies: everybody, now: now, play)
    }
  }

  private func runDaemon(
    _ installation: DemoInstallation, agencies: [PretendAgency],
    now: @escaping @Sendable () -> Instant,
    _ play: @Sendable @escaping (DemoPlay) async throws -> Void
  ) async throws {
    let loaded = try Installation.load(configurationFile: installation.configurationFile)
    let daemon = try SallyportDaemon(loaded, version: Version.text, now: now, log: log)
    let listening = Ports()
    let own = world.own.id
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        try await daemon.run(handlesSignals: false) { port in await listening.note(own, port) }
      }
      _ = try await listening.all([own], within: DemoStage.patience)
      let player = try StoryPlayer(
        world: world, agencies: agencies,
        baseURL: "https://127.0.0.1:\(installation.hostPort)", now: now)
      do {
        try await play(
          DemoPlay(
            world: world, folder: folder, store: daemon.store, player: player,
            configuration: loaded.configuration, ring: loaded.ring,
            configurationFile: installation.configurationFile))
      } catch {
        await player.leave()
        daemon.stop.signal()
        throw error
      }
      await player.leave()
      daemon.stop.signal()
      try await tasks.waitForAll()
    }
  }

  /// A port of loopback that nobody uses just now.
  private static func freePort() throws -> Int {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { throw DemoProblem.cannotWrite("a socket") }
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      // bind and getsockname take any address type by its generic head, as POSIX has it.
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(socket, generic, length) == 0 ? getsockname(socket, generic, &length) : -1
      }
    }
    guard result == 0 else { throw DemoProblem.cannotWrite("a port") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

/// Ports that became known.
private actor Ports {
  private var ports: [PartyID: Int] = [:]

  func note(_ party: PartyID, _ port: Int) { ports[party] = port }

  func all(_ parties: [PartyID], within patience: Duration) async throws -> [PartyID: Int] {
    let clock = ContinuousClock()
    let end = clock.now + patience
    while !parties.allSatisfy({ ports[$0] != nil }) {
      guard clock.now < end else { throw DemoProblem.timedOut(waitingFor: "a service to listen") }
      try await Task.sleep(for: .milliseconds(5))
    }
    return ports
  }
}
