package import Exchange
import Mailbox
import Seal

/// Plays the story: lets the agencies do each step, and collect what reaches them.
package actor StoryPlayer {
  /// Where a step's message lies, so that what came of it can be found.
  package enum Place: Sendable, Hashable {
    /// In an agency's inbox that Sallyport polls.
    case inbox(of: PartyID, CarrierMessageID)
    /// Posted to Sallyport's own mailbox.
    case host(CarrierMessageID)
  }

  private let world: DemoWorld
  private let agencies: [PartyID: PretendAgency]
  private let transport: HTTPSTransport
  private let baseURL: String
  private let now: @Sendable () -> Instant
  private var clients: [PartyID: MeshClient] = [:]
  private var sealed: [String: (bytes: [UInt8], sender: PartyID)] = [:]
  private var published: [String: Notification] = [:]
  /// What each agency collected, by the step's event id where it names one.
  package private(set) var collected: [(party: DemoParty, copy: CollectedCopy)] = []

  /// - Parameter baseURL: of Sallyport's host.
  package init(
    world: DemoWorld, agencies: [PretendAgency], baseURL: String,
    now: @escaping @Sendable () -> Instant
  ) throws {
    self.world = world
    self.agencies = Dictionary(agencies.map { ($0.party.id, $0) }) { first, _ in first }
    self.baseURL = baseURL
    transport = try HTTPSTransport()
    self.now = now
  }

  /// Closes the agencies' connections.
  package func leave() async { await transport.shutdown() }

  private func agency(_ id: PartyID) throws -> PretendAgency {
    guard let agency = agencies[id] else { throw DemoProblem.noSuchParty(id.text) }
    return agency
  }

  private func client(of id: PartyID) throws -> MeshClient {
    if let client = clients[id] { return client }
    let client = try agency(id).client(baseURL: baseURL, transport: transport)
    clients[id] = client
    return client
  }

  /// Does one step.
  ///
  /// - Parameter deliveryOf: the delivery id that `by` holds of the step that it answers.
  package func perform(_ step: Story.Step) async throws -> Place {
    switch step.act {
    case .publish(let notification):
      let bytes = try agency(notification.source).seal(notification)
      sealed[step.name] = (bytes, notification.source)
      published[step.name] = notification
      return try await publish(bytes, from: notification.source, named: notification.id)
    case .post(let notification):
      return try await post(notification, step: step.name)
    case .forge(let notification, let forger):
      let bytes = try world.forge(notification, signedBy: world.party(forger.text), now: now())
      return try await publish(bytes, from: notification.source, named: notification.id)
    case .replay(let earlier):
      guard let (bytes, sender) = sealed[earlier], let event = EventID("replay-of-\(earlier)")
      else {
        throw DemoProblem.timedOut(waitingFor: earlier)
      }
      return try await publish(bytes, from: sender, named: event)
    case .answer(let earlier, let answerer, let type, let data):
      let question = try question(of: earlier, to: answerer)
      guard let event = EventID("demo-\(now().milliseconds)-\(step.name)") else {
        throw DemoProblem.profile(step.name)
      }
      let answer = Notification(
        id: event, source: answerer, type: type, time: now(), subject: question.subject,
        audience: world.own.id, correlationID: question.id,
        data: data.merging(["jReference": question.data["reference"] ?? .null]) { own, _ in own })
      return try await post(answer, step: step.name)
    }
  }

  private func publish(
    _ bytes: [UInt8], from sender: PartyID, named event: EventID
  ) async throws -> Place {
    .inbox(of: sender, try await agency(sender).publish(bytes, localID: event.text))
  }

  private func post(_ notification: Notification, step: String) async throws -> Place {
    let bytes = try agency(notification.source).seal(notification)
    sealed[step] = (bytes, notification.source)
    published[step] = notification
    let id = try await client(of: notification.source).send(
      to: world.own.mailbox, workflow: PretendAgency.workflow, localID: notification.id.text,
      body: bytes)
    return .host(id)
  }

  /// The copy of an earlier step that the answerer holds: the newest of its type.
  private func question(of step: String, to answerer: PartyID) throws -> Notification {
    let type = published[step]?.type
    guard
      let copy = collected.last(where: {
        $0.party.id == answerer && $0.copy.notification.type == type
      })
    else { throw DemoProblem.timedOut(waitingFor: "the copy of \(step)") }
    return copy.copy.notification
  }

  /// Lets an agency collect everything in its mailbox; answers what was new.
  package func collect(for party: PartyID) async throws -> [CollectedCopy] {
    let agency = try agency(party)
    let copies = try await agency.collect(with: client(of: party))
    collected += copies.map { (agency.party, $0) }
    return copies
  }

  /// Whether Sallyport took a published message out of the agency's inbox.
  package func isAcknowledged(_ place: Place) async throws -> Bool {
    switch place {
    case .inbox(let party, let id): try await agency(party).isAcknowledged(id)
    case .host: true
    }
  }
}

extension DemoWorld {
  /// A message in another's name: signed by a key that does not belong to its source.
  func forge(
    _ notification: Notification, signedBy forger: DemoParty, now: Instant
  ) throws -> [UInt8] {
    var identity = try identity(of: forger)
    identity.party = notification.source
    return try Sealer(identity: identity, parties: [trust(in: own)]).seal(notification, now: now)
  }
}
