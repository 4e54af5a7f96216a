/// Writes ASN.1 by hand, as DER unless a test wants it otherwise: shares no code with the reader.
package enum DER {
  package static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
    var rest = content.count
    var length: [UInt8] = []
    while rest > 0 {
      length.insert(UInt8(rest % 256), at: 0)
      rest /= 256
    }
    return [tag, 0x80 + UInt8(length.count)] + length + content
  }

  package static func sequence(_ parts: [UInt8]...) -> [UInt8] {
    element(0x30, parts.flatMap { $0 })
  }
  package static func set(_ parts: [UInt8]...) -> [UInt8] { element(0x31, parts.flatMap { $0 }) }
  package static func octets(_ bytes: [UInt8]) -> [UInt8] { element(0x04, bytes) }
  package static func integer(_ number: UInt8) -> [UInt8] { [0x02, 0x01, number] }
  /// A constructed element of a context-specific tag.
  package static func tagged(_ number: UInt8, _ parts: [UInt8]...) -> [UInt8] {
    element(0xa0 + number, parts.flatMap { $0 })
  }

  /// An object identifier of `1.2.840...`.
  package static func oid(_ text: String) -> [UInt8] {
    let arcs = text.split(separator: ".").compactMap { Int($0) }
    let content = ([arcs[0] * 40 + arcs[1]] + arcs.dropFirst(2)).flatMap { arc -> [UInt8] in
      var septets = [UInt8(arc % 128)]
      var rest = arc / 128
      while rest > 0 {
        septets.insert(UInt8(rest % 128) + 128, at: 0)
        rest /= 128
      }
      return septets
    }
    return element(0x06, content)
  }

  /// UTCTime, from `260202093000Z`.
  package static func time(_ figures: String) -> [UInt8] { element(0x17, Array(figures.utf8)) }
}

/// Names of RFC 5652, 5083, 5084, 5753 and 5754.
package enum Name {
  package static let data = "1.2.840.113549.1.7.1"
  package static let signedData = "1.2.840.113549.1.7.2"
  package static let envelopedData = "1.2.840.113549.1.7.3"
  package static let authEnvelopedData = "1.2.840.113549.1.9.16.1.23"
  package static let compressedData = "1.2.840.113549.1.9.16.1.9"
  package static let timestamp = "1.2.840.113549.1.9.16.1.4"
  package static let contentType = "1.2.840.113549.1.9.3"
  package static let messageDigest = "1.2.840.113549.1.9.4"
  package static let signingTime = "1.2.840.113549.1.9.5"
  package static let sha256 = "2.16.840.1.101.3.4.2.1"
  package static let sha1 = "1.3.14.3.2.26"
  package static let md5 = "1.2.840.113549.2.5"
  package static let ecdsaSHA256 = "1.2.840.10045.4.3.2"
  package static let ecPublicKey = "1.2.840.10045.2.1"
  package static let ecdhSHA256 = "1.3.132.1.11.1"
  package static let aes256Wrap = "2.16.840.1.101.3.4.1.45"
  package static let aes256GCM = "2.16.840.1.101.3.4.1.46"
}
