package import Exchange

/// What a sender says about a message beside its bytes; carried to the recipient untouched.
///
/// The texts are the sender's and stay out of logs: nothing stops a careless one from writing a name
/// into a subject.
package struct MeshMetadata: Sendable, Hashable {
  /// The kind of data, 1 to 300 characters.
  package var workflowID: String
  /// The sender's own reference, at most 300 characters; not unique.
  package var localID: String?
  /// At most 500 characters.
  package var subject: String?
  /// At most 300 characters.
  package var fileName: String?
  /// At most 500 characters.
  package var partnerID: String?
  /// At most 100 letters, digits, spaces and `:-/`.
  package var checksum: String?
  /// The media type of the whole message, at most 100 characters.
  package var contentType: String?
  /// How the stored bytes are coded for transfer: nil or `gzip`.
  package var contentEncoding: String?
  package var isEncrypted: Bool
  package var isCompressed: Bool

  package init(
    workflowID: String, localID: String? = nil, subject: String? = nil, fileName: String? = nil,
    partnerID: String? = nil, checksum: String? = nil, contentType: String? = nil,
    contentEncoding: String? = nil, isEncrypted: Bool = false, isCompressed: Bool = false
  ) {
    (self.workflowID, self.localID, self.subject) = (workflowID, localID, subject)
    (self.fileName, self.partnerID, self.checksum) = (fileName, partnerID, checksum)
    (self.contentType, self.contentEncoding) = (contentType, contentEncoding)
    (self.isEncrypted, self.isCompressed) = (isEncrypted, isCompressed)
  }
}

/// Why a message failed after it had been accepted: what a REPORT says (MESH API specification,
/// "Reports").
package struct MeshReport: Sendable, Hashable {
  /// The message that failed.
  package var linkedID: CarrierMessageID
  /// `14`: not collected in time.
  package var code: String
  /// `SEND`.
  package var event: String
  package var text: String
  package var at: Instant

  package init(
    linkedID: CarrierMessageID, code: String, event: String, text: String, at: Instant
  ) {
    (self.linkedID, self.code, self.event) = (linkedID, code, event)
    (self.text, self.at) = (text, at)
  }
}

/// Where a sent message stands (MESH API specification, "Tracking").
package enum MeshStatus: String, Sendable, Hashable {
  /// Parts are still missing.
  case uploading
  /// In the recipient's inbox.
  case accepted
  /// Collected and acknowledged.
  case acknowledged
  case error
  /// Failed: for instance not collected in time.
  case undeliverable

  /// Whether all parts of it are with the service, for the recipient to collect.
  package var isWhole: Bool { self == .accepted || self == .acknowledged }
}

extension Instant {
  /// `yyyyMMddHHmmss` in UTC, as version 1 of the MESH API and the `Mex-StatusTimestamp` header have it.
  package var meshTimestamp: String {
    String(
      decoding: description.utf8.prefix(19).filter { (0x30...0x39).contains($0) }, as: UTF8.self)
  }
}
