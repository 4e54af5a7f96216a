import Exchange

// What a sender reads of a message that it sent. Names stand in it for our own mailbox alone: who has
// which mailbox besides is nobody's business.
extension HostedTracking {
  private var isFailed: Bool { status == .error || status == .undeliverable }

  /// What happened to it last; nil while it is being uploaded.
  private var event: (code: String, event: String, text: String, at: Instant)? {
    if let failure { return (failure.code, failure.event, failure.text, failure.at) }
    guard status != .uploading else { return nil }
    return (
      MeshStatus.goodCode, MeshStatus.goodEvent, MeshStatus.goodText, acknowledgedAt ?? acceptedAt
    )
  }

  /// Times are ISO 8601 with `Z`; what is not known is left out.
  ///
  /// - Parameter own: the service's own mailbox.
  func version2(own: HostConfiguration.OwnMailbox?) -> JSONValue {
    var members: [String: JSONValue] = [
      "message_id": .string(id.text), "workflow_id": .string(metadata.workflowID),
      "upload_timestamp": .string(acceptedAt.description), "recipient": .string(recipient.text),
      "status": .string(status.rawValue), "status_success": .bool(!isFailed),
    ]
    members["local_id"] = metadata.localID.map(JSONValue.string)
    members["filename"] = metadata.fileName.map(JSONValue.string)
    members["expiry_time"] = expiresAt.map { .string($0.description) }
    if let event {
      members["status_code"] = .string(event.code)
      members["status_event"] = .string(event.event)
      members["status_description"] = .string(event.text)
      members["status_timestamp"] = .string(event.at.description)
    }
    if let own, own.mailbox == recipient {
      for name in ["recipient_name", "recipient_org_name"] { members[name] = .string(own.name) }
      for name in ["recipient_ods_code", "recipient_org_code"] {
        members[name] = .string(own.odsCode)
      }
    }
    return .object(members)
  }

  /// Times are `yyyyMMddHHmmss`, flags `Y` or empty, and what is not known is empty.
  func version1(own: HostConfiguration.OwnMailbox?) -> JSONValue {
    let own = own?.mailbox == recipient ? own : nil
    func text(_ value: String?) -> JSONValue { .string(value ?? "") }
    func flag(_ value: Bool) -> JSONValue { .string(value ? "Y" : "") }
    return [
      "addressType": "ALL", "checksum": text(metadata.checksum),
      "chunkCount": .integer(Int64(parts)),
      "compressFlag": flag(metadata.isCompressed),
      "contentEncoding": text(metadata.contentEncoding),
      "downloadTimestamp": text(acknowledgedAt?.meshTimestamp), "dtsId": text(id.text),
      "encryptedFlag": flag(metadata.isEncrypted), "expiryTime": text(expiresAt?.meshTimestamp),
      "failureDate": text(failure?.at.meshTimestamp), "failureDiagnostic": text(failure?.text),
      "fileName": text(metadata.fileName ?? "\(id).dat"),
      "fileSize": .integer(Int64(payloadLength)), "isCompressed": flag(metadata.isCompressed),
      "linkedMsgId": "", "localId": text(metadata.localID),
      "meshRecipientOdsCode": text(own?.odsCode),
      "messageId": text(id.text), "messageType": "Data", "partnerId": text(metadata.partnerID),
      "recipient": text(recipient.text), "recipientName": text(own?.name),
      "recipientOrgCode": text(own?.odsCode), "recipientOrgName": text(own?.name),
      "recipientSmtp": "", "sender": text(sender.text), "senderName": "",
      "senderOdsCode": "", "senderOrgCode": "", "senderOrgName": "", "senderSmtp": "",
      "status": text(status.rawValue.prefix(1).uppercased() + status.rawValue.dropFirst()),
      "statusCode": text(event?.code), "statusDescription": text(event?.text),
      "statusEvent": text(event?.event),
      "statusSuccess": text(isFailed ? "ERROR" : "SUCCESS"),
      "statusTimestamp": text(event?.at.meshTimestamp),
      "subject": text(metadata.subject), "uploadTimestamp": text(acceptedAt.meshTimestamp),
      "version": "1.0", "workflowId": text(metadata.workflowID),
    ]
  }
}
