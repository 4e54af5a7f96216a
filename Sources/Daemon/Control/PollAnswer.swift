package import Exchange
import Mailbox

/// What came of a poll that an operator asked for.
package struct PollAnswer: Equatable, Sendable {
  package let inbox: String
  /// Why the poll failed; nil when it came to its end.
  package let code: String?
  /// The same in words.
  package let text: String?
  /// Messages taken in.
  package let taken: Int
  /// Known from before, and acknowledged again.
  package let known: Int
  /// Left for later, or failed.
  package let left: Int
  /// Given up: set aside without their bytes, which stay in the inbox.
  package let givenUp: Int
  /// How many the service says wait.
  package let waiting: Int?
  package let nextPoll: Instant?
}

extension PollAnswer {
  /// Nil when the poller ended before it polled.
  init?(_ inbox: String, _ answer: PollDemand.Answer) {
    switch answer {
    case .polled(let result, let state):
      self.init(
        inbox: inbox, code: nil, text: nil, taken: result.acknowledged - result.known,
        known: result.known, left: result.left + result.failed, givenUp: result.givenUp,
        waiting: state.waiting, nextPoll: state.nextPoll)
    case .failed(let error, let state):
      self.init(
        inbox: inbox, code: error.code, text: error.title, taken: 0, known: 0, left: 0, givenUp: 0,
        waiting: state.waiting, nextPoll: state.nextPoll)
    case .over: return nil
    }
  }

  var json: JSONValue {
    [
      "done": .bool(code == nil), "polled": .bool(code == nil), "inbox": .string(inbox),
      "code": code.map { .string($0) } ?? .null, "text": text.map { .string($0) } ?? .null,
      "taken": .integer(Int64(taken)), "known": .integer(Int64(known)),
      "left": .integer(Int64(left)), "givenUp": .integer(Int64(givenUp)),
      "waiting": waiting.map { .integer(Int64($0)) } ?? .null,
      "nextPoll": nextPoll.map { .string($0.description) } ?? .null,
    ]
  }

  init?(json: JSONValue) {
    guard json["polled"]?.bool != nil, let inbox = json["inbox"]?.string else { return nil }
    let count = { (name: String) in json[name]?.integer.flatMap { Int(exactly: $0) } ?? 0 }
    self.init(
      inbox: inbox, code: json["code"]?.string, text: json["text"]?.string, taken: count("taken"),
      known: count("known"), left: count("left"), givenUp: count("givenUp"),
      waiting: json["waiting"]?.integer.flatMap { Int(exactly: $0) },
      nextPoll: json["nextPoll"]?.string.flatMap { Instant($0) })
  }
}
