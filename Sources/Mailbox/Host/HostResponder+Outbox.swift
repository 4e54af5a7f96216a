import Exchange
import HTTPTypes
import Hummingbird

// The calls of a sender.
extension HostResponder {
  func send(
    _ call: HostCall, _ submission: HostSubmission?, _ body: [UInt8]
  ) async throws -> Response {
    guard let submission else { throw HostRefusal.failed }
    guard !body.isEmpty else { throw HostRefusal.emptyBody }
    guard let recipient = MailboxID(submission.recipient) else {
      throw HostRefusal.unregisteredRecipient
    }
    let answer = try await keeper.accept(
      SubmittedMessage(
        sender: call.mailbox, recipient: recipient, metadata: submission.metadata, payload: body,
        receivedAt: call.at))
    switch answer {
    case .accepted(let id):
      let name = call.version == .two ? "message_id" : "messageID"
      return .json(.object([name: .string(id.text)]), status: .accepted)
    case .unregisteredRecipient: throw HostRefusal.unregisteredRecipient
    case .workflowNotRegistered: throw HostRefusal.workflowNotRegistered
    case .tooLarge: throw HostRefusal.tooLarge
    case .busy: throw HostRefusal.busy
    }
  }

  /// Messages come whole, so no upload is ever open for a further part; the order of the refusals is
  /// the protocol's.
  func sendPart(_ call: HostCall, id: String, part: String) throws -> Response {
    let id = CarrierMessageID(id)
    guard let range = call.header("mex-chunk-range").flatMap({ MeshChunkRange($0) }),
      range.part == decimal(part)
    else { throw HostRefusal.invalidChunkRange(id) }
    throw HostRefusal.notFound
  }

  func track(_ call: HostCall) async throws -> Response {
    guard let text = call.query["messageID"] else {
      throw HostRefusal.invalid([.query("messageID", type: "missing", "Field required")])
    }
    guard let id = CarrierMessageID(text),
      let tracking = try await keeper.track(id, by: call.mailbox)
    else { throw HostRefusal.notFound }
    return .json(
      call.version == .two ? tracking.version2 : tracking.version1,
      mediaType: call.version.mediaType)
  }

  /// Deprecated, and of version 1 whatever was asked for.
  func track(_ call: HostCall, localID: String) async throws -> Response {
    guard localID.count <= 300 else { throw HostRefusal.notFound }
    let found = try await keeper.track(localID: localID, by: call.mailbox)
    guard let tracking = found.first else { throw HostRefusal.notFound }
    guard found.count == 1 else { throw HostRefusal.localIDNotUnique }
    return .json(tracking.version1)
  }
}

extension HostedTracking {
  private var isFailed: Bool { status == .error || status == .undeliverable }

  /// Times are ISO 8601 with `Z`; what is not known is left out.
  var version2: JSONValue {
    var members: [String: JSONValue] = [
      "message_id": .string(id.text), "workflow_id": .string(metadata.workflowID),
      "upload_timestamp": .string(acceptedAt.description), "recipient": .string(recipient.text),
      "status": .string(status.rawValue), "status_success": .bool(!isFailed),
    ]
    members["local_id"] = metadata.localID.map(JSONValue.string)
    members["filename"] = metadata.fileName.map(JSONValue.string)
    members["expiry_time"] = expiresAt.map { .string($0.description) }
    if let failure {
      members["status_code"] = .string(failure.code)
      members["status_event"] = .string(failure.event)
      members["status_description"] = .string(failure.text)
    }
    members["status_timestamp"] = (failure?.at ?? acknowledgedAt).map { .string($0.description) }
    return .object(members)
  }

  /// Times are `yyyyMMddHHmmss`, flags `Y` or empty, and what is not known is empty.
  var version1: JSONValue {
    func text(_ value: String?) -> JSONValue { .string(value ?? "") }
    func flag(_ value: Bool) -> JSONValue { .string(value ? "Y" : "") }
    return [
      "addressType": "ALL", "checksum": text(metadata.checksum), "chunkCount": 1,
      "compressFlag": flag(metadata.isCompressed),
      "contentEncoding": text(metadata.contentEncoding),
      "downloadTimestamp": text(acknowledgedAt?.meshTimestamp), "dtsId": text(id.text),
      "encryptedFlag": flag(metadata.isEncrypted), "expiryTime": text(expiresAt?.meshTimestamp),
      "failureDate": text(failure?.at.meshTimestamp), "failureDiagnostic": text(failure?.text),
      "fileName": text(metadata.fileName ?? "\(id).dat"),
      "fileSize": .integer(Int64(payloadLength)), "isCompressed": flag(metadata.isCompressed),
      "linkedMsgId": "", "localId": text(metadata.localID), "meshRecipientOdsCode": "",
      "messageId": text(id.text), "messageType": "Data", "partnerId": text(metadata.partnerID),
      "recipient": text(recipient.text), "recipientName": "", "recipientOrgCode": "",
      "recipientOrgName": "", "recipientSmtp": "", "sender": text(sender.text), "senderName": "",
      "senderOdsCode": "", "senderOrgCode": "", "senderOrgName": "", "senderSmtp": "",
      "status": text(status.rawValue.prefix(1).uppercased() + status.rawValue.dropFirst()),
      "statusCode": text(failure?.code), "statusDescription": text(failure?.text),
      "statusEvent": text(failure?.event),
      "statusSuccess": text(isFailed ? "ERROR" : "SUCCESS"),
      "statusTimestamp": text((failure?.at ?? acknowledgedAt)?.meshTimestamp),
      "subject": text(metadata.subject), "uploadTimestamp": text(acceptedAt.meshTimestamp),
      "version": "1.0", "workflowId": text(metadata.workflowID),
    ]
  }
}
