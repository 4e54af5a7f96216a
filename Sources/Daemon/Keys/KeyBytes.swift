import Glibc

/// A secret in memory of its own, overwritten when its last user lets go.
///
/// What is copied out of it (`copy`, and whatever Swift copies of that) is not: `docs/security.md` says
/// where that happens.
package final class KeyBytes: @unchecked Sendable {
  // Unchecked because raw pointers are not Sendable: the memory is written in `init` and `deinit` alone.
  private let buffer: UnsafeMutableRawBufferPointer

  package init(_ bytes: some Collection<UInt8>) {
    buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    buffer.copyBytes(from: bytes)
  }

  deinit {
    if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) }
    buffer.deallocate()
  }

  package var count: Int { buffer.count }

  package var copy: [UInt8] { Array(buffer) }

  /// Fresh from the system.
  package static func random(_ count: Int) -> KeyBytes {
    var generator = SystemRandomNumberGenerator()
    return KeyBytes((0..<count).map { _ in generator.next() as UInt8 })
  }
}
