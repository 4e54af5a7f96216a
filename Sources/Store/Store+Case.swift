package import Exchange
import GRDB
package import Rules

extension Store {
  /// Whom these identifiers mean: two must agree and none may speak against it (MAPPA Guidance 14.25:
  /// never a name; catalogue G18).
  package func findCase(by identifiers: [PersonIdentifier]) async throws(StoreError) -> CaseMatch {
    let hashes = identifiers.map { IdentifierHash($0, vault) }
    return try await read { db in try findCase(db, by: hashes) }
  }

  func findCase(_ db: Database, by hashes: [IdentifierHash]) throws -> CaseMatch {
    var agreeing: [Int64: Set<PersonIdentifier.Kind>] = [:]
    for hash in hashes {
      let found = try db.number(
        "SELECT subject_case FROM identifier WHERE key = ?", [Blob(hash.key)])
      if let found { agreeing[found, default: []].insert(hash.kind) }
    }
    guard let (number, kinds) = agreeing.first else { return .none }
    guard agreeing.count == 1 else {
      return .conflict(try agreeing.keys.sorted().map { try caseID(db, $0) })
    }
    let id = try caseID(db, number)
    for hash in hashes where !kinds.contains(hash.kind) {
      // The case has another value of this kind: one of the two agencies means somebody else.
      let other = try db.number(
        "SELECT 1 FROM identifier WHERE subject_case = ? AND kind = ?",
        [number, Blob(hash.kindHash(in: id, vault))])
      if other != nil { return .conflict([id]) }
    }
    return kinds.count >= 2 ? .one(try snapshot(db, number)) : .uncertain(id)
  }

  /// The case as it is. Throws STOR-015 when there is none.
  package func subjectCase(_ id: CaseID) async throws(StoreError) -> CaseSnapshot {
    try await read { db in
      guard
        let number = try db.number("SELECT number FROM subject_case WHERE id = ?", [id.text])
      else { throw StoreError.unknown("case") }
      return try snapshot(db, number)
    }
  }

  /// The case that a recipient means by the reference that it was given.
  package func caseOf(
    subject: SubjectReference, knownTo party: PartyID
  ) async throws(StoreError) -> CaseSnapshot? {
    let hash = vault.lookup(.referenceLookup, party.text, subject.text)
    return try await read { db in
      try db.number("SELECT subject_case FROM reference WHERE key = ?", [Blob(hash)])
        .map { try snapshot(db, $0) }
    }
  }

  /// The reference by which one recipient knows the person: always the same for it, and another for
  /// every other. `record` makes it known for each delivery of the case.
  package func subjectReference(of id: CaseID, for party: PartyID) -> SubjectReference {
    reference(vault.lookup(.reference, id.text, party.text))
  }

  /// The reference for a recipient of a notification about somebody who has no case: good for this
  /// exchange alone.
  package func subjectReference(
    of exchange: ExchangeID, for party: PartyID
  ) -> SubjectReference {
    reference(vault.lookup(.reference, "exchange", exchange.text, party.text))
  }

  private func reference(_ hash: [UInt8]) -> SubjectReference {
    let hex = hash.prefix(16).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    // A letter and 32 figures of hex have the form that the initialiser checks.
    guard let reference = SubjectReference("p\(hex)") else {
      preconditionFailure("hex has the form of a reference")
    }
    return reference
  }

  /// The exchange that an answer answers, by the delivery id in its `correlationid`: nil unless that
  /// delivery went to this party, and when its content was erased.
  package func answered(
    delivery: DeliveryID, by party: PartyID
  ) async throws(StoreError) -> AnsweredExchange? {
    try await read { db in
      guard
        let row = try db.row(
          """
          SELECT e.number, e.id, c.notification, s.id AS case_id
          FROM delivery d JOIN exchange e ON e.number = d.exchange
            JOIN content c ON c.number = e.number
            LEFT JOIN subject_case s ON s.number = e.subject_case
          WHERE d.id = ? AND d.party = ? 
            AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.delivery = d.id)
          """, [delivery.text, party.text]), let number = row.number("number"),
        let sealed = row.bytes("notification")
      else { return nil }
      let exchange: ExchangeID = try row.id("id", in: "exchange")
      guard let key = try exchangeKey(db, number, exchange) else { return nil }
      let original = try key.notification(sealed, number)
      return AnsweredExchange(
        exchange: exchange, delivery: delivery, type: original.type, sender: original.source,
        recipient: party, event: original.id, subject: original.subject,
        caseID: try row.optionalCaseID(), data: original.data)
    }
  }

  func caseID(_ db: Database, _ number: Int64) throws -> CaseID {
    guard let row = try db.row("SELECT number, id FROM subject_case WHERE number = ?", [number])
    else { throw StoreError.damaged(table: "subject_case", number: number) }
    return try row.id("id", in: "subject_case")
  }

  func snapshot(_ db: Database, _ number: Int64) throws -> CaseSnapshot {
    try openCase(db, number).snapshot
  }

  func openCase(_ db: Database, _ number: Int64) throws -> OpenCase {
    guard
      let row = try db.row(
        "SELECT number, id, version, facts FROM subject_case WHERE number = ?", [number]),
      let version = row.number("version"), let sealed = row.bytes("facts")
    else { throw StoreError.damaged(table: "subject_case", number: number) }
    let id: CaseID = try row.id("id", in: "subject_case")
    guard let key = try KeyTable.subjectCase.key(db, number, of: .subjectCase(id), vault) else {
      throw StoreError.damaged(table: "case_key", number: number)
    }
    let json = try key.mustOpenJSON(sealed, OpenCase.column(version), number)
    guard let facts = CaseFacts(json: json) else {
      throw StoreError.damaged(table: "subject_case", number: number)
    }
    return OpenCase(
      number: number, key: key,
      snapshot: CaseSnapshot(id: id, version: Int(version), facts: facts))
  }
}

/// A case with its key, inside a transaction.
struct OpenCase {
  let number: Int64
  let key: OwnerKey
  let snapshot: CaseSnapshot

  /// The version is part of the name: facts of an earlier version, put back, do not open.
  static func column(_ version: Int64) -> String { "subject_case.facts \(version)" }
}

/// An identifier as it is looked up.
struct IdentifierHash: Sendable {
  let kind: PersonIdentifier.Kind
  let key: [UInt8]

  init(_ identifier: PersonIdentifier, _ vault: Vault) {
    kind = identifier.kind
    key = vault.lookup(.identifier, identifier.kind.rawValue, identifier.value)
  }

  /// Says which kinds a case has, and nothing without the key: that somebody has a ViSOR reference is
  /// itself information.
  func kindHash(in id: CaseID, _ vault: Vault) -> [UInt8] {
    vault.lookup(.identifierKind, id.text, kind.rawValue)
  }
}

extension OwnerKey {
  func notification(_ sealed: [UInt8], _ number: Int64) throws -> Notification {
    let content = try mustOpen(sealed, "content.notification", number)
    do {
      return try Notification(
        parsing: content, limits: JSONLimits(bytes: 16 << 20, depth: 32))
    } catch { throw StoreError.damaged(table: "content.notification", number: number) }
  }
}

extension Row {
  func optionalCaseID() throws -> CaseID? {
    text("case_id") == nil ? nil : try id("case_id", in: "subject_case")
  }
}
