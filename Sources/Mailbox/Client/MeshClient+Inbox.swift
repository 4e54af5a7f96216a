package import Exchange

/// What waits in the mailbox: list, download, acknowledge.
extension MeshClient {
  /// The ids that wait, from the start or from `link`. Follows the service's links until at least
  /// `maximum` ids are there, `Limits.pages` pages were read, or the listing ends: at most `maximum` and
  /// one page more.
  package func list(
    maximum: Int = 500, from link: PageLink? = nil
  ) async throws(MeshError) -> InboxPage {
    var next = link
    var pages = 0
    var ids: [CarrierMessageID] = []
    var seen: Set<CarrierMessageID> = []
    var links: Set<PageLink> = []
    var unreadable = 0
    var count: Int?
    repeat {
      if let next, !links.insert(next).inserted { throw .foreignLink }
      let page = try await page(next)
      pages += 1
      ids += page.ids.filter { seen.insert($0).inserted }
      unreadable += page.unreadable
      count = page.approximateCount ?? count
      next = page.next
    } while next != nil && ids.count < maximum && pages < endpoint.limits.pages
    return InboxPage(ids: ids, unreadable: unreadable, approximateCount: count, next: next)
  }

  private func page(_ link: PageLink?) async throws(MeshError) -> InboxPage {
    let size = endpoint.limits.pageSize
    let path = link?.path ?? "\(mailboxPath)/inbox" + (size == 500 ? "" : "?max_results=\(size)")
    let answer = try await exchange(.get, path)
    guard answer.status == 200 else { throw fault(answer) }
    return try MeshAnswer.inboxPage(
      answer, mailbox: endpoint.mailbox, limit: endpoint.limits.answerBytes)
  }

  /// The whole message, all chunks joined. A chunk that breaks off is asked for again, at most
  /// `Limits.partRetries` times in one download; those before it stay.
  package func download(_ id: CarrierMessageID) async throws(MeshError) -> InboundMessage {
    let limits = endpoint.limits
    let path = "\(mailboxPath)/inbox/\(id)"
    let first = try await chunk(path, rest: limits.messageBytes)
    var message = try MeshAnswer.message(first.answer, body: first.body, id: id, now: now())
    if case .report = message.kind { return message }
    let total = try MeshAnswer.chunkRange(first.answer, part: 1).total
    guard total <= limits.chunks else { throw .chunks("more than \(limits.chunks) announced") }
    guard total > 1 else { return message }
    var retries = limits.partRetries
    for part in 2...total {
      let rest = limits.messageBytes - message.body.count
      guard rest > 0 else { throw .tooLarge(limit: limits.messageBytes) }
      let next = try await again(&retries) { () async throws(MeshError) -> Chunk in
        try await chunk("\(path)/\(part)", rest: rest)
      }
      guard try MeshAnswer.chunkRange(next.answer, part: part).total == total else {
        throw .chunks("the total changed")
      }
      message.body += next.body
    }
    return message
  }

  private typealias Chunk = (answer: HTTPSResponse, body: [UInt8])

  /// One chunk and its bytes, expanded where the service coded them although we offered no coding.
  private func chunk(
    _ path: String, rest: Int
  ) async throws(MeshError) -> Chunk {
    // What does not compress grows by some bytes: gzip's head, tail and blocks of at most 64 KiB.
    let answer = try await exchange(.get, path, bodyBytes: rest + rest / 1000 + 64)
    guard answer.status == 200 || answer.status == 206 else { throw fault(answer, mayBeGone: true) }
    let body: [UInt8]
    if try MeshAnswer.isCoded(answer) {
      do throws(Gzip.Problem) {
        body = try Gzip.expand(answer.body, limit: rest)
      } catch {
        throw .coding(error, limit: endpoint.limits.messageBytes)
      }
    } else {
      body = answer.body
    }
    guard body.count <= rest else { throw .tooLarge(limit: endpoint.limits.messageBytes) }
    return (answer, body)
  }

  /// Repeats one part of several for as long as something passing is in its way and tries are left. Not
  /// sooner than the service asked: then the whole waits.
  func again<Value: Sendable>(
    _ retries: inout Int, _ work: () async throws(MeshError) -> Value
  ) async throws(MeshError) -> Value {
    while true {
      do throws(MeshError) {
        return try await work()
      } catch {
        guard error.kind == .later(retryAfter: nil), !error.isCancellation, retries > 0 else {
          throw error
        }
        retries -= 1
      }
    }
  }

  /// Takes the message out of the inbox for good. Only after it was made durable; may be repeated.
  package func acknowledge(_ id: CarrierMessageID) async throws(MeshError) {
    let answer = try await exchange(.put, "\(mailboxPath)/inbox/\(id)/status/acknowledged")
    guard answer.status == 200 else { throw fault(answer, mayBeGone: true) }
  }
}
