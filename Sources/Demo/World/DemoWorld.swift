package import Exchange
import Foundation

/// A PKI, Sallyport's own identity and the pretend agencies of one MAPPA area and a second one.
package struct DemoWorld: Sendable {
  package let authority: CertificateAuthority
  /// Nobody is revoked unless a test says so.
  package let revocationListPEM: String
  package let own: DemoParty
  package let agencies: [DemoParty]
  /// TLS server certificate for `127.0.0.1` and `localhost`, of Sallyport's host and the agencies'.
  package let server: IssuedCertificate
  /// The shared secret of the pretend MESH environment.
  package let sharedSecret: String

  package static func make(now: Instant) throws -> DemoWorld {
    var generator = SystemRandomNumberGenerator()
    let word = { () -> String in String(generator.next() as UInt64, radix: 36) }
    let authority = try CertificateAuthority.make(name: "Sallyport demonstration root", now: now)
    return DemoWorld(
      authority: authority,
      revocationListPEM: try authority.revocationList(
        revoked: [], thisUpdate: now - .seconds(3600), nextUpdate: now + .seconds(7 * 86_400),
        number: 1),
      own: try DemoParty(DemoParty.own, authority: authority, password: word(), now: now),
      agencies: try DemoParty.agencies.map {
        try DemoParty($0, authority: authority, password: word(), now: now)
      },
      server: try authority.issue(
        CertificateRequest(
          commonName: "localhost", use: .tlsServer(hosts: ["127.0.0.1", "localhost"])), now: now),
      sharedSecret: word() + word())
  }

  package func party(_ id: String) throws(DemoProblem) -> DemoParty {
    guard let party = ([own] + agencies).first(where: { $0.id.text == id }) else {
      throw .noSuchParty(id)
    }
    return party
  }

  /// The area's information-sharing agreement; file names start from its own folder.
  package var agreementYAML: String {
    var lines = [
      "# The information-sharing agreement of the demonstration. Every party is invented.",
      "name: Demonstration agreement",
      "own:",
      "  id: \(own.id)",
      "  name: \(own.name)",
      "  mailbox: \(own.mailbox)",
    ]
    lines += certificateLines(of: own, indent: "  ") + ["parties:"]
    for party in agencies {
      lines += [
        "  - id: \(party.id)",
        "    name: \(party.name)",
        "    role: \(party.role)",
        "    area: \(party.area)",
        "    serves: [\(party.area)]",
        "    standing: \(party.standing)",
        "    mailbox: \(party.mailbox)",
      ]
      lines += certificateLines(of: party, indent: "    ")
      lines += [
        "    trust:",
        "      anchors: certificates/root.pem",
        "      revocation: certificates/root.crl",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func certificateLines(of party: DemoParty, indent: String) -> [String] {
    ["certificates:"].map { indent + $0 }
      + ["signing", "encryption", "tls"].map { use in
        "\(indent)  \(use): [certificates/\(party.folder)/\(use).pem]"
      }
  }

  /// Writes certificates, keys and mailbox passwords under a folder, for an outsider to work with.
  package func write(to directory: String) throws(DemoProblem) {
    let folder = DemoFolder(path: directory)
    try folder.write("pki/root.pem", authority.certificatePEM)
    try folder.write("pki/root.crl", revocationListPEM)
    // What the agreement pins lies beside it.
    try folder.write("config/certificates/root.pem", authority.certificatePEM)
    try folder.write("config/certificates/root.crl", revocationListPEM)
    for party in [own] + agencies {
      for (name, issued) in [
        ("signing", party.signing), ("encryption", party.encryption), ("tls", party.tls),
      ] {
        try folder.write("pki/\(party.folder)/\(name).pem", issued.certificatePEM)
        try folder.write("pki/\(party.folder)/\(name).key", issued.privateKeyPEM)
        try folder.write(
          "config/certificates/\(party.folder)/\(name).pem", issued.certificatePEM)
      }
      try folder.write("secrets/mailboxes/\(party.mailbox)", party.password + "\n")
    }
    try folder.write("secrets/host.pem", server.chainPEM)
    try folder.write("secrets/host.key", server.privateKeyPEM)
    try folder.write("shared-secret", sharedSecret + "\n")
    let mailboxes = JSONValue.array(
      agencies.map { party in
        [
          "party": .string(party.id.text), "mailbox": .string(party.mailbox.text),
          "password": .string(party.password),
        ]
      })
    try folder.write("mailboxes.json", mailboxes.canonicalText + "\n")
  }
}

/// A folder that the demonstration fills: readable by its owner alone.
package struct DemoFolder: Sendable {
  package let path: String

  package init(path: String) { self.path = path }

  package func write(_ name: String, _ text: String) throws(DemoProblem) {
    try write(name, Array(text.utf8))
  }

  package func write(_ name: String, _ bytes: [UInt8]) throws(DemoProblem) {
    let file = path + "/" + name
    let parent = file.prefix(upTo: file.lastIndex(of: "/") ?? file.endIndex)
    do {
      try FileManager.default.createDirectory(
        atPath: String(parent), withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch { throw .cannotWrite(file) }
    guard
      FileManager.default.createFile(
        atPath: file, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
    else { throw .cannotWrite(file) }
  }
}
