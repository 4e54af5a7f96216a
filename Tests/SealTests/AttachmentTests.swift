import Demo
import Exchange
import Forgery
import Seal
import Testing

/// The testing library has attachments of its own.
private typealias Attachment = Exchange.Attachment

/// Two documents of which everything is invented; the digests are `sha256sum`'s.
private enum Paper {
  static let pdf = Array("%PDF-1.4\ninvented minutes\n".utf8)
  static let pdfDigest = "2da84765815b16fe61df90c27fff0bd2181bcf4a8ca3c0ea40cdf582e917dca5"
  static let text = Array("plain invented text\n".utf8)
  static let textDigest = "e7cde9ef04ee42a5edbe3eed32dee8333a9d431105bff39837c31702461f7484"

  static func field(
    _ mediaType: String = "application/pdf", _ length: Int64 = 26, _ digest: String = pdfDigest
  ) -> JSONValue {
    ["mediatype": .string(mediaType), "length": .integer(length), "sha256": .string(digest)]
  }

  /// One attachment as it is framed.
  static func framed(_ bytes: [UInt8]) -> [UInt8] {
    [0x1e] + Array("\(bytes.count)\n".utf8) + bytes
  }
}

/// What stands behind the envelope, what the fields say, and the code that it is set aside with.
struct WrongAttachments: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let code: String
  let data: [String: JSONValue]
  let behind: [UInt8]

  init(_ name: String, _ code: String, _ data: [String: JSONValue], _ behind: [UInt8]) {
    (testDescription, self.code, self.data, self.behind) = (name, code, data, behind)
  }

  static let all: [WrongAttachments] = {
    let pdf = Paper.framed(Paper.pdf)
    let minutes = ["minutes": Paper.field()]
    let bytes = { (text: String) in Array(text.utf8) }
    let nine = (1...9).reduce(into: [UInt8]()) { $0 += Paper.framed(bytes("document \($1)")) }
    return [
      .init("a field whose bytes did not come", "EXCH-013", minutes, []),
      .init("bytes that no field names", "EXCH-014", [:], pdf),
      .init(
        "bytes that only something deeper names", "EXCH-014", ["list": [Paper.field()]], pdf),
      .init(
        "a reference with one member more", "EXCH-014",
        ["minutes": .object((Paper.field().object ?? [:]).merging(["name": "x.pdf"]) { $1 })], pdf),
      .init(
        "the same length and another digest", "EXCH-015", minutes,
        Paper.framed(bytes("%PDF-1.4\ninvented minutez\n"))),
      .init("another length", "EXCH-016", ["minutes": Paper.field(length: 25)], pdf),
      .init(
        "a media type that nobody takes", "EXCH-017", ["minutes": Paper.field("image/png")], pdf),
      .init(
        "a media type with parameters", "EXCH-017",
        ["minutes": Paper.field("application/pdf; version=1")], pdf),
      .init(
        "a text that says it is a PDF", "EXCH-018",
        ["minutes": Paper.field("application/pdf", 20, Paper.textDigest)],
        Paper.framed(Paper.text)),
      .init(
        "a PDF that says it is an archive", "EXCH-018",
        ["minutes": Paper.field(MediaType.docx.rawValue)], pdf),
      .init("one document twice", "EXCH-019", minutes, pdf + pdf),
      .init(
        "two fields that name one document", "EXCH-019",
        ["minutes": Paper.field(), "other": Paper.field()], pdf),
      .init("nine documents", "EXCH-011", [:], nine),
      .init("a length beyond what came", "EXCH-010", minutes, [0x1e] + bytes("27\n") + Paper.pdf),
      .init("no length", "EXCH-010", minutes, [0x1e] + bytes("\n") + Paper.pdf),
      .init("a leading zero", "EXCH-010", minutes, [0x1e] + bytes("026\n") + Paper.pdf),
      .init("a sign", "EXCH-010", minutes, [0x1e] + bytes("+26\n") + Paper.pdf),
      .init("no line feed", "EXCH-010", minutes, [0x1e] + bytes("26") + Paper.pdf),
      .init("a carriage return", "EXCH-010", minutes, [0x1e] + bytes("26\r\n") + Paper.pdf),
      .init("ten figures", "EXCH-010", minutes, [0x1e] + bytes("1000000000\n") + Paper.pdf),
      .init("something behind the last", "EXCH-010", minutes, pdf + bytes("\n")),
      .init("a separator alone", "EXCH-010", minutes, pdf + [0x1e]),
      .init(
        "above the limit", "EXCH-012", minutes,
        Paper.framed(bytes(String(repeating: "x", count: 101)))),
    ]
  }()
}

extension Paper {
  static func field(length: Int64) -> JSONValue { field("application/pdf", length) }
}

@Suite struct `Attachments are signed with the notification` {
  let agencies: Agencies
  let now = Agencies.now

  init() throws { agencies = try Agencies.shared() }

  private func notification(
    _ data: [String: JSONValue], _ attachments: [Attachment] = []
  ) throws -> Exchange.Notification {
    let plain = try agencies.notification()
    return Notification(
      id: plain.id, source: plain.source, type: plain.type, time: plain.time,
      subject: plain.subject, audience: plain.audience, data: plain.data.merging(data) { $1 },
      attachments: Attachments(attachments))
  }

  private func sealed(_ content: [UInt8]) throws -> [UInt8] {
    try OpenSSLCommand.use { tool in
      try tool.encrypt(
        tool.sign(content, by: [agencies.prison.signing], "-nocerts", "-keyid"),
        to: agencies.hub.encryption)
    }
  }

  @Test func `what openssl signs and seals with two documents opens with their very bytes`() throws
  {
    let envelope = try notification([
      "minutes": Paper.field(), "note": Paper.field("text/plain", 20, Paper.textDigest),
    ]).content
    // In either order, and with the line feed that editors leave behind the JSON.
    for parts in [[Paper.pdf, Paper.text], [Paper.text, Paper.pdf]] {
      let content = envelope + [0x0a] + parts.flatMap(Paper.framed)
      let opened = try agencies.hubSealer().open(sealed(content), now: now).notification
      #expect(opened.attachments.list.count == 2)
      let digests = try [Paper.pdfDigest, Paper.textDigest].map {
        try #require(AttachmentDigest($0))
      }
      let minutes = try #require(opened.attachments[digests[0]])
      #expect(Array(minutes.bytes) == Paper.pdf)
      #expect(minutes.mediaType == .pdf)
      let note = try #require(opened.attachments[digests[1]])
      #expect(Array(note.bytes) == Paper.text)
      #expect(note.mediaType == .text)
    }
  }

  @Test func `what Seal seals, openssl reads byte for byte`() throws {
    let document = try Attachment(Paper.pdf, as: .pdf)
    #expect(document.reference.json == Paper.field())
    let notification = try notification(["minutes": Paper.field()], [document])
    let bytes = try agencies.sealer(agencies.prison, knowing: [agencies.trust(agencies.hub)])
      .seal(notification, now: now)
    try OpenSSLCommand.use { tool in
      try tool.write(bytes, as: "sealed.der")
      try tool.write(agencies.hub.encryption.certificatePEM, as: "hub.pem")
      try tool.write(agencies.hub.encryption.privateKeyPEM, as: "hub.key")
      try tool.write(agencies.prison.signing.certificatePEM, as: "prison.pem")
      #expect(
        try tool.run(
          "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "sealed.der", "-recip", "hub.pem",
          "-inkey", "hub.key", "-out", "signed.der"
        ).status == 0)
      #expect(
        try tool.run(
          "cms", "-verify", "-binary", "-inform", "DER", "-in", "signed.der", "-noverify",
          "-certfile", "prison.pem", "-out", "content"
        ).status == 0)
      #expect(try tool.read("content") == notification.content + Paper.framed(Paper.pdf))
    }
    #expect(try agencies.hubSealer().open(bytes, now: now).notification == notification)
  }

  @Test func `without documents the content is the envelope alone`() throws {
    let notification = try agencies.notification()
    let opened = try agencies.hubSealer().open(sealed(notification.content), now: now)
    #expect(opened.notification == notification)
    #expect(opened.notification.attachments.isEmpty)
  }

  @Test(arguments: WrongAttachments.all)
  func `what does not fit is refused with its own code, which the sender may be told`(
    wrong: WrongAttachments
  ) throws {
    let bytes = try sealed(notification(wrong.data).content + wrong.behind)
    let sealer = try agencies.hubSealer(limits: SealLimits(attachmentBytes: 100))
    let error = #expect(throws: SealError.self) { try sealer.open(bytes, now: now) }
    #expect(error?.code == wrong.code)
    #expect(error?.outsideCode == wrong.code)
    #expect(error?.turn == .sender)
    #expect(error?.description.contains("PDF-1.4") == false)
  }

  @Test func `the separator ends the envelope, wherever it stands`() throws {
    var content = try agencies.notification().content
    content.insert(0x1e, at: 20)
    let error = #expect(throws: SealError.self) {
      try agencies.hubSealer().open(sealed(content), now: now)
    }
    #expect(error?.code == "EXCH-001")
  }

  @Test func `another document under the same signature does not open`() throws {
    let content =
      try notification(["minutes": Paper.field()]).content + Paper.framed(Paper.pdf)
    let bytes = try OpenSSLCommand.use { tool in
      var signed = try tool.sign(content, by: [agencies.prison.signing], "-nocerts", "-keyid")
      let found = signed.indices.first { signed[$0...].starts(with: "minutes\n".utf8) }
      signed[try #require(found)] ^= 1
      return try tool.encrypt(signed, to: agencies.hub.encryption)
    }
    let error = #expect(throws: SealError.self) {
      try agencies.hubSealer().open(bytes, now: now)
    }
    #expect(error?.disclosable == false)
  }
}
