import Demo
import Exchange
import Forgery
import Testing

@Suite struct `The PKI of the tests and the demonstration` {
  let now = Instant(milliseconds: 1_770_000_000_000)

  @Test(arguments: [
    (CertificateRequest.Use.signing, CertificateRequest.Key.p256, "smimesign"),
    (.signing, .rsa(bits: 2048), "smimesign"),
    // OpenSSL's own "smimeencrypt" knows keyEncipherment alone; RFC 5480 3 wants keyAgreement for ECDH.
    (.encryption, .p256, "any"),
    (.encryption, .rsa(bits: 2048), "smimeencrypt"),
    (.tlsServer(hosts: ["localhost", "127.0.0.1"]), .p256, "sslserver"),
    (.tlsClient, .p256, "sslclient"),
  ])
  func `issues certificates that openssl takes strictly, with revocation lists`(
    use: CertificateRequest.Use, key: CertificateRequest.Key, purpose: String
  ) throws {
    let tool = try OpenSSLCommand()
    defer { tool.remove() }
    let root = try CertificateAuthority.make(name: "Test Root", now: now)
    let below = try root.intermediate(name: "Test Intermediate", now: now)
    let issued = try below.issue(
      CertificateRequest(commonName: "prison:durham", use: use, key: key), now: now)
    let later = now + .seconds(86_400)
    let revoked = try below.revocationList(
      revoked: [issued.serial], thisUpdate: now, nextUpdate: later, number: 2)
    let lists = try [
      root.revocationList(revoked: [], thisUpdate: now, nextUpdate: later, number: 1),
      below.revocationList(revoked: [], thisUpdate: now, nextUpdate: later, number: 1),
    ].joined()
    try tool.write(root.certificatePEM, as: "root.pem")
    try tool.write(below.intermediatesPEM, as: "below.pem")
    try tool.write(issued.certificatePEM, as: "leaf.pem")
    try tool.write(lists, as: "crl.pem")
    try tool.write(revoked + lists, as: "revoked.pem")
    func verify(_ list: String) throws -> (status: Int32, output: String) {
      try tool.run(
        "verify", "-x509_strict", "-crl_check_all", "-purpose", purpose, "-attime", "1770000060",
        "-CAfile", "root.pem", "-untrusted", "below.pem", "-CRLfile", list, "leaf.pem")
    }
    let good = try verify("crl.pem")
    #expect(good.status == 0, "\(good.output)")
    let bad = try verify("revoked.pem")
    #expect(bad.output.contains("certificate revoked"))
    let printed = try tool.run(
      "x509", "-in", "leaf.pem", "-noout", "-fingerprint", "-sha256", "-serial")
    let text = printed.output.replacing(":", with: "").lowercased()
    #expect(text.contains("fingerprint=\(issued.fingerprint)"))
    #expect(text.contains("serial=\(issued.serial)"))
  }

  @Test func `a host name cannot smuggle in another name`() throws {
    let root = try CertificateAuthority.make(name: "Test Root", now: now)
    #expect(throws: CertificateProblem.self) {
      try root.issue(
        CertificateRequest(commonName: "x", use: .tlsServer(hosts: ["a,DNS:b"])), now: now)
    }
  }
}
