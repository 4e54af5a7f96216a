import Daemon
import Exchange
import Foundation
import Logging
import Testing

@Suite struct `A log line is one JSON object without anybody's secrets` {
  private let lines = LogLines()

  private var log: Logger {
    let lines = lines
    var log = Logger(label: "intake") { label in
      JSONLogHandler(label: label, now: { .start }, write: { lines.add($0) })
    }
    log.logLevel = .debug
    return log
  }

  /// By Foundation's reader, not ours.
  private func only() throws -> [String: String] {
    try #require(lines.all.count == 1)
    let line = try #require(lines.all.first)
    #expect(line.hasSuffix("}\n"))
    #expect(line.utf8.dropLast().allSatisfy { $0 >= 0x20 })
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    return try #require(object as? [String: String])
  }

  @Test func `time, level, part and message are always there`() throws {
    log.warning("message left for the next poll")
    #expect(
      try only() == [
        "time": "2026-02-02T09:30:00.000Z", "level": "warning", "part": "intake",
        "message": "message left for the next poll",
      ])
  }

  @Test func `facts on the list are told`() throws {
    log.info("message recorded", metadata: ["outcome": "shared", "recipients": "\(2)"])
    let line = try only()
    #expect(line["outcome"] == "shared")
    #expect(line["recipients"] == "2")
  }

  @Test func `facts that are not on the list are kept out, wherever they come from`() throws {
    var log = log
    log[metadataKey: "name"] = "MARKED-PERSON"
    log[metadataKey: "exchange"] = "e-1"
    log.error(
      "copy could not be sealed",
      metadata: [
        "subject": "MARKED-SUBJECT", "body": ["MARKED-LIST"], "more": ["code": "MARKED-NESTED"],
        "code": "SEAL-041",
      ])
    let line = try only()
    #expect(!lines.all.joined().contains("MARKED"))
    #expect(line["name"] == "(kept out)")
    #expect(line["subject"] == "(kept out)")
    #expect(line["body"] == "(kept out)")
    #expect(line["more"] == "(kept out)")
    #expect(line["code"] == "SEAL-041")
    #expect(line["exchange"] == "e-1")
  }

  @Test func `a fact never takes the place of a fixed member`() throws {
    log.notice(
      "started", metadata: ["message": "x", "time": "x", "level": "x", "part": "x"])
    let line = try only()
    #expect(line["message"] == "started")
    #expect(line["time"] == "2026-02-02T09:30:00.000Z")
    #expect(line["level"] == "notice")
    #expect(line["part"] == "intake")
  }

  @Test func `line ends, quotes and control characters cannot break a line or add one`() throws {
    let hostile = "a\"}\n{\"level\":\"critical\"\r\n\u{0}\u{1b}[31m\\ \u{2028}b"
    log.info("\(hostile)", metadata: ["hint": "\(hostile)"])
    let line = try only()
    #expect(line["hint"] == hostile)
    #expect(line["message"] == hostile)
    #expect(line["level"] == "info")
  }

  @Test func `a long fact is cut`() throws {
    log.info("x", metadata: ["hint": "\(String(repeating: "ä", count: 10_000))"])
    #expect(try only()["hint"] == String(repeating: "ä", count: 256))
  }

  @Test func `a key ring that somebody logs shows no key`() throws {
    let ring = try KeyRing(keys: `The key ring opens under its key alone and shows nothing`.keys)
    log.error("\(ring)", metadata: ["code": "\(ring.current(.signing))", "ring": "\(ring)"])
    #expect(!lines.all.joined().contains("MARKED"))
    #expect(try only()["code"] == "KeyRing.Key(signing-1)")
  }

  @Test func `what is below the level is not written`() {
    log.trace("x")
    #expect(lines.all.isEmpty)
  }

  @Test func `the list holds nothing that could say who somebody is`() {
    let personal = [
      "name", "subject", "event_id", "data", "body", "password", "secret", "token", "prisonNumber",
      "pncId", "crn", "localID", "local_id", "file", "path", "url", "authorization",
    ]
    for key in personal { #expect(!JSONLogHandler.allowedKeys.contains(key)) }
  }
}
