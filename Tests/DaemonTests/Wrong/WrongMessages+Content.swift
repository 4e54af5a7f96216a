import Exchange
import Forgery
import Foundation
import Seal
import Testing

@testable import Daemon
@testable import Demo

extension WrongMessage {
  /// Signed and sealed as it should be by the prison; what was signed is no JSON text of ours.
  static let texts: [WrongMessage] = [
    .text("nothing signed", "EXCH-001", ""),
    .text("words", "EXCH-001", "release date changed"),
    .text("XML", "EXCH-001", "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>"),
    .text("JSON cut off", "EXCH-001", #"{"specversion":"1.0","id":"#),
    .text("two JSON texts", "EXCH-001", "{}{}"),
    .text("half a surrogate pair", "EXCH-001", #"{"id":"\ud800"}"#),
    .text("a number without end of its exponent", "EXCH-001", #"{"id":1e}"#),
    .replacing("a control character as it is", "EXCH-001", "wrong-1", "wrong\u{1}1"),
    .replacing("NUL as it is", "EXCH-001", "wrong-1", "wrong\u{0}1"),
    .text("a byte order mark", "EXCH-001", "\u{feff}{}"),
    .proven("UTF-16", "EXCH-008") { bench in
      let units = Array(String(decoding: bench.content, as: UTF8.self).utf16)
      return try bench.sealed([0xff, 0xfe] + units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })
    },
    .proven("Latin-1", "EXCH-008") { bench in
      // An e with an acute accent in one octet.
      try bench.sealed(
        bench.content.replacing(Array("wrong-1".utf8), with: Array("wrong-".utf8) + [0xe9]))
    },
    .proven("an overlong form of a slash", "EXCH-008") { bench in
      try bench.sealed(
        bench.content.replacing(Array("wrong-1".utf8), with: Array("wrong-".utf8) + [0xc0, 0xaf]))
    },
    .text("17 levels", "EXCH-006", String(repeating: "[", count: 17) + "]"),
    .text("100,000 levels", "EXCH-006", String(repeating: #"{"a":"#, count: 100_000)),
    .replacing("a member twice", "EXCH-007", #"{"audience""#, #"{"id":"other","audience""#),
    .replacing(
      "a field twice, once by escapes", "EXCH-007", #""establishment""#,
      #""establishmen\u0074":"Elsewhere","establishment""#),
    .replacing(
      "two names that differ in Unicode form alone", "EXCH-007", #"{"audience""#,
      "{\"caf\u{e9}\":1,\"cafe\u{301}\":2,\"audience\""),
    .proven("one octet over 1 MiB", "EXCH-005") { bench in
      let space = [UInt8](repeating: 0x20, count: 1_048_577 - bench.content.count)
      return try bench.sealed(bench.content + space)
    },
  ]

  /// JSON that is no event of ours.
  static let events: [WrongMessage] =
    [
      .text("an empty object", "EXCH-002", "{}"),
      .text("an array", "EXCH-002", "[]"),
      .replacing("version 0.3", "EXCH-002", #""specversion":"1.0""#, #""specversion":"0.3""#),
      .replacing(
        "a version that is a number", "EXCH-002", #""specversion":"1.0""#, #""specversion":1"#),
      .replacing("data of XML", "EXCH-009", "application/json", "application/xml"),
      .replacing(
        "data in Base64", "EXCH-009", #"{"audience""#, #"{"data_base64":"e30=","audience""#),
    ]
    + ["id", "source", "type", "time", "subject", "audience", "data"].map { name in
      .replacing("without \(name)", "EXCH-003", "\"\(name)\":", "\"not\(name)\":")
    } + [
      .replacing("a null for its id", "EXCH-003", #""id":"wrong-1""#, #""id":null"#),
      .replacing("a number for its id", "EXCH-004", #""id":"wrong-1""#, #""id":1"#),
      .replacing("a huge number for its id", "EXCH-004", #""id":"wrong-1""#, #""id":1e999999999"#),
      .replacing("an id with a space", "EXCH-004", "wrong-1", "wrong 1"),
      .replacing("an id with NUL", "EXCH-004", "wrong-1", #"wrong\u0000"#),
      .replacing(
        "an id of 129 characters", "EXCH-004", "wrong-1", String(repeating: "w", count: 129)),
      .replacing(
        "a source that is no party", "EXCH-004", #""source":"prison:durham""#,
        #""source":"Prison Durham""#),
      .replacing(
        "a source with a bidirectional mark", "EXCH-004", #""source":"prison:durham""#,
        #""source":"prison:durham\u202e""#),
      .replacing(
        "a type in capitals", "EXCH-004", #""release-date.confirmed""#, #""Release-Date""#),
      .opens("a subject with a name's space", .setAside(code: "EXCH-004")) { bench in
        try bench.sealed(Self.changing(bench, "subject", to: "\"Invented Person\""))
      }.proven("EXCH-004"),
      .opens("data that is an array", .setAside(code: "EXCH-004")) { bench in
        try bench.sealed(Self.changing(bench, "data", to: "[1]"))
      }.proven("EXCH-004"),
    ]
    + [
      "0000-00-00T00:00:00Z", "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-02-02T09:30:00",
      "2026-02-02", "today", "99999-01-01T00:00:00Z", "-2026-02-02T09:30:00Z",
    ].map { time in
      .opens("a time of \(time)", .setAside(code: "EXCH-004")) { bench in
        try bench.sealed(Self.changing(bench, "time", to: "\"\(time)\""))
      }.proven("EXCH-004")
    } + [
      .opens("an expiry that is no time", .setAside(code: "EXCH-004")) { bench in
        try bench.sealed(Self.changing(bench, "expirytime", to: "\"soon\""))
      }.proven("EXCH-004"),
      .opens("a purpose with markup", .setAside(code: "EXCH-004")) { bench in
        try bench.sealed(Self.changing(bench, "purpose", to: "\"<b>\""))
      }.proven("EXCH-004"),
      .replacing(
        "signed by one party for another's source", "SEAL-031", #""source":"prison:durham""#,
        #""source":"police:durham""#),
      .replacing(
        "for another audience", "SEAL-032", #""audience":"sallyport:north""#,
        #""audience":"police:durham""#),
      .opens("a time of the year 9999", .setAside(code: "INTK-006")) { bench in
        try bench.sealed(Self.changing(bench, "time", to: "\"9999-12-31T23:59:59Z\""))
      },
      .opens("a time 15 minutes and a second ahead", .setAside(code: "INTK-006")) { bench in
        try bench.sealed(bench.notice.with(time: .start + .seconds(901)).content)
      },
      .opens("signed 15 minutes and a second ahead", .setAside(code: "INTK-006")) { bench in
        try Self.signed(bench, .time("260202094501Z"))
      },
      .opens("signed in the year 9999", .setAside(code: "INTK-006")) { bench in
        try Self.signed(bench, .generalizedTime("99991231235959Z"))
      },
      .opens("signed 10 days and a second ago", .held(code: "INTK-007")) { bench in
        try Self.signed(bench, .time("260123092959Z"))
      },
      .opens("signed at a time that is none", .held(code: "INTK-007")) { bench in
        try Self.signed(bench, .time("261399999999Z"))
      },
      .opens("signed in the year 0000", .held(code: "INTK-007")) { bench in
        try Self.signed(bench, .generalizedTime("00000101000000Z"))
      },
      .opens("signed without a time", .held(code: "INTK-007")) { try Self.signed($0, nil) },
      .opens("a type that no rulebook knows", .setAside(code: "INTK-002")) { bench in
        try bench.sealed(bench.notice.with(type: "horoscope.published").content)
      },
      .opens("a person whom nobody registered", .held(code: "INTK-004")) { bench in
        try bench.sealed(
          bench.notice.with(data: ["prisonNumber": "Z9999ZZ", "pncId": "2019/0000009J"]).content)
      },
    ]

  /// Events of a known type whose fields do not fit it.
  static let fieldsOfTypes: [WrongMessage] = [
    .fields("a field missing", "RULE-101", ["establishment": .null]),
    .fields("a number for a text", "RULE-102", ["establishment": 7]),
    .fields("an object for a text", "RULE-102", ["establishment": ["a": "b"]]),
    .fields("a text for a date", "RULE-104", ["releaseDate": "soon"]),
    .fields("the 30th of February", "RULE-104", ["releaseDate": "2026-02-30"]),
    .fields("a date of the year 0000", "RULE-104", ["releaseDate": "0000-01-01"]),
    .fields(
      "a text far too long", "RULE-103",
      ["establishment": .string(String(repeating: "a", count: 100_000))]),
    .fields("an empty text", "RULE-103", ["establishment": ""]),
    .fields("a word that is not in the list", "RULE-105", ["releaseType": "escape"]),
    .fields("a control character", "RULE-106", ["establishment": "Durham\u{7}"]),
    .fields("NUL", "RULE-106", ["establishment": "Durham\u{0}"]),
    .fields("a bidirectional character", "RULE-106", ["establishment": "\u{202e}mahruD"]),
    .fields("an invisible character", "RULE-106", ["establishment": "Dur\u{200b}ham"]),
    .fields("one identifier alone", "RULE-108", ["pncId": .null]),
    .fields(
      "a number of 2^63 as a text", "RULE-102", ["establishment": .decimal("9223372036854775808")]),
  ]

  /// What came before, whole or in part.
  static let repeats: [WrongMessage] = [
    .opens("the same bytes under another carrier id", .duplicate) { bench in
      let bytes = try bench.sealed(Notice.named("release-date").content)
      return bytes
    },
    .opens("the same words, sealed anew", .duplicate) { bench in
      try bench.hub.seal(Notice.named("release-date"))
    },
    .opens("the same id for other content", .setAside(code: "INTK-001")) { bench in
      try bench.hub.seal(Notice.named("release-date").with(data: ["releaseDate": "2026-12-24"]))
    },
    .opens("the same id for the same content, spaced otherwise", .setAside(code: "INTK-001")) {
      bench in
      try bench.sealed(Notice.named("release-date").content + [0x20])
    },
  ]

  /// The same, where the code is of the signed content itself.
  private func proven(_ code: String) -> WrongMessage {
    .proven(testDescription, code, make)
  }

  /// The prison's notice with one attribute written otherwise.
  private static func changing(
    _ bench: WrongBench, _ name: String, to text: String
  ) throws -> [UInt8] {
    var members = try #require(try JSONValue.parse(bench.content).object)
    members[name] = "@"
    let whole = JSONValue.object(members).canonicalText
    return Array(whole.replacing("\"\(name)\":\"@\"", with: "\"\(name)\":\(text)").utf8)
  }

  private static func signed(
    _ bench: WrongBench, _ time: ForgedSignature.Attribute?
  ) throws -> [UInt8] {
    var signature = try bench.signature(bench.content)
    signature.signers[0].attributes =
      [.contentType(Name.data), .digest] + (time.map { [$0] } ?? [])
    return try bench.envelope(signature.encoded()).encoded()
  }
}
