package import Exchange
import Foundation
import Ledger
package import Logging
import Mailbox
import Rules
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
      keys: installation.ring.ledgerKeys(origin: ledger.origin))
    try await store.recordService(.started(version: version, digests), at: now())
    // What a crash, or somebody without a daemon, changed of the ring and did not tell.
    try await store.recordKeys(installation.ring.records(origin: ledger.origin), at: now())
    log.notice(
      "started",
      metadata: [
        "version": "\(version)", "rulebook": "\(policy.rulebook.digest)",
        "agreement": "\(policy.agreement.digest)",
      ])
    let transport = try HTTPSTransport()
    let ready: @Sendable (Int) async -> Void = { port in
      ServiceManager.tell(.ready)
      await onListening(port)
    }
    var group = ServiceGroupConfiguration(
      services: try services(transport, sequencer, onListening: ready).map {
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
    ServiceManager.tell(.stopping)
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
    let published = Wakeup()
    let flight = BytesInFlight(capacity: configuration.limits.bytesInFlight)
    let pipeline = IntakePipeline(store: store, regime: regime, now: now, log: log)
    let carriers = Wakeups()
    let recovery = Recovery(
      needed: !store.wasCleanExit,
      inboxes: configuration.inboxes.map(\.name) + [StoreKeeper.inbox, HeldWorker.inbox])
    let keeper = StoreKeeper(
      store: store, regime: regime, ownMailbox: configuration.mailbox,
      workflows: configuration.host.workflows, quotas: configuration.host.quotas, now: now,
      log: log, onSubmission: { submissions.signal() })
    let host = try MailboxHost(
      configuration: installation.connections.host, keeper: keeper, now: now, logger: log,
      onListening: onListening)
    let inboxes = inboxWorkers(
      transport, flight, pipeline, recovery, carriers,
      onRecorded: {
        held.signal()
        carriers.signal()
      }, onKept: { submissions.signal() })
    let rewrap = Wakeup()
    let inForce = InstallationInForce(
      installation,
      InstallationInForce.Parts(
        store: store, regime: regime, sequencer: sequencer, host: host, inboxes: inboxes, now: now,
        log: log, onReload: { held.signal() }, onStoreKey: { rewrap.signal() }))
    return [
      LedgerWorker(sequencer: sequencer, log: log, onPublished: { published.signal() }),
      ReceiptWorker(
        store: store, sequencer: sequencer, regime: regime, wakeup: published, now: now, log: log,
        onMade: { carriers.signal() }),
      ClockWorker(store: store, now: now, log: log),
      UploadWorker(
        store: store, lifetime: configuration.host.quotas.uploadTime, now: now, log: log),
      FailureWatch(store: store, log: log),
      ReloadWorker(installation: inForce, log: log, wakeup: reload),
      RewrapWorker(store: store, wakeup: rewrap, log: log),
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
        inboxParties: Dictionary(
          installation.connections.inboxes.compactMap { source in
            source.handingIn.map { (source.settings.name, $0) }
          }
        ) { one, _ in one },
        onRecorded: {
          held.signal()
          carriers.signal()
        }),
      ControlService(
        place: configuration.control,
        acts: OperatorActs(
          store: store, regime: regime, board: board, now: now, log: log, version: version,
          onConfirmed: { held.signal() }, onRequeued: { submissions.signal() },
          installation: inForce)),
      inboxes,
      host,
    ]
  }

  /// An inbox's polls, and what goes out by its service.
  private func inboxWorkers(
    _ transport: HTTPSTransport, _ flight: BytesInFlight, _ pipeline: IntakePipeline,
    _ recovery: Recovery, _ carriers: Wakeups, onRecorded: @escaping @Sendable () -> Void,
    onKept: @escaping @Sendable () -> Void
  ) -> InboxWorkers {
    let (store, board, regime, now, log) = (store, board, regime, now, log)
    return InboxWorkers(installation.connections.inboxes, board: board) { source in
      let name = source.settings.name
      var polling = InboxPoller.Settings()
      polling.interval = source.settings.pollInterval
      let inbox = InboxWorker(
        name: name, party: source.handingIn,
        inbox: BoundedInbox(
          small: MeshClient(endpoint: source.short, transport: transport, now: now),
          large: MeshClient(endpoint: source.endpoint, transport: transport, now: now),
          largest: source.endpoint.limits.messageBytes, flight: flight),
        settings: polling, store: store, pipeline: pipeline, recovery: recovery, board: board,
        now: now, log: log, onRecorded: onRecorded, onKept: onKept,
        reports: ReportIntake(
          inbox: name, store: store, now: now, log: log, onReturned: { carriers.signal() }))
      guard let carrier = source.carrier else { return [inbox] }
      var sending = CarrierWorker.Settings()
      sending.trackInterval = carrier.settings.trackInterval
      let outward = CarrierWorker(
        name: name, carrier: MeshClient(endpoint: carrier.endpoint, transport: transport, now: now),
        parties: carrier.settings.parties, settings: sending, store: store, regime: regime,
        course: board.course(name), wakeup: carriers.make(for: name), now: now, log: log)
      return [inbox, outward]
    }
  }
}
