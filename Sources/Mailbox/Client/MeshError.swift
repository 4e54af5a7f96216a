package import Exchange

/// Why a call of the MESH client failed, and what follows from it.
///
/// Errors are equal when kind and code are. Never holds a body, a token, a password or a text that the
/// service chose, but for the service's own error code.
package struct MeshError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Kind: Equatable, Sendable {
    /// The service does not take our certificate, password, secret or clock, or we do not trust it:
    /// somebody must act. Trying on quickly does not help.
    case credential
    /// The message is not there (any more): record it, do not ask again.
    case gone
    /// Worth another try, not before the time that the service named.
    case later(retryAfter: Duration?)
    /// The service will not do this, however often it is asked.
    case refused
    /// The answer breaks the protocol.
    case malformed
    /// The message is larger than our limit.
    case tooLarge
    /// A send whose outcome nobody knows: look the local id up before sending again.
    case unconfirmed
  }

  package let kind: Kind
  /// Stable: `MESH-` and three digits.
  package let code: String
  package let turn: Turn
  /// What failed, in words of ours.
  package let title: String
  /// Which setting or which part of an answer; nil when the title says it all.
  package let detail: String?

  package static func == (left: Self, right: Self) -> Bool {
    left.code == right.code && left.kind == right.kind
  }

  package var description: String { "\(code) \(title)" + (detail.map { ": \($0)" } ?? "") }
}

extension MeshError {
  init(_ error: TransportError) {
    (kind, turn) = Self.consequence(of: error.kind)
    (code, title, detail) = (error.code, error.kind.title, error.detail)
  }

  private static func consequence(of kind: TransportError.Kind) -> (Kind, Turn) {
    switch kind {
    case .nameNotFound, .unreachable, .timedOut, .connectionLost:
      (.later(retryAfter: nil), .network)
    case .proxyRefused: (.later(retryAfter: nil), .operator)
    case .overloaded, .cancelled, .shutDown: (.later(retryAfter: nil), .us)
    case .untrustedServer, .handshakeRefused, .unusableIdentity: (.credential, .operator)
    case .invalidRequest: (.refused, .operator)
    case .bodyTooLarge: (.tooLarge, .sender)
    case .headersTooLarge, .malformedAnswer: (.malformed, .sender)
    }
  }

  static func credential(status: Int) -> MeshError {
    MeshError(
      kind: .credential, code: "MESH-020", turn: .operator,
      title: "the service refused mailbox, password, shared secret or clock",
      detail: "HTTP \(status)")
  }

  static func gone(status: Int) -> MeshError {
    MeshError(
      kind: .gone, code: "MESH-021", turn: .sender, title: "the message is not there",
      detail: "HTTP \(status)")
  }

  static func later(status: Int, retryAfter: Duration?) -> MeshError {
    MeshError(
      kind: .later(retryAfter: retryAfter), code: "MESH-022", turn: .network,
      title: "the service cannot answer now", detail: "HTTP \(status)")
  }

  static func refused(status: Int, serviceCode: String?) -> MeshError {
    MeshError(
      kind: .refused, code: "MESH-023", turn: .operator, title: "the service refused the request",
      detail: "HTTP \(status)" + (serviceCode.map { ", its code \($0)" } ?? ""))
  }

  /// A body coded as gzip that cannot be expanded, or grows beyond bounds.
  static func coding(_ problem: Gzip.Problem, limit: Int) -> MeshError {
    problem == .malformed ? .malformed("gzip") : .tooLarge(limit: limit)
  }

  static func malformed(_ detail: String) -> MeshError {
    MeshError(
      kind: .malformed, code: "MESH-024", turn: .sender,
      title: "the answer is not of the MESH API", detail: detail)
  }

  static func tooLarge(limit: Int) -> MeshError {
    MeshError(
      kind: .tooLarge, code: "MESH-025", turn: .sender, title: "the message is larger than allowed",
      detail: "limit \(limit) bytes")
  }

  static func chunks(_ detail: String) -> MeshError {
    MeshError(
      kind: .malformed, code: "MESH-026", turn: .sender, title: "the chunks do not fit together",
      detail: detail)
  }

  static let foreignLink = MeshError(
    kind: .malformed, code: "MESH-027", turn: .sender,
    title: "the listing goes on at a place that is not this inbox", detail: nil)

  static func unconfirmed(_ detail: String) -> MeshError {
    MeshError(
      kind: .unconfirmed, code: "MESH-028", turn: .operator,
      title: "whether the message was taken is not known", detail: detail)
  }

  static func redirect(status: Int) -> MeshError {
    MeshError(
      kind: .refused, code: "MESH-029", turn: .operator,
      title: "the service points elsewhere, which is not followed", detail: "HTTP \(status)")
  }

  /// A local id under which the service holds more than one message.
  static let localIDNotUnique = MeshError(
    kind: .refused, code: "MESH-031", turn: .operator,
    title: "the service holds several messages with this local id", detail: nil)

  package static func unusable(_ detail: String) -> MeshError {
    MeshError(
      kind: .refused, code: "MESH-030", turn: .operator,
      title: "the endpoint or the message to send is not usable", detail: detail)
  }

  /// Of all its codes.
  package static let codePrefix = "MESH-"

  /// Whether a call ended because its task did.
  package var isCancellation: Bool { code == TransportError.Kind.cancelled.rawValue }
}
