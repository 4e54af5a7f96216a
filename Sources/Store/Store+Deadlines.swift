package import Exchange
import GRDB
import Ledger

/// A clock on its way into the store.
struct DeadlineDraft: Sendable {
  private let new: NewDeadline
  private let key: OwnerKey
  private let machine: [UInt8]

  init(_ new: NewDeadline, _ key: OwnerKey) throws {
    self.new = new
    self.key = key
    machine = try OwnerKey.encoded(new.deadline)
  }

  /// Names the row, so that one deadline's state put in the place of another's does not open.
  static func column(_ number: Int64) -> String { "deadline.machine \(number)" }

  func insert(
    _ db: Database, exchange: Int64, deliveries: [DeliveryID: Int64], subjectCase: Int64?
  ) throws {
    var delivery: Int64?
    if let id = new.delivery {
      guard let number = deliveries[id] else { throw StoreError.malformedRecord("deadline") }
      delivery = number
    }
    let number = try db.number("SELECT coalesce(max(number) + 1, 1) FROM deadline") ?? 1
    try db.run(
      """
      INSERT INTO deadline
        (number, exchange, delivery, subject_case, owed_by, state, next_clock, machine)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        number, exchange, delivery, subjectCase, new.deadline.owedBy.text,
        new.deadline.state.rawValue,
        new.deadline.nextClock?.milliseconds,
        Blob(try key.seal(machine, DeadlineDraft.column(number))),
      ])
  }
}

extension Store {
  /// Deadlines whose clock has something to say by then, the most urgent first: to be told the time
  /// (`recordDeadline` with `.clockReached`).
  package func deadlinesOpen(
    dueBefore moment: Instant, limit: Int
  ) async throws(StoreError) -> [DeadlineView] {
    try await read { db in
      try db.rows(
        "\(Store.deadlineColumns) WHERE l.next_clock <= ? ORDER BY l.next_clock LIMIT ?",
        [moment.milliseconds, limit]
      ).compactMap { try deadlineView(db, $0) }
    }
  }

  /// All deadlines of a case that still run, oldest first: what a changed date may move or withdraw.
  package func deadlines(of id: CaseID, limit: Int) async throws(StoreError) -> [DeadlineView] {
    try await read { db in
      try db.rows(
        """
        \(Store.deadlineColumns)
        WHERE l.subject_case = (SELECT number FROM subject_case WHERE id = ?)
          AND l.state IN ('owed', 'reminded', 'overdue', 'escalated') ORDER BY l.number LIMIT ?
        """, [id.text, limit]
      ).compactMap { try deadlineView(db, $0) }
    }
  }

  /// Tells a deadline what happened, and records what it says, with an entry of the ledger: the
  /// caller does it after the commit. Nothing to say leaves no trace.
  ///
  /// - Throws: STOR-015 for an unknown or erased one.
  package func recordDeadline(
    _ change: DeadlineChange, at now: Instant
  ) async throws(StoreError) -> [Deadline.Action] {
    try await commit { [self] db in try self.change(db, change, at: now) }
  }

  func change(
    _ db: Database, _ change: DeadlineChange, at now: Instant
  ) throws -> [Deadline.Action] {
    guard
      let row = try db.row(
        "\(Store.deadlineColumns) WHERE l.number = ?", [change.deadline.value]),
      let view = try deadlineView(db, row), let exchange = row.number("exchange"),
      let key = try exchangeKey(db, exchange, view.exchange)
    else { throw StoreError.unknown("deadline \(change.deadline)") }
    var deadline = view.deadline
    let actions = deadline.take(change.event, at: now)
    guard !actions.isEmpty else { return [] }
    try db.run(
      "UPDATE deadline SET state = ?, next_clock = ?, machine = ? WHERE number = ?",
      [
        deadline.state.rawValue, deadline.nextClock?.milliseconds,
        Blob(try key.seal(deadline, as: DeadlineDraft.column(change.deadline.value))),
        change.deadline.value,
      ])
    var detail: [String: JSONValue] = [
      "event": .string(change.event.word), "deadline": .integer(change.deadline.value),
      "kind": .string(deadline.kind.text), "owedBy": .string(deadline.owedBy.text),
      "owedTo": .string(deadline.owedTo.text), "state": .string(deadline.state.rawValue),
      "due": .string(deadline.schedule.due.description),
    ]
    detail["delivery"] = view.delivery.map { .string($0.text) }
    detail["reason"] = deadline.withdrawalReason.map { .string($0) }
    _ = try LeafDraft(
      .deadline, exchange: view.exchange, at: now, policy: try Store.policy(db),
      detail: .object(detail), key: key, vault
    ).insert(db, exchange: exchange)
    return actions
  }

  func deadlines(_ db: Database, of delivery: Int64) throws -> [DeadlineNumber] {
    try db.rows("SELECT number FROM deadline WHERE delivery = ? ORDER BY number", [delivery])
      .compactMap { $0.number("number").map(DeadlineNumber.init) }
  }

  static let deadlineColumns = """
    SELECT l.number, l.exchange, l.machine, e.id, d.id AS delivery_id, s.id AS case_id
    FROM deadline l JOIN exchange e ON e.number = l.exchange
      LEFT JOIN delivery d ON d.number = l.delivery
      LEFT JOIN subject_case s ON s.number = l.subject_case
    """

  /// Nil once erased.
  func deadlineView(_ db: Database, _ row: Row) throws -> DeadlineView? {
    let number = row.number("number") ?? 0
    let exchange: ExchangeID = try row.id("id", in: "exchange")
    guard let key = try exchangeKey(db, row.number("exchange") ?? 0, exchange),
      let machine = row.bytes("machine")
    else { return nil }
    return DeadlineView(
      number: DeadlineNumber(number), exchange: exchange,
      delivery: row.text("delivery_id").flatMap(DeliveryID.init),
      caseID: try row.optionalCaseID(),
      deadline: try key.mustOpen(machine, as: DeadlineDraft.column(number), number))
  }
}

extension DeadlineChange.Event {
  fileprivate var word: String {
    switch self {
    case .met: "met"
    case .withdrawn: "withdrawn"
    case .moved: "moved"
    case .clockReached: "clock"
    }
  }
}

extension Deadline {
  /// What it says to an event; empty for nothing.
  fileprivate mutating func take(_ event: DeadlineChange.Event, at now: Instant) -> [Action] {
    let action: Action
    switch event {
    case .met(let moment): action = met(at: moment)
    case .withdrawn(let reason): action = withdrawn(reason: reason)
    case .moved(let schedule): action = moved(to: schedule, at: now)
    case .clockReached: return clockReached(now)
    }
    return action == .none ? [] : [action]
  }
}
