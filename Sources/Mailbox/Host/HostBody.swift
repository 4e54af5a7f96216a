import Exchange
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Counts the bytes of bodies that are held, all connections together, and of each mailbox: no party can
/// use up what the others need.
final class BodyBudget: Sendable {
  private struct Used {
    var total = 0
    var byMailbox: [MailboxID: Int] = [:]
  }

  private let capacity: Int
  /// Of one mailbox.
  private let share: Int
  private let used = Mutex(Used())

  init(capacity: Int, share: Int) { (self.capacity, self.share) = (capacity, share) }

  func take(_ count: Int, for mailbox: MailboxID) -> Bool {
    used.withLock { used in
      let own = used.byMailbox[mailbox] ?? 0
      guard used.total <= capacity - count, own <= share - count else { return false }
      used.total += count
      used.byMailbox[mailbox] = own + count
      return true
    }
  }

  func give(_ count: Int, for mailbox: MailboxID) {
    used.withLock { used in
      used.total -= count
      let own = (used.byMailbox[mailbox] ?? 0) - count
      used.byMailbox[mailbox] = own > 0 ? own : nil
    }
  }
}

/// Bytes taken from a budget: given back when the last reference goes, whatever became of the request.
final class BodyShare: Sendable {
  private let budget: BodyBudget
  private let mailbox: MailboxID
  private let count = Mutex(0)

  init(_ budget: BodyBudget, _ mailbox: MailboxID) {
    (self.budget, self.mailbox) = (budget, mailbox)
  }

  func take(_ more: Int) -> Bool {
    guard budget.take(more, for: mailbox) else { return false }
    count.withLock { $0 += more }
    return true
  }

  deinit { budget.give(count.withLock { $0 }, for: mailbox) }
}

/// How many requests of each mailbox are being answered: one that asks for a hundred things at once waits
/// for itself alone.
final class RequestTurnstile: Sendable {
  private let limit: Int
  private let inside = Mutex<[MailboxID: Int]>([:])

  init(limit: Int) { self.limit = limit }

  func enter(_ mailbox: MailboxID) -> Bool {
    inside.withLock { inside in
      let count = inside[mailbox] ?? 0
      guard count < limit else { return false }
      inside[mailbox] = count + 1
      return true
    }
  }

  func leave(_ mailbox: MailboxID) {
    inside.withLock { inside in
      let count = (inside[mailbox] ?? 0) - 1
      inside[mailbox] = count > 0 ? count : nil
    }
  }
}

/// Closes a connection that takes too long over one body: a peer that sends or reads a byte a minute
/// would otherwise hold memory for ever.
struct TransferDeadline {
  private let task: Scheduled<Void>

  init(_ channel: any Channel, after limit: Duration) {
    task = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { channel.close(promise: nil) }
  }

  func met() { task.cancel() }
}

extension Request {
  /// Whether a body may follow the head.
  var announcesBody: Bool {
    headers[.transferEncoding] != nil || (headers[.contentLength].map { $0 != "0" } ?? false)
  }

  /// Reads the body and hands it on; its bytes count against the budget until `use` returns.
  ///
  /// - Parameter reserved: bytes that are needed whatever the body's length, itself among them: for a
  ///   message that is expanded, or joined of its parts.
  /// - Throws: `HostRefusal.tooLarge`, `.busy`, `.bodyCutOff`, and what `use` throws.
  func withBody<Value>(
    upTo limit: Int, reserved: Int = 0, share: BodyShare,
    _ use: ([UInt8]) async throws -> Value
  ) async throws -> Value {
    let declared = headers[.contentLength].flatMap { Int($0) }
    if let declared, declared > limit { throw HostRefusal.tooLarge }
    guard share.take(reserved) else { throw HostRefusal.busy }
    var bytes: [UInt8] = []
    var taken = reserved
    // The declared length is only a claim: room is made for a part of it at first.
    bytes.reserveCapacity(min(declared ?? 0, 1 << 20))
    var parts = body.makeAsyncIterator()
    while true {
      let part: ByteBuffer?
      do { part = try await parts.next() } catch { throw HostRefusal.bodyCutOff }
      guard let part else { break }
      guard bytes.count + part.readableBytes <= limit else { throw HostRefusal.tooLarge }
      bytes.append(contentsOf: part.readableBytesView)
      if bytes.count > taken {
        guard share.take(bytes.count - taken) else { throw HostRefusal.busy }
        taken = bytes.count
      }
    }
    // A connection that ends early can look like the end of the body.
    if let declared, declared != bytes.count { throw HostRefusal.bodyCutOff }
    defer { withExtendedLifetime(share) {} }
    return try await use(bytes)
  }
}
