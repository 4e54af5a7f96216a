import Exchange
import Forgery
import Foundation
import Seal
import Testing

@testable import Daemon
@testable import Demo

extension WrongMessage {
  /// What is not a signed message, sealed to us.
  private static func inside(
    _ name: String, _ code: String,
    _ make: @escaping @Sendable (WrongBench) throws -> [UInt8]
  ) -> WrongMessage {
    unproven(name, code) { bench in try bench.envelope(make(bench)).encoded() }
  }

  static let inner: [WrongMessage] = [
    .inside("encrypted only", "SEAL-009") { $0.content },
    .inside("encrypted nothing", "SEAL-009") { _ in [] },
    .signature("signed by nobody", "SEAL-009") { signature, _ in signature.signers = [] },
    .inside("bytes after the signed message", "SEAL-003") { try $0.signed() + [0] },
    .inside("encrypted twice", "SEAL-062") { try $0.sealed($0.content) },
    .inside("encrypted three times", "SEAL-062") {
      try $0.envelope($0.sealed($0.content)).encoded()
    },
    .signature("signed twice, one around the other", "SEAL-062") { signature, bench in
      signature = try bench.signature(bench.signed())
      signature.contentType = Name.signedData
    },
    .signature("signed around an encrypted one", "SEAL-062") { signature, bench in
      signature = try bench.signature(bench.sealed(bench.content))
      signature.contentType = Name.authEnvelopedData
    },
    .inside("compressed inside", "SEAL-061") { bench in
      DER.sequence(
        DER.oid(Name.compressedData),
        DER.tagged(0, DER.sequence(DER.integer(0), DER.octets(bench.content))))
    },
    .signature("signed content of another type", "SEAL-063") { signature, _ in
      signature.contentType = Name.timestamp
    },
    .signature("the content apart from the signature", "SEAL-010") { signature, _ in
      signature.isAttached = false
    },
  ]

  static let signatures: [WrongMessage] = [
    .signature("two signers, both good", "SEAL-011") { signature, bench in
      signature.signers.append(try .init(bench.police.signing))
    },
    .signature("two signers, one bad", "SEAL-011") { signature, bench in
      signature.signers.append(try .init(bench.police.signing))
      signature.signers[1].isBroken = true
    },
    .signature("the same signer twice", "SEAL-011") { signature, _ in
      signature.signers.append(signature.signers[0])
    },
    .signature("no signed attributes", "SEAL-012") { signature, _ in
      signature.signers[0].attributes = nil
    },
    .signature("no content type among the signed attributes", "SEAL-012") { signature, _ in
      signature.signers[0].attributes = [.digest, .time("260202093000Z")]
    },
    .signature("no digest among the signed attributes", "SEAL-012") { signature, _ in
      signature.signers[0].attributes = [.contentType(Name.data), .time("260202093000Z")]
    },
    .signature("two content types among the signed attributes", "SEAL-012") { signature, _ in
      signature.signers[0].attributes?.append(.contentType(Name.data))
    },
    .signature("two digests among the signed attributes", "SEAL-012") { signature, _ in
      signature.signers[0].attributes?.append(.digestOf([1]))
    },
    .signature("signed attributes that name another type", "SEAL-012") { signature, _ in
      signature.signers[0].attributes = [.contentType(Name.timestamp), .digest]
    },
    .signature("the digest of other content", "SEAL-064") { signature, _ in
      signature.signers[0].attributes = [
        .contentType(Name.data), .digestOf([1, 2, 3]), .time("260202093000Z"),
      ]
    },
    .unproven("content changed after it was signed", "SEAL-064") { bench in
      let signed = try bench.signed()
        .replacing(Array("2026-11-02".utf8), with: Array("2026-11-03".utf8))
      try #require(signed.firstRange(of: Array("2026-11-02".utf8)) == nil)
      return try bench.envelope(signed).encoded()
    },
    .signature("a signature that does not hold", "SEAL-014") { signature, _ in
      signature.signers[0].isBroken = true
    },
    .signature("forged: another's signature under the prison's name", "SEAL-014") {
      signature, bench in
      let name = signature.signers[0].keyIdentifier
      signature.signers = [try .init(bench.police.signing)]
      signature.signers[0].keyIdentifier = name
    },
    .signature("a signer whom nobody pinned", "SEAL-013") { signature, bench in
      signature.signers = [try .init(bench.signing())]
    },
    .signature("signed by ourselves", "SEAL-013") { signature, bench in
      signature.signers = [try .init(bench.world.own.signing)]
    },
    .openSSL("a signer with 1,024 bits of RSA", "SEAL-013") { bench, tool in
      let short = try bench.world.authority.issue(
        CertificateRequest(commonName: "prison:durham", use: .signing, key: .rsa(bits: 1024)),
        now: .start)
      return try tool.encrypt(
        tool.sign(bench.content, by: [short]), to: bench.world.own.encryption)
    },
    .signature("a look-alike of the prison's authority, its certificate inside", "SEAL-016") {
      signature, bench in
      // Same names, another key; the key identifier, which anybody can write, is the prison's.
      let twin = try CertificateAuthority.make(
        name: "Sallyport demonstration root", now: .start)
      let issued = try twin.issue(
        CertificateRequest(commonName: "prison:durham signing", use: .signing), now: .start)
      let name = signature.signers[0].keyIdentifier
      signature.signers = [try .init(issued)]
      signature.signers[0].keyIdentifier = name
      signature.certificates = [issued.der]
    },
    .signature("another party's certificate inside", "SEAL-016") { signature, bench in
      signature.certificates = [try bench.police.signing.der]
    },
    .signature("17 certificates inside", "SEAL-004") { signature, bench in
      signature.certificates = Array(repeating: try bench.prison.signing.der, count: 17)
    },
    .openSSL("a digest of SHA-1", "SEAL-015") { bench, tool in
      try tool.encrypt(
        tool.sign(bench.content, by: [bench.prison.signing], "-md", "sha1"),
        to: bench.world.own.encryption)
    },
    .signature("a digest of MD5", "SEAL-015") { signature, _ in
      signature.signers[0].digest = Name.md5
    },
    .signature("a signature algorithm that nobody knows", "SEAL-015") { signature, _ in
      signature.signers[0].algorithm = "1.3.6.1.4.1.99999.1"
    },
    .openSSL("RSASSA-PSS over a mask of SHA-1", "SEAL-015") { bench, tool in
      try tool.encrypt(
        tool.sign(
          bench.content, by: [bench.immigration.signing], "-keyopt", "rsa_padding_mode:pss",
          "-keyopt", "rsa_mgf1_md:sha1"), to: bench.world.own.encryption)
    },
  ]

  static let signers: [WrongMessage] = [
    .signer("a certificate that has ended", "SEAL-020") {
      try $0.signing(notBefore: .zero - .days(2), notAfter: .seconds(-1))
    },
    .signer("a certificate that has not begun", "SEAL-021") {
      try $0.signing(notBefore: .seconds(60))
    },
    .signer(
      "a revoked certificate", "SEAL-023", { try $0.prison.signing },
      trust: { trust, bench in
        trust.revocationLists = [
          try bench.world.authority.revocationList(
            revoked: [bench.prison.signing.serial], thisUpdate: .start - .seconds(60),
            nextUpdate: .start + .days(7), number: 2)
        ]
      }),
    .signer("a certificate for encryption", "SEAL-022") { try $0.signing(.encryption) },
    .signer("a certificate for TLS", "SEAL-028") { try $0.signing(.tlsClient) },
    .signer("a chain with a link missing", "SEAL-024") { bench in
      let between = try bench.world.authority.intermediate(name: "Between", now: .start)
      return try between.issue(
        CertificateRequest(commonName: "prison:durham", use: .signing), now: .start)
    },
    .signer(
      "an authority that is nobody's anchor", "SEAL-029",
      { _ in try Self.other.issue(.init(commonName: "prison:durham", use: .signing), now: .start) },
      trust: { trust, _ in trust.intermediates = [try Self.other.certificatePEM] }),
    .opens("a revocation list past its next update", .held(code: "INTK-008")) { bench in
      try bench.prisonTrust { trust in
        trust.revocationLists = [try Self.list(bench, endedAgo: .days(1))]
      }
      return try bench.sealed(bench.content)
    },
    .stays("a revocation list a week past its next update", "SEAL-025") { bench in
      try bench.prisonTrust { trust in
        trust.revocationLists = [try Self.list(bench, endedAgo: .days(7))]
      }
      return try bench.sealed(bench.content)
    },
    .stays("no revocation list", "SEAL-026") { bench in
      try bench.prisonTrust { $0.revocationLists = [] }
      return try bench.sealed(bench.content)
    },
    .stays("a revocation list signed by a look-alike", "SEAL-026") { bench in
      let twin = try CertificateAuthority.make(
        name: "Sallyport demonstration root", now: .start)
      let list = try twin.revocationList(
        revoked: [], thisUpdate: .start - .seconds(60), nextUpdate: .start + .days(7), number: 9)
      try bench.prisonTrust { $0.revocationLists = [list] }
      return try bench.sealed(bench.content)
    },
  ]

  private static let madeOther = Result {
    try CertificateAuthority.make(name: "Another root", now: .start)
  }
  private static var other: CertificateAuthority { get throws { try madeOther.get() } }

  private static func list(_ bench: WrongBench, endedAgo: Duration) throws -> String {
    try bench.world.authority.revocationList(
      revoked: [], thisUpdate: .start - .days(20), nextUpdate: .start - endedAgo, number: 2)
  }
}
