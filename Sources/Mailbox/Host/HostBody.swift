import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Counts the body bytes that are being received, all connections together.
final class BodyBudget: Sendable {
  private let capacity: Int
  private let used = Mutex(0)

  init(capacity: Int) { self.capacity = capacity }

  func take(_ count: Int) -> Bool {
    used.withLock { used in
      guard used <= capacity - count else { return false }
      used += count
      return true
    }
  }

  func give(_ count: Int) { used.withLock { $0 -= count } }
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
  /// - Throws: `HostRefusal.tooLarge`, `.busy`, `.bodyCutOff`, and what `use` throws.
  func withBody<Value>(
    upTo limit: Int, budget: BodyBudget, _ use: ([UInt8]) async throws -> Value
  ) async throws -> Value {
    let declared = headers[.contentLength].flatMap { Int($0) }
    if let declared, declared > limit { throw HostRefusal.tooLarge }
    var bytes: [UInt8] = []
    var taken = 0
    defer { budget.give(taken) }
    // The declared length is only a claim: room is made for a part of it at first.
    bytes.reserveCapacity(min(declared ?? 0, 1 << 20))
    var parts = body.makeAsyncIterator()
    while true {
      let part: ByteBuffer?
      do { part = try await parts.next() } catch { throw HostRefusal.bodyCutOff }
      guard let part else { break }
      guard bytes.count + part.readableBytes <= limit else { throw HostRefusal.tooLarge }
      guard budget.take(part.readableBytes) else { throw HostRefusal.busy }
      taken += part.readableBytes
      bytes.append(contentsOf: part.readableBytesView)
    }
    // A connection that ends early can look like the end of the body.
    if let declared, declared != bytes.count { throw HostRefusal.bodyCutOff }
    return try await use(bytes)
  }
}
