package import Exchange
import Store

/// What the daemon says to a request: one line of JSON.
package enum ControlAnswer: Equatable, Sendable {
  /// To a poll that was asked for, well or not.
  case polled(PollAnswer)
  /// Durable, and in the ledger.
  case done(Done)
  /// Nothing was changed.
  case refused(Refusal)
  /// To a greeting.
  case running(version: String)
  /// To a look.
  case standing(Standing)
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
    /// Of a hold and its end: how many copies are kept back, or given again.
    package let copies: Int?

    package init(by: String, entry: Int?, recipientHasIt: Bool = false, copies: Int? = nil) {
      (self.by, self.entry) = (by, entry)
      (self.recipientHasIt, self.copies) = (recipientHasIt, copies)
    }
  }

  /// How an exchange stands, in words.
  package struct Standing: Equatable, Sendable {
    package let exchange: ExchangeID
    /// An ending's word, or `waiting`.
    package let state: String
    package let code: String?
    package let isOnHold: Bool
    /// When it was named by a delivery.
    package let delivery: Named?

    package struct Named: Equatable, Sendable {
      package let id: DeliveryID
      package let party: String
      package let state: String
    }
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
    case .polled(let poll): poll.json
    case .done(let done):
      [
        "done": true, "by": .string(done.by),
        "entry": done.entry.map { .integer(Int64($0)) } ?? .null,
        "recipientHasIt": .bool(done.recipientHasIt),
        "copies": done.copies.map { .integer(Int64($0)) } ?? .null,
      ]
    case .refused(let refusal):
      [
        "done": false, "code": .string(refusal.code), "text": .string(refusal.text),
        "problems": .array(refusal.problems.map { .string($0) }),
      ]
    case .running(let version): ["running": .string(version)]
    case .standing(let standing): standing.json
    case .keys(let by, let report): ["done": true, "by": .string(by), "key": report]
    case .reloaded(let changes):
      ["done": true, "changes": .array(changes.map { .string($0) })]
    }
  }

  /// Nil for what is no answer. Members that are not known are passed over: the daemon may be newer.
  init?(line: [UInt8]) {
    let limits = JSONLimits(bytes: ControlSocket.maximumLine, depth: 4)
    guard let json = try? JSONValue.parse(line, limits: limits) else { return nil }
    if let version = json["running"]?.string {
      self = .running(version: version)
      return
    }
    if let standing = Standing(json: json) {
      self = .standing(standing)
      return
    }
    if let poll = PollAnswer(json: json) {
      self = .polled(poll)
      return
    }
    guard let done = json["done"]?.bool else { return nil }
    if done, let key = json["key"] {
      self = .keys(by: json["by"]?.string ?? "", key)
    } else if done, let changes = json["changes"]?.array {
      self = .reloaded(changes.compactMap(\.string))
    } else if done {
      guard let by = json["by"]?.string else { return nil }
      self = .done(
        Done(
          by: by, entry: json["entry"]?.integer.flatMap { Int(exactly: $0) },
          recipientHasIt: json["recipientHasIt"]?.bool ?? false,
          copies: json["copies"]?.integer.flatMap { Int(exactly: $0) }))
    } else {
      guard let code = json["code"]?.string, let text = json["text"]?.string else { return nil }
      let problems = json["problems"]?.array?.compactMap(\.string) ?? []
      self = .refused(Refusal(code: code, text: text, problems: problems))
    }
  }
}

extension ControlAnswer.Standing {
  init(_ standing: ExchangeStanding) {
    exchange = standing.exchange
    state = standing.ending?.word ?? "waiting"
    code = standing.ending?.code
    isOnHold = standing.isOnHold
    delivery = standing.delivery.map {
      Named(id: $0.id, party: $0.party.text, state: $0.state.rawValue)
    }
  }

  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = [
      "exchange": .string(exchange.text), "state": .string(state), "onHold": .bool(isOnHold),
      "code": code.map { .string($0) } ?? .null,
    ]
    members["delivery"] = delivery.map {
      ["id": .string($0.id.text), "party": .string($0.party), "state": .string($0.state)]
    }
    return .object(members)
  }

  fileprivate init?(json: JSONValue) {
    guard let exchange = json["exchange"]?.string.flatMap(ExchangeID.init),
      let state = json["state"]?.string, let isOnHold = json["onHold"]?.bool
    else { return nil }
    (self.exchange, self.state, self.isOnHold) = (exchange, state, isOnHold)
    code = json["code"]?.string
    delivery = json["delivery"].flatMap { named in
      guard let id = named["id"]?.string.flatMap(DeliveryID.init),
        let party = named["party"]?.string, let state = named["state"]?.string
      else { return nil }
      return Named(id: id, party: party, state: state)
    }
  }
}
