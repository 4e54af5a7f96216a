import Exchange

/// Reads answers of a MESH service: foreign headers and JSON, once, within bounds.
enum MeshAnswer {
  // MARK: JSON

  private static func json(_ answer: HTTPSResponse, limit: Int) throws(MeshError) -> JSONValue {
    do {
      return try JSONValue.parse(answer.body, limits: JSONLimits(bytes: limit, depth: 8))
    } catch {
      throw .malformed("not JSON of the allowed size")
    }
  }

  static func inboxPage(
    _ answer: HTTPSResponse, mailbox: MailboxID, limit: Int
  ) throws(MeshError) -> InboxPage {
    let value = try json(answer, limit: limit)
    // 5000 is the most that may be asked for in a page.
    guard let entries = value["messages"]?.array, entries.count <= 5000 else {
      throw .malformed("messages")
    }
    // One entry that cannot be read must not hold back the others.
    let ids = entries.compactMap { entry in entry.string.flatMap { CarrierMessageID($0) } }
    let next = try next(value, mailbox: mailbox, listing: "inbox")
    let count = value["approx_inbox_count"]?.integer.flatMap { $0 >= 0 ? Int(exactly: $0) : nil }
    return InboxPage(
      ids: ids, unreadable: entries.count - ids.count, approximateCount: count, next: next)
  }

  static func messageID(_ answer: HTTPSResponse, limit: Int) -> CarrierMessageID? {
    guard let value = try? json(answer, limit: limit) else { return nil }
    return value["message_id"]?.string.flatMap { CarrierMessageID($0) }
  }

  /// One page of what we sent, of it those with a local id.
  static func outboxPage(
    _ answer: HTTPSResponse, mailbox: MailboxID, localID: String, limit: Int
  ) throws(MeshError) -> (sent: [MeshTracking], next: PageLink?) {
    let value = try json(answer, limit: limit)
    guard let entries = value["messages"]?.array, entries.count <= 5000 else {
      throw .malformed("messages")
    }
    var sent: [MeshTracking] = []
    for entry in entries where entry["local_id"]?.string == localID {
      // Reports stand there too, with the local id of the message that failed.
      guard entry["message_type"]?.string?.uppercased() != "REPORT" else { continue }
      sent.append(try tracking(entry))
    }
    return (sent, try next(value, mailbox: mailbox, listing: "outbox/rich"))
  }

  private static func next(
    _ value: JSONValue, mailbox: MailboxID, listing: String
  ) throws(MeshError) -> PageLink? {
    switch value["links"]?["next"] {
    case nil, .null: return nil
    case .string(let path):
      guard let link = PageLink(path, mailbox: mailbox, listing: listing) else {
        throw .foreignLink
      }
      return link
    default: throw .malformed("links.next")
    }
  }

  static func tracking(
    _ answer: HTTPSResponse, limit: Int
  ) throws(MeshError) -> MeshTracking {
    try tracking(try json(answer, limit: limit))
  }

  /// Of either version: tracking by local id answers in version 1 alone.
  private static func tracking(_ value: JSONValue) throws(MeshError) -> MeshTracking {
    let named = value["message_id"] ?? value["messageId"]
    guard let id = named?.string.flatMap({ CarrierMessageID($0) }) else {
      throw .malformed("message_id")
    }
    guard let status = value["status"]?.string.flatMap({ MeshStatus(rawValue: $0.lowercased()) })
    else { throw .malformed("status") }
    let parts = (value["total_chunks"] ?? value["chunkCount"])?.integer
      .flatMap { Int(exactly: $0) }
    return MeshTracking(id: id, status: status, parts: parts.flatMap { $0 > 0 ? $0 : nil })
  }

  /// The service's own code of a refusal, in the body of either version: at most 40 letters, digits, spaces and hyphens.
  static func serviceCode(_ answer: HTTPSResponse, limit: Int) -> String? {
    let body = try? json(answer, limit: limit)
    let written = body?["detail"]?.array?.first?["code"] ?? body?["errorCode"]
    guard let code = written?.string,
      (1...40).contains(code.utf8.count),
      code.utf8.allSatisfy({ byte in
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || byte == 0x20
          || byte == 0x2d
      })
    else { return nil }
    return code
  }

  // MARK: Headers

  /// The header's value; nil when it is absent or empty. A header that comes twice with different
  /// values says nothing that could be relied on.
  private static func header(
    _ name: String, _ answer: HTTPSResponse
  ) throws(MeshError) -> String? {
    let values = Set(answer.headers.values(name))
    guard values.count <= 1 else { throw .malformed("\(name) comes twice") }
    return values.first.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Text of the sender's choice: nil unless it is 1 to `limit` visible ASCII characters or spaces.
  private static func text(
    _ name: String, _ answer: HTTPSResponse, limit: Int
  ) throws(MeshError) -> String? {
    guard let value = try header(name, answer), value.utf8.count <= limit,
      value.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
    else { return nil }
    return value
  }

  /// The first, or only, chunk as a message.
  static func message(
    _ answer: HTTPSResponse, body: [UInt8], id: CarrierMessageID, now: Instant
  ) throws(MeshError) -> InboundMessage {
    guard try header("mex-messageid", answer).flatMap({ CarrierMessageID($0) }) == id else {
      throw .malformed("mex-messageid")
    }
    let kind: InboundMessage.Kind
    switch try header("mex-messagetype", answer)?.uppercased() {
    case "DATA": kind = .data
    case "REPORT": kind = .report(try report(answer, now: now))
    default: throw .malformed("mex-messagetype")
    }
    return InboundMessage(
      id: id, kind: kind,
      from: try header("mex-from", answer).flatMap { MailboxID($0) },
      to: try header("mex-to", answer).flatMap { MailboxID($0) },
      workflowID: try text("mex-workflowid", answer, limit: 300),
      localID: try text("mex-localid", answer, limit: 300), body: body)
  }

  private static func report(_ answer: HTTPSResponse, now: Instant) throws(MeshError) -> MeshReport?
  {
    guard let linked = try header("mex-linkedmsgid", answer).flatMap({ CarrierMessageID($0) })
    else { return nil }
    return MeshReport(
      linkedID: linked, code: try text("mex-statuscode", answer, limit: 40) ?? "",
      event: try text("mex-statusevent", answer, limit: 40) ?? "",
      text: try text("mex-statusdescription", answer, limit: 200) ?? "",
      at: try header("mex-statustimestamp", answer).flatMap(moment) ?? now)
  }

  /// `yyyyMMddHHmmss` in UTC.
  private static func moment(_ text: String) -> Instant? {
    guard text.utf8.count == 14, let minute = MeshToken.minute(String(text.prefix(12))),
      let seconds = decimal(text.suffix(2)), seconds < 60
    else { return nil }
    return minute + .seconds(seconds)
  }

  /// Which chunk this is: `part`, and the last one exactly when the status is 200.
  static func chunkRange(
    _ answer: HTTPSResponse, part: Int
  ) throws(MeshError) -> MeshChunkRange {
    let written = try header("mex-chunk-range", answer)
    guard let range = written.map({ MeshChunkRange($0) }) ?? .whole, range.part == part else {
      throw .chunks("mex-chunk-range of chunk \(part)")
    }
    guard (answer.status == 200) == (range.part == range.total) else {
      throw .chunks("HTTP \(answer.status) for chunk \(range)")
    }
    return range
  }

  /// Whether the body is coded as gzip. `Content-Encoding` alone says so: `Mex-Content-Compressed` is the
  /// sender's word on what is inside as well.
  static func isCoded(_ answer: HTTPSResponse) throws(MeshError) -> Bool {
    switch try header("content-encoding", answer)?.lowercased() {
    case nil, "identity": return false
    case "gzip", "x-gzip": return true
    default: throw .malformed("content-encoding")
    }
  }

  /// How long the service asks us to wait, zero to one day: seconds or a date (RFC 9110 10.2.3).
  static func retryAfter(_ answer: HTTPSResponse, now: Instant) -> Duration? {
    guard let text = answer.headers.values("retry-after").first else { return nil }
    let day = Duration.seconds(86_400)
    if let seconds = decimal(text) { return min(.seconds(seconds), day) }
    guard let date = date(text) else { return nil }
    return min(max(.milliseconds(date.milliseconds - now.milliseconds), .zero), day)
  }

  /// An IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
  private static func date(_ text: String) -> Instant? {
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[5] == "GMT", text.utf8.count == 29,
      let month = months.firstIndex(of: String(parts[2]))
    else { return nil }
    return Instant("\(parts[3])-\(month < 9 ? "0" : "")\(month + 1)-\(parts[1])T\(parts[4])Z")
  }
}
