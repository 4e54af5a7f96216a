import Exchange
import Foundation
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `A party sends from a small file and a profile` {
  static let lines = [
    "party: prison:durham",
    "mailbox: PRISONDUR1",
    "url: https://127.0.0.1:8443",
    "password: secrets/mailboxes/PRISONDUR1",
    "shared_secret: shared-secret",
    "authority: pki/root.pem",
    "tls_certificate: pki/prison-durham/tls.pem",
    "tls_key: pki/prison-durham/tls.key",
    "signing_certificate: pki/prison-durham/signing.pem",
    "signing_key: pki/prison-durham/signing.key",
    "recipient: sallyport:north",
    "recipient_mailbox: SALLYPORT1",
    "recipient_certificate: pki/sallyport-north/encryption.pem",
    "revocation: pki/root.crl",
  ]

  private func profile(
    _ folder: TemporaryFolder, _ changes: [Int: String] = [:]
  ) throws(ConfigurationProblems) -> SenderProfile {
    let text = Self.lines.enumerated().map { changes[$0.offset + 1] ?? $0.element }
    return try SenderProfile.parse(
      text: text.joined(separator: "\n") + "\n", file: "send.yaml", directory: folder.path)
  }

  private func sender() throws -> PartySender {
    PartySender(try profile(Installed().folder), now: { .start })
  }

  @Test func `a profile says who speaks and to whom, with its secrets read`() throws {
    let installed = try Installed()
    let profile = try profile(installed.folder)
    #expect(profile.party.text == "prison:durham")
    #expect(profile.recipient.text == "sallyport:north")
    #expect(profile.mailbox.text == "PRISONDUR1")
    #expect(profile.url == "https://127.0.0.1:8443")
    #expect(profile.password == (try Area.party("prison:durham").password))
    #expect(profile.sharedSecret == (try Area.world.sharedSecret))
    #expect(profile.signingKeyFile == installed.folder.path + "/pki/prison-durham/signing.key")
    #expect(
      profile.recipientCertificateFile
        == installed.folder.path + "/pki/sallyport-north/encryption.pem")
  }

  @Test func `a profile shows no secret when it is printed or dumped`() throws {
    let profile = try profile(Installed().folder)
    var dumped = ""
    dump(profile, to: &dumped)
    for text in ["\(profile)", String(reflecting: profile), dumped] {
      #expect(!text.contains(profile.password))
      #expect(!text.contains(profile.sharedSecret))
    }
  }

  @Test(arguments: [
    (1, "party: prison", "CONF-003", Int?.some(1)), (2, "mailbox: A B", "CONF-003", 2),
    (3, "url: http://127.0.0.1", "CONF-003", 3), (4, "#", "CONF-006", nil),
    (4, "password: nowhere", "CONF-010", nil), (6, "authority: [a]", "CONF-003", 6),
    (8, "tls_kye: x", "CONF-002", 8), (10, "signing_key:", "CONF-006", nil),
    (11, "recipient: SALLYPORT1", "CONF-003", 11), (13, "party: police:durham", "CONF-004", 1),
    (13, "\tx", "CONF-001", 13),
  ])
  func `a mistake in a profile has its code and line`(
    at: Int, text: String, code: String, line: Int?
  ) throws {
    let folder = try Installed().folder
    let found = problems { () throws(ConfigurationProblems) in try profile(folder, [at: text]) }
    #expect(found.contains { $0.code == code && $0.line == line && $0.file == "send.yaml" })
    // A misspelt name is also a missing one; everything else is told once.
    #expect(found.count == (code == "CONF-002" ? 2 : 1))
  }

  @Test func `several mistakes are told together`() throws {
    let folder = try Installed().folder
    let found = problems { () throws(ConfigurationProblems) in
      try profile(folder, [1: "party: x", 5: "shared_secret: nowhere", 12: "#", 13: "#"])
    }
    #expect(found.map(\.code) == ["CONF-003", "CONF-010", "CONF-006", "CONF-006"])
    #expect(
      found.map(\.hint.description)[1] == "check shared_secret")
  }

  @Test func `what the file leaves out is filled in`() throws {
    let notice = try sender().notification(
      from: Array(#"{"type":"release-date.changed","subject":"s-1","data":{"a":1}}"#.utf8))
    #expect(notice.source.text == "prison:durham")
    #expect(notice.audience.text == "sallyport:north")
    #expect(notice.time == .start)
    #expect(notice.type.text == "release-date.changed")
    #expect(notice.subject.text == "s-1")
    #expect(notice.data == ["a": 1])
    #expect(ExchangeID(notice.id.text) != nil)
    let again = try sender().notification(
      from: Array(#"{"type":"release-date.changed","subject":"s-1","data":{"a":1}}"#.utf8))
    #expect(again.id != notice.id)
  }

  @Test func `what the file says stands; what it says is null is left out`() throws {
    let notice = try sender().notification(
      from: Array(
        #"""
        {"specversion":"1.0","id":"own-id","source":"prison:leeds","time":"2026-01-01T00:00:00Z",
        "audience":null,"type":"recall.initiated","subject":"s-1","correlationid":"c-1",
        "purpose":"manage-risk","data":{}}
        """#.utf8))
    #expect(notice.id.text == "own-id")
    #expect(notice.source.text == "prison:leeds")
    #expect(notice.time.description == "2026-01-01T00:00:00.000Z")
    #expect(notice.audience.text == "sallyport:north")
    #expect(notice.correlationID?.text == "c-1")
    #expect(notice.purpose == "manage-risk")
  }

  @Test(arguments: [
    ("", "EXCH-001"), ("release-date.changed", "EXCH-001"), (#"{"a":1,"a":2}"#, "EXCH-007"),
    ("[]", "EXCH-002"), ("1", "EXCH-002"), (#"{"specversion":"0.3"}"#, "EXCH-002"),
    (#"{"subject":"s","data":{}}"#, "EXCH-003"), (#"{"type":"a","data":{}}"#, "EXCH-003"),
    (#"{"type":"a","subject":"s"}"#, "EXCH-003"),
    (#"{"type":"A B","subject":"s","data":{}}"#, "EXCH-004"),
    (#"{"type":"a","subject":"s","data":[]}"#, "EXCH-004"),
    (#"{"type":"a","subject":"s","data":{},"time":"today"}"#, "EXCH-004"),
  ])
  func `what is no notification is refused`(text: String, code: String) throws {
    let sender = try sender()
    let error = #expect(throws: NotificationProblem.self) {
      try sender.notification(from: Array(text.utf8))
    }
    #expect(error?.code == code)
  }

  @Test func `a file that is too long is refused`() throws {
    let sender = try sender()
    let long = Array(
      #"{"type":"a","subject":"s","data":{"a":"\#(String(repeating: "x", count: 1_048_576))"}}"#
        .utf8)
    #expect(throws: NotificationProblem.self) { try sender.notification(from: long) }
  }
}
