import Demo
import Exchange
import Foundation
import Seal
import Testing

@Suite struct `A revocation list that was fetched is judged before it counts` {
  let agencies: Agencies
  let now = Agencies.now

  init() throws { agencies = try Agencies.shared() }

  private func list(
    _ authority: CertificateAuthority, at moment: Instant, number: Int = 1
  ) throws -> RevocationFile {
    try RevocationFile(
      Array(
        authority.revocationList(
          revoked: [], thisUpdate: moment, nextUpdate: moment + .seconds(86_400), number: number
        ).utf8))
  }

  private func code(
    _ fresh: RevocationFile, after known: RevocationFile?, authorities: [String]? = nil
  ) -> String? {
    do throws(SealError) {
      try fresh.judge(
        authorities: authorities ?? [
          agencies.root.certificatePEM, agencies.authority.certificatePEM,
        ],
        known: known, now: now)
      return nil
    } catch {
      #expect(error.turn == .operator && !error.disclosable)
      return error.code
    }
  }

  @Test(arguments: ["", "no list", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
  func `what is no list is not read`(text: String) {
    let error = #expect(throws: SealError.self) { try RevocationFile(Array(text.utf8)) }
    #expect(error?.code == "SEAL-070")
  }

  @Test func `two lists in one file, a certificate, and more than the limit are not read`() throws {
    for bytes in [
      Array(agencies.lists.joined().utf8), Array(agencies.root.certificatePEM.utf8),
      [UInt8](repeating: 0x20, count: RevocationFile.limit) + Array(agencies.lists[0].utf8),
    ] {
      let error = #expect(throws: SealError.self) { try RevocationFile(bytes) }
      #expect(error?.code == "SEAL-070")
    }
  }

  @Test func `DER and PEM are one`() throws {
    let lines = agencies.lists[1].split(separator: "\n").filter { !$0.hasPrefix("-----") }
    let der = Array(try #require(Data(base64Encoded: lines.joined())))
    #expect(try RevocationFile(der).pem == RevocationFile(Array(agencies.lists[1].utf8)).pem)
  }

  @Test func `a newer one, and the same again, are taken`() throws {
    let old = try list(agencies.authority, at: now - .seconds(7200))
    let new = try list(agencies.authority, at: now - .seconds(60), number: 2)
    #expect(code(old, after: nil) == nil)
    #expect(code(new, after: old) == nil)
    #expect(code(new, after: new) == nil)
  }

  @Test func `one of another authority, of a look-alike, or of another issuer than before, is not`()
    throws
  {
    let twin = try agencies.root.intermediate(name: "Invented Authority", now: now)
    let known = try list(agencies.authority, at: now - .seconds(7200))
    #expect(code(try list(twin, at: now), after: nil) == "SEAL-071")
    #expect(code(try list(twin, at: now), after: known) == "SEAL-071")
    // The root's own list is good, and not the one that was there.
    #expect(code(try list(agencies.root, at: now), after: known) == "SEAL-071")
    #expect(code(try list(agencies.root, at: now), after: nil) == nil)
    // What is known of an authority that is no longer the party's counts for nothing.
    #expect(
      code(
        try list(agencies.root, at: now), after: known,
        authorities: [agencies.root.certificatePEM]) == nil)
  }

  @Test func `one older than what is known, by its date or its number, is not`() throws {
    let known = try list(agencies.authority, at: now - .seconds(3600), number: 300)
    #expect(
      code(try list(agencies.authority, at: now - .seconds(3601), number: 301), after: known)
        == "SEAL-072")
    #expect(
      code(try list(agencies.authority, at: now - .seconds(60), number: 299), after: known)
        == "SEAL-072")
    #expect(
      code(try list(agencies.authority, at: now - .seconds(60), number: 300), after: known) == nil)
  }

  @Test func `one from more than 15 minutes ahead is not`() throws {
    #expect(code(try list(agencies.authority, at: now + .seconds(901)), after: nil) == "SEAL-073")
    #expect(code(try list(agencies.authority, at: now + .seconds(900)), after: nil) == nil)
  }
}
