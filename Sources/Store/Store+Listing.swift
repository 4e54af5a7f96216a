package import Exchange
import GRDB

/// One line of a listing of everything that was ever in a party's mailbox.
package struct MailboxEntry: Equatable, Sendable {
  /// Counted from 1 within the mailbox alone.
  package let place: Int64
  package let delivery: Delivery
  package let workflow: String
  package let localID: String?
  /// Bytes of the sealed copy; 0 once it is given out no more.
  package let length: Int
}

extension Store {
  /// What is or was in a party's mailbox, in any state, newest first; erased ones are left out.
  ///
  /// - Parameters:
  ///   - before: the place of the last one seen; nil to begin.
  ///   - since: nothing that was put there earlier.
  ///   - limit: each is opened, under its exchange's key.
  /// - Returns: a page, and the place to go on from; nil when nothing more follows.
  package func mailboxListing(
    of party: PartyID, before: Int64? = nil, since: Instant, limit: Int
  ) async throws(StoreError) -> (entries: [MailboxEntry], next: Int64?) {
    try await read { db in
      let rows = try db.rows(
        """
        SELECT d.id, d.place, length(s.sealed) AS length
        FROM delivery d LEFT JOIN sealed_copy s USING (number)
        WHERE d.party = ? AND d.place < ? ORDER BY d.place DESC LIMIT ?
        """, [party.text, before ?? .max, limit + 1])
      var entries: [MailboxEntry] = []
      for row in rows.prefix(limit) {
        let id: DeliveryID = try row.id("id", in: "delivery")
        guard let open = try OpenDelivery(db, id, of: party, self) else { continue }
        // Places grow with time: what follows is older still.
        if let committed = open.delivery.committedAt, committed < since { return (entries, nil) }
        entries.append(
          MailboxEntry(
            place: row.number("place") ?? 0, delivery: open.delivery,
            workflow: open.row.text("workflow") ?? "",
            localID: try open.row.bytes("local_id").map {
              String(
                decoding: try open.key.mustOpen($0, "delivery.local_id \(id)", open.number),
                as: UTF8.self)
            }, length: max(0, Int(row.number("length") ?? 0) - Vault.overhead)))
      }
      let next = rows.count > limit ? rows.prefix(limit).last?.number("place") : nil
      return (entries, next)
    }
  }
}
