import Exchange

/// The shape of the inner message: SignedData (RFC 5652 5.1) with its content and one signer.
struct SignedLayout {
  /// How the signer is named (RFC 5652 5.3).
  enum Signer {
    case keyIdentifier([UInt8])
    /// The issuer's name as it stands, DER, and the serial number's octets.
    case issuer([UInt8], serial: [UInt8])
  }

  static let certificateLimit = 16
  static let attributeLimit = 64

  let signer: Signer
  /// The certificates inside, as they stand. They are not signed, and never used: only looked at.
  let certificates: [[UInt8]]
  let signingTime: Instant?
  /// The message without its certificates and revocation lists, for OpenSSL: decoding a certificate
  /// costs more than verifying a signature, and nothing in them may count.
  let bare: [UInt8]

  init(_ bytes: [UInt8]) throws(SealError) {
    var top = BERReader(bytes)
    guard let contentInfo = top.next(0x30) else { throw .notSigned }
    guard top.isAtEnd else { throw .trailingBytes }
    var parts = top.inside(contentInfo)
    guard let type = parts.next(0x06) else { throw .notSigned }
    switch parts.octets(type) {
    case OID.signedData: break
    case OID.envelopedData, OID.authEnvelopedData: throw .nested
    case OID.compressedData: throw .compressed
    default: throw .notSigned
    }
    guard let explicit = parts.next(0xa0), parts.isAtEnd else { throw .notSigned }
    var wrapped = parts.inside(explicit)
    guard let body = wrapped.next(0x30), wrapped.isAtEnd else { throw .wrongStructure }
    var fields = wrapped.inside(body)
    guard let version = fields.next(0x02), let digests = fields.next(0x31),
      let encapsulated = fields.next(0x30)
    else { throw .wrongStructure }
    let inside = fields.next(0xa0)
    let lists = fields.next(0xa1)
    guard let signers = fields.next(0x31), fields.isAtEnd,
      digests.content.count <= 256
    else { throw .wrongStructure }
    try SignedLayout.checkContent(fields.inside(encapsulated))
    var signerInfos = fields.inside(signers)
    guard !signerInfos.isAtEnd else { throw .notSigned }
    guard let signerInfo = signerInfos.next(0x30) else { throw .wrongStructure }
    guard signerInfos.isAtEnd else { throw .severalSigners }
    (signer, signingTime) = try SignedLayout.readSigner(signerInfos.inside(signerInfo))
    certificates = try inside.map(fields.inside).map(SignedLayout.readCertificates) ?? []
    if inside == nil, lists == nil {
      bare = bytes
    } else {
      let kept = [version, digests, encapsulated, signers].flatMap { bytes[$0.whole] }
      bare = BERReader.encode(
        0x30,
        Array(bytes[type.whole]) + BERReader.encode(0xa0, BERReader.encode(0x30, kept)))
    }
  }

  private static func checkContent(_ encapsulated: BERReader) throws(SealError) {
    var fields = encapsulated
    guard let type = fields.next(0x06) else { throw .wrongStructure }
    switch fields.octets(type) {
    case OID.data: break
    case let other where OID.wrappers.contains(other): throw .nested
    case OID.compressedData: throw .compressed
    default: throw .contentTypeWrong
    }
    guard !fields.isAtEnd else { throw .detached }
    guard let explicit = fields.next(0xa0), fields.isAtEnd else { throw .wrongStructure }
    var wrapped = fields.inside(explicit)
    guard wrapped.nextTag == 0x04 || wrapped.nextTag == 0x24, wrapped.next() != nil,
      wrapped.isAtEnd
    else { throw .wrongStructure }
  }

  private static func readSigner(
    _ signerInfo: BERReader
  ) throws(SealError) -> (Signer, Instant?) {
    var fields = signerInfo
    guard fields.next(0x02) != nil, let name = fields.next() else { throw .wrongStructure }
    let signer: Signer
    switch name.tag {
    case 0x80: signer = .keyIdentifier(fields.octets(name))
    case 0x30:
      var parts = fields.inside(name)
      guard let issuer = parts.next(0x30), let serial = parts.next(0x02), parts.isAtEnd else {
        throw .wrongStructure
      }
      signer = .issuer(Array(parts.bytes[issuer.whole]), serial: parts.octets(serial))
    default: throw .wrongStructure
    }
    guard let digest = fields.next(0x30) else { throw .wrongStructure }
    let attributes = fields.next(0xa0)
    guard let signature = fields.next(0x30), fields.next(0x04) != nil else {
      throw .wrongStructure
    }
    if let unsigned = fields.next(0xa1) {
      var rest = fields.inside(unsigned)
      for _ in 0..<attributeLimit where !rest.isAtEnd { _ = rest.next() }
      guard rest.isAtEnd else { throw .wrongStructure }
    }
    guard fields.isAtEnd else { throw .wrongStructure }
    guard let digestAlgorithm = fields.identifier(digest), OID.digests.contains(digestAlgorithm),
      let algorithm = fields.identifier(signature), OID.signatures.contains(algorithm),
      algorithm != OID.rsaPSS || RSAParameters.areStrong(fields.inside(signature))
    else { throw .weakSignature }
    guard let attributes else { throw .signedAttributesMissing }
    return (signer, try readAttributes(fields.inside(attributes)))
  }

  /// Checks content type and message digest (RFC 5652 11.1, 11.2: once, one value); gives the
  /// signing time if there is one. That the digest fits is for OpenSSL to find.
  private static func readAttributes(_ attributes: BERReader) throws(SealError) -> Instant? {
    var attributes = attributes
    var values: [[UInt8]: BERReader.Element] = [:]
    var count = 0
    while !attributes.isAtEnd {
      count += 1
      guard count <= attributeLimit, let attribute = attributes.next(0x30) else {
        throw .wrongStructure
      }
      var fields = attributes.inside(attribute)
      guard let type = fields.next(0x06), let set = fields.next(0x31), fields.isAtEnd else {
        throw .wrongStructure
      }
      let name = fields.octets(type)
      guard [OID.contentType, OID.messageDigest, OID.signingTime].contains(name) else { continue }
      var members = fields.inside(set)
      guard let value = members.next(), members.isAtEnd,
        values.updateValue(value, forKey: name) == nil
      else { throw .signedAttributesMissing }
    }
    guard let type = values[OID.contentType], type.tag == 0x06,
      attributes.octets(type) == OID.data, let digest = values[OID.messageDigest],
      digest.tag == 0x04
    else { throw .signedAttributesMissing }
    return values[OID.signingTime].flatMap { time(attributes.octets($0), tag: $0.tag) }
  }

  /// UTCTime or GeneralizedTime in the one form that RFC 5652 11.3 allows, with seconds and Z.
  private static func time(_ octets: [UInt8], tag: UInt8) -> Instant? {
    var figures = octets.map { Character(Unicode.Scalar($0)) }
    guard figures.popLast() == "Z", figures.allSatisfy(\.isASCII) else { return nil }
    switch (tag, figures.count) {
    case (0x17, 12):
      // RFC 5280 4.1.2.5.1: years from 50 are of the last century.
      figures.insert(contentsOf: figures[0] >= "5" ? "19" : "20", at: 0)
    case (0x18, 14): break
    default: return nil
    }
    let text = String(figures)
    func part(_ start: Int, _ length: Int) -> Substring { text.dropFirst(start).prefix(length) }
    return Instant(
      "\(part(0, 4))-\(part(4, 2))-\(part(6, 2))T\(part(8, 2)):\(part(10, 2)):\(part(12, 2))Z")
  }

  private static func readCertificates(_ field: BERReader) throws(SealError) -> [[UInt8]] {
    var rest = field
    var found: [[UInt8]] = []
    while !rest.isAtEnd {
      guard found.count < certificateLimit, let certificate = rest.next() else {
        throw .wrongStructure
      }
      found.append(Array(rest.bytes[certificate.whole]))
    }
    return found
  }
}
