import Exchange
import Forgery
import Mailbox
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

/// One after the other: each has a store of its own open, and Foundation's `Process`, which other tests use,
/// fails when very many files are open.
@Suite(.serialized) struct `A wrong message has no effect, is kept, and harms no neighbour` {
  @Test func `there are at least 60 kinds, each named once`() {
    #expect(WrongMessage.all.count >= 60)
    #expect(Set(WrongMessage.all.map(\.testDescription)).count == WrongMessage.all.count)
    let codes = Set(WrongMessage.all.compactMap { $0.ending?.code ?? $0.told })
    #expect(codes.count >= 45)
  }

  @Test(arguments: WrongMessage.all)
  func `each ends as designed, under its own code`(wrong: WrongMessage) async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date")
    let before = try await hub.store.exchanges(limit: 10)
    let copies = try await hub.copyCount()
    let person = try Notice.cast().adult
    let case0 = try await hub.snapshot(of: person)

    let bytes = try await wrong.make(WrongBench(hub))
    expectTold(hub, bytes, wrong.told)
    let taken = try await hub.take(bytes, as: "WRONG", inbox: "police")
    if let ending = wrong.ending {
      #expect(taken.mayAcknowledge)
      let view = try await hub.view(taken.exchange)
      #expect(view.ending == ending)
      #expect(try await hub.store.original(of: taken.exchange) == bytes)
      #expect(view.deliveries.isEmpty && view.deadlines.isEmpty && view.decision == nil)
    } else {
      #expect(!taken.mayAcknowledge)
      #expect(try await hub.store.carrierMessage(Hub.carrier("WRONG", in: "police")) == nil)
    }
    #expect(try await hub.copyCount() == copies)
    #expect(try await hub.snapshot(of: person) == case0)

    // The same carrier id again: nothing more comes of it.
    let lines = try await hub.store.exchanges(limit: 10).count
    let again = try await hub.take(bytes, as: "WRONG", inbox: "police")
    #expect(again.mayAcknowledge == (wrong.ending != nil))
    #expect(try await hub.store.exchanges(limit: 10).count == lines)

    // Neighbours: what came before is as it was, what comes after is shared.
    for line in before {
      #expect(try await hub.view(line.exchange).ending == line.ending)
    }
    hub.regime.swap(for: try Area.regime)
    try await hub.share("release-date-changed")
    if case .setAside = wrong.ending { try await expectNothingTold(hub, bytes) }
    let logged = hub.lines.all.joined()
    #expect(!logged.contains(person.prisonNumber) && !logged.contains(person.pncID))
  }

  /// What the seal alone lets the outside know.
  private func expectTold(_ hub: Hub, _ bytes: [UInt8], _ told: String?) {
    do {
      _ = try hub.regime.current.sealer.open(bytes, now: hub.clock.now)
      #expect(told == nil)
    } catch {
      #expect(error.outsideCode == told)
    }
  }

  /// Whoever put it into our own mailbox follows it there, and learns that it failed and no more.
  private func expectNothingTold(_ hub: Hub, _ bytes: [UInt8]) async throws {
    let keeper = hub.keeper()
    guard case .accepted(let id) = try await keeper.accept(Hub.submission(bytes)) else {
      Issue.record("not accepted")
      return
    }
    _ = try await hub.takeSubmissions()
    let tracking = try #require(try await keeper.track(id, by: Hub.prison))
    guard tracking.status == .error else { return }
    #expect(tracking.failure?.code == "SEAL-000")
    #expect(tracking.failure?.text == "Not taken; ask the operator of Sallyport")
  }
}

@Suite struct `A message that only looks odd is taken` {
  @Test func `certificates inside, two readers, other lengths, an unknown field`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult")
    let bench = try WrongBench(hub)
    func notice(_ id: String, _ data: [String: JSONValue] = [:]) throws -> [UInt8] {
      try bench.notice.with(id: id, data: data).content
    }
    var inside = try bench.signature(notice("odd-1"))
    inside.certificates = [try bench.prison.signing.der]
    var both = try bench.envelope(bench.signature(notice("odd-2")).encoded())
    both.recipients.append(try bench.police.encryption)
    let plain = try bench.sealed(notice("odd-3"))
    try #require(plain[1] == 0x82)
    let indefinite = [0x30, 0x80] + plain.dropFirst(4) + [0, 0]
    let other = try bench.sealed(notice("odd-4"))
    let overlong = [0x30, 0x84, 0, 0, other[2], other[3]] + other.dropFirst(4)
    for (place, bytes) in [
      try bench.envelope(inside.encoded()).encoded(), try both.encoded(), indefinite, overlong,
      try bench.sealed(notice("odd-5", ["shoeSize": 44])),
    ].enumerated() {
      let taken = try await hub.take(bytes, as: "ODD\(place)")
      #expect(try await hub.view(taken.exchange).ending == .shared, "odd-\(place + 1)")
    }
    #expect(try await hub.copies("police:durham").allSatisfy { $0.data["shoeSize"] == nil })
  }
}
