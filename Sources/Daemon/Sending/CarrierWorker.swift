import Exchange
import Logging
import Mailbox
import Rules
import Seal
import ServiceLifecycle
import Store

/// What a carrier's worker needs of the service. `MeshClient` is one.
protocol SendingCarrier: Sendable {
  func parts(of count: Int) -> Int
  func send(
    to recipient: MailboxID, workflow: String, localID: String, body: [UInt8]
  ) async throws(MeshError) -> CarrierMessageID
  func sendRest(of id: CarrierMessageID, body: [UInt8], total: Int) async throws(MeshError)
  func find(localID: String) async throws(MeshError) -> MeshTracking?
  func track(_ id: CarrierMessageID) async throws(MeshError) -> MeshTracking
}

extension MeshClient: SendingCarrier {}

/// Carries deliveries to parties whose mailboxes are at another MESH service, one after the other.
///
/// A post is recorded as begun before it goes out, under the delivery's own id as local id. When its
/// answer is lost, to a broken line or to a crash, the carrier is asked for that local id before
/// anything is posted again.
struct CarrierWorker: Service {
  struct Settings: Sendable {
    /// Between two questions where a message stands.
    var trackInterval: Duration = .seconds(3600)
    /// A carrier's listing may lag behind a post whose answer was lost for so long.
    var settling: Duration = .seconds(60)
    /// Pauses of a delivery that is not taken, and of a carrier that does not answer.
    var backoff = Backoff(base: .seconds(60), cap: .seconds(3600))
    /// After refused credentials.
    var credentialPause: Duration = .seconds(900)
    /// A message that the carrier knows no more.
    var gonePause: Duration = .seconds(86_400)
    var batch = 32
  }

  /// The name of the carrier's inbox.
  let name: String
  let carrier: any SendingCarrier
  let parties: [PartyID]
  let settings: Settings
  let store: Store
  let regime: RegimeInForce
  let course: CarrierCourse
  let wakeup: Wakeup
  let now: @Sendable () -> Instant
  let log: Logger

  func run() async throws {
    try await Rounds(wakeup: wakeup, interval: .seconds(2), log: log).run { try await round() }
  }

  /// One look at everything that is due. Stops early when the carrier as a whole does not answer.
  func round() async throws {
    if try await store.enrol(parties, with: name) { wakeup.signal() }
    guard course.mayTry(at: now()) else { return }
    let due = try await store.carriagesDue(by: name, before: now(), limit: settings.batch)
    var done = 0
    for item in due {
      guard !Task.isCancelled else { return }
      do {
        try await look(at: item)
        done += 1
        course.succeeded(at: now())
      } catch let error as MeshError {
        let pause = course.failed(error, settings, at: now())
        log.warning(
          "carrier has trouble", metadata: ["carrier": "\(name)", "code": "\(error.code)"])
        if pause { return }
      } catch let error as StoreError where !error.isFinal {
        log.error(
          "waits after a failure",
          metadata: ["delivery": "\(item.delivery)", "code": "\(error.code)"])
      } catch is SealError, is CaseKeepsMoving {
        // Whether it may still be told is not known: it stays where it is.
        log.error("delivery kept back", metadata: ["delivery": "\(item.delivery)"])
        try await store.carriageWaits(item.delivery, until: now() + settings.settling)
      }
    }
    if due.count == settings.batch, done > 0 { wakeup.signal() }
  }

  private func look(at item: DueCarriage) async throws {
    guard let copy = try await store.delivery(item.delivery, party: item.party) else {
      return try await store.carriageWaits(item.delivery, until: nil)
    }
    switch copy.delivery.carriage?.state {
    case .sent: try await track(copy)
    case .sending: try await lookUp(copy)
    case nil, .failed, .returned: try await post(copy)
    }
  }
}

// MARK: - Posting

extension CarrierWorker {
  private func post(_ copy: DeliveryCopy) async throws {
    let delivery = copy.delivery
    guard !delivery.isCarriageDone else {
      return try await store.carriageWaits(delivery.id, until: nil)
    }
    let handover = delivery.handover(at: now())
    guard handover == .give else {
      // What is kept back for a while is looked at again.
      let isOver = handover == .gone || handover == .unknown
      return try await store.carriageWaits(
        delivery.id, until: isOver ? nil : now() + settings.settling)
    }
    guard let recipient = regime.current.policy.party(delivery.recipient)?.mailbox else {
      // No party of the agreement any more: it may come back, and the delivery expires otherwise.
      return try await store.carriageWaits(delivery.id, until: now() + settings.gonePause)
    }
    // As at a hosted hand-over; what may be told no more is taken back there, and a successor comes by.
    let handOver = HandOver(store: store, regime: regime.current, moment: now(), log: log)
    guard try await handOver.mayGive(copy) else { return }
    let action = try await store.carried(
      delivery.id, .began, next: now() + settings.settling, at: now())
    guard action == .post else { return }
    FaultPoint.beforeSend.reached()
    let message: CarrierMessageID
    do throws(MeshError) {
      message = try await carrier.send(
        to: recipient, workflow: copy.workflow, localID: delivery.id.text, body: copy.bytes)
    } catch {
      return try await notTaken(copy, error)
    }
    FaultPoint.afterSend.reached()
    try await finish(copy, message, total: carrier.parts(of: copy.bytes.count))
  }

  private func notTaken(_ copy: DeliveryCopy, _ error: MeshError) async throws {
    // Nobody knows: it is looked for when the carrier's listing has settled.
    if error.kind != .unconfirmed {
      try await fail(copy, code: error.code, after: pause(of: copy))
    }
    throw error
  }

  /// Sends the parts that are left, and records that the carrier has it.
  private func finish(_ copy: DeliveryCopy, _ message: CarrierMessageID, total: Int) async throws {
    do throws(MeshError) {
      try await carrier.sendRest(of: message, body: copy.bytes, total: total)
    } catch {
      // An upload that is gone was dropped by the carrier; any other goes on where it was.
      if error.kind == .gone { try await fail(copy, code: error.code, after: settings.settling) }
      throw error
    }
    let action = try await store.carried(
      copy.delivery.id, .sent(message), next: now() + settings.trackInterval, at: now())
    if action == .alarmSentAfterEnd {
      log.error("delivery sent after its end", metadata: ["delivery": "\(copy.delivery.id)"])
    }
  }

  private func fail(_ copy: DeliveryCopy, code: String, after pause: Duration) async throws {
    _ = try await store.carried(
      copy.delivery.id, .notSent(code: code), next: now() + pause, at: now())
  }

  private func pause(of copy: DeliveryCopy) -> Duration {
    var backoff = settings.backoff
    for _ in 0..<min(16, copy.delivery.carriage?.attempts ?? 0) { _ = backoff.failed(random: 0) }
    return backoff.ceiling
  }
}

// MARK: - Asking

extension CarrierWorker {
  /// What became of a post whose answer was lost.
  private func lookUp(_ copy: DeliveryCopy) async throws {
    let delivery = copy.delivery
    guard
      let found = try await asked(
        copy,
        { () async throws(MeshError) in
          try await carrier.find(localID: delivery.id.text)
        })
    else {
      log.notice("delivery not found at its carrier", metadata: ["delivery": "\(delivery.id)"])
      return try await fail(copy, code: CarrierCode.notFound, after: .zero)
    }
    switch found.status {
    case .accepted, .acknowledged: try await finish(copy, found.id, total: 1)
    case .uploading:
      guard !copy.bytes.isEmpty else {
        // It has ended here, and is not whole there: nobody gets it.
        return try await fail(copy, code: CarrierCode.notFound, after: .zero)
      }
      let total = found.parts ?? carrier.parts(of: copy.bytes.count)
      try await finish(copy, found.id, total: total)
    case .error, .undeliverable:
      try await fail(copy, code: CarrierCode.returned, after: pause(of: copy))
    }
  }

  private func track(_ copy: DeliveryCopy) async throws {
    let delivery = copy.delivery
    guard let message = delivery.carriage?.message, !delivery.isCarriageDone else {
      return try await store.carriageWaits(delivery.id, until: nil)
    }
    let tracking: MeshTracking
    do throws(MeshError) {
      tracking = try await carrier.track(message)
    } catch {
      let pause = error.kind == .gone ? settings.gonePause : settings.trackInterval
      try await store.carriageWaits(delivery.id, until: now() + pause)
      throw error
    }
    switch tracking.status {
    case .acknowledged:
      _ = try await store.recordCollected(delivery.id, party: delivery.recipient, at: now())
    case .accepted, .uploading:
      try await store.carriageWaits(delivery.id, until: now() + settings.trackInterval)
    case .error, .undeliverable:
      let action = try await store.carried(
        delivery.id, .returned(message, code: CarrierCode.returned), next: now(), at: now())
      CarrierCode.report(action, delivery.id, carrier: name, log)
    }
  }

  /// A question about one delivery; what fails makes it wait.
  private func asked<Answer>(
    _ copy: DeliveryCopy, _ question: () async throws(MeshError) -> Answer
  ) async throws -> Answer {
    do throws(MeshError) {
      return try await question()
    } catch {
      try await store.carriageWaits(copy.delivery.id, until: now() + pause(of: copy))
      throw error
    }
  }
}

/// Codes of a delivery's way by a carrier.
enum CarrierCode {
  /// The carrier reports, or tracking says, that it was not collected.
  static let returned = "MESH-032"
  /// Its post was begun, and the carrier does not know it.
  static let notFound = "MESH-033"

  /// Says aloud that a delivery came back.
  static func report(
    _ action: Carriage.Action, _ delivery: DeliveryID, carrier: String, _ log: Logger
  ) {
    guard action == .sendAgain else { return }
    log.warning(
      "delivery came back uncollected",
      metadata: ["code": "\(returned)", "delivery": "\(delivery)", "carrier": "\(carrier)"])
  }
}
