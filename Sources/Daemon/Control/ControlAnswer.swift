package import Exchange

/// What the daemon says to a request: one line of JSON.
package enum ControlAnswer: Equatable, Sendable {
  /// Durable, and in the ledger.
  case done(Done)
  /// Nothing was changed.
  case refused(Refusal)
  /// A key was changed.
  case keys(by: String, JSONValue)
  /// What is in force now is other than before in these points.
  case reloaded([String])

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
    /// Of a reload: each thing that is wrong, as lines for the operator; as many as fit.
    package var problems: [String] = []
  }

  static func refused(_ problem: ControlProblem) -> ControlAnswer {
    .refused(Refusal(code: problem.code, text: problem.text))
  }
}

extension ControlAnswer {
  package var json: JSONValue {
    switch self {
    case .done(let done):
      [
        "done": true, "by": .string(done.by),
        "entry": done.entry.map { .integer(Int64($0)) } ?? .null,
        "recipientHasIt": .bool(done.recipientHasIt),
      ]
    case .refused(let refusal):
      [
        "done": false, "code": .string(refusal.code), "text": .string(refusal.text),
        "problems": .array(refusal.problems.map { .string($0) }),
      ]
    case .keys(let by, let report): ["done": true, "by": .string(by), "key": report]
    case .reloaded(let changes):
      ["done": true, "changes": .array(changes.map { .string($0) })]
    }
  }

  /// Nil for what is no answer. Members that are not known are passed over: the daemon may be newer.
  init?(line: [UInt8]) {
    let limits = JSONLimits(bytes: ControlSocket.maximumLine, depth: 4)
    guard let json = try? JSONValue.parse(line, limits: limits), let done = json["done"]?.bool
    else { return nil }
    if done, let key = json["key"] {
      self = .keys(by: json["by"]?.string ?? "", key)
    } else if done, let changes = json["changes"]?.array {
      self = .reloaded(changes.compactMap(\.string))
    } else if done {
      guard let by = json["by"]?.string else { return nil }
      self = .done(
        Done(
          by: by, entry: json["entry"]?.integer.flatMap { Int(exactly: $0) },
          recipientHasIt: json["recipientHasIt"]?.bool ?? false))
    } else {
      guard let code = json["code"]?.string, let text = json["text"]?.string else { return nil }
      let problems = json["problems"]?.array?.compactMap(\.string) ?? []
      self = .refused(Refusal(code: code, text: text, problems: problems))
    }
  }
}
