import Testing

@testable import Mailbox

@Suite struct `The backoff` {
  @Test func `doubles its ceiling up to the cap and starts anew after a success`() {
    var backoff = Backoff(base: .seconds(5), cap: .seconds(60))
    // Half of 5, 10, 20, 40, 60, 60.
    let pauses = (0..<6).map { _ in backoff.failed(random: 0.5) }
    #expect(pauses == [2.5, 5, 10, 20, 30, 30].map { .seconds($0) })
    #expect(backoff.failures == 6)
    backoff.succeeded()
    #expect(backoff.failures == 0)
    #expect(backoff.failed(random: 0.5) == .seconds(2.5))
  }

  @Test func `draws from nothing up to the ceiling`() {
    var backoff = Backoff(base: .seconds(8), cap: .seconds(100))
    #expect(backoff.failed(random: 0) == .zero)
    #expect(backoff.failed(random: 0.25) == .seconds(4))
    #expect(backoff.ceiling == .seconds(32))
  }

  @Test func `stays at its cap however often it fails`() {
    var backoff = Backoff(base: .seconds(1), cap: .seconds(900))
    for _ in 0..<10_000 { _ = backoff.failed(random: 0.5) }
    #expect(backoff.failed(random: 0.5) == .seconds(450))
  }
}
