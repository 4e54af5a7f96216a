import Glibc

/// Who we are, and whom we trust, on one connection: client certificate, its key, and the authorities of
/// the server.
///
/// PEM, in memory only. The key's bytes are overwritten when the last user lets go. Connections are
/// shared only between requests of equal certificates and authorities.
package final class TLSIdentity: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
  // Unchecked because raw pointers are not Sendable. The buffers are written in `init` and `deinit`
  // alone and only read in between, so any number of threads may read them.
  let certificate: UnsafeRawBufferPointer
  let key: UnsafeRawBufferPointer
  let authorities: UnsafeRawBufferPointer
  /// Path of a PEM file with a revocation list of every issuer in the server's chain; libcurl takes
  /// revocation lists from a file only. Nil: revocation is not checked.
  package let revocationFile: String?
  /// The oldest version of TLS that is spoken.
  package let minimum: TLSMinimum

  private let buffers: [UnsafeMutableRawBufferPointer]

  /// - Parameters:
  ///   - certificate: our certificate, then its intermediates.
  ///   - key: its private key, not encrypted.
  ///   - authorities: the certificates that a server's chain may end in. Nothing else is trusted, not
  ///     the system's authorities either.
  /// - Throws: `unusableIdentity` when one of them is not PEM of its kind or longer than 1 MiB.
  package init(
    certificate: some Collection<UInt8>, key: some Collection<UInt8>,
    authorities: some Collection<UInt8>, revocationFile: String? = nil,
    minimum: TLSMinimum = .tls12
  ) throws(TransportError) {
    guard Self.isPEM(certificate, of: "CERTIFICATE-----"),
      Self.isPEM(authorities, of: "CERTIFICATE-----"),
      Self.isPEM(key, of: "PRIVATE KEY-----"), !Self.contains(key, "ENCRYPTED")
    else { throw TransportError(.unusableIdentity, detail: "not a certificate and its key as PEM") }
    let buffers = [
      Self.copy(certificate), Self.copy(key), Self.copy(authorities),
    ]
    self.buffers = buffers
    self.certificate = UnsafeRawBufferPointer(buffers[0])
    self.key = UnsafeRawBufferPointer(buffers[1])
    self.authorities = UnsafeRawBufferPointer(buffers[2])
    self.revocationFile = revocationFile
    self.minimum = minimum
  }

  /// Nobody in particular: for servers that ask for no client certificate.
  ///
  /// - Parameter authorities: as above.
  /// - Throws: `unusableIdentity`.
  package init(anonymousTrusting authorities: [UInt8]) throws(TransportError) {
    guard Self.isPEM(authorities, of: "CERTIFICATE-----") else {
      throw TransportError(.unusableIdentity, detail: "no authorities as PEM")
    }
    buffers = [Self.copy([]), Self.copy([]), Self.copy(authorities)]
    certificate = UnsafeRawBufferPointer(buffers[0])
    key = UnsafeRawBufferPointer(buffers[1])
    self.authorities = UnsafeRawBufferPointer(buffers[2])
    revocationFile = nil
    minimum = .tls12
  }

  deinit {
    for buffer in buffers {
      if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) }
      buffer.deallocate()
    }
  }

  package var description: String { "TLSIdentity" }
  package var customMirror: Mirror { Mirror(self, children: []) }

  private static func copy(_ bytes: some Collection<UInt8>) -> UnsafeMutableRawBufferPointer {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    buffer.copyBytes(from: bytes)
    return buffer
  }

  private static func isPEM(_ bytes: some Collection<UInt8>, of kind: String) -> Bool {
    bytes.count <= 1_048_576 && contains(bytes, "-----BEGIN ") && contains(bytes, kind)
  }

  private static func contains(_ bytes: some Collection<UInt8>, _ word: String) -> Bool {
    bytes.firstRange(of: word.utf8) != nil
  }
}

/// The oldest version of TLS that may be spoken with a service.
package enum TLSMinimum: String, Sendable, CaseIterable {
  case tls12 = "1.2"
  case tls13 = "1.3"
}
