import COpenSSL

/// OpenSSL's buffer in memory. It is overwritten when it is freed.
final class MemoryBuffer {
  private let pointer: OpaquePointer

  init?() {
    guard let pointer = BIO_new(BIO_s_mem()) else { return nil }
    self.pointer = pointer
  }

  convenience init?(_ bytes: [UInt8]) {
    self.init()
    let count = Int32(clamping: bytes.count)
    guard bytes.isEmpty || BIO_write(pointer, bytes, count) == count else { return nil }
  }

  deinit { BIO_free(pointer) }

  func read<Result>(_ body: (OpaquePointer) -> Result) -> Result {
    withExtendedLifetime(self) { body(pointer) }
  }

  /// What was written and not yet read.
  var bytes: [UInt8] {
    read { pointer in
      var start: UnsafeMutablePointer<CChar>?
      let count = sallyport_bio_bytes(pointer, &start)
      return Array(UnsafeRawBufferPointer(start: start, count: max(0, count)))
    }
  }
}
