import COpenSSL
import Exchange

/// The small pieces that certificates and revocation lists are made of.
enum CertificateParts {
  static func require<Value>(_ value: Value?, _ step: String) throws(CertificateProblem) -> Value {
    guard let value else { throw CertificateProblem(step: step) }
    return value
  }

  /// The caller frees it. Whole seconds, as certificates have no finer.
  static func time(_ instant: Instant) throws(CertificateProblem) -> UnsafeMutablePointer<ASN1_TIME>
  {
    try require(ASN1_TIME_set(nil, Int(instant.milliseconds / 1000)), "time")
  }

  /// The caller frees it.
  static func integer(hex: String) throws(CertificateProblem) -> UnsafeMutablePointer<ASN1_INTEGER>
  {
    let digits = Array(hex.utf8)
    let octets = stride(from: 0, to: digits.count, by: 2).compactMap { start in
      UInt8(
        String(decoding: digits[start..<min(start + 2, digits.count)], as: UTF8.self), radix: 16)
    }
    guard digits.count.isMultiple(of: 2), octets.count * 2 == digits.count, !octets.isEmpty else {
      throw CertificateProblem(step: "serial number")
    }
    let number = try require(ASN1_INTEGER_new(), "serial number")
    guard ASN1_STRING_set(number, octets, Int32(octets.count)) == 1 else {
      ASN1_INTEGER_free(number)
      throw CertificateProblem(step: "serial number")
    }
    return number
  }

  /// The text that `write` puts into a memory buffer.
  static func text(
    _ step: String, _ write: (OpaquePointer) -> Int32
  ) throws(CertificateProblem) -> String {
    let buffer = try require(BIO_new(BIO_s_mem()), step)
    defer { BIO_free(buffer) }
    var start: UnsafeMutablePointer<CChar>?
    guard write(buffer) == 1 else { throw CertificateProblem(step: step) }
    let count = sallyport_bio_bytes(buffer, &start)
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What `read` makes of a PEM text; the caller frees it.
  static func parse(
    _ pem: String, _ step: String, _ read: (OpaquePointer) -> OpaquePointer?
  ) throws(CertificateProblem) -> OpaquePointer {
    // A buffer of its own: one over the text's memory would outlive that memory.
    let buffer = try require(BIO_new(BIO_s_mem()), step)
    defer { BIO_free(buffer) }
    let bytes = Array(pem.utf8)
    let count = Int32(clamping: bytes.count)
    guard BIO_write(buffer, bytes, count) == count else { throw CertificateProblem(step: step) }
    return try require(read(buffer), step)
  }

  static func hex(_ octets: [UInt8]) -> String {
    octets.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
