import Exchange
import GRDB
import Ledger

/// A sealed copy on its way into the store.
struct DeliveryDraft: Sendable {
  let id: DeliveryID
  let party: PartyID
  private let delivery: Delivery
  private let workflow: String
  private let machine: [UInt8]
  private let sealed: [UInt8]
  private let localID: [UInt8]?

  /// Makes the delivery `pending`: whoever reads it, reads it after the commit.
  init(_ new: NewDelivery, at now: Instant, _ key: OwnerKey) throws {
    var delivery = new.delivery
    guard delivery.committed(at: now, collectDue: new.collectDue) == .offer else {
      throw StoreError.malformedRecord("delivery")
    }
    self.delivery = delivery
    let id = delivery.id
    self.id = id
    party = delivery.recipient
    workflow = new.workflow
    machine = try key.seal(delivery, as: "delivery.machine \(id)")
    sealed = try key.seal(new.sealed, "sealed_copy \(id)")
    localID = try new.localID.map { try key.seal(Array($0.utf8), "delivery.local_id \(id)") }
  }

  func insert(_ db: Database, exchange: Int64) throws -> Int64 {
    let place = try db.number(
      "SELECT coalesce(max(place) + 1, 1) FROM delivery WHERE party = ?", [party.text])
    try db.run(
      """
      INSERT INTO delivery
        (id, exchange, party, place, workflow, state, listed, next_clock, machine, local_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        id.text, exchange, party.text, place, workflow, delivery.state.rawValue,
        delivery.isListed ? 1 : 0, delivery.nextClock?.milliseconds, Blob(machine), Blob(localID),
      ])
    let number = db.lastInsertedRowID
    try db.run("INSERT INTO sealed_copy VALUES (?, ?)", [number, Blob(sealed)])
    return number
  }
}

extension Delivery {
  /// Whether the recipient's mailbox lists it: there to be collected, and not collected yet.
  var isListed: Bool {
    switch state {
    // With a carrier it is not for anybody to collect from us.
    case .pending, .overdue, .acknowledged:
      collectedAt == nil && endedAt == nil && onHoldSince == nil && !hasLeft
    case .sealed, .collected, .withdrawn, .expired, .superseded: false
    }
  }

  /// Whether the copy is never given out again.
  fileprivate var isOver: Bool {
    switch state {
    case .withdrawn, .expired, .superseded: true
    case .acknowledged: endedAt != nil
    case .sealed, .pending, .collected, .overdue: false
    }
  }
}

/// A stored delivery with the key of its exchange, inside a transaction.
struct OpenDelivery {
  let number: Int64
  let exchangeNumber: Int64
  let exchange: ExchangeID
  let key: OwnerKey
  let row: Row
  var delivery: Delivery

  /// Nil when there is no such delivery, it is not this party's, or it was erased.
  init?(_ db: Database, _ id: DeliveryID, of party: PartyID? = nil, _ store: Store) throws {
    guard
      let row = try db.row(
        """
        SELECT d.number, d.exchange, d.party, d.workflow, d.machine, d.local_id, e.id
        FROM delivery d JOIN exchange e ON e.number = d.exchange WHERE d.id = ?
        """, [id.text]), party == nil || row.text("party") == party?.text,
      let number = row.number("number"), let exchangeNumber = row.number("exchange"),
      let machine = row.bytes("machine")
    else { return nil }
    let exchange: ExchangeID = try row.id("id", in: "exchange")
    guard let key = try store.exchangeKey(db, exchangeNumber, exchange) else { return nil }
    self.number = number
    self.exchangeNumber = exchangeNumber
    self.exchange = exchange
    self.key = key
    self.row = row
    delivery = try key.mustOpen(machine, as: "delivery.machine \(id)", number)
  }

  /// Writes the state alone: the caller's own entry says what happened.
  func writeState(_ db: Database) throws {
    try db.run(
      "UPDATE delivery SET state = ?, listed = ?, next_clock = ?, machine = ? WHERE number = ?",
      [
        delivery.state.rawValue, delivery.isListed ? 1 : 0, delivery.nextClock?.milliseconds,
        Blob(try key.seal(delivery, as: "delivery.machine \(delivery.id)")), number,
      ])
    if delivery.isOver { try db.run("DELETE FROM sealed_copy WHERE number = ?", [number]) }
    // Touches nothing for what lies in a mailbox of ours.
    try db.run(
      """
      UPDATE carriage SET state = ?1, next_at = iif(?1 = 'done', NULL, next_at) WHERE number = ?2
      """, [delivery.carriageWord, number])
  }

  /// Writes the state, and an entry of the ledger that says what happened.
  func write(
    _ db: Database, event: String, at now: Instant, more: [String: JSONValue] = [:], _ store: Store
  ) throws {
    try writeState(db)
    var detail = more
    detail["event"] = .string(event)
    detail["delivery"] = .string(delivery.id.text)
    detail["party"] = .string(delivery.recipient.text)
    detail["state"] = .string(delivery.state.rawValue)
    _ = try LeafDraft(
      .delivery, exchange: exchange, at: now, policy: try Store.policy(db),
      detail: .object(detail), key: key, store.vault
    ).insert(db, exchange: exchangeNumber)
  }
}
