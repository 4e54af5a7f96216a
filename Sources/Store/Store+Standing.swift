package import Exchange
import GRDB

/// What an operator's hold changed, or its end.
package struct HoldChange: Equatable, Sendable {
  /// Copies that are kept back from now on, or given again.
  package let deliveries: [DeliveryID]
  /// The ledger's entry.
  package let entry: Int
}

/// Where a held exchange stands in the order in which they came.
package struct HeldPlace: Equatable, Sendable {
  package let place: Int64
  package let exchange: ExchangeID
}

/// How an exchange stands, for whoever is about to act upon it: nothing of this is sealed.
package struct ExchangeStanding: Equatable, Sendable {
  package let exchange: ExchangeID
  /// Nil while it waits to be opened.
  package let ending: Intake.Ending?
  package let isOnHold: Bool
  /// When it was named by one of its deliveries.
  package let delivery: Named?

  package struct Named: Equatable, Sendable {
    package let id: DeliveryID
    package let party: PartyID
    package let state: Delivery.State
  }
}

extension Store {
  /// How the exchange stands that is named so: by its id, the id of one of its deliveries, or the first
  /// characters of either.
  ///
  /// - Throws: STOR-015 when there is none, STOR-016 when these characters begin several.
  package func standing(of idOrPrefix: String) async throws(StoreError) -> ExchangeStanding {
    try await read { db in
      let number = try Store.exchangeNumber(db, idOrPrefix)
      guard
        let row = try db.row(
          "SELECT number, id, state, code FROM exchange WHERE number = ?", [number])
      else { throw StoreError.damaged(table: "exchange", number: number) }
      let named = try db.row(
        """
        SELECT number, id, party, state FROM delivery
        WHERE id >= ? AND id < ? AND exchange = ? LIMIT 1
        """, [idOrPrefix, idOrPrefix + "~", number])
      return ExchangeStanding(
        exchange: try row.id("id", in: "exchange"), ending: try row.ending(),
        isOnHold: try Store.isOnHold(db, number),
        delivery: try named.map { row in
          guard let state = row.text("state").flatMap(Delivery.State.init(rawValue:)) else {
            throw StoreError.damaged(table: "delivery", number: row.number("number") ?? 0)
          }
          return .init(
            id: try row.id("id", in: "delivery"), party: try row.id("party", in: "delivery"),
            state: state)
        })
    }
  }

  static func exchangeNumber(_ db: Database, _ idOrPrefix: String) throws -> Int64 {
    // Ids are of ASCII; the character after all of theirs ends the range of those that begin so.
    let range: StatementArguments = [idOrPrefix, idOrPrefix + "~", idOrPrefix, idOrPrefix + "~"]
    let numbers = try db.rows(
      """
      SELECT number FROM (SELECT number FROM exchange WHERE id >= ? AND id < ? LIMIT 2)
      UNION SELECT exchange FROM (SELECT exchange FROM delivery WHERE id >= ? AND id < ? LIMIT 2)
      """, range
    ).compactMap { $0.number("number") }
    guard let number = numbers.first, !idOrPrefix.isEmpty else {
      throw StoreError.unknown("exchange \(idOrPrefix.prefix(36))")
    }
    guard numbers.count == 1 else { throw StoreError.ambiguous(prefix: idOrPrefix) }
    return number
  }
}
