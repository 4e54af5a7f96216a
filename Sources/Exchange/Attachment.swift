/// SHA-256 of an attachment's bytes, 64 lower-case hexadecimal figures: what a field names it by.
package struct AttachmentDigest: Identifier {
  package let text: String

  package init?(_ text: String) {
    let isHex = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
    guard text.utf8.count == 64, isHex else { return nil }
    self.text = text
  }

  /// - Parameter octets: the digest's own 32 bytes; nil for any other number.
  package init?(octets: [UInt8]) {
    self.init(
      octets.map { (($0 < 16) ? "0" : "") + String($0, radix: 16) }.joined())
  }
}

/// The kinds of documents that travel. A closed list: whatever else a program could make of the bytes,
/// nobody here is asked to open it.
package enum MediaType: String, Sendable, CaseIterable {
  case pdf = "application/pdf"
  case odt = "application/vnd.oasis.opendocument.text"
  case docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
  /// UTF-8.
  case text = "text/plain"

  /// Whether the bytes begin as a document of this kind does; of a text, whether it is UTF-8. It says
  /// that nothing was mistaken for something else, and nothing of what a document holds.
  package func fits(_ bytes: ArraySlice<UInt8>) -> Bool {
    switch self {
    case .pdf: bytes.starts(with: "%PDF-".utf8)
    // Both are zip archives (APPNOTE 4.3.7).
    case .odt, .docx: bytes.starts(with: [0x50, 0x4b, 0x03, 0x04])
    case .text: String(validating: bytes, as: UTF8.self) != nil
    }
  }
}

/// The value of a field that is a document: a closed object of media type, length and digest. The bytes
/// travel beside the notification and belong to the field by their digest; there is no file name.
package struct AttachmentReference: Hashable, Sendable {
  /// As the sender wrote it; ``Attachments`` takes only a ``MediaType``.
  package let mediaType: String
  /// In bytes, at least 1.
  package let length: Int
  package let digest: AttachmentDigest

  package init(mediaType: MediaType, length: Int, digest: AttachmentDigest) {
    (self.mediaType, self.length, self.digest) = (mediaType.rawValue, length, digest)
  }

  /// Nil for a value that is not of just this form.
  package init?(_ value: JSONValue) {
    guard let members = value.object, members.count == 3,
      let mediaType = members["mediatype"]?.string,
      let length = members["length"]?.integer, let length = Int(exactly: length), length > 0,
      let digest = members["sha256"]?.string.flatMap(AttachmentDigest.init)
    else { return nil }
    (self.mediaType, self.length, self.digest) = (mediaType, length, digest)
  }

  package var json: JSONValue {
    [
      "mediatype": .string(mediaType), "length": .integer(Int64(length)),
      "sha256": .string(digest.text),
    ]
  }
}

/// A document of a notification.
package struct Attachment: Equatable, Sendable {
  package let mediaType: MediaType
  package let digest: AttachmentDigest
  /// Shares the storage of what it was read from.
  package let bytes: ArraySlice<UInt8>

  /// - Parameter digest: of these very bytes; whoever makes one has computed it, or has them from where
  ///   they were kept under it.
  package init(mediaType: MediaType, digest: AttachmentDigest, bytes: ArraySlice<UInt8>) {
    (self.mediaType, self.digest, self.bytes) = (mediaType, digest, bytes)
  }

  /// What a field says that is this document.
  package var reference: AttachmentReference {
    AttachmentReference(mediaType: mediaType, length: bytes.count, digest: digest)
  }
}

/// Why the documents of a notification do not fit what it says of them. The sender's turn; names
/// neither fields nor values.
package enum AttachmentProblem: Error, Equatable, Sendable {
  /// EXCH-010: what follows the envelope is not a separator, a length and so many bytes.
  case wrongFrame
  /// EXCH-011
  case tooMany(limit: Int)
  /// EXCH-012: all together, in bytes.
  case tooLarge(limit: Int)
  /// EXCH-013: a field names a document that did not come.
  case missing
  /// EXCH-014: a document came that no field names.
  case unnamed
  /// EXCH-015: a document of that length came, and its digest is another.
  case wrongDigest
  /// EXCH-016
  case wrongLength
  /// EXCH-017: none of ``MediaType``.
  case wrongMediaType
  /// EXCH-018: the bytes do not begin as documents of that media type do.
  case notOfItsType
  /// EXCH-019: one document twice, or two fields that name one.
  case twice

  package var code: String {
    switch self {
    case .wrongFrame: "EXCH-010"
    case .tooMany: "EXCH-011"
    case .tooLarge: "EXCH-012"
    case .missing: "EXCH-013"
    case .unnamed: "EXCH-014"
    case .wrongDigest: "EXCH-015"
    case .wrongLength: "EXCH-016"
    case .wrongMediaType: "EXCH-017"
    case .notOfItsType: "EXCH-018"
    case .twice: "EXCH-019"
    }
  }
}

extension AttachmentProblem: CustomStringConvertible {
  /// What is wrong, without the code.
  package var description: String {
    switch self {
    case .wrongFrame: "what follows the envelope is not framed as attachments are"
    case .tooMany(let limit): "more than \(limit) attachments"
    case .tooLarge(let limit): "the attachments are more than \(limit) bytes together"
    case .missing: "a field names an attachment that did not come"
    case .unnamed: "an attachment came that no field names"
    case .wrongDigest: "the digest of an attachment is not that of its bytes"
    case .wrongLength: "the length of an attachment is not that of its bytes"
    case .wrongMediaType: "an attachment is of a media type that is not taken"
    case .notOfItsType: "an attachment does not begin as its media type does"
    case .twice: "one attachment is there twice"
    }
  }
}
