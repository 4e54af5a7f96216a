/// The shape of the outer message: AuthEnvelopedData (RFC 5083 2.1), or EnvelopedData (RFC 5652 6.1).
struct Envelope {
  /// Recipients of one message; a message of ours has one or two.
  static let recipientLimit = 32

  /// Whether the content cipher authenticates the content.
  let isAuthenticated: Bool

  /// - Parameter legacyTaken: whether EnvelopedData is read at all.
  init(_ bytes: [UInt8], legacyTaken: Bool) throws(SealError) {
    guard !bytes.isEmpty else { throw .empty }
    var top = BERReader(bytes)
    guard let contentInfo = top.next(0x30) else { throw Envelope.problem(ofUnreadable: bytes) }
    guard top.isAtEnd else { throw .trailingBytes }
    var parts = top.inside(contentInfo)
    guard let type = parts.next(0x06), let explicit = parts.next(0xa0), parts.isAtEnd else {
      throw .notCMS
    }
    switch parts.octets(type) {
    case OID.authEnvelopedData: isAuthenticated = true
    case OID.envelopedData: isAuthenticated = false
    case OID.signedData: throw .notEncrypted
    case OID.compressedData: throw .compressed
    default: throw .wrongStructure
    }
    var wrapped = parts.inside(explicit)
    guard let body = wrapped.next(0x30), wrapped.isAtEnd else { throw .wrongStructure }
    var fields = wrapped.inside(body)
    guard fields.next(0x02) != nil else { throw .wrongStructure }
    // OriginatorInfo, certificates that nobody asked for: OpenSSL would decode them.
    guard fields.nextTag != 0xa0, let recipients = fields.next(0x31),
      let encrypted = fields.next(0x30)
    else { throw .wrongStructure }
    try Envelope.checkCipher(encrypted, in: fields, isAuthenticated: isAuthenticated)
    if isAuthenticated {
      // RFC 5084 3.2: 12 to 16 octets. A shorter tag would be guessable.
      guard let tag = fields.next(0x04), (12...16).contains(tag.content.count) else {
        throw .wrongStructure
      }
    }
    // Attributes beside the content, authenticated or not, are used by nobody and not taken.
    guard fields.isAtEnd else { throw .wrongStructure }
    try Envelope.checkRecipients(fields.inside(recipients))
    guard isAuthenticated || legacyTaken else { throw .unauthenticatedCipher }
  }

  /// What bytes are that hold no whole element: text, cut off, or anything else.
  private static func problem(ofUnreadable bytes: [UInt8]) -> SealError {
    let head = bytes.prefix(32)
    let isText = head.allSatisfy { (0x20...0x7e).contains($0) || (0x09...0x0d).contains($0) }
    if isText, head.first != 0x30 { return .textEncoding }
    return BERReader.isCutOff(bytes) ? .cutOff : .notCMS
  }

  private static func checkCipher(
    _ encrypted: BERReader.Element, in reader: BERReader, isAuthenticated: Bool
  ) throws(SealError) {
    var fields = reader.inside(encrypted)
    // Content type: some libraries write data whatever is inside, RFC 5652 asks for signedData.
    guard let type = fields.next(0x06), [OID.data, OID.signedData].contains(fields.octets(type)),
      let algorithm = fields.next(0x30), let cipher = fields.identifier(algorithm)
    else { throw .wrongStructure }
    guard isAuthenticated ? cipher == OID.aes256GCM : OID.aesCBC.contains(cipher) else {
      throw .weakCipher
    }
    guard fields.nextTag == 0x80 || fields.nextTag == 0xa0, fields.next() != nil, fields.isAtEnd
    else { throw .wrongStructure }
  }

  /// Every recipient's way must be strong: a weak one for somebody else gives the content away too.
  private static func checkRecipients(_ recipients: BERReader) throws(SealError) {
    var recipients = recipients
    var count = 0
    while !recipients.isAtEnd {
      count += 1
      guard count <= recipientLimit, let recipient = recipients.next() else {
        throw .wrongStructure
      }
      var fields = recipients.inside(recipient)
      _ = fields.next(0x02)
      switch recipient.tag {
      case 0x30:  // KeyTransRecipientInfo
        guard fields.next() != nil, let algorithm = fields.next(0x30) else {
          throw .wrongStructure
        }
        guard fields.identifier(algorithm) == OID.rsaOAEP,
          RSAParameters.areStrong(fields.inside(algorithm))
        else { throw .weakKeyTransport }
      case 0xa1:  // KeyAgreeRecipientInfo
        guard fields.next(0xa0) != nil else { throw .wrongStructure }
        _ = fields.next(0xa1)
        guard let algorithm = fields.next(0x30) else { throw .wrongStructure }
        var parts = fields.inside(algorithm)
        guard let agreement = parts.next(0x06), let wrap = parts.next(0x30),
          OID.ecdh.contains(parts.octets(agreement)),
          let wrapping = parts.identifier(wrap), OID.aesWraps.contains(wrapping)
        else { throw .weakKeyTransport }
        guard let wrapped = fields.next(0x30) else { throw .wrongStructure }
        var keys = fields.inside(wrapped)
        while !keys.isAtEnd {
          count += 1
          guard count <= recipientLimit, keys.next(0x30) != nil else { throw .wrongStructure }
        }
      default:  // Passwords and shared keys.
        throw .sharedSecretRecipient
      }
    }
    guard count > 0 else { throw .wrongStructure }
  }
}
