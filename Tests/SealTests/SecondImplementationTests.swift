import Demo
import Exchange
import Forgery
import Seal
import Testing

@Suite struct `Seal and the openssl command understand each other` {
  let agencies: Agencies
  let now = Agencies.now

  init() throws { agencies = try Agencies.shared() }

  enum Keys: CaseIterable { case elliptic, rsa }

  private func parties(_ keys: Keys) -> (sender: Agency, hub: Agency, options: [String]) {
    switch keys {
    case .elliptic: (agencies.prison, agencies.hub, OpenSSLCommand.ecdh)
    case .rsa: (agencies.probation, agencies.rsaHub, OpenSSLCommand.oaep)
    }
  }

  @Test(arguments: Keys.allCases)
  func `what openssl seals, Seal opens`(keys: Keys) throws {
    let (sender, hub, options) = parties(keys)
    let sealer = try agencies.sealer(hub, knowing: [agencies.trust(sender)])
    let notification = try agencies.notification(source: sender.id)
    let sealed = try OpenSSLCommand.use { tool in
      try tool.encrypt(
        tool.sign(notification.content, by: [sender.signing], "-nocerts", "-keyid"),
        to: hub.encryption, options)
    }
    let opened = try sealer.open(sealed, now: now)
    #expect(opened.notification == notification)
    #expect(opened.verdict.signer == sender.id)
    #expect(opened.verdict.certificate == sender.signing.fingerprint)
    #expect(opened.verdict.verifiedAt == now)
    #expect(opened.verdict.revocation == .current)
    #expect(opened.verdict.signingTime != nil)
  }

  @Test(arguments: Keys.allCases)
  func `what Seal seals, openssl opens and verifies`(keys: Keys) throws {
    let (sender, hub, _) = parties(keys)
    let notification = try agencies.notification(source: sender.id)
    let sealed = try agencies.sealer(sender, knowing: [agencies.trust(hub)])
      .seal(notification, now: now)
    try OpenSSLCommand.use { tool in
      try tool.write(sealed, as: "sealed.der")
      try tool.write(hub.encryption.certificatePEM, as: "hub.pem")
      try tool.write(hub.encryption.privateKeyPEM, as: "hub.key")
      let decrypted = try tool.run(
        "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "sealed.der", "-recip", "hub.pem",
        "-inkey", "hub.key", "-out", "signed.der")
      #expect(decrypted.status == 0, "\(decrypted.output)")
      try tool.write(
        agencies.root.certificatePEM + agencies.authority.certificatePEM, as: "authorities.pem")
      try tool.write(sender.signing.certificatePEM, as: "sender.pem")
      let verified = try tool.run(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", "signed.der", "-CAfile",
        "authorities.pem",
        "-certfile", "sender.pem", "-attime", "1770000060", "-x509_strict", "-out", "content")
      #expect(verified.status == 0, "\(verified.output)")
      #expect(try tool.read("content") == notification.content)

      let shape = try tool.run(
        "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "sealed.der"
      ).output
      #expect(shape.contains("id-smime-ct-authEnvelopedData"))
      #expect(shape.contains("aes-256-gcm"))
      switch keys {
      case .elliptic:
        #expect(shape.contains("dhSinglePass-stdDH-sha256kdf-scheme"))
        #expect(shape.contains("aes256-wrap") || shape.contains("id-aes256-wrap"))
      case .rsa: #expect(shape.contains("rsaesOaep"))
      }
      let inner = try tool.run(
        "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "signed.der"
      ).output
      #expect(inner.contains("sha256"))
      #expect(inner.contains("subjectKeyIdentifier"))
      #expect(!inner.contains("d.certificate:"))
    }
  }

  @Test(arguments: Keys.allCases)
  func `what Seal seals, Seal opens, with the signing time that was passed in`(keys: Keys) throws {
    let (sender, hub, _) = parties(keys)
    let notification = try agencies.notification(source: sender.id)
    let sealed = try agencies.sealer(sender, knowing: [agencies.trust(hub)])
      .seal(notification, now: now)
    let opened = try agencies.sealer(hub, knowing: [agencies.trust(sender)])
      .open(sealed, now: now + .seconds(60))
    #expect(opened.notification == notification)
    #expect(opened.verdict.signingTime == now)
  }

  @Test(arguments: [
    [], ["-keyid"], ["-stream"], ["-md", "sha384"], ["-md", "sha512"], ["-nosmimecap"], ["-cades"],
  ])
  func `a signer's certificate inside, streaming and other digests are read`(
    options: [String]
  ) throws {
    let notification = try agencies.notification()
    let sealed = try OpenSSLCommand.use { tool in
      try tool.write(agencies.authority.certificatePEM, as: "authority.pem")
      try tool.write(notification.content, as: "content")
      try tool.write(agencies.prison.signing.certificatePEM, as: "signer.pem")
      try tool.write(agencies.prison.signing.privateKeyPEM, as: "signer.key")
      let done = try tool.run(
        ["cms", "-sign", "-binary", "-nodetach", "-in", "content", "-outform", "DER"]
          + ["-out", "signed.der", "-signer", "signer.pem", "-inkey", "signer.key"]
          + ["-certfile", "authority.pem"] + options)
      try #require(done.status == 0, "\(done.output)")
      let signed = try tool.read("signed.der")
      #expect((signed[1] == 0x80) == options.contains("-stream"))
      return try tool.encrypt(
        signed, to: agencies.hub.encryption, OpenSSLCommand.ecdh + ["-stream"])
    }
    #expect(sealed[1] == 0x80, "the envelope has an indefinite length")
    let opened = try agencies.hubSealer().open(sealed, now: now)
    #expect(opened.notification == notification)
  }

  @Test func `RSASSA-PSS signatures are read`() throws {
    let notification = try agencies.notification(source: agencies.probation.id)
    let sealed = try OpenSSLCommand.use { tool in
      try tool.encrypt(
        tool.sign(
          notification.content, by: [agencies.probation.signing], "-keyopt",
          "rsa_padding_mode:pss"), to: agencies.hub.encryption)
    }
    #expect(try agencies.hubSealer().open(sealed, now: now).notification == notification)
  }

  @Test func `the digest in the verdict is that of the signed content`() throws {
    let notification = try agencies.notification()
    let sealed = try agencies.sealer(agencies.prison, knowing: [agencies.trust(agencies.hub)])
      .seal(notification, now: now)
    let opened = try agencies.hubSealer().open(sealed, now: now)
    let expected = try OpenSSLCommand.use { tool in
      try tool.write(notification.content, as: "content")
      return try tool.run("dgst", "-sha256", "-r", "content").output.prefix(64)
    }
    let hex = opened.verdict.contentDigest.map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
    #expect(hex.joined() == expected)
  }
}
