import COpenSSL

/// Brings files of certificates and revocation lists to the one form that Seal takes.
package enum PEM {
  package enum Kind: String, Sendable {
    case certificate = "CERTIFICATE"
    case revocationList = "X509 CRL"
  }

  /// The PEM text of a file that holds PEM, or one object in DER, as authorities publish them.
  /// Whether it can be read is found where it is used.
  package static func text(_ file: [UInt8], of kind: Kind) -> String {
    // DER of both begins with a SEQUENCE; PEM is text.
    guard file.first == 0x30 else { return String(decoding: file, as: UTF8.self) }
    var encoded = [UInt8](repeating: 0, count: (file.count + 2) / 3 * 4 + 1)
    let count = Int(EVP_EncodeBlock(&encoded, file, Int32(clamping: file.count)))
    let lines = stride(from: 0, to: count, by: 64).map { start in
      String(decoding: encoded[start..<min(start + 64, count)], as: UTF8.self)
    }
    let body = lines.joined(separator: "\n")
    return "-----BEGIN \(kind.rawValue)-----\n\(body)\n-----END \(kind.rawValue)-----\n"
  }
}
