import COpenSSL
package import Exchange

/// What is signed: the notification's JSON, and behind it each attachment as the byte 0x1E, its length in
/// decimal figures, a line feed, and so many bytes. JSON text can hold no 0x1E (RFC 8259 7), so that the
/// first one ends it; without attachments the content is the JSON alone.
struct SignedContent {
  private static let separator: UInt8 = 0x1e
  /// Figures of a length: up to 999,999,999 bytes.
  private static let lengthFigures = 9

  private let content: [UInt8]
  private let limits: SealLimits
  /// The JSON.
  let envelope: ArraySlice<UInt8>

  /// Copies nothing. An envelope above its limit is whole as far as it matters: it is refused by it.
  init(_ content: [UInt8], limits: SealLimits) {
    (self.content, self.limits) = (content, limits)
    let end = content.prefix(limits.content.bytes + 1).firstIndex(of: SignedContent.separator)
    envelope = content[..<(end ?? content.endIndex)]
  }

  /// The documents, each as the notification says of it.
  func attachments(
    of notification: Notification, from signer: PartyID
  ) throws(SealError) -> Attachments {
    let bodies: [ArraySlice<UInt8>]
    do { bodies = try self.bodies() } catch {
      throw .notNotification(.attachment(error), signer: signer)
    }
    var parts: [Attachments.Part] = []
    for bytes in bodies {
      guard let digest = AttachmentDigest(of: bytes) else {
        throw .cryptographyFailed(step: "digest")
      }
      parts.append((digest, bytes))
    }
    do {
      return try Attachments(of: notification.data, parts: parts)
    } catch { throw .notNotification(.attachment(error), signer: signer) }
  }

  /// The bytes of each, as they stand one behind the other.
  private func bodies() throws(AttachmentProblem) -> [ArraySlice<UInt8>] {
    var rest = content[envelope.endIndex...]
    var bodies: [ArraySlice<UInt8>] = []
    var sum = 0
    while let first = rest.first {
      let head = rest.prefix(SignedContent.lengthFigures + 2)
      guard first == SignedContent.separator, let end = head.firstIndex(of: 0x0a),
        let length = SignedContent.length(head[(head.startIndex + 1)..<end])
      else { throw .wrongFrame }
      guard bodies.count < Attachments.most else { throw .tooMany(limit: Attachments.most) }
      sum += length
      guard sum <= limits.attachmentBytes else { throw .tooLarge(limit: limits.attachmentBytes) }
      let body = rest[(end + 1)...].prefix(length)
      guard body.count == length else { throw .wrongFrame }
      bodies.append(body)
      rest = rest[body.endIndex...]
    }
    return bodies
  }

  /// Figures alone, at least 1 and without a leading zero: there is one way to write a length.
  private static func length(_ figures: ArraySlice<UInt8>) -> Int? {
    guard let first = figures.first, first != UInt8(ascii: "0"),
      figures.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return figures.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// What is to be signed.
  static func joining(_ envelope: [UInt8], _ attachments: Attachments) -> [UInt8] {
    let list = attachments.list
    guard !list.isEmpty else { return envelope }
    var content = envelope
    content.reserveCapacity(
      envelope.count + list.reduce(0) { $0 + $1.bytes.count + lengthFigures + 2 })
    for attachment in list {
      content.append(separator)
      content += "\(attachment.bytes.count)\n".utf8
      content += attachment.bytes
    }
    return content
  }
}

extension AttachmentDigest {
  /// Nil only when the cryptographic library fails.
  fileprivate init?(of bytes: ArraySlice<UInt8>) {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 32
    let done = bytes.withUnsafeBytes {
      EVP_Digest($0.baseAddress, $0.count, &digest, &length, EVP_sha256(), nil)
    }
    guard done == 1, length == 32 else { return nil }
    self.init(octets: digest)
  }
}

extension Attachment {
  /// A document to be sent.
  ///
  /// - Throws: SEAL-044 when the cryptographic library fails.
  package init(_ bytes: [UInt8], as mediaType: MediaType) throws(SealError) {
    guard let digest = AttachmentDigest(of: bytes[...]) else {
      throw .cryptographyFailed(step: "digest")
    }
    self.init(mediaType: mediaType, digest: digest, bytes: bytes[...])
  }
}
