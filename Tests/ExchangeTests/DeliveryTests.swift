import Exchange
import Testing

@Suite struct DeliveryTests {
  static let committed = Instant(milliseconds: 1_775_120_400_000)  // Thursday 2026-04-02T09:00:00Z
  static let soon = committed + .seconds(60)
  static let collectLimit = Instant(milliseconds: 1_775_602_800_000)  // 2026-04-07T23:00:00Z
  static let answerLimit = Instant(milliseconds: 1_776_121_200_000)  // 2026-04-13T23:00:00Z
  static let expiry = answerLimit + .seconds(30 * 86_400)

  static func delivery(owesAnswer: Bool = true) throws -> Delivery {
    Delivery(
      id: try #require(DeliveryID("01234567-89ab-4def-8246-8acf13579bde")),
      recipient: try party("jobcentre:durham"),
      answerDue: owesAnswer ? .day(try day("2026-04-13")) : nil, expiresAt: expiry)
  }

  static func successor() throws -> DeliveryID {
    try #require(DeliveryID("99999999-9999-4999-8999-999999999999"))
  }

  static func pending(owesAnswer: Bool = true) throws -> Delivery {
    var delivery = try delivery(owesAnswer: owesAnswer)
    #expect(
      delivery.committed(at: committed, collectDue: .day(try day("2026-04-07"))) == .offer)
    return delivery
  }

  static func machine(in state: Delivery.State) throws -> Delivery {
    var delivery = state == .sealed ? try delivery() : try pending()
    switch state {
    case .sealed, .pending: break
    case .collected: _ = delivery.collected(at: soon)
    case .acknowledged: _ = delivery.answered(by: try eventID("A-1"), at: soon)
    case .overdue: _ = delivery.clockReached(answerLimit)
    case .withdrawn: _ = delivery.withdrawn(reason: "order-ended", at: soon)
    case .expired: _ = delivery.clockReached(expiry)
    case .superseded: _ = delivery.superseded(by: try successor(), at: soon)
    }
    #expect(delivery.state == state)
    return delivery
  }

  /// For each event the answers in the states' order (sealed, pending, collected, acknowledged, overdue,
  /// withdrawn, expired, superseded): action and new state.
  static let table: [(String, [([Delivery.Action], Delivery.State)])] = [
    (
      "committed",
      [
        ([.offer], .pending), ([], .pending), ([], .collected), ([], .acknowledged),
        ([], .overdue), ([], .withdrawn), ([], .expired), ([], .superseded),
      ]
    ),
    (
      "collected",
      [
        ([.refuse], .sealed), ([.recordCollection(late: false)], .collected), ([], .collected),
        ([.recordCollection(late: false)], .acknowledged),
        ([.recordCollection(late: false)], .overdue), ([.alarmCollectedAfterEnd], .withdrawn),
        ([.alarmCollectedAfterEnd], .expired), ([.alarmCollectedAfterEnd], .superseded),
      ]
    ),
    (
      "answered",
      [
        ([.refuse], .sealed), ([.recordAnswer(late: false)], .acknowledged),
        ([.recordAnswer(late: false)], .acknowledged), ([.recordFurtherAnswer], .acknowledged),
        ([.recordAnswer(late: false)], .acknowledged), ([.recordAnswerAfterEnd], .withdrawn),
        ([.recordAnswer(late: false)], .acknowledged), ([.recordAnswerAfterEnd], .superseded),
      ]
    ),
    (
      "clock",
      [
        ([], .sealed), ([.alarmUncollected, .recordOverdue, .recordExpiry], .expired),
        ([.recordOverdue, .recordExpiry], .expired), ([.removeFromMailbox], .acknowledged),
        ([.recordExpiry], .expired), ([], .withdrawn), ([], .expired), ([], .superseded),
      ]
    ),
    (
      "withdrawn",
      [
        ([.removeFromMailbox], .withdrawn), ([.removeFromMailbox], .withdrawn),
        ([.removeAndTellRecipient], .withdrawn), ([.removeAndTellRecipient], .withdrawn),
        ([.removeFromMailbox], .withdrawn), ([], .withdrawn), ([.removeFromMailbox], .withdrawn),
        ([], .superseded),
      ]
    ),
    (
      "held back",
      [
        ([], .sealed), ([.keepBack], .pending), ([], .collected), ([.keepBack], .acknowledged),
        ([.keepBack], .overdue), ([], .withdrawn), ([], .expired), ([], .superseded),
      ]
    ),
    (
      "released",
      [
        ([], .sealed), ([], .pending), ([], .collected), ([], .acknowledged), ([], .overdue),
        ([], .withdrawn), ([], .expired), ([], .superseded),
      ]
    ),
    (
      "superseded",
      [
        ([.removeFromMailbox], .superseded), ([.removeFromMailbox], .superseded),
        ([.removeFromMailbox], .superseded), ([.removeFromMailbox], .superseded),
        ([.removeFromMailbox], .superseded), ([], .withdrawn), ([], .expired), ([], .superseded),
      ]
    ),
  ]

  @Test(arguments: table)
  func `every event has its answer in every state`(
    event: String, answers: [([Delivery.Action], Delivery.State)]
  ) throws {
    #expect(answers.count == Delivery.State.allCases.count)
    for (state, answer) in zip(Delivery.State.allCases, answers) {
      var delivery = try DeliveryTests.machine(in: state)
      let before = delivery
      let soon = DeliveryTests.soon
      let actions: [Delivery.Action]
      switch event {
      case "committed":
        actions = [delivery.committed(at: soon, collectDue: .day(try day("2026-04-07")))]
      case "collected": actions = [delivery.collected(at: soon)]
      case "answered": actions = [delivery.answered(by: try eventID("A-2"), at: soon)]
      case "clock": actions = delivery.clockReached(DeliveryTests.expiry)
      case "held back": actions = [delivery.heldBack(at: soon)]
      case "released": actions = [delivery.released()]
      case "withdrawn": actions = [delivery.withdrawn(reason: "other", at: soon)]
      default: actions = [delivery.superseded(by: try DeliveryTests.successor(), at: soon)]
      }
      #expect(actions.filter { $0 != .none } == answer.0, "\(event) in \(state)")
      #expect(delivery.state == answer.1, "\(event) in \(state)")
      if answer.0.isEmpty { #expect(delivery == before) }
    }
  }

  @Test func `a delivery is collected and answered in time`() throws {
    var delivery = try DeliveryTests.pending()
    #expect(delivery.committedAt == DeliveryTests.committed)
    #expect(delivery.collected(at: DeliveryTests.soon) == .recordCollection(late: false))
    #expect(delivery.collectedAt == DeliveryTests.soon)
    let last = DeliveryTests.answerLimit - .milliseconds(1)
    #expect(delivery.answered(by: try eventID("A-1"), at: last) == .recordAnswer(late: false))
    #expect(delivery.answeredAt == last)
    #expect(delivery.answer == (try eventID("A-1")))
    #expect(!delivery.wasAnsweredLate)
  }

  @Test func `an answer in the first moment after the limit is late`() throws {
    var delivery = try DeliveryTests.machine(in: .collected)
    let limit = DeliveryTests.answerLimit
    #expect(delivery.answered(by: try eventID("A-1"), at: limit) == .recordAnswer(late: true))
    #expect(delivery.wasAnsweredLate)
    #expect(delivery.state == .acknowledged)
  }

  @Test func `an overdue delivery takes a late answer, and one that only came to light late`()
    throws
  {
    var late = try DeliveryTests.machine(in: .overdue)
    let after = DeliveryTests.answerLimit + .seconds(3600)
    #expect(late.answered(by: try eventID("A-1"), at: after) == .recordAnswer(late: true))
    var inTime = try DeliveryTests.machine(in: .overdue)
    #expect(
      inTime.answered(by: try eventID("A-1"), at: DeliveryTests.soon)
        == .recordAnswer(late: false))
  }

  @Test func `an answer without a limit is never late`() throws {
    var delivery = try DeliveryTests.pending(owesAnswer: false)
    #expect(
      delivery.answered(by: try eventID("A-1"), at: DeliveryTests.expiry)
        == .recordAnswer(late: false))
  }

  @Test func `the same answer again changes nothing, another is kept beside the first`() throws {
    var delivery = try DeliveryTests.machine(in: .acknowledged)
    let later = DeliveryTests.soon + .seconds(60)
    #expect(delivery.answered(by: try eventID("A-1"), at: later) == .none)
    #expect(delivery.answered(by: try eventID("A-2"), at: later) == .recordFurtherAnswer)
    #expect(delivery.answer == (try eventID("A-1")))
    #expect(delivery.answeredAt == DeliveryTests.soon)
  }

  @Test func `an answer to what was taken back is kept once, without effect`() throws {
    var delivery = try DeliveryTests.machine(in: .withdrawn)
    let answer = try eventID("A-1")
    #expect(delivery.answered(by: answer, at: DeliveryTests.soon) == .recordAnswerAfterEnd)
    #expect(delivery.answered(by: answer, at: DeliveryTests.soon) == .none)
    #expect(
      delivery.answered(by: try eventID("A-2"), at: DeliveryTests.soon) == .recordFurtherAnswer)
    #expect(delivery.state == .withdrawn)
  }

  @Test func `nobody collecting for one working day is alarmed once`() throws {
    var delivery = try DeliveryTests.pending()
    #expect(delivery.nextClock == DeliveryTests.collectLimit)
    #expect(delivery.clockReached(DeliveryTests.collectLimit - .milliseconds(1)) == [])
    #expect(delivery.clockReached(DeliveryTests.collectLimit) == [.alarmUncollected])
    #expect(delivery.clockReached(DeliveryTests.collectLimit) == [])
    #expect(delivery.state == .pending)
    #expect(delivery.nextClock == DeliveryTests.answerLimit)
    #expect(
      delivery.collected(at: DeliveryTests.collectLimit) == .recordCollection(late: true))
  }

  @Test func `what is collected in time is not alarmed`() throws {
    var delivery = try DeliveryTests.machine(in: .collected)
    #expect(delivery.nextClock == DeliveryTests.answerLimit)
    #expect(delivery.clockReached(DeliveryTests.collectLimit) == [])
    #expect(delivery.clockReached(DeliveryTests.answerLimit) == [.recordOverdue])
    #expect(delivery.nextClock == DeliveryTests.expiry)
  }

  @Test func `an answer in the console before any collection ends the waiting`() throws {
    var delivery = try DeliveryTests.machine(in: .acknowledged)
    #expect(delivery.collected(at: DeliveryTests.soon) == .recordCollection(late: false))
    #expect(delivery.collected(at: DeliveryTests.soon) == .none)
    #expect(delivery.state == .acknowledged)
    #expect(delivery.nextClock == nil)
    #expect(delivery.clockReached(DeliveryTests.expiry) == [])
  }

  @Test func `what was answered and never collected leaves the mailbox in its time`() throws {
    var delivery = try DeliveryTests.machine(in: .acknowledged)
    #expect(delivery.nextClock == DeliveryTests.expiry)
    #expect(delivery.clockReached(DeliveryTests.expiry - .milliseconds(1)) == [])
    #expect(delivery.clockReached(DeliveryTests.expiry) == [.removeFromMailbox])
    #expect(delivery.nextClock == nil)
    #expect(delivery.clockReached(DeliveryTests.expiry) == [])
    #expect(delivery.heldBack(at: DeliveryTests.expiry) == .none)
    #expect(delivery.state == .acknowledged)
  }

  @Test func `on hold it is not given, its clocks go on, and released it is as it was`() throws {
    let before = try DeliveryTests.pending()
    var delivery = before
    #expect(delivery.heldBack(at: DeliveryTests.soon) == .keepBack)
    #expect(delivery.heldBack(at: DeliveryTests.soon) == .none)
    #expect(delivery.handover(at: DeliveryTests.soon) == .keptBack)
    #expect(delivery.handover(at: DeliveryTests.expiry) == .gone)
    #expect(delivery.nextClock == before.nextClock)
    #expect(try decoded(Delivery.self, from: encoded(delivery)) == delivery)
    var overdue = delivery
    #expect(overdue.clockReached(DeliveryTests.answerLimit) == [.alarmUncollected, .recordOverdue])
    #expect(overdue.handover(at: DeliveryTests.answerLimit) == .keptBack)
    #expect(overdue.released() == .offer)
    #expect(delivery.released() == .offer)
    #expect(delivery == before)
    #expect(delivery.released() == .none)
  }

  @Test func `who fetched it before the hold, has it`() throws {
    var delivery = try DeliveryTests.pending()
    _ = delivery.heldBack(at: DeliveryTests.soon)
    #expect(delivery.collected(at: DeliveryTests.soon) == .recordCollection(late: false))
    #expect(delivery.state == .collected)
    #expect(delivery.handover(at: DeliveryTests.soon) == .give)
  }

  @Test func `a person closes what expired and nobody had`() throws {
    var delivery = try DeliveryTests.machine(in: .expired)
    #expect(delivery.withdrawn(reason: "ACC-02", at: DeliveryTests.expiry) == .removeFromMailbox)
    #expect(delivery.state == .withdrawn)
  }

  @Test func `collected with no answer owed is the end`() throws {
    var delivery = try DeliveryTests.pending(owesAnswer: false)
    #expect(delivery.collected(at: DeliveryTests.soon) == .recordCollection(late: false))
    #expect(delivery.nextClock == nil)
    #expect(delivery.clockReached(DeliveryTests.expiry + .seconds(1)) == [])
    #expect(delivery.state == .collected)
  }

  @Test func `the sealed copy is given while it holds, and is gone after`() throws {
    let expected: [Delivery.State: Delivery.Handover] = [
      .sealed: .unknown, .pending: .give, .collected: .give, .acknowledged: .give,
      .overdue: .give, .withdrawn: .gone, .expired: .gone, .superseded: .gone,
    ]
    for state in Delivery.State.allCases {
      let delivery = try DeliveryTests.machine(in: state)
      #expect(delivery.handover(at: DeliveryTests.soon) == expected[state])
      let after = delivery.handover(at: DeliveryTests.expiry)
      #expect(after == (state == .sealed ? .unknown : .gone))
    }
  }

  @Test func `taking back what was collected tells the recipient, even after it expired`() throws {
    var delivery = try DeliveryTests.machine(in: .collected)
    _ = delivery.clockReached(DeliveryTests.expiry)
    let later = DeliveryTests.expiry + .seconds(60)
    #expect(delivery.withdrawn(reason: "order-ended", at: later) == .removeAndTellRecipient)
    #expect(delivery.withdrawalReason == "order-ended")
    #expect(delivery.collectedAt == DeliveryTests.soon)
  }

  @Test func `a collection that raced with the end is alarmed once`() throws {
    var delivery = try DeliveryTests.machine(in: .withdrawn)
    #expect(delivery.collected(at: DeliveryTests.soon) == .alarmCollectedAfterEnd)
    #expect(delivery.collected(at: DeliveryTests.soon) == .none)
  }

  @Test func `what took its place is named`() throws {
    let delivery = try DeliveryTests.machine(in: .superseded)
    #expect(delivery.successor == (try DeliveryTests.successor()))
    #expect(delivery.endedAt == DeliveryTests.soon)
  }

  @Test func `states are stable words and a delivery is kept whole`() throws {
    #expect(
      Delivery.State.allCases.map(\.rawValue) == [
        "sealed", "pending", "collected", "acknowledged", "overdue", "withdrawn", "expired",
        "superseded",
      ])
    for state in Delivery.State.allCases {
      let delivery = try DeliveryTests.machine(in: state)
      #expect(try decoded(Delivery.self, from: encoded(delivery)) == delivery)
    }
    #expect(
      try encoded(DeliveryTests.machine(in: .collected))
        == #"{"answerDue":"2026-04-13","collectDue":"2026-04-07","#
        + #""collectedAt":"2026-04-02T09:01:00.000Z","committedAt":"2026-04-02T09:00:00.000Z","#
        + #""expiresAt":"2026-05-13T23:00:00.000Z","id":"01234567-89ab-4def-8246-8acf13579bde","#
        + #""recipient":"jobcentre:durham","state":"collected","wasAlarmedUncollected":false}"#)
  }
}
