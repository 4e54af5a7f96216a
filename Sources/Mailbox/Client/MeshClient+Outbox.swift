package import Exchange

/// What we send: post, look up, track.
extension MeshClient {
  /// How many parts a body is sent in.
  package func parts(of count: Int) -> Int {
    max(1, (count + endpoint.limits.partBytes - 1) / endpoint.limits.partBytes)
  }

  /// Posts a message, or the first of its parts, once. After `unconfirmed` nobody knows whether it was
  /// taken: look for the local id (`find`) before sending again. Where there are more parts it is not
  /// there for the recipient until `sendRest` has sent them.
  ///
  /// - Parameter localID: unique and without personal data; by it a lost send is found again.
  package func send(
    to recipient: MailboxID, workflow: String, localID: String, body: [UInt8]
  ) async throws(MeshError) -> CarrierMessageID {
    guard !body.isEmpty, body.count <= endpoint.limits.messageBytes else {
      throw .unusable("a body of \(body.count) bytes")
    }
    guard (1...300).contains(workflow.utf8.count), (1...300).contains(localID.utf8.count) else {
      throw .unusable("workflow id or local id")
    }
    let total = parts(of: body.count)
    var headers = [
      ("Mex-To", recipient.text), ("Mex-WorkflowID", workflow), ("Mex-LocalID", localID),
      ("Content-Type", "application/octet-stream"),
    ]
    if total > 1 { headers.append(("Mex-Chunk-Range", "1:\(total)")) }
    let answer = try await exchange(
      .post, "\(mailboxPath)/outbox", headers: headers,
      body: Array(body[MeshClient.range(of: 1, in: total, count: body.count)]), isSend: true)
    switch answer.status {
    case 200, 202:
      guard let id = MeshAnswer.messageID(answer, limit: endpoint.limits.answerBytes) else {
        throw .unconfirmed("taken, without an id")
      }
      return id
    // These can come from a gateway that lost the answer of the service behind it.
    case 408, 500, 502, 504: throw .unconfirmed("HTTP \(answer.status)")
    default: throw fault(answer)
    }
  }

  /// Sends parts 2 to `total` of a message whose first part was taken. May be repeated: a part that is
  /// sent again takes the earlier one's place.
  ///
  /// - Parameter total: as the first part announced it.
  package func sendRest(
    of id: CarrierMessageID, body: [UInt8], total: Int
  ) async throws(MeshError) {
    guard total > 1, total <= body.count else { return }
    var retries = endpoint.limits.partRetries
    for part in 2...total {
      let bytes = Array(body[MeshClient.range(of: part, in: total, count: body.count)])
      let answer = try await again(&retries) { () async throws(MeshError) -> HTTPSResponse in
        let answer = try await exchange(
          .post, "\(mailboxPath)/outbox/\(id)/\(part)",
          headers: [
            ("Mex-Chunk-Range", "\(part):\(total)"), ("Content-Type", "application/octet-stream"),
          ], body: bytes)
        if (500...599).contains(answer.status) || answer.status == 408 { throw fault(answer) }
        return answer
      }
      switch answer.status {
      case 200, 202: continue
      // It is whole already: the answer to its last part was lost.
      case 423 where try await track(id).status.isWhole: return
      default: throw fault(answer, mayBeGone: true)
      }
    }
  }

  /// Which bytes a part holds, counted from 1: all parts are alike but for one byte.
  static func range(of part: Int, in total: Int, count: Int) -> Range<Int> {
    (part - 1) * count / total..<part * count / total
  }

  /// The message that we sent under a local id; nil when the service has none.
  ///
  /// Asks the listing with metadata first, and tracking by local id where that is not offered, or too
  /// long: neither is in every version of the API.
  /// - Throws: `MESH-031` when there are several.
  package func find(localID: String) async throws(MeshError) -> MeshTracking? {
    var path = "\(mailboxPath)/outbox/rich"
    var links: Set<PageLink> = []
    var found: Set<CarrierMessageID> = []
    var last: MeshTracking?
    for _ in 0..<endpoint.limits.pages {
      let answer = try await exchange(.get, path)
      // Not offered; or it cannot be walked through, and the other way is asked.
      guard answer.status == 200 else {
        if [400, 404, 405, 410, 501].contains(answer.status) { break }
        throw fault(answer)
      }
      let page = try MeshAnswer.outboxPage(
        answer, mailbox: endpoint.mailbox, localID: localID, limit: endpoint.limits.answerBytes)
      for sent in page.sent {
        found.insert(sent.id)
        last = sent
      }
      guard let next = page.next else {
        guard found.count <= 1 else { throw .localIDNotUnique }
        return last
      }
      guard links.insert(next).inserted else { throw .foreignLink }
      path = next.path
    }
    if let last {
      guard found.count == 1 else { throw .localIDNotUnique }
      return last
    }
    return try await track(localID: localID)
  }

  private func track(localID: String) async throws(MeshError) -> MeshTracking? {
    let answer = try await exchange(
      .get, "\(mailboxPath)/outbox/tracking/\(MeshClient.escaped(localID))")
    switch answer.status {
    case 200: return try MeshAnswer.tracking(answer, limit: endpoint.limits.answerBytes)
    case 404: return nil
    case 300: throw .localIDNotUnique
    default: throw fault(answer)
    }
  }

  /// Percent-encoded but for what needs no encoding (RFC 3986 2.3).
  private static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      let isPlain =
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
        || "-._~".utf8.contains(byte)
      let hex = String(byte, radix: 16, uppercase: true)
      return isPlain
        ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + hex
    }.joined()
  }

  /// Where a sent message stands. To be asked seldom: collection can take hours.
  package func track(_ id: CarrierMessageID) async throws(MeshError) -> MeshTracking {
    let answer = try await exchange(.get, "\(mailboxPath)/outbox/tracking?messageID=\(id)")
    guard answer.status == 200 else { throw fault(answer, mayBeGone: true) }
    let tracking = try MeshAnswer.tracking(answer, limit: endpoint.limits.answerBytes)
    guard tracking.id == id else { throw .malformed("message_id") }
    return tracking
  }
}
