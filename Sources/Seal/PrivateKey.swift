import COpenSSL

/// A private key. OpenSSL overwrites its memory when the last user lets go.
///
/// Unchecked: `EVP_PKEY` counts its references atomically, nothing here changes it after `init`, and
/// OpenSSL's contract lets threads use one key at the same time.
package final class PrivateKey: @unchecked Sendable {
  let pointer: OpaquePointer

  /// Reads PKCS #8 or a traditional form, unencrypted.
  package init(pem: String) throws(SealError) {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let buffer = MemoryBuffer(Array(pem.utf8)) else {
      throw .cryptographyFailed(step: "memory")
    }
    // Without a callback OpenSSL would ask for a passphrase on the terminal, and a daemon would wait.
    let key = buffer.read { PEM_read_bio_PrivateKey($0, nil, { _, _, _, _ in -1 }, nil) }
    guard let key else { throw .unreadableKey }
    pointer = key
  }

  deinit { EVP_PKEY_free(pointer) }
}
