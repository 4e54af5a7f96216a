/// Why an act that an operator asked for was not done. Holds no content and nothing of a person.
package enum ControlProblem: Error, Equatable, Sendable {
  /// CTRL-001: the kernel names another user than root or the daemon's own.
  case notAllowed
  /// CTRL-002: not a request that this version knows; what of it is wrong, by name.
  case malformed(String)
  /// CTRL-003: longer than a request may be.
  case tooLong
  /// CTRL-004: the line was not there in time.
  case tooSlow
  /// CTRL-005: too many acts wait, or the daemon is stopping.
  case busy
  /// CTRL-006: the rulebook lets no person confirm what this waits for.
  case notConfirmable(rule: String)
  /// CTRL-007: it waits for something else than the request names.
  case waitsFor(code: String)
  /// CTRL-008: the reason is missing, too long or not of its form.
  case reasonForm
  /// CTRL-009: the daemon cannot open its control socket.
  case notOpened(errno: Int32)
  /// CTRL-010: nobody listens there.
  case notReached
  /// CTRL-020: no inbox has this name.
  case noSuchInbox
  /// CTRL-021: the poll goes on and was not waited for.
  case pollUnderWay
  /// CTRL-011: the request was sent and no answer came: it may have been done.
  case noAnswer
  /// CTRL-012: the delivery has ended already.
  case deliveryOver
  /// CTRL-013: the system knows no group of the name that the configuration gives.
  case noSuchGroup(String)

  /// Stable; each has a paragraph in the manual.
  package var code: String {
    switch self {
    case .notAllowed: "CTRL-001"
    case .malformed: "CTRL-002"
    case .tooLong: "CTRL-003"
    case .tooSlow: "CTRL-004"
    case .busy: "CTRL-005"
    case .notConfirmable: "CTRL-006"
    case .waitsFor: "CTRL-007"
    case .reasonForm: "CTRL-008"
    case .notOpened: "CTRL-009"
    case .notReached: "CTRL-010"
    case .noSuchInbox: "CTRL-020"
    case .pollUnderWay: "CTRL-021"
    case .noAnswer: "CTRL-011"
    case .deliveryOver: "CTRL-012"
    case .noSuchGroup: "CTRL-013"
    }
  }

  /// What failed.
  package var text: String {
    switch self {
    case .notAllowed:
      "only root, the daemon's own user and the group of its control socket may do this"
    case .malformed(let what): "not a request that this daemon knows (\(what))"
    case .tooLong: "a request has at most \(ControlSocket.maximumLine) bytes"
    case .tooSlow: "the request did not come in time"
    case .busy: "the daemon has too much to do, or is stopping"
    case .notConfirmable(let rule): "no person can confirm what \(rule) waits for"
    case .waitsFor(let code): "it waits for \(code) now"
    case .reasonForm: "a reason has 1 to 500 characters on one line; of a withdrawal, it is a code"
    case .notOpened(let errno): "the control socket cannot be opened (errno \(errno))"
    case .notReached: "the daemon is not running, or has no control socket"
    case .noSuchInbox: "no inbox has this name"
    case .pollUnderWay: "the poll takes longer than is waited for; it goes on"
    case .noAnswer: "the daemon did not answer: it may or may not have been done"
    case .deliveryOver: "the delivery was withdrawn or replaced already"
    case .noSuchGroup(let name): "this system has no group \(name)"
    }
  }
}

extension ControlProblem: CustomStringConvertible {
  package var description: String { "\(code) \(text)" }
}
