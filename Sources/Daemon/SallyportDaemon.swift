package import Exchange
import Foundation
import Ledger
package import Logging
import Mailbox
import Rules
import Seal
import ServiceLifecycle
package import Store
import UnixSignals

/// The daemon: all workers over one store, started together and stopped in reverse order.
package struct SallyportDaemon: Sendable {
  package let store: Store
  private let board: InboxBoard
  /// Signalled by whoever wants the daemon to drain and stop; signals of the system do the same.
  package let stop = Wakeup()
  private let installation: Installation
  private let regime: RegimeInForce
  private let now: @Sendable () -> Instant
  private let log: Logger
  private let version: String

  /// Opens the store as its owner.
  ///
  /// - Throws: `StoreError`.
  package init(
    _ installation: Installation, version: String,
    now: @escaping @Sendable () -> Instant = { .wallClock }, log: Logger
  ) throws {
    self.installation = installation
    self.version = version
    self.now = now
    self.log = log
    regime = RegimeInForce(installation.regime)
    board = InboxBoard(stateDirectory: installation.configuration.stateDirectory)
    store = try Store.open(
      directory: installation.configuration.stateDirectory, keys: installation.ring.storeKeys(),
      mode: .owner)
  }

  /// Runs until SIGTERM (drains), SIGINT, or a fault after which nothing may be written.
  ///
  /// - Parameters:
  ///   - handlesSignals: false where somebody else ends it by cancelling the task.
  ///   - onListening: told the port of our host.
  package func run(
    handlesSignals: Bool = true,
    onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
  ) async throws {
    let policy = regime.current.policy
    guard let digests = regime.current.digests else { throw KeyRingProblem.cannotOpen }
    // First of all: a ledger that does not fit the store is evidence, and nothing may be added to it.
    let ledger = installation.configuration.ledger
    let sequencer = try await Sequencer.open(
      store: store, directory: ledger.directory, guardFile: ledger.guardFile,
      keys: LedgerKeys(key: installation.ring.ledgerKey(origin: ledger.origin)))
    try await store.recordService(.started(version: version, digests), at: now())
    log.notice(
      "started",
      metadata: [
        "version": "\(version)", "rulebook": "\(policy.rulebook.digest)",
        "agreement": "\(policy.agreement.digest)",
      ])
    let transport = try HTTPSTransport()
    var group = ServiceGroupConfiguration(
      services: try services(transport, sequencer, onListening: onListening).map {
        .init(
          service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
          failureTerminationBehavior: .gracefullyShutdownGroup)
      },
      gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [],
      logger: quietLog)
    group.maximumGracefulShutdownDuration = .seconds(9)
    group.maximumCancellationDuration = .seconds(1)
    do {
      try await ServiceGroup(configuration: group).run()
    } catch {
      await transport.shutdown()
      throw error
    }
    await transport.shutdown()
    try await store.recordService(.stopped, at: now())
    _ = try await sequencer.publish()
    try await store.markCleanExit()
    log.notice("stopped")
  }

  /// Libraries speak only when somebody is needed.
  private var quietLog: Logger {
    var quiet = log
    quiet.logLevel = max(log.logLevel, .warning)
    return quiet
  }

  /// In the order of starting; the host and the pollers, which take work in, stop first.
  private func services(
    _ transport: HTTPSTransport, _ sequencer: Sequencer,
    onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) throws -> [any Service] {
    let configuration = installation.configuration
    let submissions = Wakeup()
    let held = Wakeup()
    let reload = Wakeup()
    let flight = BytesInFlight(capacity: configuration.limits.bytesInFlight)
    let pipeline = IntakePipeline(store: store, regime: regime, now: now, log: log)
    let carriers = Wakeups()
    let recovery = Recovery(
      needed: !store.wasCleanExit,
      inboxes: configuration.inboxes.map(\.name) + [StoreKeeper.inbox, HeldWorker.inbox])
    let keeper = StoreKeeper(
      store: store, regime: regime, ownMailbox: configuration.mailbox, now: now,
      log: log, onSubmission: { submissions.signal() })
    let host = try MailboxHost(
      configuration: hostConfiguration(), keeper: keeper, now: now, logger: log,
      onListening: onListening)
    var services: [any Service] = [
      LedgerWorker(sequencer: sequencer, log: log),
      ClockWorker(store: store, now: now, log: log),
      FailureWatch(store: store, log: log),
      ReloadWorker(
        installation: installation, regime: regime, store: store, now: now, log: log,
        wakeup: reload, onReload: { held.signal() }),
      RevocationWorker(
        source: WebRevocationSource(transport),
        cache: RevocationCache(stateDirectory: configuration.stateDirectory), regime: regime,
        now: now, log: log, onChange: { reload.signal() }),
      StopSwitch(stop: stop),
      BoardWorker(board: board, log: log),
      HeldWorker(
        store: store, pipeline: pipeline, recovery: recovery, wakeup: held, flight: flight,
        now: now, log: log),
      SubmissionWorker(
        store: store, pipeline: pipeline, recovery: recovery, wakeup: submissions, flight: flight,
        largest: configuration.limits.messageBytes, log: log,
        onRecorded: {
          held.signal()
          carriers.signal()
        }),
      ControlService(
        directory: configuration.stateDirectory,
        acts: OperatorActs(
          store: store, regime: regime, now: now, log: log, onConfirmed: { held.signal() },
          onRequeued: { submissions.signal() })),
    ]
    for settings in configuration.inboxes {
      services.append(
        try inboxWorker(
          settings, transport: transport, flight: flight, pipeline: pipeline, recovery: recovery,
          onRecorded: {
            held.signal()
            carriers.signal()
          }, onKept: { submissions.signal() }, onReturned: { carriers.signal() }))
    }
    for settings in configuration.carriers {
      services.append(
        try carrierWorker(settings, transport: transport, wakeup: carriers.make()))
    }
    return services + [host]
  }

  private func inboxWorker(
    _ settings: Configuration.InboxSettings, transport: HTTPSTransport, flight: BytesInFlight,
    pipeline: IntakePipeline, recovery: Recovery, onRecorded: @escaping @Sendable () -> Void,
    onKept: @escaping @Sendable () -> Void, onReturned: @escaping @Sendable () -> Void
  ) throws -> InboxWorker {
    var limits = MeshEndpoint.Limits()
    limits.messageBytes =
      settings.messageBytes ?? installation.configuration.limits.messageBytes
    let largest = limits.messageBytes
    let endpoint = try settings.service.endpoint(limits)
    limits.messageBytes = min(largest, BoundedInbox.smallBytes)
    let short = try settings.service.endpoint(limits)
    let inbox = BoundedInbox(
      small: MeshClient(endpoint: short, transport: transport, now: now),
      large: MeshClient(endpoint: endpoint, transport: transport, now: now), largest: largest,
      flight: flight)
    var polling = InboxPoller.Settings()
    polling.interval = settings.pollInterval
    return InboxWorker(
      name: settings.name, inbox: inbox, settings: polling, store: store, pipeline: pipeline,
      recovery: recovery, board: board,
      now: now, log: log, onRecorded: onRecorded, onKept: onKept,
      reports: ReportIntake(
        inbox: settings.name, store: store, now: now, log: log, onReturned: onReturned))
  }

  private func carrierWorker(
    _ settings: Configuration.CarrierSettings, transport: HTTPSTransport, wakeup: Wakeup
  ) throws -> CarrierWorker {
    let configuration = installation.configuration
    guard let inbox = configuration.inboxes.first(where: { $0.name == settings.inbox }) else {
      throw MeshError.unusable("carrier \(settings.inbox)")
    }
    var limits = MeshEndpoint.Limits()
    limits.messageBytes = configuration.limits.messageBytes
    limits.partBytes = settings.partBytes
    var sending = CarrierWorker.Settings()
    sending.trackInterval = settings.trackInterval
    return CarrierWorker(
      name: settings.inbox,
      carrier: MeshClient(
        endpoint: try inbox.service.endpoint(limits), transport: transport, now: now),
      parties: settings.parties, settings: sending, store: store, regime: regime,
      course: board.course(settings.inbox), wakeup: wakeup, now: now, log: log)
  }

  private func hostConfiguration() throws -> HostConfiguration {
    let settings = installation.configuration.host
    var authorities: [UInt8] = []
    for file in settings.clientAuthorityFiles { authorities += try BoundedFile.bytes(file) }
    var host = HostConfiguration(
      address: settings.address, port: settings.port,
      certificateChainPEM: try BoundedFile.bytes(settings.certificateFile),
      privateKeyPEM: try BoundedFile.bytes(settings.keyFile), clientCAPEM: authorities,
      sharedSecret: try BoundedFile.secret(settings.sharedSecretFile), environment: "sallyport")
    host.limits.bodyBytes = installation.configuration.limits.messageBytes
    host.limits.bodyBytesInFlight = installation.configuration.limits.bytesInFlight
    host.ownMailbox = HostConfiguration.OwnMailbox(
      mailbox: installation.configuration.mailbox, name: "Sallyport", odsCode: "SALLYPORT",
      workflows: Set(Workflow.all))
    return host
  }
}
