package import Exchange

/// What the daemon says to a request: one line of JSON.
package enum ControlAnswer: Equatable, Sendable {
  /// To a poll that was asked for, well or not.
  case polled(PollAnswer)
  /// Durable, and in the ledger.
  case done(Done)
  /// Nothing was changed.
  case refused(Refusal)

  package struct Done: Equatable, Sendable {
    /// As recorded: the user whom the kernel names.
    package let by: String
    /// The ledger's entry, where the act makes one of its own.
    package let entry: Int?
    /// Of a withdrawal: the recipient has the copy and must be told by other means.
    package let recipientHasIt: Bool
  }

  package struct Refusal: Equatable, Sendable {
    /// `CTRL-006`, or the store's.
    package let code: String
    package let text: String
  }

  static func refused(_ problem: ControlProblem) -> ControlAnswer {
    .refused(Refusal(code: problem.code, text: problem.text))
  }
}

extension ControlAnswer {
  package var json: JSONValue {
    switch self {
    case .polled(let poll): poll.json
    case .done(let done):
      [
        "done": true, "by": .string(done.by),
        "entry": done.entry.map { .integer(Int64($0)) } ?? .null,
        "recipientHasIt": .bool(done.recipientHasIt),
      ]
    case .refused(let refusal):
      ["done": false, "code": .string(refusal.code), "text": .string(refusal.text)]
    }
  }

  /// Nil for what is no answer. Members that are not known are passed over: the daemon may be newer.
  init?(line: [UInt8]) {
    let limits = JSONLimits(bytes: ControlSocket.maximumLine, depth: 4)
    guard let json = try? JSONValue.parse(line, limits: limits), let done = json["done"]?.bool
    else { return nil }
    if let poll = PollAnswer(json: json) {
      self = .polled(poll)
    } else if done {
      guard let by = json["by"]?.string else { return nil }
      self = .done(
        Done(
          by: by, entry: json["entry"]?.integer.flatMap { Int(exactly: $0) },
          recipientHasIt: json["recipientHasIt"]?.bool ?? false))
    } else {
      guard let code = json["code"]?.string, let text = json["text"]?.string else { return nil }
      self = .refused(Refusal(code: code, text: text))
    }
  }
}
