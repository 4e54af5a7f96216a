import CZlib

/// The one content coding of the MESH API (RFC 1952), bounded.
enum Gzip {
  enum Problem: Error, Equatable {
    /// Not gzip, cut short, or with a wrong check sum.
    case malformed
    /// More than the limit, or than the ratio allows.
    case tooLarge
  }

  /// Bytes that one compressed byte may stand for, beyond the first mebibyte: text compresses to a
  /// tenth or so, sealed bytes not at all; what goes further is made to fill a memory.
  static let ratio = 100
  private static let free = 1_048_576
  private static let step = 65_536

  /// All members of a gzip file, expanded and joined.
  ///
  /// - Parameter limit: bytes that may come of it.
  static func expand(_ bytes: [UInt8], limit: Int) throws(Problem) -> [UInt8] {
    // zlib keeps a pointer to the stream and compares it with the one that it is given: it must not move.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    guard bytes.count <= Int(UInt32.max), czlib_inflate_init(stream) == Z_OK else {
      throw .malformed
    }
    defer { inflateEnd(stream) }
    let most = min(limit, free + bytes.count * ratio)
    var input = bytes
    let expanded: Result<[UInt8], Problem> = input.withUnsafeMutableBufferPointer { input in
      stream.pointee.next_in = input.baseAddress
      stream.pointee.avail_in = UInt32(input.count)
      var output: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: step)
      while true {
        let (code, count) = buffer.withUnsafeMutableBufferPointer { buffer in
          stream.pointee.next_out = buffer.baseAddress
          stream.pointee.avail_out = UInt32(buffer.count)
          let code = inflate(stream, Z_NO_FLUSH)
          return (code, buffer.count - Int(stream.pointee.avail_out))
        }
        guard output.count + count <= most else { return .failure(.tooLarge) }
        output += buffer[..<count]
        switch code {
        case Z_OK: continue
        case Z_STREAM_END where stream.pointee.avail_in == 0: return .success(output)
        // Another member follows; each takes some of the input, so this ends.
        case Z_STREAM_END: guard inflateReset(stream) == Z_OK else { return .failure(.malformed) }
        // Also when the input is over before its end (Z_BUF_ERROR).
        default: return .failure(.malformed)
        }
      }
    }
    return try expanded.get()
  }
}
