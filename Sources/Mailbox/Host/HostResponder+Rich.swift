import Exchange
import HTTPTypes
import Hummingbird

// Listings with metadata. They are not in the published specification; the form is that of the public
// reference sandbox (PyPI `mesh-sandbox`).
extension HostResponder {
  func listing(_ call: HostCall, _ box: HostedBox) async throws -> Response {
    let limit = try call.query["max_results"].map(listingSize) ?? 100
    let since = try call.query["start_time"].map(startTime) ?? call.at - .seconds(30 * 86_400)
    let position = try call.query["continue_from"].map { text in
      guard let position = box.position(text, mailbox: call.mailbox) else {
        throw HostRefusal.unreadableCursor
      }
      return position
    }
    let page = try await keeper.listing(
      box, of: call.mailbox, since: since, before: position, limit: limit)
    func link(continuingFrom cursor: String?) -> JSONValue {
      var parameters: [String] = []
      if let cursor { parameters.append("continue_from=" + percentEncoded(cursor)) }
      if limit != 100 { parameters.append("max_results=\(limit)") }
      if let start = call.query["start_time"] {
        parameters.append("start_time=" + percentEncoded(start))
      }
      let query = parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&")
      return .string("/messageexchange/\(call.mailbox)/\(box.rawValue)/rich" + query)
    }
    var links = ["self": link(continuingFrom: call.query["continue_from"])]
    links["next"] = page.next.map {
      link(continuingFrom: box.cursor(position: $0, mailbox: call.mailbox))
    }
    return .json(
      [
        "valid_at": .string(call.at.description), "links": .object(links),
        "messages": .array(
          page.messages.prefix(limit).map {
            $0.json(own: ownMailbox, partBytes: limits.downloadPartBytes)
          }),
      ], mediaType: MeshVersion.two.mediaType)
  }

  private func listingSize(_ text: String) throws(HostRefusal) -> Int {
    guard let number = decimal(text), (1...500).contains(number) else {
      throw .invalid([
        .query("max_results", type: "value_error", "Input should be a whole number from 1 to 500")
      ])
    }
    return number
  }

  /// ISO 8601: a moment with its zone, a moment without one (UTC), or a day.
  private func startTime(_ text: String) throws(HostRefusal) -> Instant {
    // A plus sign that was not escaped came as a space.
    let text = text.replacing(" ", with: "+")
    for whole in [text, text + "Z", text + "T00:00:00Z"] {
      if let instant = Instant(whole) { return instant }
    }
    throw .invalid([.query("start_time", type: "datetime_parsing", "Input should be ISO 8601")])
  }
}

extension ListedMessage {
  fileprivate func json(own: HostConfiguration.OwnMailbox?, partBytes: Int) -> JSONValue {
    func name(_ mailbox: MailboxID?) -> JSONValue {
      .string(mailbox != nil && mailbox == own?.mailbox ? own?.name ?? "" : "")
    }
    var members: [String: JSONValue] = [
      "message_id": .string(id.text), "message_type": .string(isReport ? "REPORT" : "DATA"),
      "recipient": .string(recipient.text), "recipient_name": name(recipient),
      "sender": .string(sender?.text ?? ""), "sender_name": name(sender),
      "sent_date": .string(sentAt.description), "status": .string(status.rawValue),
      "workflow_id": .string(workflowID),
      "total_chunks": .integer(
        Int64(
          HostDownload.count(
            length: payloadLength, partLengths: partLengths, isReport: isReport,
            partBytes: partBytes))),
    ]
    members["local_id"] = localID.map { .string($0) }
    members["expiry_timestamp"] = expiresAt.map { .string($0.description) }
    members["status_code"] = statusCode.map { .string($0) }
    return .object(members)
  }
}
