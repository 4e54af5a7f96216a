import Exchange
import HTTPTypes
import Hummingbird

// The calls of a sender.
extension HostResponder {
  func send(
    _ call: HostCall, _ submission: HostSubmission, _ body: [UInt8]
  ) async throws -> Response {
    guard !body.isEmpty else { throw HostRefusal.emptyBody }
    guard let recipient = MailboxID(submission.recipient) else {
      throw HostRefusal.unregisteredRecipient
    }
    var metadata = submission.metadata
    let payload = try kept(body, encoding: submission.encoding)
    if compression == .kept { metadata.contentEncoding = submission.encoding }
    let message = SubmittedMessage(
      sender: call.mailbox, recipient: recipient, metadata: metadata, payload: payload,
      receivedAt: call.at)
    let answer =
      submission.range == .whole
      ? try await keeper.accept(message)
      : try await keeper.beginUpload(
        message, parts: submission.range.total, encoding: submission.encoding)
    switch answer {
    case .accepted(let id):
      let name = call.version == .two ? "message_id" : "messageID"
      return .json(.object([name: .string(id.text)]), status: .accepted)
    case .unregisteredRecipient: throw HostRefusal.unregisteredRecipient
    case .workflowNotRegistered: throw HostRefusal.workflowNotRegistered
    case .tooLarge: throw HostRefusal.tooLarge
    case .overQuota: throw HostRefusal.overQuota
    case .busy: throw HostRefusal.busy
    }
  }

  /// Everything that can be told without the keeper is told first, and what the keeper looks for it looks
  /// for by sender and id together: another's upload reads as one that is not there.
  func sendPart(_ call: HostCall, id: String, _ part: HostPart, _ body: [UInt8]) async throws
    -> Response
  {
    guard !body.isEmpty else { throw HostRefusal.emptyBody }
    let bytes = try kept(body, encoding: part.encoding)
    guard let id = CarrierMessageID(id) else { throw HostRefusal.notFound }
    let answer = try await keeper.add(
      SubmittedPart(
        sender: call.mailbox, message: id, range: part.range, encoding: part.encoding,
        bytes: bytes, wholeLimit: limits.bodyBytes, receivedAt: call.at))
    switch answer {
    case .accepted:
      return .json(
        call.version == .two
          ? ["message_id": .string(id.text)]
          : ["messageID": .string(id.text), "blockID": .integer(Int64(part.range.part))],
        status: .accepted)
    case .notFound: throw HostRefusal.notFound
    case .finished: throw HostRefusal.uploadFinished
    case .overQuota: throw HostRefusal.overQuota
    case .busy: throw HostRefusal.busy
    case .refused(.beyondTotal): throw HostRefusal.partBeyondTotal
    case .refused(.encodingChanged): throw HostRefusal.encodingChanged(id)
    case .refused(.totalChanged): throw HostRefusal.totalChanged(id)
    case .refused(.partsMissing): throw HostRefusal.partsMissing(id)
    case .refused(.tooLarge): throw HostRefusal.tooLarge
    case .refused(.keep), .refused(.finish): throw HostRefusal.failed
    }
  }

  /// A body as the keeper gets it. What is compressed is expanded in any case, so that nobody receives
  /// what does not expand within its bounds.
  private func kept(_ body: [UInt8], encoding: String?) throws -> [UInt8] {
    guard encoding != nil else { return body }
    let expanded: [UInt8]
    do throws(Gzip.Problem) {
      expanded = try Gzip.expand(body, limit: limits.bodyBytes)
    } catch {
      switch error {
      case .malformed: throw HostRefusal.notGzip
      case .tooLarge: throw HostRefusal.expandsTooFar
      }
    }
    guard !expanded.isEmpty else { throw HostRefusal.emptyBody }
    return compression == .kept ? body : expanded
  }

  func track(_ call: HostCall) async throws -> Response {
    guard let text = call.query["messageID"] else {
      throw HostRefusal.invalid([.query("messageID", type: "missing", "Field required")])
    }
    guard let id = CarrierMessageID(text),
      let tracking = try await keeper.track(id, by: call.mailbox)
    else { throw HostRefusal.notFound }
    return .json(
      call.version == .two
        ? tracking.version2(own: ownMailbox) : tracking.version1(own: ownMailbox),
      mediaType: call.version.mediaType)
  }

  /// Deprecated, and of version 1 whatever was asked for.
  func track(_ call: HostCall, localID: String) async throws -> Response {
    guard localID.count <= 300 else { throw HostRefusal.notFound }
    let found = try await keeper.track(localID: localID, by: call.mailbox)
    guard let tracking = found.first else { throw HostRefusal.notFound }
    guard found.count == 1 else { throw HostRefusal.localIDNotUnique }
    return .json(tracking.version1(own: ownMailbox))
  }
}
