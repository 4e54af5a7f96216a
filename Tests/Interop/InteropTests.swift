import Demo
import Exchange
import Forgery
import Foundation
import Seal
import Testing

/// Seal against other people's implementations, both ways, by files. Run by `make interop`, which sees to it
/// that they are installed; elsewhere these tests are left out.
///
/// The machine's clock is read here, since the other programs read it too.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SALLYPORT_INTEROP"] != nil))
struct InteropTests {
  /// A sender's and a reader's kind of key. The names are those of the files.
  struct Pair: Sendable, CustomTestStringConvertible {
    let sender: String
    let reader: String
    var name: String { "\(sender)-\(reader)" }
    var testDescription: String { "from \(sender) to \(reader)" }
  }

  static let kinds: [String: CertificateRequest.Key] = [
    "p256": .p256, "p384": .p384, "rsa2048": .rsa(bits: 2048), "rsa3072": .rsa(bits: 3072),
  ]
  static let pairs = ["p256", "p384", "rsa2048", "rsa3072"].flatMap { sender in
    ["p256", "p384", "rsa2048", "rsa3072"].map { Pair(sender: sender, reader: $0) }
  }

  /// Parties of every kind of key under one authority, as everybody knows them.
  struct World: Sendable {
    let now: Instant
    let root: CertificateAuthority
    let list: String
    let signing: [String: IssuedCertificate]
    let encryption: [String: IssuedCertificate]

    init() throws {
      let now = Instant(milliseconds: Int64(Date().timeIntervalSince1970) * 1000)
      let root = try CertificateAuthority.make(name: "Invented root", now: now)
      (self.now, self.root) = (now, root)
      list = try root.revocationList(
        revoked: [], thisUpdate: now - .seconds(60), nextUpdate: now + .seconds(86_400), number: 1)
      signing = try InteropTests.kinds.mapValues { kind in
        try root.issue(.init(commonName: "signs", use: .signing, key: kind), now: now)
      }
      encryption = try InteropTests.kinds.mapValues { kind in
        try root.issue(.init(commonName: "reads", use: .encryption, key: kind), now: now)
      }
    }

    /// A party that has keys of this kind.
    func sealer(_ id: String, _ kind: String, knowing other: String, _ others: String) throws
      -> Sealer
    {
      let own = (try signing.of(kind), try encryption.of(kind))
      let trust = PartyTrust(
        party: try #require(PartyID(other)),
        signingCertificates: [try signing.of(others).certificatePEM],
        encryptionCertificates: [try encryption.of(others).certificatePEM],
        trustAnchors: [root.certificatePEM], revocationLists: [list])
      return try Sealer(
        identity: OwnIdentity(
          party: try #require(PartyID(id)),
          signing: KeyPair(
            certificate: own.0.certificatePEM, key: try PrivateKey(pem: own.0.privateKeyPEM)),
          decryption: [
            KeyPair(
              certificate: own.1.certificatePEM, key: try PrivateKey(pem: own.1.privateKeyPEM))
          ]), parties: [trust])
    }

    /// Sealed by us, whoever we are this time.
    func ours(_ pair: Pair) throws -> [UInt8] {
      try sealer("sallyport:north", pair.sender, knowing: "prison:durham", pair.reader)
        .seal(notice(from: "sallyport:north", to: "prison:durham"), now: now)
    }

    func open(_ bytes: [UInt8], _ pair: Pair) throws -> VerifiedMessage {
      try sealer("sallyport:north", pair.reader, knowing: "prison:durham", pair.sender)
        .open(bytes, now: now)
    }

    func notice(from source: String, to audience: String) throws -> Exchange.Notification {
      Exchange.Notification(
        id: try #require(EventID("interop-1")), source: try #require(PartyID(source)),
        type: try #require(NotificationType("release-date.changed")), time: now,
        subject: try #require(SubjectReference("ref-1")), audience: try #require(PartyID(audience)),
        data: ["releaseDate": "2027-03-02", "note": "Ünïcode, and a line\nend"])
    }
  }

  @Test func `the openssl command, both ways, for every pair of keys`() throws {
    let world = try World()
    let toUs = try world.notice(from: "prison:durham", to: "sallyport:north")
    let fromUs = try world.notice(from: "sallyport:north", to: "prison:durham").content
    for pair in Self.pairs {
      let (sender, reader) = (
        try world.signing.of(pair.sender), try world.encryption.of(pair.reader)
      )
      let options = pair.reader.hasPrefix("p") ? OpenSSLCommand.ecdh : OpenSSLCommand.oaep
      try OpenSSLCommand.use { tool in
        for inside in [[], ["-nocerts"], ["-nocerts", "-keyid"]] {
          let sealed = try tool.encrypt(
            tool.sign(toUs.content, by: [sender], options: inside), to: reader, options)
          #expect(try world.open(sealed, pair).notification == toUs, "\(pair.name)")
        }
        try tool.write(world.ours(pair), as: "ours.p7m")
        try tool.write(reader.certificatePEM, as: "reader.pem")
        try tool.write(reader.privateKeyPEM, as: "reader.key")
        try tool.write(sender.certificatePEM, as: "sender.pem")
        try tool.write(world.root.certificatePEM, as: "root.pem")
        let decrypted = try tool.run(
          "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "ours.p7m", "-recip", "reader.pem",
          "-inkey", "reader.key", "-out", "signed.der")
        #expect(decrypted.status == 0, "\(pair.name): \(decrypted.output)")
        let verified = try tool.run(
          "cms", "-verify", "-binary", "-inform", "DER", "-in", "signed.der", "-CAfile", "root.pem",
          "-certfile", "sender.pem", "-nointern", "-x509_strict", "-out", "content")
        #expect(verified.status == 0, "\(pair.name): \(verified.output)")
        #expect(try tool.read("content") == fromUs, "\(pair.name)")
      }
    }
  }

  @Test func `Bouncy Castle, both ways, for every pair of keys`() throws {
    let world = try World()
    let toUs = try world.notice(from: "prison:durham", to: "sallyport:north")
    let fromUs = try world.notice(from: "sallyport:north", to: "prison:durham").content
    try OpenSSLCommand.use { tool in
      for (kind, issued) in world.signing {
        try tool.write(issued.certificatePEM, as: "signing-\(kind).pem")
        try tool.write(issued.privateKeyPEM, as: "signing-\(kind).key")
      }
      for (kind, issued) in world.encryption {
        try tool.write(issued.certificatePEM, as: "encryption-\(kind).pem")
        try tool.write(issued.privateKeyPEM, as: "encryption-\(kind).key")
      }
      try tool.write(toUs.content, as: "notice.json")
      var tasks: [String] = []
      for pair in Self.pairs {
        try tool.write(world.ours(pair), as: "ours-\(pair.name).p7m")
        tasks.append(
          "open ours-\(pair.name).p7m opened-\(pair.name).json encryption-\(pair.reader).pem "
            + "encryption-\(pair.reader).key signing-\(pair.sender).pem")
        for inside in ["with", "without"] {
          tasks.append(
            "seal notice.json \(inside)-\(pair.name).p7m encryption-\(pair.reader).pem "
              + "signing-\(pair.sender).pem signing-\(pair.sender).key \(inside)")
        }
      }
      try tool.write(tasks.joined(separator: "\n"), as: "tasks")
      let (status, output) = try tool.run(
        program: "/usr/bin/java",
        [
          "-cp", "/usr/share/java/bcpkix.jar:/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar",
          Self.source, tool.folder.path(), "tasks",
        ])
      try #require(status == 0, "\(output)")
      for pair in Self.pairs {
        #expect(try tool.read("opened-\(pair.name).json") == fromUs, "\(pair.name)")
        for inside in ["with", "without"] {
          let opened = try world.open(tool.read("\(inside)-\(pair.name).p7m"), pair)
          #expect(opened.notification == toUs, "\(inside) \(pair.name)")
        }
      }
    }
  }

  private static let source =
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Interop.java").path()
}

extension [String: IssuedCertificate] {
  fileprivate func of(_ kind: String) throws -> IssuedCertificate { try #require(self[kind]) }
}
