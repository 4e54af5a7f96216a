package import Exchange
import GRDB
import Rules

/// Documents of exchanges that are held, or whose copies may have to be made anew.
extension Store {
  /// The documents of an exchange that its notification names, as far as they are kept: none of what was
  /// refused, set aside or erased.
  ///
  /// All of them are read into memory: `limits.attachments` at most.
  package func attachments(
    of exchange: ExchangeID, named data: [String: JSONValue]
  ) async throws(StoreError) -> Attachments {
    let references = Attachments.references(in: data).sorted { $0.digest < $1.digest }
    guard !references.isEmpty else { return .none }
    return try await read { db in
      guard
        let number = try db.number("SELECT number FROM exchange WHERE id = ?", [exchange.text]),
        let key = try exchangeKey(db, number, exchange)
      else { return .none }
      return Attachments(
        try references.enumerated().compactMap { place, reference in
          guard let mediaType = MediaType(rawValue: reference.mediaType),
            let row = try db.row(
              "SELECT sealed FROM attachment WHERE exchange = ? AND place = ?", [number, place])
          else { return nil }
          // The digest is part of what names the sealed value: what opens is that document.
          let bytes = try key.mustOpen(
            row.bytes("sealed") ?? [], AttachmentDraft.column(reference.digest), number)
          return Attachment(mediaType: mediaType, digest: reference.digest, bytes: bytes[...])
        })
    }
  }
}

/// The rows of a notification's documents, sealed before the transaction begins.
struct AttachmentDraft: Sendable {
  private let sealed: [[UInt8]]

  init(_ attachments: Attachments, _ key: OwnerKey) throws {
    sealed = try attachments.list.map {
      try key.seal(Array($0.bytes), AttachmentDraft.column($0.digest))
    }
  }

  static func column(_ digest: AttachmentDigest) -> String { "attachment.sealed \(digest)" }

  /// What is there already stays: a message that is opened anew brings the same documents.
  func insert(_ db: Database, exchange number: Int64) throws {
    for (place, bytes) in sealed.enumerated() {
      try db.run(
        "INSERT INTO attachment VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [number, place, Blob(bytes)])
    }
  }
}

extension IntakeRecord {
  /// The documents that may be needed again: of what waits to be decided, and of copies that wait in
  /// mailboxes. What was held has them already.
  var attachmentsToKeep: Attachments {
    switch outcome {
    case .held(_, let held):
      held.supersedesHeld ? .none : held.notification.attachments
    case .decided(let decided):
      decided.decision.outcome == .refused || decided.supersedesHeld
        ? .none : decided.notification.attachments
    case .setAside, .duplicate: .none
    }
  }
}
