import Exchange
import Testing

@testable import Daemon
@testable import Mailbox

@Suite struct `An inbox is polled when an operator asks` {
  @Test func `the request goes over the socket with its inbox, and nothing else does`() throws {
    let request = ControlRequest.poll("prison")
    #expect(try ControlRequest(line: request.json.canonicalBytes) == request)
    for line in [
      #"{"do":"poll"}"#, #"{"do":"poll","inbox":7}"#, #"{"do":"poll","inbox":""}"#,
      #"{"do":"poll","inbox":"Pri son"}"#, #"{"do":"poll","inbox":"a","reason":"b"}"#,
    ] {
      #expect(throws: ControlProblem.self, "\(line)") { try ControlRequest(line: Array(line.utf8)) }
    }
  }

  @Test func `the answer reads as it was said, well or not`() throws {
    var result = PollResult()
    (result.acknowledged, result.known, result.failed) = (5, 2, 1)
    var state = InboxState()
    state.waiting = 7
    state.nextPoll = .start
    let good = try #require(PollAnswer("prison", .polled(result, state)))
    #expect((good.taken, good.known, good.left, good.waiting) == (3, 2, 1, 7))
    #expect(good.code == nil)
    let error = MeshError.unusable("x")
    let bad = try #require(PollAnswer("prison", .failed(error, state)))
    #expect(bad.code == "MESH-030")
    for answer in [good, bad] {
      let told = ControlAnswer.polled(answer)
      #expect(ControlAnswer(line: told.json.canonicalBytes) == told)
    }
    #expect(PollAnswer("prison", .over) == nil)
  }

  @Test func `who asks is not kept waiting for a poll that takes long, or for none`() async throws {
    let folder = try TemporaryFolder()
    let board = InboxBoard(stateDirectory: folder.path)
    guard case .unknown = await board.poll("prison", patience: .seconds(3600)) else {
      Issue.record("an inbox that is not there")
      return
    }
    let demand = board.demand("prison")
    guard case .underWay = await board.poll("prison", patience: .milliseconds(1)) else {
      Issue.record("waited")
      return
    }
    demand.end()
    guard case .answered(.over) = await board.poll("prison", patience: .seconds(3600)) else {
      Issue.record("not over")
      return
    }
  }
}
