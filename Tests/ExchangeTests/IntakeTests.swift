import Exchange
import Testing

@Suite struct IntakeTests {
  static let noon = Instant(milliseconds: 1_770_033_600_000)  // 2026-02-02T12:00:00Z
  static let good = Intake.Opened(
    signedAt: noon, statedAt: noon, isKnownType: true, isUrgent: false, revocation: .current)

  /// Every state, by the events that lead there.
  static func machine(in state: String) -> Intake {
    var intake = Intake(origin: .inbox)
    let steps: [(inout Intake) -> Intake.Action] = [
      { $0.opened(good, at: noon) }, { $0.identified() }, { $0.decided(.shared) }, { $0.sealed() },
      { $0.committed() },
    ]
    let count = ["received", "opened", "identified", "decided", "ready", "ended"].firstIndex(
      of: state)
    for step in steps.prefix(count ?? 0) { _ = step(&intake) }
    if state == "recognised" { _ = intake.recognised() }
    if state == "left" { _ = intake.interrupted() }
    return intake
  }

  static let states = [
    "received", "opened", "identified", "decided", "ready", "ended", "recognised", "left",
  ]

  static let events: [String: @Sendable (inout Intake) -> Intake.Action] = [
    "attempted 1": { $0.attempted(1) }, "attempted 2": { $0.attempted(2) },
    "attempted 3": { $0.attempted(3) }, "recognised": { $0.recognised() },
    "opened": { $0.opened(good, at: noon) }, "refused": { $0.refusedToOpen(code: "SEAL-004") },
    "duplicate": { $0.duplicate(sameContent: true) },
    "conflict": { $0.duplicate(sameContent: false) }, "identified": { $0.identified() },
    "unidentified": { $0.unidentified(ambiguous: false) }, "shared": { $0.decided(.shared) },
    "refusal": { $0.decided(.refused) }, "held": { $0.decided(.held(code: "JCP-03")) },
    "sealed": { $0.sealed() }, "unsealed": { $0.sealingFailed(code: "SEAL-020") },
    "stale": { $0.stale() }, "committed": { $0.committed() }, "interrupted": { $0.interrupted() },
    "withdrawn": { $0.signerWithdrawn() },
    "released": { $0.released() }, "requeued": { $0.requeued() },
    "discarded": { $0.discarded() },
  ]

  /// `!` leaves it (INTK-010), `-` changes nothing; otherwise the action and, behind `>`, the new state.
  /// Columns as in `states`.
  static let table: [(String, [String])] = [
    ("attempted 1", ["open >received", "!", "!", "!", "!", "-", "-", "-"]),
    ("attempted 2", ["open >received", "!", "!", "!", "!", "-", "-", "-"]),
    ("attempted 3", ["commit set-aside INTK-003 >ready", "!", "!", "!", "!", "-", "-", "-"]),
    ("recognised", ["acknowledge >recognised", "!", "!", "!", "!", "-", "-", "-"]),
    ("opened", ["identify >opened", "!", "!", "!", "!", "-", "-", "-"]),
    ("refused", ["commit set-aside SEAL-004 >ready", "!", "!", "!", "!", "-", "-", "-"]),
    (
      "duplicate",
      ["!"] + Array(repeating: "commit duplicate >ready", count: 4) + ["-", "-", "-"]
    ),
    (
      "conflict",
      ["!"] + Array(repeating: "commit set-aside INTK-001 >ready", count: 4) + ["-", "-", "-"]
    ),
    ("identified", ["!", "decide >identified", "!", "!", "!", "-", "-", "-"]),
    ("unidentified", ["!", "commit held INTK-004 >ready", "!", "!", "!", "-", "-", "-"]),
    ("withdrawn", ["!", "commit held INTK-013 >ready", "!", "!", "!", "-", "-", "-"]),
    ("shared", ["!", "!", "seal >decided", "!", "!", "-", "-", "-"]),
    ("refusal", ["!", "!", "commit refused >ready", "!", "!", "-", "-", "-"]),
    ("held", ["!", "!", "commit held JCP-03 >ready", "!", "!", "-", "-", "-"]),
    ("sealed", ["!", "!", "!", "commit shared >ready", "!", "-", "-", "-"]),
    ("unsealed", ["!", "!", "!", "commit held SEAL-020 >ready", "!", "-", "-", "-"]),
    (
      "stale",
      ["!", "!", "identify >opened", "identify >opened", "identify >opened", "-", "-", "-"]
    ),
    ("committed", ["!", "!", "!", "!", "acknowledge >shared", "-", "-", "-"]),
    ("interrupted", Array(repeating: "leave INTK-011 >left", count: 5) + ["-", "-", "-"]),
    ("released", ["!", "!", "!", "!", "!", "-", "-", "-"]),
    ("requeued", ["!", "!", "!", "!", "!", "-", "-", "-"]),
    ("discarded", ["!", "!", "!", "!", "!", "-", "-", "-"]),
  ]

  static func word(_ action: Intake.Action) -> String {
    switch action {
    case .open: "open"
    case .identify: "identify"
    case .decide: "decide"
    case .seal: "seal"
    case .commit(let ending): "commit \(ending.rawValue)"
    case .acknowledgeUpstream: "acknowledge"
    case .leave(let reason): "leave \(reason.code)"
    case .none: "-"
    }
  }

  @Test(arguments: table)
  func `every event has its answer in every state`(event: String, answers: [String]) throws {
    let apply = try #require(IntakeTests.events[event])
    #expect(answers.count == IntakeTests.states.count)
    for (state, answer) in zip(IntakeTests.states, answers) {
      var intake = IntakeTests.machine(in: state)
      let before = intake
      let action = apply(&intake)
      let expected = answer == "!" ? "leave INTK-010 >left" : answer
      let result = IntakeTests.word(action) + (action == .none ? "" : " >\(intake.state.word)")
      #expect(result == expected, "\(event) in \(state)")
      if answer == "-" { #expect(intake == before) }
    }
  }

  @Test func `the table has every event`() {
    #expect(IntakeTests.table.map(\.0).sorted() == IntakeTests.events.keys.sorted())
  }

  @Test(arguments: Intake.Origin.allCases)
  func `a notice goes from bytes to its acknowledgement, and only an inbox is told`(
    origin: Intake.Origin
  ) {
    var intake = Intake(origin: origin)
    #expect(intake.attempted(1) == .open)
    #expect(intake.opened(IntakeTests.good, at: IntakeTests.noon) == .identify)
    #expect(intake.identified() == .decide(flags: []))
    #expect(intake.decided(.shared) == .seal)
    #expect(intake.sealed() == .commit(.shared))
    #expect(intake.committed() == (origin == .inbox ? .acknowledgeUpstream : .none))
    #expect(intake.state == .ended(.shared))
  }

  @Test func `an unknown type is set aside`() {
    var intake = Intake(origin: .inbox)
    let facts = Intake.Opened(
      signedAt: IntakeTests.noon, statedAt: IntakeTests.noon, isKnownType: false, isUrgent: true,
      revocation: .current)
    #expect(intake.opened(facts, at: IntakeTests.noon) == .commit(.setAside(code: "INTK-002")))
    #expect(intake.committed() == .acknowledgeUpstream)
    #expect(intake.state == .ended(.setAside(code: "INTK-002")))
  }

  static let ages: [(Int?, Bool, Bool, String)] = [
    // Signed so many seconds before now; urgent; stale list; the answer.
    (0, false, false, "identify"), (-900, false, false, "identify"),
    (-901, false, false, "commit set-aside INTK-006"),
    (-901, true, false, "commit set-aside INTK-006"),
    (864_000, false, false, "identify"), (864_001, false, false, "commit held INTK-007"),
    (864_001, true, false, "identify signed-long-ago"),
    (0, false, true, "commit held INTK-008"), (0, true, true, "identify revocation-list-stale"),
    (864_001, true, true, "identify revocation-list-stale signed-long-ago"),
    (nil, false, false, "commit held INTK-007"), (nil, true, false, "identify signed-long-ago"),
  ]

  @Test(arguments: ages)
  func `what is old or not surely valid is held, unless it is urgent`(
    age: Int?, isUrgent: Bool, isStale: Bool, answer: String
  ) {
    var intake = Intake(origin: .inbox)
    let facts = Intake.Opened(
      signedAt: age.map { IntakeTests.noon - .seconds($0) }, statedAt: IntakeTests.noon,
      isKnownType: true, isUrgent: isUrgent,
      revocation: isStale ? .stale : .current)
    let action = intake.opened(facts, at: IntakeTests.noon)
    let flags = intake.flags.map(\.rawValue).sorted()
    #expect(([IntakeTests.word(action)] + flags).joined(separator: " ") == answer)
  }

  @Test(arguments: [
    (false, "INTK-004", "person-not-known"), (true, "INTK-005", "person-ambiguous"),
  ])
  func `a person who is not known holds a notice, and flags an urgent one`(
    ambiguous: Bool, code: String, flag: String
  ) {
    var ordinary = IntakeTests.machine(in: "opened")
    #expect(ordinary.unidentified(ambiguous: ambiguous) == .commit(.held(code: code)))
    var urgent = Intake(origin: .inbox)
    let facts = Intake.Opened(
      signedAt: IntakeTests.noon, statedAt: IntakeTests.noon, isKnownType: true, isUrgent: true,
      revocation: .current)
    _ = urgent.opened(facts, at: IntakeTests.noon)
    let flags = Set([Intake.Flag(rawValue: flag)].compactMap { $0 })
    #expect(urgent.unidentified(ambiguous: ambiguous) == .decide(flags: flags))
    // Meanwhile a case was registered: the flag must not stay.
    #expect(urgent.stale() == .identify)
    #expect(urgent.identified() == .decide(flags: []))
  }

  @Test func `a notice is decided again five times, then left for the next poll`() {
    var intake = IntakeTests.machine(in: "opened")
    for _ in 1...5 {
      _ = intake.identified()
      _ = intake.decided(.shared)
      _ = intake.sealed()
      #expect(intake.stale() == .identify)
    }
    _ = intake.identified()
    _ = intake.decided(.shared)
    _ = intake.sealed()
    #expect(intake.stale() == .leave(.staleTooOften))
    #expect(intake.state == .left)
  }

  @Test func `a hold that does not rest on the case is committed again, never decided past`() {
    var intake = Intake(origin: .inbox)
    let old = Intake.Opened(
      signedAt: nil, statedAt: IntakeTests.noon, isKnownType: true, isUrgent: false,
      revocation: .current)
    _ = intake.opened(old, at: IntakeTests.noon)
    for _ in 1...5 { #expect(intake.stale() == .commit(.held(code: "INTK-007"))) }
    #expect(intake.stale() == .leave(.staleTooOften))
  }

  @Test func `a commit that keeps objecting to a duplicate is given up`() {
    var intake = IntakeTests.machine(in: "ready")
    #expect(intake.duplicate(sameContent: true) == .commit(.duplicate))
    for _ in 1...5 { #expect(intake.duplicate(sameContent: true) == .commit(.duplicate)) }
    #expect(intake.duplicate(sameContent: true) == .leave(.staleTooOften))
  }

  @Test func `a duplicate is acknowledged, a conflict is set aside and acknowledged`() {
    var duplicate = IntakeTests.machine(in: "ready")
    _ = duplicate.duplicate(sameContent: true)
    #expect(duplicate.committed() == .acknowledgeUpstream)
    #expect(duplicate.state == .ended(.duplicate))
    var conflict = IntakeTests.machine(in: "opened")
    #expect(conflict.duplicate(sameContent: false) == .commit(.setAside(code: "INTK-001")))
    #expect(conflict.committed() == .acknowledgeUpstream)
  }

  @Test func `what was held and released is identified and decided anew`() {
    var intake = Intake(ended: .held(code: "INTK-004"), isUrgent: false)
    #expect(intake.released() == .identify)
    #expect(intake.identified() == .decide(flags: []))
    #expect(intake.decided(.shared) == .seal)
    #expect(intake.sealed() == .commit(.shared))
    #expect(intake.committed() == .none)
  }

  @Test func `what was held for its age goes on flagged`() {
    var intake = Intake(ended: .held(code: "INTK-007"), isUrgent: false)
    #expect(intake.released() == .identify)
    #expect(intake.identified() == .decide(flags: [.signedLongAgo]))
  }

  @Test func `its age stays noted when another rule holds it after a person answered for that`() {
    var intake = Intake(ended: .held(code: "FREE-01"), isUrgent: false)
    #expect(intake.released(confirmed: ["INTK-007", "FREE-01"]) == .identify)
    #expect(intake.identified() == .decide(flags: [.signedLongAgo]))
  }

  @Test func `what was held for a stale revocation list is verified anew`() {
    var intake = Intake(ended: .held(code: "INTK-008"), isUrgent: false)
    #expect(intake.released() == .open)
    #expect(intake.state == .received)
    #expect(intake.refusedToOpen(code: "SEAL-007") == .commit(.setAside(code: "SEAL-007")))
  }

  @Test(arguments: [
    (Intake.Ending.shared, "-", "-", "-"), (.refused, "-", "open", "-"),
    (.duplicate, "-", "-", "-"),
    (.held(code: "JCP-03"), "identify", "open", "commit discarded JCP-03"),
    (.setAside(code: "SEAL-004"), "-", "open", "commit discarded SEAL-004"),
    (.discarded(code: "SEAL-004"), "-", "open", "-"),
  ])
  func `what was held is released, what had no effect is put again, what is open is discarded`(
    ending: Intake.Ending, released: String, requeued: String, discarded: String
  ) {
    var first = Intake(ended: ending, isUrgent: false)
    #expect(IntakeTests.word(first.released()) == released)
    var second = Intake(ended: ending, isUrgent: false)
    #expect(IntakeTests.word(second.requeued()) == requeued)
    var third = Intake(ended: ending, isUrgent: false)
    #expect(IntakeTests.word(third.discarded()) == discarded)
  }

  @Test(arguments: [
    (Intake.Ending.shared, "shared", "shared"), (.refused, "refused", "refused"),
    (.duplicate, "duplicate", "duplicate"), (.held(code: "JCP-03"), "held", "held JCP-03"),
    (.setAside(code: "INTK-003"), "set-aside", "set-aside INTK-003"),
    (.discarded(code: "INTK-003"), "discarded", "discarded INTK-003"),
  ])
  func `endings are kept as stable words`(ending: Intake.Ending, word: String, raw: String) throws {
    #expect(ending.word == word && ending.rawValue == raw)
    #expect(Intake.Ending(rawValue: raw) == ending)
    #expect(try encoded([ending]) == "[\"\(raw)\"]")
    #expect(try decoded([Intake.Ending].self, from: encoded([ending])) == [ending])
  }

  @Test(arguments: ["", "held", "held ", "set-aside", "shared X", "Shared", "opened"])
  func `other words are no ending`(raw: String) {
    #expect(Intake.Ending(rawValue: raw) == nil)
  }

  @Test func `reasons have stable codes, a turn and a text`() {
    #expect(
      IntakeReason.allCases.map(\.code)
        == (1...13).map { "INTK-0\($0 < 10 ? "0" : "")\($0)" })
    #expect(IntakeReason.conflict.turn == .sender && IntakeReason.outOfOrder.turn == .us)
    #expect(IntakeReason.allCases.allSatisfy { $0.description.hasPrefix("\($0.code) ") })
  }
}

@Suite struct StatedTimeTests {
  @Test(arguments: [(15 * 60, false), (15 * 60 + 1, true)])
  func `a notification from the future is set aside, since facts go by its time`(
    ahead: Int, setAside: Bool
  ) {
    var intake = Intake(origin: .inbox)
    _ = intake.attempted(1)
    let facts = Intake.Opened(
      signedAt: IntakeTests.noon, statedAt: IntakeTests.noon + .seconds(ahead), isKnownType: true,
      isUrgent: true, revocation: .current)
    let action = intake.opened(facts, at: IntakeTests.noon)
    #expect(action == (setAside ? .commit(.setAside(code: "INTK-006")) : .identify))
  }
}
