import Exchange
import Testing

@Suite struct DeadlineTests {
  static let received = Instant(milliseconds: 1_775_120_400_000)  // Thursday 2026-04-02T09:00:00Z
  static let soon = received + .seconds(60)
  static let limit = Instant(milliseconds: 1_776_121_200_000)  // 2026-04-13T23:00:00Z
  static let after = limit + .seconds(1)

  /// A MAPPA J answer: reminded two working days and one before, told on at the limit and two working
  /// days after.
  static func definition() throws -> DeadlineDefinition {
    DeadlineDefinition(
      kind: try #require(NotificationType("mappa-j.acknowledged")),
      counting: .after(5, .workingDays), reminders: [1, 2], escalations: [0, 2])
  }

  static func schedule(_ event: Instant = received) throws -> DeadlineSchedule {
    try shippedCalendar().schedule(
      definition(), event: .happened(at: event), knownAt: event)
  }

  static func deadline() throws -> Deadline {
    Deadline(
      kind: try definition().kind, owedBy: try party("jobcentre:durham"),
      owedTo: try party("probation:durham"), schedule: try schedule())
  }

  static func machine(in state: Deadline.State) throws -> Deadline {
    var deadline = try deadline()
    switch state {
    case .owed: break
    case .reminded: _ = deadline.clockReached(try moment("2026-04-09T12:00:00Z"))
    case .met: _ = deadline.met(at: soon)
    case .metLate: _ = deadline.met(at: limit)
    case .overdue:
      deadline = Deadline(
        kind: deadline.kind, owedBy: deadline.owedBy, owedTo: deadline.owedTo,
        schedule: DeadlineSchedule(
          due: deadline.schedule.due, reminders: deadline.schedule.reminders,
          escalations: [limit + .seconds(3600)]))
      _ = deadline.clockReached(limit)
    case .escalated: _ = deadline.clockReached(limit)
    case .withdrawn: _ = deadline.withdrawn(reason: "release-date-removed")
    }
    #expect(deadline.state == state)
    return deadline
  }

  @Test func `a schedule has its moments in London`() throws {
    let schedule = try DeadlineTests.schedule()
    #expect(schedule.due == .day(try day("2026-04-13")))
    #expect(schedule.due.limit == DeadlineTests.limit)
    // Monday 13 April: one working day before is Friday 10, two are Thursday 9.
    #expect(
      schedule.reminders
        == [try moment("2026-04-08T23:00:00Z"), try moment("2026-04-09T23:00:00Z")])
    // Two working days after is Wednesday 15 April, at its end.
    #expect(
      schedule.escalations == [DeadlineTests.limit, try moment("2026-04-15T23:00:00Z")])
    #expect(schedule.isCertain && !schedule.isShortRun)
  }

  @Test func `a last day that is no working day is warned of on the working day before`() throws {
    // Six weeks before Friday 15 May 2026 is Good Friday; the working day before is Thursday 2 April.
    let definition = DeadlineDefinition(
      kind: try #require(NotificationType("mappa-j.issued.release")), counting: .before(6, .weeks))
    let schedule = try shippedCalendar().schedule(
      definition, event: .falls(on: day("2026-05-15")), knownAt: moment("2026-01-05T09:00:00Z"))
    #expect(schedule.due == .day(try day("2026-04-03")))
    #expect(schedule.reminders == [try moment("2026-04-01T23:00:00Z")])
    #expect(schedule.escalations == [try moment("2026-04-03T23:00:00Z")])
  }

  @Test func `reminders before the event became known are left out`() throws {
    let calendar = try shippedCalendar()
    let definition = DeadlineDefinition(
      kind: try #require(NotificationType("mappa-j.acknowledged")),
      counting: .after(5, .workingDays), reminders: [10, 1])
    let schedule = calendar.schedule(
      definition, event: .happened(at: DeadlineTests.received), knownAt: DeadlineTests.received)
    #expect(schedule.reminders == [try moment("2026-04-09T23:00:00Z")])
  }

  @Test func `something owed immediately is overdue after one hour, on any day`() throws {
    let definition = DeadlineDefinition(
      kind: try #require(NotificationType("mappa-j.issued.order")), counting: .immediately,
      reminders: [1])
    let easterSunday = try moment("2026-04-05T02:30:00Z")
    let schedule = try shippedCalendar().schedule(
      definition, event: .happened(at: easterSunday), knownAt: easterSunday)
    #expect(schedule.due.limit == (try moment("2026-04-05T03:30:00Z")))
    #expect(schedule.reminders == [])
    #expect(schedule.escalations == [schedule.due.limit])
  }

  @Test func `a short run is due at once and says so`() throws {
    let definition = DeadlineDefinition(
      kind: try #require(NotificationType("release-date.confirmed")), counting: .before(8, .months))
    let known = try moment("2026-04-20T10:00:00Z")
    let schedule = try shippedCalendar().schedule(
      definition, event: .falls(on: day("2026-06-01")), knownAt: known)
    #expect(schedule.isShortRun)
    #expect(schedule.due == .moment(try moment("2026-04-20T11:00:00Z")))
  }

  @Test func `a schedule past the bank holidays says that it is not certain`() throws {
    let event = try moment("2028-12-22T12:00:00Z")
    #expect(try DeadlineTests.schedule(event).isCertain == false)
  }

  /// For each event the answers in the states' order (owed, reminded, met, met-late, overdue, escalated,
  /// withdrawn): actions and new state.
  static let table: [(String, [([Deadline.Action], Deadline.State)])] = [
    (
      "clock at the limit",
      [
        ([.recordOverdue, .escalate(step: 1)], .escalated),
        ([.recordOverdue, .escalate(step: 1)], .escalated), ([], .met), ([], .metLate),
        ([], .overdue), ([], .escalated), ([], .withdrawn),
      ]
    ),
    (
      "met in time",
      [
        ([.recordMet(late: false)], .met), ([.recordMet(late: false)], .met), ([], .met),
        ([], .metLate), ([.recordMet(late: false)], .met), ([.recordMet(late: false)], .met),
        ([.recordAfterEnd], .withdrawn),
      ]
    ),
    (
      "met late",
      [
        ([.recordMet(late: true)], .metLate), ([.recordMet(late: true)], .metLate), ([], .met),
        ([], .metLate), ([.recordMet(late: true)], .metLate),
        ([.recordMet(late: true)], .metLate), ([.recordAfterEnd], .withdrawn),
      ]
    ),
    (
      "withdrawn",
      [
        ([.recordWithdrawal], .withdrawn), ([.recordWithdrawal], .withdrawn), ([], .met),
        ([], .metLate), ([.recordWithdrawal], .withdrawn), ([.recordWithdrawal], .withdrawn),
        ([], .withdrawn),
      ]
    ),
    (
      "moved later",
      [
        ([.recordMove], .owed), ([.recordMove], .owed), ([], .met), ([], .metLate),
        ([.recordMove], .owed), ([.recordMove], .owed), ([], .withdrawn),
      ]
    ),
  ]

  @Test(arguments: table)
  func `every event has its answer in every state`(
    event: String, answers: [([Deadline.Action], Deadline.State)]
  ) throws {
    #expect(answers.count == Deadline.State.allCases.count)
    for (state, answer) in zip(Deadline.State.allCases, answers) {
      var deadline = try DeadlineTests.machine(in: state)
      let before = deadline
      let actions: [Deadline.Action]
      switch event {
      case "clock at the limit": actions = deadline.clockReached(DeadlineTests.limit)
      case "met in time": actions = [deadline.met(at: DeadlineTests.limit - .milliseconds(1))]
      case "met late": actions = [deadline.met(at: DeadlineTests.limit)]
      case "withdrawn": actions = [deadline.withdrawn(reason: "other")]
      default:
        let moved = try DeadlineTests.schedule(moment("2026-04-20T09:00:00Z"))
        actions = [deadline.moved(to: moved, at: DeadlineTests.after)]
      }
      #expect(actions.filter { $0 != .none } == answer.0, "\(event) in \(state)")
      #expect(deadline.state == answer.1, "\(event) in \(state)")
      if answer.0.isEmpty { #expect(deadline == before) }
    }
  }

  @Test func `reminders go out at their times, then the limit, then each step`() throws {
    var deadline = try DeadlineTests.deadline()
    var log: [(String, [Deadline.Action])] = []
    while let next = deadline.nextClock {
      #expect(deadline.clockReached(next - .milliseconds(1)) == [])
      log.append((next.description, deadline.clockReached(next)))
      #expect(deadline.clockReached(next) == [])
    }
    #expect(
      log.map(\.0) == [
        "2026-04-08T23:00:00.000Z", "2026-04-09T23:00:00.000Z", "2026-04-13T23:00:00.000Z",
        "2026-04-15T23:00:00.000Z",
      ])
    #expect(
      log.map(\.1) == [
        [.remind], [.remind], [.recordOverdue, .escalate(step: 1)], [.escalate(step: 2)],
      ])
  }

  @Test func `after a long stop one reminder goes out, or none, but every step`() throws {
    var late = try DeadlineTests.deadline()
    #expect(late.clockReached(try moment("2026-04-13T12:00:00Z")) == [.remind])
    #expect(late.nextClock == DeadlineTests.limit)
    var later = try DeadlineTests.deadline()
    #expect(
      later.clockReached(try moment("2026-05-01T12:00:00Z"))
        == [.recordOverdue, .escalate(step: 1), .escalate(step: 2)])
    #expect(later.nextClock == nil)
  }

  @Test func `where nobody else is named a deadline stays overdue`() throws {
    var deadline = Deadline(
      kind: try #require(NotificationType("mappa-j.acknowledged")),
      owedBy: try party("jobcentre:durham"), owedTo: try party("probation:durham"),
      schedule: DeadlineSchedule(
        due: .day(try day("2026-04-13")), reminders: [], escalations: []))
    #expect(deadline.clockReached(DeadlineTests.limit) == [.recordOverdue])
    #expect(deadline.state == .overdue && deadline.nextClock == nil)
  }

  @Test func `an answer in time that is read late is in time`() throws {
    var deadline = try DeadlineTests.machine(in: .escalated)
    let moment = DeadlineTests.limit - .milliseconds(1)
    #expect(deadline.met(at: moment) == .recordMet(late: false))
    #expect(deadline.state == .met && deadline.metAt == moment && deadline.nextClock == nil)
  }

  @Test func `a second answer does not move the first`() throws {
    var deadline = try DeadlineTests.machine(in: .met)
    #expect(deadline.met(at: DeadlineTests.after) == .none)
    #expect(deadline.metAt == DeadlineTests.soon)
  }

  @Test func `an answer to what is no longer owed is kept once`() throws {
    var deadline = try DeadlineTests.machine(in: .withdrawn)
    #expect(deadline.met(at: DeadlineTests.soon) == .recordAfterEnd)
    #expect(deadline.met(at: DeadlineTests.soon) == .none)
    #expect(deadline.withdrawalReason == "release-date-removed")
  }

  @Test func `a moved deadline reminds and escalates by its new days`() throws {
    var deadline = try DeadlineTests.machine(in: .escalated)
    let moved = try DeadlineTests.schedule(moment("2026-04-20T09:00:00Z"))
    #expect(deadline.moved(to: moved, at: DeadlineTests.after) == .recordMove)
    // Five working days after Monday 20 April: Monday 27.
    #expect(deadline.schedule.due == .day(try day("2026-04-27")))
    #expect(deadline.clockReached(try moment("2026-04-22T23:00:00Z")) == [.remind])
    #expect(
      deadline.clockReached(try moment("2026-04-27T23:00:00Z"))
        == [.recordOverdue, .escalate(step: 1)])
  }

  @Test func `moved to the same days is no move`() throws {
    var deadline = try DeadlineTests.machine(in: .reminded)
    #expect(
      deadline.moved(to: try DeadlineTests.schedule(), at: DeadlineTests.soon) == .none)
    #expect(deadline.state == .reminded)
  }

  @Test func `overdue by the new days too stays overdue, and nobody is told twice`() throws {
    var deadline = try DeadlineTests.machine(in: .escalated)
    let earlier = try DeadlineTests.schedule(moment("2026-04-01T09:00:00Z"))
    #expect(deadline.moved(to: earlier, at: DeadlineTests.after) == .recordMove)
    #expect(deadline.state == .escalated)
    // The second step was due two working days after Friday 10 April: Tuesday 14.
    #expect(deadline.nextClock == (try moment("2026-04-14T23:00:00Z")))
    #expect(deadline.clockReached(try moment("2026-04-14T23:00:00Z")) == [.escalate(step: 2)])
  }

  @Test func `moments out of order are put in order, and none is told before the limit`() throws {
    let limit = DeadlineTests.limit
    let schedule = DeadlineSchedule(
      due: .day(try day("2026-04-13")),
      reminders: [limit, limit - .seconds(1), limit - .seconds(2), limit - .seconds(1)],
      escalations: [limit + .seconds(1), limit - .seconds(1)])
    #expect(schedule.reminders == [limit - .seconds(2), limit - .seconds(1)])
    #expect(schedule.escalations == [limit, limit + .seconds(1)])
  }

  @Test func `states are stable words and a deadline is kept whole`() throws {
    #expect(
      Deadline.State.allCases.map(\.rawValue)
        == ["owed", "reminded", "met", "met-late", "overdue", "escalated", "withdrawn"])
    for state in Deadline.State.allCases {
      let deadline = try DeadlineTests.machine(in: state)
      #expect(try decoded(Deadline.self, from: encoded(deadline)) == deadline)
    }
    #expect(
      try encoded(DeadlineTests.machine(in: .reminded))
        == #"{"escalationsPassed":0,"kind":"mappa-j.acknowledged","owedBy":"jobcentre:durham","#
        + #""owedTo":"probation:durham","remindersPassed":1,"schedule":{"due":"2026-04-13","#
        + #""escalations":["2026-04-13T23:00:00.000Z","2026-04-15T23:00:00.000Z"],"#
        + #""isCertain":true,"isShortRun":false,"reminders":["2026-04-08T23:00:00.000Z","#
        + #""2026-04-09T23:00:00.000Z"]},"state":"reminded"}"#)
  }
}
