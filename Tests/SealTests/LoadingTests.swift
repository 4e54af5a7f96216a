import Demo
import Exchange
import Forgery
import Foundation
import Seal
import Testing

@Suite struct `Keys and certificates are checked when they are loaded` {
  let agencies: Agencies
  let now = Agencies.now

  init() throws { agencies = try Agencies.shared() }

  private func code(_ change: (inout OwnIdentity, inout PartyTrust) throws -> Void) throws
    -> String?
  {
    var identity = try agencies.hub.identity()
    var trust = agencies.trust(agencies.prison)
    do {
      try change(&identity, &trust)
      _ = try Sealer(identity: identity, parties: [trust])
      return nil
    } catch let error as SealError {
      return error.code
    }
  }

  @Test func `texts that are no certificates are refused`() throws {
    #expect(try code { _, _ in } == nil)
    #expect(try code { _, party in party.signingCertificates = ["no certificate"] } == "SEAL-050")
    #expect(try code { _, party in party.encryptionCertificates = [""] } == "SEAL-050")
    #expect(try code { _, party in party.revocationLists = [party.trustAnchors[0]] } == "SEAL-050")
    #expect(try code { own, _ in own.signing.certificate = "" } == "SEAL-050")
    #expect(
      try code { _, party in party.signingCertificates[0] += "-----BEGIN CERTIFICATE-----\nAAAA\n" }
        == "SEAL-050")
  }

  @Test func `a key that is none, or needs a passphrase, is refused without asking`() throws {
    #expect(try code { own, _ in own.signing.key = try PrivateKey(pem: "none") } == "SEAL-051")
    let locked = try OpenSSLCommand.use { tool in
      try tool.write(agencies.hub.signing.privateKeyPEM, as: "k.pem")
      try tool.run(
        "pkcs8", "-topk8", "-in", "k.pem", "-passout", "pass:invented", "-out", "locked.pem")
      return String(decoding: try tool.read("locked.pem"), as: UTF8.self)
    }
    #expect(locked.contains("ENCRYPTED"))
    #expect(try code { own, _ in own.signing.key = try PrivateKey(pem: locked) } == "SEAL-051")
  }

  @Test func `a key of another certificate is refused`() throws {
    let other = try PrivateKey(pem: agencies.hub.encryption.privateKeyPEM)
    #expect(try code { own, _ in own.signing.key = other } == "SEAL-052")
  }

  @Test func `a short RSA key is refused`() throws {
    let short = try agencies.authority.issue(
      CertificateRequest(commonName: "short", use: .signing, key: .rsa(bits: 1024)), now: now)
    #expect(
      try code { _, party in party.signingCertificates.append(short.certificatePEM) } == "SEAL-053")
  }

  @Test func `one key pinned for two parties is refused`() throws {
    var police = agencies.trust(agencies.police)
    police.signingCertificates.append(agencies.prison.signing.certificatePEM)
    let error = #expect(throws: SealError.self) {
      _ = try agencies.sealer(agencies.hub, knowing: [agencies.trust(agencies.prison), police])
    }
    #expect(error?.code == "SEAL-054")
    let twice = #expect(throws: SealError.self) {
      _ = try agencies.sealer(agencies.hub, knowing: [police, police])
    }
    #expect(twice?.code == "SEAL-055")
  }

  @Test func `certificates and revocation lists in DER are brought to PEM`() throws {
    func der(_ pem: String) throws -> [UInt8] {
      let lines = pem.split(separator: "\n").filter { !$0.hasPrefix("-----") }
      return Array(try #require(Data(base64Encoded: lines.joined())))
    }
    let certificate = agencies.root.certificatePEM
    #expect(PEM.text(try der(certificate), of: .certificate) == certificate)
    #expect(PEM.text(Array(certificate.utf8), of: .certificate) == certificate)
    let list = agencies.lists[0]
    #expect(PEM.text(try der(list), of: .revocationList) == list)
  }

  @Test func `the inventory says when each certificate and list ends`() throws {
    let sealer = try agencies.sealer(agencies.hub, knowing: [agencies.trust(agencies.prison)])
    let found = sealer.inventory
    #expect(
      found.certificates.map(\.fingerprint)
        == [
          agencies.hub.signing, agencies.hub.encryption, agencies.prison.signing,
          agencies.prison.encryption,
        ].map(\.fingerprint))
    #expect(found.certificates.map(\.use) == [.signing, .encryption, .signing, .encryption])
    #expect(found.certificates.map(\.isOwn) == [true, true, false, false])
    #expect(found.certificates.allSatisfy { $0.notAfter == now + .seconds(365 * 86_400) })
    #expect(found.revocationListsEnd == [agencies.prison.id: now + .seconds(86_400)])
  }

  @Test func `every code is its own, with text and hint`() throws {
    let one = agencies.prison.id
    let all: [SealError] = [
      .notCMS, .tooLarge(limit: 1), .trailingBytes, .wrongStructure, .weakCipher, .weakKeyTransport,
      .notForUs, .cannotDecrypt, .notSigned, .detached, .severalSigners, .signedAttributesMissing,
      .signerUnknown, .signatureWrong, .weakSignature, .foreignCertificate, .empty, .textEncoding,
      .cutOff, .notEncrypted, .compressed, .nested, .contentTypeWrong, .digestWrong,
      .sharedSecretRecipient, .unauthenticatedCipher, .certificateExtendedUsage(one),
      .authorityUnknown(one),
      .certificateExpired(one), .certificateNotYetValid(one), .certificateUsage(one),
      .certificateRevoked(one), .chainBroken(one), .revocationStale(one), .revocationMissing(one),
      .legacyNotAllowed(one), .notNotification(.notCloudEvents, signer: one), .sourceNotSigner(one),
      .audienceNotUs(one), .recipientUnknown(one), .recipientWithoutCertificate(one),
      .sourceNotUs(one), .ownCertificateNotValid(one), .cryptographyFailed(step: "x"),
      .unreadableCertificate(one, what: "x"), .unreadableKey, .keyDoesNotMatch(one), .weakKey(one),
      .pinnedTwice(one, one), .partyTwice(one),
    ]
    #expect(Set(all.map(\.code)).count == all.count)
    #expect(!all.contains { $0.text == "unclassified" || $0.hint.isEmpty })
  }
}
