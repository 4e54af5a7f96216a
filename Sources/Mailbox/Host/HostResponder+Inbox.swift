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
    if let part {
      guard let number = decimal(part), number > 0 else {
        throw HostRefusal.invalid([
          .init(
            type: "greater_than", location: ["path", "chunk_num"],
            text: "Input should be a whole number greater than 0")
        ])
      }
      guard number == 1 else { throw HostRefusal.unknownMessage }
    }
    guard let id = CarrierMessageID(id) else { throw HostRefusal.unknownMessage }
    switch try await keeper.message(id, for: call.mailbox, headersOnly: false) {
    case .found(let message): return try whole(message, call)
    case .notFound: throw HostRefusal.unknownMessage
    case .forbidden: throw HostRefusal.messageOfAnotherMailbox
    case .gone: throw HostRefusal.messageGone
    }
  }

  func headers(_ call: HostCall, id: String) async throws -> Response {
    guard let id = CarrierMessageID(id) else { throw HostRefusal.unknownMessage }
    switch try await keeper.message(id, for: call.mailbox, headersOnly: true) {
    case .found(let message):
      var headers = fields(of: message, call.version)
      headers[.contentLength] = String(message.payloadLength)
      return Response(status: .ok, headers: headers)
    case .notFound, .forbidden: throw HostRefusal.unknownMessage
    case .gone: throw HostRefusal.messageGone
    }
  }

  private func whole(_ message: HostedMessage, _ call: HostCall) throws -> Response {
    if message.metadata.contentEncoding == "gzip" {
      let offered = (call.header("accept-encoding") ?? "").lowercased()
      guard offered.contains("gzip") || offered.contains("*") else {
        throw HostRefusal.unsupportedEncoding
      }
    }
    let headers = fields(of: message, call.version)
    let bytes = ByteBuffer(bytes: message.payload)
    // What fits the socket's buffers is out of our hands at once; a larger one has its time.
    guard bytes.readableBytes > 65_536 else {
      return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }
    let (channel, limit) = (call.channel, limits.transferTimeout)
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody(contentLength: bytes.readableBytes) { writer in
        let deadline = TransferDeadline(channel, after: limit)
        defer { deadline.met() }
        try await writer.write(bytes)
        try await writer.finish(nil)
      })
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

  /// The headers of a download. Lower-case names, as MESH servers send them.
  private func fields(of message: HostedMessage, _ version: MeshVersion) -> HTTPFields {
    let (metadata, report) = (message.metadata, message.report)
    var fields = HTTPFields()
    fields.set("mex-messageid", message.id.text)
    fields.set("mex-messagetype", report == nil ? "DATA" : "REPORT")
    fields.set("mex-from", message.sender?.text)
    fields.set("mex-to", message.recipient.text)
    fields.set("mex-workflowid", metadata.workflowID)
    fields.set("mex-chunk-range", report == nil ? MeshChunkRange.whole.description : "1:0")
    fields.set("mex-total-chunks", report == nil ? "1" : "0")
    fields.set("mex-localid", metadata.localID)
    fields.set("mex-subject", metadata.subject)
    fields.set("mex-addresstype", "ALL")
    fields.set("mex-version", "1.0")
    if let report {
      fields.set("mex-linkedmsgid", report.linkedID.text)
      fields.set("mex-statuscode", report.code)
      fields.set("mex-statusevent", report.event)
      fields.set("mex-statusdescription", report.text)
      fields.set("mex-statussuccess", "ERROR")
      fields.set("mex-statustimestamp", report.at.meshTimestamp)
      return fields
    }
    fields.set("mex-partnerid", metadata.partnerID)
    fields.set("mex-filename", metadata.fileName ?? "\(message.id).dat")
    fields.set("mex-content-checksum", metadata.checksum)
    fields.set("mex-content-encrypted", metadata.isEncrypted ? "Y" : nil)
    let isGzip = metadata.contentEncoding == "gzip"
    fields.set("mex-content-compressed", metadata.isCompressed || isGzip ? "Y" : nil)
    fields.set("mex-content-type", metadata.contentType)
    fields.set("mex-statuscode", "00")
    fields.set("mex-statusevent", "TRANSFER")
    fields.set("mex-statusdescription", "Transferred to recipient mailbox")
    fields.set("mex-statussuccess", "SUCCESS")
    fields.set("mex-statustimestamp", message.acceptedAt.meshTimestamp)
    fields.set("content-encoding", metadata.contentEncoding)
    let type = version == .two ? metadata.contentType : nil
    fields.set("content-type", type ?? "application/octet-stream")
    return fields
  }
}
