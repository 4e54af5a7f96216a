import Exchange
import Forgery
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `A message damaged on its way has no effect, wherever the damage is` {
  @Test func `cut off at every tenth octet`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let bench = try WrongBench(hub)
    let whole = try bench.sealed(bench.content)
    let copies = try await hub.copyCount()
    for length in stride(from: 0, to: whole.count, by: 10) {
      let bytes = Array(whole.prefix(length))
      let taken = try await hub.take(bytes, as: "CUT\(length)")
      let code = length == 0 ? "SEAL-017" : "SEAL-019"
      #expect(try await hub.view(taken.exchange).ending == .setAside(code: code), "\(length)")
      #expect(try await hub.store.original(of: taken.exchange) == bytes)
    }
    #expect(try await hub.copyCount() == copies)
    // None of them has used up the id: the whole message is shared.
    let taken = try await hub.take(whole, as: "WHOLE")
    #expect(try await hub.view(taken.exchange).ending == .shared)
  }

  @Test func `every bit of the head and of the tail turned over`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let bench = try WrongBench(hub)
    let whole = try bench.sealed(bench.content)
    let content = bench.content
    var shared = 0
    for place in Array(0..<48) + Array(whole.count - 24..<whole.count) {
      for bit in 0..<8 {
        var bytes = whole
        bytes[place] ^= 1 << bit
        let taken = try await hub.take(bytes, as: "B\(place)_\(bit)")
        let view = try await hub.view(taken.exchange)
        // A few bits say nothing: numbers of versions. What is shared is what was signed, once.
        if view.ending == .shared || view.ending == .duplicate {
          #expect(view.notification.map { $0.content == content } ?? true)
          shared += view.ending == .shared ? 1 : 0
          continue
        }
        #expect(view.ending?.code?.hasPrefix("SEAL-") == true, "\(place) \(bit)")
        #expect(view.sender == nil)
      }
    }
    #expect(shared <= 1)
  }
}
