import Exchange
import Testing

@Suite struct CarriageTests {
  static let soon = DeliveryTests.soon
  static let first = CarrierMessageID("C1")
  static let second = CarrierMessageID("C2")

  /// A delivery on its way, in this state; nil: nothing was posted.
  private func delivery(_ state: Carriage.State?) throws -> Delivery {
    var delivery = try DeliveryTests.pending()
    guard let state else { return delivery }
    #expect(delivery.sendBegan(at: Self.soon) == .post)
    let message = try #require(Self.first)
    switch state {
    case .sending: break
    case .sent: _ = delivery.sent(as: message, at: Self.soon)
    case .failed: _ = delivery.notSent(code: "MESH-022", at: Self.soon)
    case .returned:
      _ = delivery.sent(as: message, at: Self.soon)
      _ = delivery.returned(message, code: "MESH-032", at: Self.soon)
    }
    #expect(delivery.carriage?.state == state)
    return delivery
  }

  /// For each event the answers in the order: nothing posted, sending, sent, failed, returned.
  static let table: [(String, [(Carriage.Action, Carriage.State?)])] = [
    (
      "began",
      [
        (.post, .sending), (.lookUp, .sending), (.none, .sent), (.post, .sending),
        (.post, .sending),
      ]
    ),
    (
      "sent",
      [
        (.refuse, nil), (.recordSent, .sent), (.none, .sent), (.recordSent, .sent),
        (.recordSent, .sent),
      ]
    ),
    (
      "not sent",
      [
        (.refuse, nil), (.recordFailure, .failed), (.none, .sent), (.none, .failed),
        (.none, .returned),
      ]
    ),
    (
      "returned",
      [
        (.refuse, nil), (.sendAgain, .returned), (.sendAgain, .returned), (.none, .failed),
        (.none, .returned),
      ]
    ),
  ]

  @Test(arguments: table)
  func `every event has its answer in every state of the way`(
    event: String, answers: [(Carriage.Action, Carriage.State?)]
  ) throws {
    let states = [nil] + Carriage.State.allCases.map(Optional.some)
    for (state, answer) in zip(states, answers) {
      var delivery = try delivery(state)
      let message = try #require(Self.first)
      let action =
        switch event {
        case "began": delivery.sendBegan(at: Self.soon)
        case "sent": delivery.sent(as: message, at: Self.soon)
        case "not sent": delivery.notSent(code: "MESH-023", at: Self.soon)
        default: delivery.returned(message, code: "MESH-032", at: Self.soon)
        }
      #expect(action == answer.0, "\(event) in \(String(describing: state))")
      #expect(delivery.carriage?.state == answer.1, "\(event) in \(String(describing: state))")
    }
  }

  @Test func `nothing is posted that was not committed, has ended, or was collected or answered`()
    throws
  {
    let expected: [Delivery.State: Carriage.Action] = [
      .sealed: .refuse, .pending: .post, .collected: .none, .acknowledged: .none,
      .overdue: .post, .withdrawn: .none, .expired: .none, .superseded: .none,
    ]
    for state in Delivery.State.allCases {
      var delivery = try DeliveryTests.machine(in: state)
      #expect(delivery.sendBegan(at: Self.soon) == expected[state], "\(state)")
    }
    var late = try DeliveryTests.pending()
    #expect(late.sendBegan(at: DeliveryTests.expiry) == .none)
  }

  @Test func `a post whose outcome is unknown is looked up even when the delivery has ended`()
    throws
  {
    var delivery = try delivery(.sending)
    #expect(delivery.withdrawn(reason: "ACC-02", at: Self.soon) == .removeAndTellRecipient)
    #expect(!delivery.isCarriageDone)
    #expect(delivery.sendBegan(at: Self.soon) == .lookUp)
    #expect(delivery.sent(as: try #require(Self.first), at: Self.soon) == .alarmSentAfterEnd)
    #expect(delivery.isCarriageDone)
  }

  @Test func `a report of an earlier post, or of what was collected, changes nothing`() throws {
    let (first, second) = (try #require(Self.first), try #require(Self.second))
    var delivery = try delivery(.returned)
    _ = delivery.sendBegan(at: Self.soon)
    _ = delivery.sent(as: second, at: Self.soon)
    #expect(delivery.returned(first, code: "MESH-032", at: Self.soon) == .none)
    #expect(delivery.carriage?.returns == 1)
    #expect(delivery.carriage?.attempts == 2)
    #expect(delivery.collected(at: Self.soon) == .recordCollection(late: false))
    #expect(delivery.returned(second, code: "MESH-032", at: Self.soon) == .none)
    #expect(delivery.isCarriageDone)
  }

  @Test func `the words are stable, and a delivery without a way of its own reads as before`()
    throws
  {
    #expect(Carriage.State.allCases.map(\.rawValue) == ["sending", "sent", "failed", "returned"])
    let delivery = try delivery(.returned)
    #expect(try decoded(Delivery.self, from: encoded(delivery)) == delivery)
    let plain = try DeliveryTests.pending()
    #expect(!(try encoded(plain)).contains("carriage"))
  }
}
