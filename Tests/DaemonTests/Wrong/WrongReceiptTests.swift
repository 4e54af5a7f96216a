import Exchange
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite(.serialized) struct `Of a wrong message nobody is told more than it may know` {
  /// Handed in by the Jobcentre, which signed none of them.
  @Test(arguments: WrongMessage.all.filter { $0.ending != nil })
  func `one code before the signature held, and afterwards its own to the signer alone`(
    wrong: WrongMessage
  ) async throws {
    let hub = try await Hub()
    try await hub.share("registered-adult", "release-date")
    let bytes = try await wrong.make(WrongBench(hub))
    let carrier = try Area.party("jobcentre:durham").id
    let message = ArrivedMessage(
      carrier: try Hub.carrier("WRONG"), origin: .inbox, exchange: .random(), bytes: bytes,
      receivedAt: hub.clock.now, handedInBy: carrier)
    _ = try await hub.pipeline.take(message)
    let receipts = try await hub.view(message.exchange).receipts
    let receipt = try #require(receipts.first)
    #expect(receipts.count == 1 && receipt.state == .due)
    let told = receipt.decision?.told ?? []
    if wrong.told == SealError.genericCode {
      #expect(receipt.party == carrier && told == [SealError.genericCode])
    } else {
      #expect(receipt.party != carrier)
      #expect(told == [wrong.told ?? wrong.ending?.code].compactMap { $0 })
    }
  }
}
