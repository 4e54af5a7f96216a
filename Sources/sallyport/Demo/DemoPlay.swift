import Daemon
import Demo
import Exchange
import Foundation
import Ledger
import Store

/// The story on a stage that stands: each step is done, waited for, and told.
struct DemoPlay: Sendable {
  let world: DemoWorld
  let folder: DemoFolder
  let store: Store
  let player: StoryPlayer
  let configuration: Configuration
  let ring: KeyRing
  let configurationFile: String

  private static let patience = Duration.seconds(20)

  /// What came of one step.
  struct Scene: Sendable {
    let step: Story.Step
    let view: ExchangeView
  }

  /// Plays all steps; `tell` hears of each as it happens.
  func play(tell: (Scene) -> Void) async throws -> [Scene] {
    var scenes: [Scene] = []
    for step in try Story(now: .wallClock, world: world).steps {
      let place = try await player.perform(step)
      let scene = Scene(step: step, view: try await outcome(of: place))
      scenes.append(scene)
      tell(scene)
      try await collect(scene.view)
      if step.name == "discussion", let held = scenes.first(where: { $0.step.name == "j-unaware" })
      {
        let released = Scene(step: held.step, view: try await released(held.view.exchange))
        tell(released)
        try await collect(released.view)
      }
    }
    return scenes
  }

  /// Every exchange of the story as it stands at the end, in order.
  func final(_ scenes: [Scene]) async throws -> [ExchangeView] {
    var views: [ExchangeView] = []
    for scene in scenes {
      views.append(try await store.exchange(scene.view.exchange.text))
    }
    return views
  }

  private func carrierKey(_ place: StoryPlayer.Place) throws -> CarrierKey {
    switch place {
    case .inbox(let party, let id):
      guard let inbox = configuration.inboxes.first(where: { $0.party == party }) else {
        throw DemoProblem.noSuchParty(party.text)
      }
      return CarrierKey(inbox: inbox.name, message: id)
    case .host(let id): return CarrierKey(inbox: StoreKeeper.inbox, message: id)
    }
  }

  private func outcome(of place: StoryPlayer.Place) async throws -> ExchangeView {
    let key = try carrierKey(place)
    return try await wait("a decision") {
      guard let known = try await store.carrierMessage(key), known.isFinished,
        try await player.isAcknowledged(place)
      else { return nil }
      return try await store.exchange(known.exchange.text)
    }
  }

  private func released(_ exchange: ExchangeID) async throws -> ExchangeView {
    try await wait("a held exchange to be released") {
      let view = try await store.exchange(exchange.text)
      return view.ending == .shared ? view : nil
    }
  }

  /// Each recipient's system collects what lies in its mailbox.
  private func collect(_ view: ExchangeView) async throws {
    for delivery in view.deliveries { try await collect(for: delivery.party) }
  }

  /// The sealed bytes are kept as they came: copies and receipts apart.
  private func collect(for id: PartyID) async throws {
    let party = try world.party(id.text)
    for copy in try await player.collect(for: id) {
      let kind = copy.notification.type == .receiptIssued ? "receipts" : "collected"
      try folder.write("\(kind)/\(party.folder)/\(copy.notification.id).p7m", copy.sealed)
    }
  }

  /// Every sender's receipts, collected and opened by the sender, once all are made.
  func receipts() async throws -> [(party: DemoParty, receipt: Exchange.Notification)] {
    try await wait("the receipts to be made") {
      try await store.oldestReceiptDue() == nil ? () : nil
    }
    for party in world.agencies { try await collect(for: party.id) }
    return await player.collected.filter { $0.copy.notification.type == .receiptIssued }
      .map { ($0.party, $0.copy.notification) }
  }

  /// Waits until the ledger's checkpoint covers every entry, and checks it as an outsider would.
  func verifiedLedger() async throws -> LedgerReport {
    let key = try ring.ledgerKey(origin: configuration.ledger.origin).verifierKey
    let folder = LedgerFolder(configuration.ledger.directory)
    let verifier = LedgerVerifier(files: folder, ledger: key)
    return try await wait("the ledger to be published") {
      let report = verifier.check(kept: try folder.keptCheckpoints())
      let entries = try await store.leafCount()
      return report.isSound && report.size == entries ? report : nil
    }
  }

  private func wait<Value>(
    _ what: String, until found: () async throws -> Value?
  ) async throws -> Value {
    let clock = ContinuousClock()
    let end = clock.now + DemoPlay.patience
    while clock.now < end {
      if let value = try await found() { return value }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw DemoProblem.timedOut(waitingFor: what)
  }
}
