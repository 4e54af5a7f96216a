/// Why the hosted mailbox service cannot start. Every case is the operator's turn.
package enum HostProblem: Error, Equatable, Sendable, CustomStringConvertible {
  case certificateChainUnreadable
  case privateKeyUnreadable
  case clientCAUnreadable
  /// The parts are readable and TLS cannot be set up with them: for instance key and certificate differ.
  case tlsRefused
  case sharedSecretEmpty
  /// Which limits, and their ranges.
  case limitsOutOfRange([String])
  case cannotListen(address: String, port: Int, cause: String)

  /// Stable; explained in docs/errors.md.
  package var code: String {
    switch self {
    case .certificateChainUnreadable: "HOST-001"
    case .privateKeyUnreadable: "HOST-002"
    case .clientCAUnreadable: "HOST-003"
    case .tlsRefused: "HOST-004"
    case .sharedSecretEmpty: "HOST-005"
    case .limitsOutOfRange: "HOST-006"
    case .cannotListen: "HOST-007"
    }
  }

  package var description: String {
    switch self {
    case .certificateChainUnreadable:
      "\(code): the host's certificate chain holds no readable PEM certificate; write the host's "
        + "certificate first, then its intermediates"
    case .privateKeyUnreadable:
      "\(code): the host's private key is not a readable, unencrypted PEM key"
    case .clientCAUnreadable:
      "\(code): the client CA holds no readable PEM certificate"
    case .tlsRefused:
      "\(code): TLS cannot be set up; check that the private key belongs to the certificate"
    case .sharedSecretEmpty:
      "\(code): the environment's shared secret is empty"
    case .limitsOutOfRange(let faults):
      "\(code): limits out of range: \(faults.joined(separator: "; "))"
    case .cannotListen(let address, let port, let cause):
      "\(code): cannot listen on \(address) port \(port): \(cause)"
    }
  }
}
