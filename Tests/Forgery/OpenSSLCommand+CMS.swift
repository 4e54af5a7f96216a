package import Demo
import Exchange

/// The options that make `openssl cms` do what Sallyport asks of a sender, and their variations.
extension OpenSSLCommand {
  package static let binary = ["-binary", "-outform", "DER"]
  package static let ecdh = ["-keyopt", "ecdh_kdf_md:sha256"]
  package static let oaep = [
    "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256",
  ]

  /// SignedData as `openssl` writes it.
  package func sign(
    _ content: [UInt8], by signers: [IssuedCertificate], attached: Bool = true,
    _ options: String...
  ) throws -> [UInt8] {
    try sign(content, by: signers, attached: attached, options: options)
  }

  package func sign(
    _ content: [UInt8], by signers: [IssuedCertificate], attached: Bool = true, options: [String]
  ) throws -> [UInt8] {
    try write(content, as: "content")
    var arguments = ["cms", "-sign", "-in", "content", "-out", "signed.der"] + Self.binary
    arguments += attached ? ["-nodetach"] : []
    for (place, signer) in signers.enumerated() {
      try write(signer.certificatePEM, as: "signer\(place).pem")
      try write(signer.privateKeyPEM, as: "signer\(place).key")
      arguments += ["-signer", "signer\(place).pem", "-inkey", "signer\(place).key"]
    }
    // After the key: "-keyopt" speaks of the key before it.
    arguments += options
    return try result(arguments, "signed.der")
  }

  /// An enveloped message as `openssl` writes it.
  package func encrypt(
    _ bytes: [UInt8], to recipient: IssuedCertificate, cipher: String = "-aes-256-gcm",
    _ options: [String] = OpenSSLCommand.ecdh
  ) throws -> [UInt8] {
    try write(bytes, as: "plain")
    try write(recipient.certificatePEM, as: "recipient.pem")
    return try result(
      ["cms", "-encrypt", cipher, "-in", "plain", "-out", "sealed.der"] + Self.binary
        + ["-recip", "recipient.pem"] + options, "sealed.der")
  }

  private func result(_ arguments: [String], _ file: String) throws -> [UInt8] {
    let done = try run(arguments)
    guard done.status == 0 else {
      throw OpenSSLProblem(text: "openssl \(arguments): \(done.output)")
    }
    return try read(file)
  }
}

/// What the command said when it did not do what it was asked.
package struct OpenSSLProblem: Error {
  package let text: String
}
