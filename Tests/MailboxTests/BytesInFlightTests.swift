import Synchronization
import Testing

@testable import Mailbox

/// What tasks did, in order.
private final class Noted: Sendable {
  private let list = Mutex<[Int]>([])
  var all: [Int] { list.withLock { $0 } }
  func add(_ number: Int) { list.withLock { $0.append(number) } }
}

@Suite struct `Bytes in flight are bounded for the whole daemon` {
  /// Lets every task that can run go as far as it can; turns of the executor, not time.
  private func settle(until done: () -> Bool) async {
    for _ in 0..<100_000 where !done() { await Task.yield() }
  }

  @Test func `what does not fit waits until something is given back, in the order of asking`()
    async throws
  {
    let flight = BytesInFlight(capacity: 100)
    var first: BytesShare? = try await flight.share(of: 60)
    var second: BytesShare? = try await flight.share(of: 40)
    #expect(flight.used == 100)
    let order = Noted()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (place, count) in [70, 10].enumerated() {
        group.addTask {
          let share = try await flight.share(of: count)
          order.add(count)
          withExtendedLifetime(share) {}
        }
        await settle { flight.waiting == place + 1 }
      }
      // Room for the second alone: it does not pass the first, which could wait for ever.
      second = nil
      #expect(flight.waiting == 2 && flight.used == 60)
      first = nil
      try await group.waitForAll()
    }
    #expect(order.all == [70, 10])
    #expect(flight.used == 0 && flight.most == 100)
    withExtendedLifetime((first, second)) {}
  }

  @Test func `what turned out smaller lets others in`() async throws {
    let flight = BytesInFlight(capacity: 100)
    let share = try await flight.share(of: 100)
    async let other = flight.share(of: 90)
    await settle { flight.waiting == 1 }
    share.shrink(to: 10)
    let second = try await other
    #expect(flight.used == 100)
    share.shrink(to: 50)
    #expect(flight.used == 100, "it never grows")
    withExtendedLifetime((share, second)) {}
  }

  @Test func `more than there is counts as all of it, and goes alone`() async throws {
    let flight = BytesInFlight(capacity: 100)
    do {
      let all = try await flight.share(of: 1000)
      #expect(flight.used == 100)
      withExtendedLifetime(all) {}
    }
    #expect(flight.used == 0)
  }

  @Test func `whoever is cancelled leaves the line and holds nobody up`() async throws {
    let flight = BytesInFlight(capacity: 100)
    let share = try await flight.share(of: 50)
    let large = Task { try await flight.share(of: 80) }
    await settle { flight.waiting == 1 }
    let small = Task { try await flight.share(of: 50) }
    await settle { flight.waiting == 2 }
    large.cancel()
    await #expect(throws: CancellationError.self) { _ = try await large.value }
    let got = try await small.value
    #expect(flight.used == 100 && flight.waiting == 0)
    withExtendedLifetime((share, got)) {}
  }

  @Test func `a thousand at once never have more than there is, and all get through`() async throws
  {
    let flight = BytesInFlight(capacity: 64)
    let done = Noted()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<1000 {
        group.addTask {
          let share = try await flight.share(of: 1 + number % 64)
          #expect(flight.used <= 64)
          await Task.yield()
          share.shrink(to: 1)
          await Task.yield()
          done.add(number)
          withExtendedLifetime(share) {}
        }
      }
      try await group.waitForAll()
    }
    #expect(done.all.count == 1000)
    #expect(flight.used == 0 && flight.most <= 64)
  }
}
