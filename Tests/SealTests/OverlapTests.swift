import Demo
import Exchange
import Forgery
import Seal
import Testing

/// A party changes its keys: both certificates are in its entry for a while, and nothing is lost at the
/// edges.
@Suite struct `Certificates overlap while one takes the place of another` {
  let agencies: Agencies
  let now = Agencies.now
  /// The old one ends here, the new one begins an hour before.
  let end = Agencies.now + .seconds(7200)
  let begin = Agencies.now + .seconds(3600)

  init() throws { agencies = try Agencies.shared() }

  private func pair(
    _ use: CertificateRequest.Use, _ key: CertificateRequest.Key = .p256
  ) throws -> (old: IssuedCertificate, new: IssuedCertificate) {
    (
      try agencies.authority.issue(
        CertificateRequest(commonName: "old", use: use, key: key, notAfter: .seconds(7200)),
        now: now),
      try agencies.authority.issue(
        CertificateRequest(commonName: "new", use: use, key: key, notBefore: .seconds(3600)),
        now: now)
    )
  }

  @Test func `a message of either signer opens while its certificate is valid, to the second`()
    throws
  {
    let (old, new) = try pair(.signing)
    var prison = agencies.trust(agencies.prison)
    prison.signingCertificates = [old.certificatePEM, new.certificatePEM]
    let hub = try agencies.sealer(agencies.hub, knowing: [prison])
    func code(_ signer: IssuedCertificate, at moment: Instant) throws -> String {
      let sealed = try ForgedEnvelope(
        ForgedSignature(agencies.notification().content, by: [signer]).encoded(),
        to: [agencies.hub.encryption]
      ).encoded()
      do throws(SealError) {
        let opened = try hub.open(sealed, now: moment)
        #expect(opened.verdict.certificate == signer.fingerprint)
        return "opens"
      } catch {
        return error.code
      }
    }
    #expect(try code(old, at: now) == "opens")
    #expect(try code(new, at: begin - .seconds(1)) == "SEAL-021")
    #expect(try code(new, at: begin) == "opens")
    #expect(try code(old, at: begin) == "opens")
    #expect(try code(old, at: end - .seconds(1)) == "opens")
    #expect(try code(old, at: end) == "SEAL-020")
    #expect(try code(new, at: end) == "opens")
  }

  @Test func `a copy is sealed to every certificate that is valid, so that either key opens it`()
    throws
  {
    let (old, new) = try pair(.encryption)
    var police = agencies.trust(agencies.police)
    police.encryptionCertificates = [old.certificatePEM, new.certificatePEM]
    let hub = try agencies.sealer(agencies.hub, knowing: [police])
    func readers(at moment: Instant) throws -> [Bool] {
      let sealed = try hub.seal(
        agencies.notification(source: agencies.hub.id, audience: police.party), now: moment)
      return try [old, new].map { issued in
        let police = Agency(
          id: police.party, signing: agencies.police.signing, encryption: issued)
        let sealer = try agencies.sealer(police, knowing: [agencies.trust(agencies.hub)])
        return (try? sealer.open(sealed, now: now)) != nil
      }
    }
    #expect(try readers(at: now) == [true, false])
    #expect(try readers(at: begin - .seconds(1)) == [true, false])
    #expect(try readers(at: begin) == [true, true])
    #expect(try readers(at: end - .seconds(1)) == [true, true])
    #expect(try readers(at: end) == [false, true])
  }

  @Test func `a certificate that is listed twice changes nothing`() throws {
    var prison = agencies.trust(agencies.prison)
    prison.signingCertificates += prison.signingCertificates
    let sealed = try agencies.sealer(agencies.prison, knowing: [agencies.trust(agencies.hub)])
      .seal(agencies.notification(), now: now)
    let hub = try agencies.sealer(agencies.hub, knowing: [prison])
    #expect(try hub.open(sealed, now: now).verdict.signer == agencies.prison.id)
  }
}

@Suite struct `Every kind of key signs to every kind of key` {
  static let kinds: [CertificateRequest.Key] = [.p256, .p384, .rsa(bits: 2048)]

  @Test func `by Seal alone, and signed by openssl with and without certificates inside`() throws {
    let all = try Agencies.shared()
    let parties = try Self.kinds.map { try Agencies.agency("prison:durham", $0, all.authority) }
    let hubs = try Self.kinds.map { try Agencies.agency("sallyport:north-east", $0, all.authority) }
    let notification = try all.notification()
    for sender in parties {
      for hub in hubs {
        let reader = try all.sealer(hub, knowing: [all.trust(sender)])
        let writer = try all.sealer(sender, knowing: [all.trust(hub)])
        let sealed = try writer.seal(notification, now: Agencies.now)
        #expect(try reader.open(sealed, now: Agencies.now).notification == notification)
        try OpenSSLCommand.use { tool in
          let options = hub.signing.isRSA ? OpenSSLCommand.oaep : OpenSSLCommand.ecdh
          for inside in [[], ["-nocerts", "-keyid"]] {
            let bytes = try tool.encrypt(
              tool.sign(notification.content, by: [sender.signing], options: inside),
              to: hub.encryption, options)
            #expect(try reader.open(bytes, now: Agencies.now).notification == notification)
          }
        }
      }
    }
  }
}

extension IssuedCertificate {
  /// A key of RSA is ten times as long as one of P-256.
  fileprivate var isRSA: Bool { privateKeyPEM.utf8.count > 1000 }
}
