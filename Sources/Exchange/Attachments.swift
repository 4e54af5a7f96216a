/// The documents of one notification, each once, by their digests.
package struct Attachments: Equatable, Sendable {
  /// So many at most with one notification.
  package static let most = 8
  package static let none = Attachments([])

  private let byDigest: [AttachmentDigest: Attachment]

  /// - Parameter list: of two with one digest the first counts.
  package init(_ list: [Attachment]) {
    byDigest = Dictionary(list.map { ($0.digest, $0) }) { first, _ in first }
  }

  package var isEmpty: Bool { byDigest.isEmpty }
  package subscript(digest: AttachmentDigest) -> Attachment? { byDigest[digest] }
  /// By digest, so that the same documents always come in one order.
  package var list: [Attachment] { byDigest.values.sorted { $0.digest < $1.digest } }
}

extension Attachments {
  /// Bytes that came beside a notification, with the digest that was computed of them.
  package typealias Part = (digest: AttachmentDigest, bytes: ArraySlice<UInt8>)

  /// Gives each document to the field that names it. Every field whose value has the form of a reference
  /// counts, whether or not a rulebook knows it: what goes to whom is decided later, by fields.
  ///
  /// - Throws: all but `wrongFrame`, `tooMany` and `tooLarge`: nothing may be missing, nothing left over.
  package init(of data: [String: JSONValue], parts: [Part]) throws(AttachmentProblem) {
    let references = Attachments.references(in: data)
    let named = Dictionary(references.map { ($0.digest, $0) }) { first, _ in first }
    guard named.count == references.count else { throw .twice }
    var found: [AttachmentDigest: Attachment] = [:]
    var strays: [Part] = []
    for part in parts {
      guard let reference = named[part.digest] else {
        strays.append(part)
        continue
      }
      guard found[part.digest] == nil else { throw .twice }
      guard reference.length == part.bytes.count else { throw .wrongLength }
      guard let mediaType = MediaType(rawValue: reference.mediaType) else { throw .wrongMediaType }
      guard mediaType.fits(part.bytes) else { throw .notOfItsType }
      found[part.digest] = Attachment(
        mediaType: mediaType, digest: part.digest, bytes: part.bytes)
    }
    if let lacking = references.first(where: { found[$0.digest] == nil }) {
      // The same length among what is left over: most likely it is this one, and was changed.
      throw strays.contains { $0.bytes.count == lacking.length } ? .wrongDigest : .missing
    }
    guard strays.isEmpty else { throw .unnamed }
    byDigest = found
  }

  /// What the fields name, one for each field of that form.
  package static func references(in data: [String: JSONValue]) -> [AttachmentReference] {
    data.values.compactMap(AttachmentReference.init)
  }
}
