import Demo
import Exchange
import Forgery
import Seal
import Testing

/// A message that must not open, how to make it, and the code it is refused with.
struct WrongMessage: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let code: String
  let make: @Sendable (Agencies, OpenSSLCommand) throws -> [UInt8]

  init(
    _ description: String, _ code: String,
    _ make: @escaping @Sendable (Agencies, OpenSSLCommand) throws -> [UInt8]
  ) {
    testDescription = description
    self.code = code
    self.make = make
  }

  /// Content signed as it should be by the prison, and sealed to the hub.
  static func content(_ text: String) -> @Sendable (Agencies, OpenSSLCommand) throws -> [UInt8] {
    { all, tool in
      try tool.encrypt(
        tool.sign(Array(text.utf8), by: [all.prison.signing]), to: all.hub.encryption)
    }
  }

  /// Bytes that are no signed message, sealed to the hub.
  static func sealed(
    _ make: @escaping @Sendable (Agencies, OpenSSLCommand) throws -> [UInt8]
  ) -> @Sendable (Agencies, OpenSSLCommand) throws -> [UInt8] {
    { all, tool in try tool.encrypt(make(all, tool), to: all.hub.encryption) }
  }

  static func signed(_ all: Agencies, _ tool: OpenSSLCommand) throws -> [UInt8] {
    try tool.sign(all.notification().content, by: [all.prison.signing], "-nocerts", "-keyid")
  }

  static let outer: [WrongMessage] = [
    WrongMessage("nothing", "SEAL-017") { _, _ in [] },
    WrongMessage("plain text", "SEAL-018") { _, _ in Array("not a message".utf8) },
    WrongMessage("PEM instead of DER", "SEAL-018") { all, _ in
      Array(all.hub.encryption.certificatePEM.utf8)
    },
    WrongMessage("a certificate", "SEAL-001") { all, tool in
      try tool.write(all.hub.encryption.certificatePEM, as: "c.pem")
      try tool.run("x509", "-in", "c.pem", "-outform", "DER", "-out", "c.der")
      return try tool.read("c.der")
    },
    WrongMessage("a length beyond the end", "SEAL-001") { _, _ in
      [0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x06]
    },
    WrongMessage("indefinite lengths without end", "SEAL-001") { _, _ in
      Array(repeating: [0x30, 0x80], count: 100_000).flatMap { $0 }
    },
    WrongMessage("trailing bytes", "SEAL-003") { all, tool in
      try tool.encrypt(signed(all, tool), to: all.hub.encryption) + [0]
    },
    WrongMessage("the same message twice", "SEAL-003") { all, tool in
      let sealed = try tool.encrypt(signed(all, tool), to: all.hub.encryption)
      return sealed + sealed
    },
    WrongMessage("signed and not encrypted", "SEAL-060", signed),
    WrongMessage("neither signed nor encrypted", "SEAL-004") { _, tool in
      try tool.write(Array(repeating: 0x20, count: 1000), as: "plain")
      try tool.run(
        "cms", "-data_create", "-binary", "-in", "plain", "-outform", "DER", "-out", "c.der")
      return try tool.read("c.der")
    },
    WrongMessage("EnvelopedData with AES-256-CBC", "SEAL-066") { all, tool in
      try tool.encrypt(signed(all, tool), to: all.hub.encryption, cipher: "-aes-256-cbc")
    },
    WrongMessage("EnvelopedData with triple DES", "SEAL-005") { all, tool in
      try tool.encrypt(signed(all, tool), to: all.hub.encryption, cipher: "-des3")
    },
    WrongMessage("AES-128-GCM", "SEAL-005") { all, tool in
      try tool.encrypt(signed(all, tool), to: all.hub.encryption, cipher: "-aes-128-gcm")
    },
    WrongMessage("RSA key transport of PKCS #1 v1.5", "SEAL-006") { all, tool in
      try tool.encrypt(signed(all, tool), to: all.rsaHub.encryption, [])
    },
    WrongMessage("ECDH with a key derivation of SHA-1", "SEAL-006") { all, tool in
      try tool.encrypt(signed(all, tool), to: all.hub.encryption, [])
    },
    WrongMessage("a shared key beside the certificate", "SEAL-065") { all, tool in
      try tool.encrypt(
        signed(all, tool), to: all.hub.encryption,
        OpenSSLCommand.ecdh + [
          "-secretkey", "000102030405060708090a0b0c0d0e0f", "-secretkeyid", "00",
        ])
    },
    WrongMessage("sealed to somebody else", "SEAL-007") { all, tool in
      try tool.encrypt(signed(all, tool), to: all.police.encryption)
    },
    WrongMessage("sealed to our certificate for signing", "SEAL-007") { all, tool in
      try tool.encrypt(signed(all, tool), to: all.hub.signing)
    },
    WrongMessage("a changed octet of the content", "SEAL-008") { all, tool in
      var sealed = try tool.encrypt(signed(all, tool), to: all.hub.encryption)
      sealed[sealed.count - 100] ^= 1
      return sealed
    },
    WrongMessage("a changed octet of the tag", "SEAL-008") { all, tool in
      var sealed = try tool.encrypt(signed(all, tool), to: all.hub.encryption)
      sealed[sealed.count - 1] ^= 1
      return sealed
    },
  ]

  static let inner: [WrongMessage] = [
    WrongMessage("encrypted and not signed", "SEAL-009", sealed { try $0.notificationContent($1) }),
    WrongMessage(
      "encrypted twice", "SEAL-062",
      sealed { try $1.encrypt(signed($0, $1), to: $0.hub.encryption) }),
    WrongMessage("signed by nobody", "SEAL-009", sealed { _, _ in NoSigner.bytes }),
    WrongMessage("bytes after the signed message", "SEAL-003", sealed { try signed($0, $1) + [0] }),
    WrongMessage(
      "signed twice, one around the other", "SEAL-062",
      sealed { all, tool in
        // "-econtent_type" says truly what is inside.
        try tool.sign(
          signed(all, tool), by: [all.prison.signing], "-econtent_type", "pkcs7-signedData")
      }),
    WrongMessage(
      "the content apart from the signature", "SEAL-010",
      sealed { try $1.sign($0.notification().content, by: [$0.prison.signing], attached: false) }),
    WrongMessage(
      "two signers", "SEAL-011",
      sealed {
        try $1.sign($0.notification().content, by: [$0.prison.signing, $0.police.signing])
      }),
    WrongMessage(
      "no signed attributes", "SEAL-012",
      sealed { try $1.sign($0.notification().content, by: [$0.prison.signing], "-noattr") }),
    WrongMessage(
      "a signer of the same authority whom nobody pinned", "SEAL-013",
      sealed { try $1.sign($0.notification().content, by: [$0.hub.signing]) }),
    WrongMessage(
      "the signature of another under the prison's name", "SEAL-014",
      sealed { all, tool in
        let signed = try tool.sign(
          all.notification().content, by: [all.police.signing], "-nocerts", "-keyid")
        return signed.replacing(
          try tool.keyIdentifier(all.police.signing),
          with: try tool.keyIdentifier(all.prison.signing)
        )
      }),
    WrongMessage(
      "content changed after it was signed", "SEAL-064",
      sealed {
        try signed($0, $1).replacing(Array("2026-03-02".utf8), with: Array("2026-03-03".utf8))
      }),
    WrongMessage(
      "a digest of SHA-1", "SEAL-015",
      sealed { try $1.sign($0.notification().content, by: [$0.prison.signing], "-md", "sha1") }),
    WrongMessage(
      "a foreign certificate inside", "SEAL-016",
      sealed { all, tool in
        try tool.write(all.police.signing.certificatePEM, as: "foreign.pem")
        return try tool.sign(
          all.notification().content, by: [all.prison.signing], "-certfile", "foreign.pem")
      }),
  ]

  static let content: [WrongMessage] = [
    WrongMessage("nothing signed", "EXCH-001", content("")),
    WrongMessage("text that is not JSON", "EXCH-001", content("hello")),
    WrongMessage("JSON that is no event", "EXCH-002", content("{}")),
    WrongMessage(
      "JSON a thousand deep", "EXCH-006",
      content(String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000))),
    WrongMessage("a member twice", "EXCH-007") { all, tool in
      let text = String(decoding: try all.notification().content, as: UTF8.self)
      return try content(text.replacing("{\"aud", with: "{\"id\":\"n-1\",\"aud"))(all, tool)
    },
    WrongMessage("content beyond 1 MiB", "EXCH-005") { all, tool in
      try content(String(repeating: " ", count: 1 << 20) + "{}")(all, tool)
    },
    WrongMessage("the source of another", "SEAL-031") { all, tool in
      try tool.encrypt(
        tool.sign(
          all.notification(source: all.police.id).content, by: [all.prison.signing]),
        to: all.hub.encryption)
    },
    WrongMessage("a copy for the police sealed again for us", "SEAL-032") { all, tool in
      try tool.encrypt(
        tool.sign(
          all.notification(audience: all.police.id).content, by: [all.prison.signing]),
        to: all.hub.encryption)
    },
  ]

  static let all = outer + inner + content
}

/// SignedData with content and an empty set of signers, by hand.
private enum NoSigner {
  static let bytes: [UInt8] =
    [0x30, 0x29, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]
    + [0xa0, 0x1c, 0x30, 0x1a, 0x02, 0x01, 0x01, 0x31, 0x00]
    + [0x30, 0x11, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01]
    + [0xa0, 0x04, 0x04, 0x02, 0x7b, 0x7d, 0x31, 0x00]
}

extension Agencies {
  fileprivate func notificationContent(_ tool: OpenSSLCommand) throws -> [UInt8] {
    try notification().content
  }
}

extension OpenSSLCommand {
  fileprivate func keyIdentifier(_ certificate: IssuedCertificate) throws -> [UInt8] {
    try write(certificate.certificatePEM, as: "id.pem")
    let printed = try run("x509", "-in", "id.pem", "-noout", "-ext", "subjectKeyIdentifier").output
    let line = try #require(printed.split(separator: "\n").last)
    let octets = line.split(separator: ":").compactMap { UInt8($0.filter { $0 != " " }, radix: 16) }
    try #require(octets.count == 20)
    return octets
  }
}
