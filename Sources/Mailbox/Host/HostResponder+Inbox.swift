import Exchange
import HTTPTypes
import Hummingbird
import NIOCore

// The calls of a recipient.
extension HostResponder {
  /// A sign of life, once a day.
  func shakeHands(_ call: HostCall) async throws -> Response {
    let missing = ["mex-clientversion", "mex-osname", "mex-osversion"]
      .filter { call.header($0) == nil }
    guard missing.isEmpty else {
      throw HostRefusal.invalid(missing.map { .missing(header: $0) })
    }
    let client = call.header("mex-clientversion") ?? ""
    await keeper.handshake(
      of: call.mailbox, clientVersion: String(client.prefix(300)), at: call.at)
    return call.version == .two
      ? Response(status: .ok) : .json(["mailboxId": .string(call.mailbox.text)])
  }

  func list(_ call: HostCall) async throws -> Response {
    let limit = try pageSize(call.query["max_results"])
    let cursor = try call.query["continue_from"].map { try readCursor($0, call.mailbox) }
    let filter = try call.query["workflow_filter"].map { text in
      guard let filter = MeshWorkflowFilter(text) else {
        throw HostRefusal.invalid([
          .query("workflow_filter", type: "value_error", "Not a workflow filter")
        ])
      }
      return filter
    }
    let page = try await keeper.page(
      of: call.mailbox, after: cursor, limit: limit, workflow: filter)
    let ids = JSONValue.array(page.ids.prefix(limit).map { .string($0.text) })
    guard call.version == .two else { return .json(["messages": ids]) }

    func link(continuingFrom cursor: String?) -> JSONValue {
      var parameters: [String] = []
      if let cursor { parameters.append("continue_from=" + percentEncoded(cursor)) }
      if limit != 500 { parameters.append("max_results=\(limit)") }
      if let filter { parameters.append("workflow_filter=" + percentEncoded(filter.text)) }
      let query = parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&")
      return .string("/messageexchange/\(call.mailbox)/inbox" + query)
    }
    var links = ["self": link(continuingFrom: call.query["continue_from"])]
    if let next = page.next {
      links["next"] = link(
        continuingFrom: InboxCursor.text(position: next, mailbox: call.mailbox))
    }
    return .json(
      [
        "messages": ids, "links": .object(links),
        "approx_inbox_count": .integer(Int64(page.approximateCount)),
      ], mediaType: call.version.mediaType)
  }

  private func pageSize(_ text: String?) throws -> Int {
    guard let text else { return 500 }
    guard let number = decimal(text), (10...5000).contains(number) else {
      throw HostRefusal.invalid([
        .query("max_results", type: "value_error", "Input should be a whole number from 10 to 5000")
      ])
    }
    return number
  }

  private func readCursor(_ text: String, _ mailbox: MailboxID) throws -> InboxCursor {
    guard (24...1000).contains(text.count), let cursor = InboxCursor(text, mailbox: mailbox)
    else { throw HostRefusal.unreadableCursor }
    return cursor
  }

  func count(_ call: HostCall) async throws -> Response {
    let page = try await keeper.page(of: call.mailbox, after: nil, limit: 10, workflow: nil)
    let count = JSONValue.integer(Int64(page.approximateCount))
    return call.version == .two
      ? .json(["count": count])
      : .json(
        ["count": count, "internalID": .string(call.reference), "allResultsIncluded": true])
  }

  func download(_ call: HostCall, id: String, part: String?) async throws -> Response {
    guard let number = part.map(decimal) ?? 1, number > 0 else {
      throw HostRefusal.invalid([
        .init(
          type: "greater_than", location: ["path", "chunk_num"],
          text: "Input should be a whole number greater than 0")
      ])
    }
    let download = try await found(call, id: id, headersOnly: false)
    // A report has no part, and is asked for like any other.
    guard number <= max(1, download.parts.count) else { throw HostRefusal.unknownMessage }
    let bytes = ByteBuffer(bytes: try download.bytes(of: number, expandedUpTo: limits.bodyBytes))
    let (status, fields) = (
      download.status(of: number), download.fields(of: number, call.version)
    )
    // What fits the socket's buffers is out of our hands at once; a larger one has its time, and counts.
    guard bytes.readableBytes > 65_536 else {
      return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: bytes))
    }
    let share = BodyShare(outgoing, call.mailbox)
    guard share.take(bytes.readableBytes) else { throw HostRefusal.busy }
    let (channel, limit) = (call.channel, limits.transferTimeout)
    return Response(
      status: status, headers: fields,
      body: ResponseBody(contentLength: bytes.readableBytes) { writer in
        let deadline = TransferDeadline(channel, after: limit)
        defer { deadline.met() }
        try await writer.write(bytes)
        try await writer.finish(nil)
        withExtendedLifetime(share) {}
      })
  }

  func headers(_ call: HostCall, id: String) async throws -> Response {
    let download = try await found(call, id: id, headersOnly: true)
    var fields = download.fields(of: 1, call.version)
    // What is kept compressed and would be expanded has no length that is known beforehand.
    let isKnown =
      download.message.metadata.contentEncoding == nil || fields[.contentEncoding] != nil
    if isKnown { fields[.contentLength] = String(download.parts.first?.count ?? 0) }
    return Response(status: .ok, headers: fields)
  }

  private func found(
    _ call: HostCall, id: String, headersOnly: Bool
  ) async throws -> HostDownload {
    guard let id = CarrierMessageID(id) else { throw HostRefusal.unknownMessage }
    switch try await keeper.message(id, for: call.mailbox, headersOnly: headersOnly) {
    case .found(let message):
      return HostDownload(
        message, partBytes: limits.downloadPartBytes,
        offersGzip: offersGzip(call.header("accept-encoding")))
    case .notFound: throw HostRefusal.unknownMessage
    // A stranger learns from HEAD no more than that there is nothing of its own.
    case .forbidden:
      throw headersOnly ? HostRefusal.unknownMessage : HostRefusal.messageOfAnotherMailbox
    case .gone: throw HostRefusal.messageGone
    }
  }

  func acknowledge(_ call: HostCall, id: String) async throws -> Response {
    guard let id = CarrierMessageID(id) else { throw HostRefusal.unknownMessage }
    switch try await keeper.acknowledge(id, in: call.mailbox) {
    case .acknowledged:
      return call.version == .two ? Response(status: .ok) : .json(["messageId": .string(id.text)])
    case .notFound: throw HostRefusal.unknownMessage
    case .forbidden: throw HostRefusal.messageOfAnotherMailbox
    }
  }
}
