import Exchange
import Testing

@testable import Mailbox

struct HostTokenMemoryTests {
  private static let now = Instant(milliseconds: 1_767_225_600_000)  // 2026-01-01T00:00:00Z

  /// A memory, and tokens that name a minute of that day.
  private struct Bench {
    var memory: TokenMemory

    init(capacity: Int) { memory = TokenMemory(capacity: capacity) }

    func token(_ count: Int, _ mailbox: String, minute: Int) -> MeshToken? {
      MailboxID(mailbox).map {
        MeshToken.make(
          mailbox: $0, nonce: "0b6f3f0e-0000-4000-8000-000000000001", count: count,
          timestamp: HostTokenMemoryTests.now + .seconds(60 * minute), password: "p", secret: "s")
      }
    }

    /// - Parameter clock: minutes since `now`.
    mutating func reserve(
      _ count: Int, _ mailbox: String = "ALPHA", minute: Int = 0, clock: Int = 0,
      isAnswered: Bool = true
    ) -> TokenMemory.Verdict? {
      guard let token = self.token(count, mailbox, minute: minute) else { return nil }
      let verdict = memory.reserve(token, at: HostTokenMemoryTests.now + .seconds(60 * clock))
      if isAnswered { memory.settle(token) }
      return verdict
    }

    mutating func release(_ count: Int) {
      if let token = token(count, "ALPHA", minute: 0) { memory.release(token) }
    }

    var held: Int? { MailboxID("ALPHA").map { memory.count(of: $0) } }
  }

  @Test func `a token is good once`() {
    var bench = Bench(capacity: 10)
    #expect(bench.reserve(0) == .reserved)
    #expect(bench.reserve(0) == .used)
    #expect(bench.reserve(1) == .reserved)
  }

  @Test func `mailboxes do not share tokens`() {
    var bench = Bench(capacity: 10)
    #expect(bench.reserve(0) == .reserved)
    #expect(bench.reserve(0, "BRAVO") == .reserved)
  }

  @Test func `a token is put off until its request is answered`() {
    var bench = Bench(capacity: 10)
    #expect(bench.reserve(0, isAnswered: false) == .reserved)
    #expect(bench.reserve(0, isAnswered: false) == .pending)
    #expect(bench.held == 1)
    if let token = bench.token(0, "ALPHA", minute: 0) { bench.memory.settle(token) }
    #expect(bench.reserve(0) == .used)
  }

  @Test func `an answer that comes after its token was forgotten brings nothing back`() {
    var bench = Bench(capacity: 1)
    #expect(bench.reserve(0, isAnswered: false) == .reserved)
    #expect(bench.reserve(1, minute: 1, clock: 1) == .reserved)
    if let token = bench.token(0, "ALPHA", minute: 0) { bench.memory.settle(token) }
    #expect(bench.held == 1)
  }

  @Test func `a released token is good again`() {
    var bench = Bench(capacity: 10)
    #expect(bench.reserve(0, isAnswered: false) == .reserved)
    bench.release(0)
    #expect(bench.held == 0)
    #expect(bench.reserve(0) == .reserved)
  }

  @Test func `a full minute puts further tokens off`() {
    var bench = Bench(capacity: 2)
    #expect(bench.reserve(0) == .reserved)
    #expect(bench.reserve(1) == .reserved)
    #expect(bench.reserve(2) == .crowded)
    #expect(bench.reserve(0) == .used)
    #expect(bench.held == 2)
  }

  @Test func `when memory is full the oldest minute is forgotten, and its tokens put off`() {
    var bench = Bench(capacity: 2)
    #expect(bench.reserve(0) == .reserved)
    #expect(bench.reserve(1) == .reserved)
    #expect(bench.reserve(2, minute: 1, clock: 1) == .reserved)
    // Used before, but nobody knows any more: not served again.
    #expect(bench.reserve(0, clock: 1) == .crowded)
    #expect(bench.reserve(2, minute: 1, clock: 1) == .used)
  }

  @Test func `tokens are forgotten once they are too old to be accepted`() {
    var bench = Bench(capacity: 10)
    #expect(bench.reserve(0) == .reserved)
    #expect(bench.reserve(0, clock: 120) == .used)
    #expect(bench.reserve(1, minute: 121, clock: 121) == .reserved)
    #expect(bench.held == 1)
  }
}
