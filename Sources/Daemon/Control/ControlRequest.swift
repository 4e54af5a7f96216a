package import Exchange

/// What an operator may ask the daemon to do: a closed list. One line of JSON with exactly these members.
package enum ControlRequest: Equatable, Sendable {
  /// A person answers for what a held exchange waits for. The rule is the one that the person was shown.
  case confirm(ExchangeID, rule: String, reason: String)
  /// What was set aside, refused or held is opened anew.
  case requeue(ExchangeID, reason: String)
  /// An inbox is polled now, whatever its schedule.
  case poll(String)
  /// A delivery is given out no more. The reason is a code, such as a rule's.
  case withdraw(DeliveryID, reason: String)
}

extension ControlRequest {
  package var json: JSONValue {
    switch self {
    case .confirm(let exchange, let rule, let reason):
      [
        "do": "confirm", "exchange": .string(exchange.text), "rule": .string(rule),
        "reason": .string(reason),
      ]
    case .requeue(let exchange, let reason):
      ["do": "requeue", "exchange": .string(exchange.text), "reason": .string(reason)]
    case .withdraw(let delivery, let reason):
      ["do": "withdraw", "delivery": .string(delivery.text), "reason": .string(reason)]
    case .poll(let inbox): ["do": "poll", "inbox": .string(inbox)]
    }
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
    case "requeue":
      let reader = try RequestReader(members, names: ["do", "exchange", "reason"])
      self = .requeue(try reader.id("exchange"), reason: try reader.reason())
    case "withdraw":
      let reader = try RequestReader(members, names: ["do", "delivery", "reason"])
      let reason = try reader.reason()
      guard ControlRequest.isCode(reason) else { throw .reasonForm }
      self = .withdraw(try reader.id("delivery"), reason: reason)
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
