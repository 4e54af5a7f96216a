import Exchange
import Forgery
import Foundation
import Seal
import Testing

@testable import Daemon
@testable import Demo

extension WrongMessage {
  static let outer: [WrongMessage] = [
    .unproven("nothing at all", "SEAL-017") { _ in [] },
    .unproven("the notice itself, neither signed nor encrypted", "SEAL-018") { $0.content },
    .unproven("PEM", "SEAL-018") { bench in
      let base64 = Data(try bench.sealed(bench.content)).base64EncodedString()
      return Array("-----BEGIN CMS-----\n\(base64)\n-----END CMS-----\n".utf8)
    },
    .unproven("Base64", "SEAL-018") { bench in
      Array(Data(try bench.sealed(bench.content)).base64EncodedData())
    },
    .unproven("MIME", "SEAL-018") { bench in
      let head = "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n\r\n"
      return Array(head.utf8) + (try bench.sealed(bench.content))
    },
    .unproven("a picture", "SEAL-001") { _ in [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
    .unproven("a certificate", "SEAL-001") { try $0.prison.signing.der },
    .unproven("a length of 2^32 octets less one", "SEAL-001") { _ in
      [0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x06]
    },
    .unproven("a length of nine octets", "SEAL-001") { bench in
      let inside = try bench.sealed(bench.content).dropFirst(4)
      return [
        0x30, 0x89, 0, 0, 0, 0, 0, 0, 0, UInt8(inside.count >> 8), UInt8(inside.count & 0xff),
      ]
        + inside
    },
    .unproven("a negative length", "SEAL-001") { _ in
      [0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]
    },
    .unproven("indefinite lengths 10,000 deep, without end", "SEAL-001") { _ in
      (0..<10_000).flatMap { _ -> [UInt8] in [0x30, 0x80] }
    },
    .unproven("indefinite lengths 10,000 deep, each ended", "SEAL-001") { _ in
      (0..<10_000).flatMap { _ -> [UInt8] in [0x30, 0x80] } + [UInt8](repeating: 0, count: 20_000)
    },
    .unproven("elements 10,000 deep", "SEAL-001") { _ in
      (0..<10_000).reduce(into: [] as [UInt8]) { bytes, _ in bytes = DER.sequence(bytes) }
    },
    .unproven("a type of 10,000 octets", "SEAL-004") { _ in
      DER.sequence(
        DER.element(0x06, [UInt8](repeating: 0x81, count: 10_000)), DER.tagged(0, DER.sequence()))
    },
    .unproven("cut off in the middle", "SEAL-019") { bench in
      let whole = try bench.sealed(bench.content)
      return Array(whole.prefix(whole.count / 2))
    },
    .unproven("without its last octet", "SEAL-019") { try $0.sealed($0.content).dropLast() },
    .unproven("without the end of its indefinite lengths", "SEAL-019") { bench in
      let whole = try bench.sealed(bench.content)
      return [0x30, 0x80] + whole.dropFirst(4)
    },
    .unproven("one octet after its end", "SEAL-003") { try $0.sealed($0.content) + [0] },
    .unproven("twice in one", "SEAL-003") { bench in
      let whole = try bench.sealed(bench.content)
      return whole + whole
    },
    .unproven("one octet over the limit", "SEAL-002") { bench in
      let whole = try bench.sealed(bench.content)
      let base = try Area.regime
      let sealer = try Sealer(
        identity: bench.world.identity(of: bench.world.own),
        parties: bench.world.agencies.map { bench.world.trust(in: $0) },
        limits: SealLimits(messageBytes: whole.count - 1))
      bench.hub.regime.swap(
        for: Regime(
          policy: base.policy, sealer: sealer, calendar: base.calendar, mailboxes: base.mailboxes))
      return whole
    },
    .unproven("signed only", "SEAL-060") { try $0.signed() },
    .unproven("compressed", "SEAL-061") { bench in
      DER.sequence(
        DER.oid(Name.compressedData),
        DER.tagged(0, DER.sequence(DER.integer(0), DER.octets(try bench.signed()))))
    },
    .unproven("plain data in CMS", "SEAL-004") { bench in
      DER.sequence(DER.oid(Name.data), DER.tagged(0, DER.octets(bench.content)))
    },
    .unproven("encrypted under a key that nobody transports", "SEAL-004") { _ in
      DER.sequence(DER.oid("1.2.840.113549.1.7.6"), DER.tagged(0, DER.sequence(DER.integer(0))))
    },
  ]

  static let envelopes: [WrongMessage] = [
    .openSSL("AES-128-GCM", "SEAL-005") { bench, tool in
      try tool.encrypt(bench.signed(), to: bench.world.own.encryption, cipher: "-aes-128-gcm")
    },
    .openSSL("AES-192-GCM", "SEAL-005") { bench, tool in
      try tool.encrypt(bench.signed(), to: bench.world.own.encryption, cipher: "-aes-192-gcm")
    },
    .openSSL("triple DES", "SEAL-005") { bench, tool in
      try tool.encrypt(bench.signed(), to: bench.world.own.encryption, cipher: "-des3")
    },
    .openSSL("RC2", "SEAL-005") { bench, tool in
      // No library writes it any more: the name of another cipher is put in its place.
      let tripleDES = DER.oid("1.2.840.113549.3.7")
      let sealed = try tool.encrypt(
        bench.signed(), to: bench.world.own.encryption, cipher: "-des3")
      try #require(sealed.firstRange(of: tripleDES) != nil)
      return sealed.replacing(tripleDES, with: DER.oid("1.2.840.113549.3.2"))
    },
    .openSSL("AES-256-CBC, where nobody may", "SEAL-066") { bench, tool in
      try tool.encrypt(bench.signed(), to: bench.world.own.encryption, cipher: "-aes-256-cbc")
    },
    .proven("AES-256-CBC, where another party may", "SEAL-027") { bench in
      let police = try bench.police.id
      bench.hub.regime.swap(
        for: try Area.regime { if $0.party == police { $0.legacyAllowed = true } })
      return try OpenSSLCommand.use { tool in
        try tool.encrypt(bench.signed(), to: bench.world.own.encryption, cipher: "-aes-256-cbc")
      }
    },
    .openSSL("RSA key transport of PKCS #1 v1.5", "SEAL-006") { bench, tool in
      try tool.encrypt(bench.signed(), to: bench.immigration.encryption, [])
    },
    .openSSL("RSA-OAEP with SHA-1", "SEAL-006") { bench, tool in
      try tool.encrypt(
        bench.signed(), to: bench.immigration.encryption, ["-keyopt", "rsa_padding_mode:oaep"])
    },
    .openSSL("RSA-OAEP with SHA-256 over a mask of SHA-1", "SEAL-006") { bench, tool in
      try tool.encrypt(
        bench.signed(), to: bench.immigration.encryption,
        OpenSSLCommand.oaep + ["-keyopt", "rsa_mgf1_md:sha1"])
    },
    .openSSL("ECDH with a key derivation of SHA-1", "SEAL-006") { bench, tool in
      try tool.encrypt(bench.signed(), to: bench.world.own.encryption, [])
    },
    .openSSL("to us and, the weak way, to somebody else", "SEAL-006") { bench, tool in
      try tool.write(bench.immigration.encryption.certificatePEM, as: "weak.pem")
      return try tool.encrypt(
        bench.signed(), to: bench.world.own.encryption,
        OpenSSLCommand.ecdh + ["-recip", "weak.pem"])
    },
    .envelope("a password beside the certificate", "SEAL-065") { envelope, _ in
      envelope.otherRecipients = [SharedSecretRecipient.password]
    },
    .envelope("a shared key beside the certificate", "SEAL-065") { envelope, _ in
      envelope.otherRecipients = [SharedSecretRecipient.key]
    },
    .envelope("a password alone", "SEAL-065") { envelope, _ in
      envelope.recipients = []
      envelope.otherRecipients = [SharedSecretRecipient.password]
    },
    .envelope("sealed to nobody", "SEAL-004") { envelope, _ in envelope.recipients = [] },
    .envelope("33 recipients", "SEAL-004") { envelope, bench in
      envelope.recipients = Array(repeating: bench.world.own.encryption, count: 33)
    },
    .envelope("certificates of an originator", "SEAL-004") { envelope, bench in
      envelope.originatorInfo = DER.tagged(0, DER.tagged(0, try bench.prison.signing.der))
    },
    .envelope("attributes beside the cipher", "SEAL-004") { envelope, _ in
      envelope.unauthenticatedAttributes = DER.tagged(
        2, ForgedSignature.attribute(.contentType(Name.data)))
    },
    .envelope("a tag of 8 octets", "SEAL-004") { envelope, _ in envelope.tagLength = 8 },
    .envelope("sealed to somebody else", "SEAL-007") { envelope, bench in
      envelope.recipients = [try bench.police.encryption]
    },
    .envelope("sealed to our certificate for signing", "SEAL-007") { envelope, bench in
      envelope.recipients = [bench.world.own.signing]
    },
    .envelope("sealed to another's key under our name", "SEAL-008") { envelope, bench in
      let own = try ForgedEnvelope.keyIdentifier(of: bench.world.own.encryption)
      envelope.keyIdentifier = own
      envelope.recipients = [try bench.police.encryption]
    },
    .unproven("one bit of the content changed", "SEAL-008") { bench in
      var sealed = try bench.sealed(bench.content)
      sealed[sealed.count - 100] ^= 1
      return sealed
    },
    .unproven("one bit of the tag changed", "SEAL-008") { bench in
      var sealed = try bench.sealed(bench.content)
      sealed[sealed.count - 1] ^= 1
      return sealed
    },
  ]
}
