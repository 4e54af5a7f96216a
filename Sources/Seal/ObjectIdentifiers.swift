/// ASN.1 object identifiers as their content octets (X.690 8.19).
enum OID {
  static let data = oid(1, 2, 840, 113549, 1, 7, 1)
  static let signedData = oid(1, 2, 840, 113549, 1, 7, 2)
  static let envelopedData = oid(1, 2, 840, 113549, 1, 7, 3)
  /// RFC 5083 2.
  static let authEnvelopedData = oid(1, 2, 840, 113549, 1, 9, 16, 1, 23)

  /// RFC 3274 1.1.
  static let compressedData = oid(1, 2, 840, 113549, 1, 9, 16, 1, 9)
  /// What wraps content for a signature or a secret: never within each other but once.
  static let wrappers: Set<[UInt8]> = [signedData, envelopedData, authEnvelopedData]

  /// RFC 5084 3.2.
  static let aes256GCM = oid(2, 16, 840, 1, 101, 3, 4, 1, 46)
  /// RFC 3565 4.1: AES-128, -192 and -256 in CBC mode.
  static let aesCBC: Set<[UInt8]> = [
    oid(2, 16, 840, 1, 101, 3, 4, 1, 2), oid(2, 16, 840, 1, 101, 3, 4, 1, 22),
    oid(2, 16, 840, 1, 101, 3, 4, 1, 42),
  ]
  /// RFC 3565 2.3.2: AES-128, -192 and -256 key wrap.
  static let aesWraps: Set<[UInt8]> = [
    oid(2, 16, 840, 1, 101, 3, 4, 1, 5), oid(2, 16, 840, 1, 101, 3, 4, 1, 25),
    oid(2, 16, 840, 1, 101, 3, 4, 1, 45),
  ]
  /// RFC 8017 A.2.1.
  static let rsaOAEP = oid(1, 2, 840, 113549, 1, 1, 7)
  /// RFC 8017 A.2.1 and A.2.3.
  static let maskGeneration1 = oid(1, 2, 840, 113549, 1, 1, 8)
  static let rsaPSS = oid(1, 2, 840, 113549, 1, 1, 10)
  /// RFC 5753 7.1.4: standard and cofactor ECDH, key derivation with SHA-256, -384 and -512.
  static let ecdh: Set<[UInt8]> = [
    oid(1, 3, 132, 1, 11, 1), oid(1, 3, 132, 1, 11, 2), oid(1, 3, 132, 1, 11, 3),
    oid(1, 3, 132, 1, 14, 1), oid(1, 3, 132, 1, 14, 2), oid(1, 3, 132, 1, 14, 3),
  ]

  /// SHA-256, -384 and -512 (RFC 5754 2).
  static let digests: Set<[UInt8]> = [
    oid(2, 16, 840, 1, 101, 3, 4, 2, 1), oid(2, 16, 840, 1, 101, 3, 4, 2, 2),
    oid(2, 16, 840, 1, 101, 3, 4, 2, 3),
  ]
  /// RSA with the digest named beside it or here, RSASSA-PSS, and ECDSA with SHA-2 (RFC 5754 3).
  static let signatures: Set<[UInt8]> = [
    oid(1, 2, 840, 113549, 1, 1, 1), oid(1, 2, 840, 113549, 1, 1, 10),
    oid(1, 2, 840, 113549, 1, 1, 11), oid(1, 2, 840, 113549, 1, 1, 12),
    oid(1, 2, 840, 113549, 1, 1, 13), oid(1, 2, 840, 10045, 4, 3, 2),
    oid(1, 2, 840, 10045, 4, 3, 3), oid(1, 2, 840, 10045, 4, 3, 4),
  ]

  /// RFC 5652 11.1 to 11.3.
  static let contentType = oid(1, 2, 840, 113549, 1, 9, 3)
  static let messageDigest = oid(1, 2, 840, 113549, 1, 9, 4)
  static let signingTime = oid(1, 2, 840, 113549, 1, 9, 5)

  private static func oid(_ arcs: Int...) -> [UInt8] {
    ([arcs[0] * 40 + arcs[1]] + arcs.dropFirst(2)).flatMap { arc in
      var septets = [UInt8(arc & 0x7f)]
      var rest = arc >> 7
      while rest > 0 {
        septets.insert(UInt8(rest & 0x7f) | 0x80, at: 0)
        rest >>= 7
      }
      return septets
    }
  }
}
