import Exchange
import Mailbox
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

extension Hub {
  /// Puts another agreement in force: the area's with something added, or with one text replaced.
  func changeAgreement(
    adding text: String = "", replacing old: String? = nil, with new: String = ""
  ) async throws {
    let base = regime.current
    var agreement = try Area.world.agreementYAML
    if let old {
      try #require(agreement.contains(old))
      agreement = agreement.replacing(old, with: new)
    }
    let policy = try Policy(
      rulebook: base.policy.rulebook, agreement: Agreement.parse(text: agreement + text))
    let changed = Regime(
      policy: policy, sealer: base.sealer, calendar: base.calendar, mailboxes: base.mailboxes)
    try await store.recordService(
      .policyChanged(try #require(changed.digests), departures: []), at: clock.now)
    regime.swap(for: changed)
  }

  /// Lets the case say something else, as a notification would whose type the rulebook does not have yet.
  fileprivate func set(_ facts: [FactChange], of person: Person) async throws {
    let policy = regime.current.policy
    let before = try #require(try await snapshot(of: person))
    let notice = try Notice.named("registered-adult").with(id: "facts", time: clock.now)
    let decision = Decision(
      outcome: .shared, type: notice.type, sender: notice.source, reasons: [],
      purpose: "manage-risk",
      basis: "LB-02", recipients: [], factChanges: facts, registersCase: false,
      answersDeadline: false, unknownFields: 0, urgent: false,
      rulebookDigest: policy.rulebook.digest, agreementDigest: policy.agreement.digest)
    let verdict = Verdict(
      signer: notice.source, certificate: "test", signingTime: clock.now, verifiedAt: clock.now,
      revocation: .current, contentDigest: [UInt8](repeating: 3, count: 32))
    let record = IntakeRecord(
      exchange: .random(), carrier: try Hub.carrier("FACTS"), receivedAt: clock.now,
      recordedAt: clock.now, original: [],
      outcome: .decided(
        DecidedRecord(
          notification: notice, verdict: verdict, decision: decision,
          subjectCase: .existing(before.id, version: before.version, newIdentifiers: []))))
    guard case .recorded = try await store.record(record) else {
      Issue.record("not recorded")
      return
    }
    #expect(try await snapshot(of: person)?.version == before.version + 1)
  }

  func listed(_ mailbox: MailboxID) async throws -> [CarrierMessageID] {
    try await keeper().page(of: mailbox, after: nil, limit: 10, workflow: nil).ids
  }

  func get(
    _ id: CarrierMessageID, for mailbox: MailboxID
  ) async throws -> HostedMessageAnswer {
    try await keeper().message(id, for: mailbox, headersOnly: false)
  }

  /// The bytes that are given; nil when none are.
  fileprivate func bytes(
    _ id: CarrierMessageID, for mailbox: MailboxID
  ) async throws -> [UInt8]? {
    guard case .found(let message) = try await get(id, for: mailbox) else { return nil }
    return message.payload
  }

  fileprivate func view(_ id: CarrierMessageID) async throws -> ExchangeView {
    try await store.exchange(try #require(DeliveryID(carrierID: id)).text)
  }
}

@Suite struct `What was not collected is asked about again when rules or case change` {
  private let withoutName = """
    narrowing:
      - {type: mappa-j.issued.release, role: jobcentre, withhold: [name], reason: A test.}
    """

  private func jobcentre() throws -> MailboxID { try Area.party("jobcentre:durham").mailbox }

  @Test func `a field that the agreement withholds by then goes no more, and the rest goes anew`()
    async throws
  {
    let hub = try await Hub()
    let mailbox = try jobcentre()
    try await hub.share("registered-adult", "j")
    let old = try #require(try await hub.listed(mailbox).first)
    let before = try await hub.view(old)
    let first = try await hub.copies("jobcentre:durham")[0]
    #expect(first.data["name"] != nil)
    try await hub.changeAgreement(adding: withoutName)
    hub.clock.set(.start + .days(1))
    #expect(try await hub.get(old, for: mailbox) == .gone)
    // Gone for good, and once only.
    #expect(try await hub.keeper().message(old, for: mailbox, headersOnly: true) == .gone)
    let ids = try await hub.listed(mailbox)
    #expect(ids.count == 1 && ids[0] != old)
    let copy = try await hub.copies("jobcentre:durham")[0]
    #expect(Set(copy.data.keys) == Set(first.data.keys).subtracting(["name"]))
    #expect(copy.subject == first.subject && copy.source == first.source)
    #expect(copy.id.text == DeliveryID(carrierID: ids[0])?.text)
    // The same limit, now owed for the new one.
    let after = try await hub.view(ids[0])
    #expect(after.exchange == before.exchange)
    #expect(after.deadlines.map(\.deadline) == before.deadlines.map(\.deadline))
    #expect(after.deadlines.map(\.delivery?.carrierID) == [ids[0]])
    let (ended, waiting) = (after.deliveries[0].delivery, after.deliveries[1].delivery)
    #expect(ended?.state == .superseded && ended?.successor == waiting?.id)
    #expect(waiting?.state == .pending)
    #expect(waiting?.answerDue == ended?.answerDue && waiting?.expiresAt == ended?.expiresAt)
    // What took its place is given, as often as it is asked for.
    let bytes = try #require(try await hub.bytes(ids[0], for: mailbox))
    #expect(try await hub.bytes(ids[0], for: mailbox) == bytes)
    #expect(try await hub.listed(mailbox) == ids)
    #expect(after.leaves.count == before.leaves.count + 2)
    let told = hub.lines.all.filter { $0.contains("delivery replaced") }
    #expect(told.count == 1 && told[0].contains("AGR-01"))
    #expect(!told[0].contains("jobcentre"))
  }

  @Test func `the answer to either copy meets the deadline`() async throws {
    for place in 0...1 {
      let hub = try await Hub()
      let mailbox = try jobcentre()
      try await hub.share("registered-adult", "j")
      let old = try #require(try await hub.listed(mailbox).first)
      try await hub.changeAgreement(adding: withoutName)
      #expect(try await hub.get(old, for: mailbox) == .gone)
      let answered = [old, try #require(try await hub.listed(mailbox).first)][place]
      let delivery = try #require(DeliveryID(carrierID: answered))
      let original = try Notice.named("j")
      let answer = try original.with(
        id: "answer", source: "jobcentre:durham", type: "mappa-j.acknowledged",
        answers: EventID(delivery.text))
      let data: [String: JSONValue] = [
        "receivedOn": "2026-02-02", "adviserContact": "Adviser desk, 01632 960002",
        "jReference": "MJ-1001",
      ]
      let view = try await hub.take(
        Exchange.Notification(
          id: answer.id, source: answer.source, type: answer.type, time: answer.time,
          subject: answer.subject, audience: answer.audience, correlationID: answer.correlationID,
          data: data), as: "ANSWER")
      try #require(view.ending == .shared)
      #expect(try await hub.view(old).deadlines.map(\.deadline.state) == [.met])
    }
  }

  @Test func `a recipient that the agreement silences by then gets nothing`() async throws {
    let hub = try await Hub()
    let mailbox = try jobcentre()
    try await hub.share("registered-adult", "j")
    let old = try #require(try await hub.listed(mailbox).first)
    try await hub.changeAgreement(
      adding: """
        narrowing:
          - {type: mappa-j.issued.release, role: jobcentre, tell-nothing: yes, reason: A test.}
        """)
    #expect(try await hub.get(old, for: mailbox) == .gone)
    #expect(try await hub.listed(mailbox).isEmpty)
    let view = try await hub.view(old)
    #expect(view.deliveries.map(\.state) == [.withdrawn])
    #expect(view.deliveries[0].delivery?.withdrawalReason == "AGR-01")
    #expect(view.deadlines.map(\.deadline.state) == [.withdrawn])
    #expect(hub.lines.all.contains { $0.contains("delivery withdrawn") && $0.contains("AGR-01") })
  }

  @Test func `a recipient that left the agreement gets nothing, whatever mailbox it asks from`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date")
    let old = try #require(try await hub.listed(Hub.police).first)
    let delivery = try #require(DeliveryID(carrierID: old))
    let police = try Area.party("police:durham").id
    try await hub.changeAgreement(
      replacing: "  - id: police:durham\n", with: "  - id: police:elsewhere\n")
    // The mailbox is another party's now.
    #expect(try await hub.get(old, for: Hub.police) == .notFound)
    let copy = try #require(try await hub.store.delivery(delivery, party: police))
    let mayGive = try await HandOver(
      store: hub.store, regime: hub.regime.current, moment: hub.clock.now, log: hub.pipeline.log
    ).mayGive(copy)
    #expect(!mayGive)
    #expect(try await hub.store.delivery(delivery, party: police)?.delivery.state == .withdrawn)
  }

  @Test func `nothing waits any more of a person who is no MAPPA offender any more`() async throws {
    let hub = try await Hub()
    let mailbox = try jobcentre()
    try await hub.share("registered-adult", "release-date", "j")
    let (j, date) = (try await hub.listed(mailbox), try await hub.listed(Hub.police))
    hub.clock.set(.start + .minutes(10))
    try await hub.set([FactChange(name: "category", value: 0)], of: Notice.cast().adult)
    #expect(try await hub.get(j[0], for: mailbox) == .gone)
    #expect(try await hub.get(date[0], for: Hub.police) == .gone)
    for each in [mailbox, Hub.police] { #expect(try await hub.listed(each).isEmpty) }
    #expect(try await hub.view(j[0]).deliveries[0].delivery?.withdrawalReason == "LAW-02")
  }

  @Test func `after its own effects, and after another fact changed, the same bytes go`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date")
    let id = try #require(try await hub.listed(Hub.police).first)
    let delivery = try #require(DeliveryID(carrierID: id))
    let police = try Area.party("police:durham").id
    let kept = try #require(try await hub.store.delivery(delivery, party: police))
    // Its own effects are no change: it is not even asked.
    #expect(!kept.caseMoved && kept.decidedBy == hub.regime.current.digests)
    #expect(try await hub.bytes(id, for: Hub.police) == kept.bytes)
    hub.clock.set(.start + .minutes(10))
    try await hub.set([FactChange(name: "level", value: 3)], of: Notice.cast().adult)
    #expect(try await hub.store.delivery(delivery, party: police)?.caseMoved == true)
    #expect(try await hub.bytes(id, for: Hub.police) == kept.bytes)
    #expect(try await hub.listed(Hub.police) == [id])
  }

  @Test func `an agreement that changed elsewhere changes nothing`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date")
    let id = try #require(try await hub.listed(Hub.police).first)
    let bytes = try #require(try await hub.bytes(id, for: Hub.police))
    try await hub.changeAgreement(adding: withoutName)
    #expect(try await hub.bytes(id, for: Hub.police) == bytes)
    #expect(try await hub.listed(Hub.police) == [id])
  }

  @Test func `a date that changed again, and an area that moved, leave earlier copies to be read`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date", "release-date-changed")
    let moved = try Notice.named("release-date-changed")
    let view = try await hub.take(
      moved.with(
        id: "moved", time: moved.time + .seconds(60),
        data: ["releaseArea": "northumbria", "releaseDate": "2026-11-09"]), as: "MOVED")
    try #require(view.ending == .shared)
    let ids = try await hub.listed(Hub.police)
    #expect(ids.count == 3)
    for id in ids { #expect(try await hub.bytes(id, for: Hub.police) != nil) }
    #expect(
      try await hub.copies("police:durham").map { $0.data["releaseArea"] }
        == ["durham", "durham", "northumbria"])
  }

  @Test func `what was collected before the change is given again as it was`() async throws {
    let hub = try await Hub()
    let mailbox = try jobcentre()
    try await hub.share("registered-adult", "j")
    let id = try #require(try await hub.listed(mailbox).first)
    let bytes = try #require(try await hub.bytes(id, for: mailbox))
    #expect(try await hub.keeper().acknowledge(id, in: mailbox) == .acknowledged)
    try await hub.changeAgreement(adding: withoutName)
    #expect(try await hub.bytes(id, for: mailbox) == bytes)
    #expect(try await hub.listed(mailbox).isEmpty)
    #expect(try await hub.view(id).deliveries.map(\.state) == [.collected])
  }

  @Test func `rules that moved between asking and writing are asked again`() async throws {
    let hub = try await Hub()
    let mailbox = try jobcentre()
    try await hub.share("registered-adult", "j")
    let id = try #require(try await hub.listed(mailbox).first)
    let regime = hub.regime.current
    try await hub.changeAgreement(adding: withoutName)
    let narrow = hub.regime.current
    // The ledger knows of rules that are not in force here yet: nothing is given meanwhile.
    try await hub.store.recordService(
      .policyChanged(try #require(regime.digests), departures: []), at: hub.clock.now)
    await #expect(throws: KeeperRefusal.unavailable) { try await hub.get(id, for: mailbox) }
    #expect(try await hub.listed(mailbox) == [id])
    hub.regime.swap(for: regime)
    #expect(try await hub.bytes(id, for: mailbox) != nil)
    hub.regime.swap(for: narrow)
    try await hub.store.recordService(
      .policyChanged(try #require(narrow.digests), departures: []), at: hub.clock.now)
    #expect(try await hub.get(id, for: mailbox) == .gone)
  }

  @Test func `a copy that cannot be sealed anew is neither given nor taken back`() async throws {
    let hub = try await Hub()
    let mailbox = try jobcentre()
    try await hub.share("registered-adult", "j")
    let id = try #require(try await hub.listed(mailbox).first)
    try await hub.changeAgreement(adding: withoutName)
    let narrow = hub.regime.current
    let broken = try Area.regime { trust in
      if trust.party.text == "jobcentre:durham" { trust.encryptionCertificates = [] }
    }
    hub.regime.swap(
      for: Regime(
        policy: narrow.policy, sealer: broken.sealer, calendar: narrow.calendar,
        mailboxes: narrow.mailboxes))
    await #expect(throws: KeeperRefusal.unavailable) { try await hub.get(id, for: mailbox) }
    #expect(try await hub.listed(mailbox) == [id])
    #expect(hub.lines.all.contains { $0.contains("delivery kept back") && $0.contains("SEAL-04") })
    hub.regime.swap(for: narrow)
    #expect(try await hub.get(id, for: mailbox) == .gone)
    #expect(try await hub.listed(mailbox).count == 1)
  }
}
