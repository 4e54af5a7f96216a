package import Exchange

/// What an operator may ask the daemon to do: a closed list. One line of JSON with exactly these members.
package enum ControlRequest: Equatable, Sendable {
  /// Whether the daemon runs, and which version. Changes nothing.
  case hello
  /// How an exchange stands, named by its id, a delivery's, or the first characters of either. Changes
  /// nothing.
  case look(String)
  /// A person answers for what a held exchange waits for. The rule is the one that the person was shown.
  case confirm(ExchangeID, rule: String, reason: String)
  /// What was set aside, refused or held is opened anew.
  case requeue(ExchangeID, reason: String)
  /// An inbox is polled now, whatever its schedule.
  case poll(String)
  /// A delivery is given out no more. The reason is a code, such as a rule's.
  case withdraw(DeliveryID, reason: String)
  /// What waits, is held or was not collected is kept back until the hold ends.
  case hold(ExchangeID, reason: String)
  case endHold(ExchangeID, reason: String)
  /// What was set aside or is held is closed.
  case discard(ExchangeID, reason: String)
  /// Something is done with the keys.
  case keys(KeyAct)
  /// Everything is read anew.
  case reload
}

extension ControlRequest {
  package var json: JSONValue {
    switch self {
    case .hello: ["do": "hello"]
    case .look(let what): ["do": "look", "exchange": .string(what)]
    case .confirm(let exchange, let rule, let reason):
      [
        "do": "confirm", "exchange": .string(exchange.text), "rule": .string(rule),
        "reason": .string(reason),
      ]
    case .requeue(let exchange, let reason): ControlRequest.json("requeue", exchange, reason)
    case .hold(let exchange, let reason): ControlRequest.json("hold", exchange, reason)
    case .endHold(let exchange, let reason): ControlRequest.json("end-hold", exchange, reason)
    case .discard(let exchange, let reason): ControlRequest.json("discard", exchange, reason)
    case .withdraw(let delivery, let reason):
      ["do": "withdraw", "delivery": .string(delivery.text), "reason": .string(reason)]
    case .keys(let act): act.json
    case .reload: ["do": "reload"]
    case .poll(let inbox): ["do": "poll", "inbox": .string(inbox)]
    }
  }

  private static func json(_ act: String, _ exchange: ExchangeID, _ reason: String) -> JSONValue {
    ["do": .string(act), "exchange": .string(exchange.text), "reason": .string(reason)]
  }

  /// - Parameter line: without its line end.
  /// - Throws: CTRL-002, CTRL-003, and CTRL-008 for the reason.
  init(line: [UInt8]) throws(ControlProblem) {
    let json: JSONValue
    do {
      json = try JSONValue.parse(
        line, limits: JSONLimits(bytes: ControlSocket.maximumLine, depth: 2))
    } catch {
      if case .tooLong = error { throw .tooLong }
      throw .malformed("not JSON")
    }
    guard let members = json.object else { throw .malformed("not an object") }
    switch members["do"]?.string {
    case "confirm":
      let reader = try RequestReader(members, names: ["do", "exchange", "rule", "reason"])
      self = .confirm(
        try reader.id("exchange"), rule: try reader.rule(), reason: try reader.reason())
    case "hello":
      _ = try RequestReader(members, names: ["do"])
      self = .hello
    case "look":
      self = .look(try RequestReader(members, names: ["do", "exchange"]).beginning("exchange"))
    case "requeue", "hold", "end-hold", "discard":
      let reader = try RequestReader(members, names: ["do", "exchange", "reason"])
      let exchange: ExchangeID = try reader.id("exchange")
      let reason = try reader.reason()
      switch members["do"]?.string {
      case "hold": self = .hold(exchange, reason: reason)
      case "end-hold": self = .endHold(exchange, reason: reason)
      case "discard": self = .discard(exchange, reason: reason)
      default: self = .requeue(exchange, reason: reason)
      }
    case "withdraw":
      let reader = try RequestReader(members, names: ["do", "delivery", "reason"])
      let reason = try reader.reason()
      guard ControlRequest.isCode(reason) else { throw .reasonForm }
      self = .withdraw(try reader.id("delivery"), reason: reason)
    case "keys-rotate", "keys-import", "keys-retire":
      guard let act = KeyAct(members) else { throw .malformed("members") }
      guard ControlRequest.isReason(act.reason) else { throw .reasonForm }
      self = .keys(act)
    case "reload":
      _ = try RequestReader(members, names: ["do"])
      self = .reload
    case "poll":
      self = .poll(try RequestReader(members, names: ["do", "inbox"]).inbox())
    default: throw .malformed("do")
    }
  }

  /// One line of 1 to 500 characters, not blank, that looks the same to whoever reads it later.
  package static func isReason(_ text: String) -> Bool {
    (1...500).contains(text.count) && text.utf8.count <= 2000
      && !text.allSatisfy(\.isWhitespace)
      && text.unicodeScalars.allSatisfy { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
          .unassigned:
          false
        default: true
        }
      }
  }

  /// As rules and errors are called: `JCP-09`, `INTK-007`.
  package static func isCode(_ text: String) -> Bool {
    text.wholeMatch(of: /[A-Z]{2,8}-[0-9]{2,3}/) != nil
  }
}

/// The members of one request, which must be exactly those that it has.
private struct RequestReader {
  private let members: [String: JSONValue]

  init(_ members: [String: JSONValue], names: Set<String>) throws(ControlProblem) {
    guard Set(members.keys) == names else { throw .malformed("members") }
    self.members = members
  }

  func id<ID: Identifier>(_ name: String) throws(ControlProblem) -> ID {
    guard let id = members[name]?.string.flatMap(ID.init) else { throw .malformed(name) }
    return id
  }

  /// An id or its first characters, four at least.
  func beginning(_ name: String) throws(ControlProblem) -> String {
    guard let text = members[name]?.string, (4...36).contains(text.utf8.count),
      text.utf8.allSatisfy({ (0x21...0x7d).contains($0) })
    else { throw .malformed(name) }
    return text
  }

  func rule() throws(ControlProblem) -> String {
    guard let rule = members["rule"]?.string, ControlRequest.isCode(rule) else {
      throw .malformed("rule")
    }
    return rule
  }

  /// As the configuration names inboxes.
  func inbox() throws(ControlProblem) -> String {
    guard let name = members["inbox"]?.string, name.wholeMatch(of: /[a-z0-9-]{1,32}/) != nil else {
      throw .malformed("inbox")
    }
    return name
  }

  func reason() throws(ControlProblem) -> String {
    guard let reason = members["reason"]?.string, ControlRequest.isReason(reason) else {
      throw .reasonForm
    }
    return reason
  }
}
