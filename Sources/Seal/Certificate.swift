import COpenSSL
import Exchange

/// An X.509 certificate, decoded once.
///
/// Unchecked: `X509` counts its references atomically, and nothing changes it after `init`, which
/// also makes OpenSSL compute what it would otherwise compute at first use.
final class Certificate: @unchecked Sendable {
  typealias Use = CertificateUse
  enum Key: Sendable { case elliptic, rsa }

  let pointer: OpaquePointer
  let der: [UInt8]
  /// SHA-256 of `der`.
  let digest: [UInt8]
  /// SHA-256 of the public key's octets.
  let keyDigest: [UInt8]
  let keyIdentifier: [UInt8]?
  let serial: [UInt8]
  let notBefore: Instant
  let notAfter: Instant
  /// Nil for keys that Sallyport does not take.
  let key: Key?

  /// Takes over the reference. Nil when the certificate's times or key cannot be read.
  private init?(owning pointer: OpaquePointer) {
    self.pointer = pointer
    // Decodes the extensions now, in one thread.
    _ = X509_check_purpose(pointer, -1, 0)
    var encoded: UnsafeMutablePointer<UInt8>?
    let length = i2d_X509(pointer, &encoded)
    guard length > 0, let encoded else {
      X509_free(pointer)
      return nil
    }
    der = Array(UnsafeBufferPointer(start: encoded, count: Int(length)))
    CRYPTO_free(encoded, #file, #line)
    guard let begin = Instant(X509_get0_notBefore(pointer)),
      let end = Instant(X509_get0_notAfter(pointer)),
      let number = X509_get0_serialNumber(pointer), let digest = sha256(der),
      let keyDigest = Certificate.keyDigest(pointer)
    else {
      X509_free(pointer)
      return nil
    }
    (notBefore, notAfter, self.digest, self.keyDigest) = (begin, end, digest, keyDigest)
    serial = Certificate.contentOctets(number)
    keyIdentifier = X509_get0_subject_key_id(pointer).map { Certificate.octets($0) }
    key = Certificate.acceptedKey(X509_get0_pubkey(pointer))
  }

  deinit { X509_free(pointer) }

  var fingerprint: String { hex(digest) }

  /// Reads every certificate of a PEM text; nil when one cannot be read or there is none.
  static func read(pem: String) -> [Certificate]? {
    readBlocks(pem) {
      PEM_read_bio_X509($0, nil, { _, _, _, _ in -1 }, nil)
    } make: {
      Certificate(owning: $0)
    }
  }

  /// Whether the certificate names this issuer (a Name in DER).
  func isIssued(by issuer: [UInt8]) -> Bool {
    let name = issuer.withUnsafeBufferPointer { octets in
      var start = octets.baseAddress
      return d2i_X509_NAME(nil, &start, octets.count)
    }
    guard let name else { return false }
    defer { X509_NAME_free(name) }
    return X509_NAME_cmp(name, X509_get_issuer_name(pointer)) == 0
  }

  /// Whether the key usage is there and allows this use (RFC 5280 4.2.1.3; RFC 8550 4.4.2).
  func allows(_ use: Use) -> Bool {
    guard X509_get_extension_flags(pointer) & UInt32(EXFLAG_KUSAGE) != 0 else { return false }
    let needed =
      switch (use, key) {
      case (.signing, _): KU_DIGITAL_SIGNATURE
      case (.encryption, .elliptic): KU_KEY_AGREEMENT
      case (.encryption, _): KU_KEY_ENCIPHERMENT
      }
    return X509_get_key_usage(pointer) & UInt32(needed) != 0
  }

  /// Whether the extended key usage, if there is one, allows messages (RFC 8550 4.4.4).
  var allowsMessages: Bool {
    // Without the extension this is all ones: any use.
    X509_get_extended_key_usage(pointer) & UInt32(XKU_SMIME) != 0
  }

  /// P-256 and P-384, RSA from 2048 bits; not beyond 8192, since each use would cost too long.
  private static func acceptedKey(_ key: OpaquePointer?) -> Key? {
    guard let key else { return nil }
    if EVP_PKEY_is_a(key, "RSA") == 1 {
      return (2048...8192).contains(EVP_PKEY_get_bits(key)) ? .rsa : nil
    }
    guard EVP_PKEY_is_a(key, "EC") == 1 else { return nil }
    var name = [CChar](repeating: 0, count: 32)
    var length = 0
    guard EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { return nil }
    let group = String(decoding: name.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return ["prime256v1", "secp384r1", "P-256", "P-384"].contains(group) ? .elliptic : nil
  }

  private static func keyDigest(_ certificate: OpaquePointer) -> [UInt8]? {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 32
    return X509_pubkey_digest(certificate, EVP_sha256(), &digest, &length) == 1 ? digest : nil
  }

  private static func octets(_ string: UnsafePointer<ASN1_STRING>) -> [UInt8] {
    Array(
      UnsafeBufferPointer(
        start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string))))
  }

  /// The content octets of an INTEGER (X.690 8.3), as they stand in a message that names it.
  private static func contentOctets(_ number: UnsafePointer<ASN1_INTEGER>) -> [UInt8] {
    var encoded: UnsafeMutablePointer<UInt8>?
    let length = i2d_ASN1_INTEGER(number, &encoded)
    guard length > 2, let encoded else { return [] }
    defer { CRYPTO_free(encoded, #file, #line) }
    // A serial number has at most 20 octets (RFC 5280 4.1.2.2): tag and length are one octet each.
    return Array(UnsafeBufferPointer(start: encoded + 2, count: Int(length) - 2))
  }
}

/// Reads the blocks of a PEM text one after another; nil when one is broken or there is none.
func readBlocks<Value>(
  _ pem: String, _ next: (OpaquePointer) -> OpaquePointer?, make: (OpaquePointer) -> Value?
) -> [Value]? {
  ERR_clear_error()
  defer { ERR_clear_error() }
  guard let buffer = MemoryBuffer(Array(pem.utf8)) else { return nil }
  return buffer.read { source in
    var found: [Value] = []
    // Each turn reads at least one line of a text that is in memory.
    while let pointer = next(source) {
      guard let value = make(pointer) else { return nil }
      found.append(value)
    }
    let reason = ERR_peek_last_error() & 0x7f_ffff
    return !found.isEmpty && reason == UInt(PEM_R_NO_START_LINE) ? found : nil
  }
}

/// SHA-256; nil only when OpenSSL fails.
func sha256(_ bytes: [UInt8]) -> [UInt8]? {
  var digest = [UInt8](repeating: 0, count: 32)
  var length: UInt32 = 32
  let done = EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
  return done == 1 && length == 32 ? digest : nil
}

func hex(_ octets: [UInt8]) -> String {
  octets.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

extension Instant {
  /// Nil when there is no time or it cannot be read.
  init?(_ time: UnsafePointer<ASN1_TIME>?) {
    guard let time, let epoch = ASN1_TIME_set(nil, 0) else { return nil }
    defer { ASN1_TIME_free(epoch) }
    var (days, seconds) = (Int32(0), Int32(0))
    guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
    self.init(milliseconds: (Int64(days) * 86_400 + Int64(seconds)) * 1000)
  }
}
