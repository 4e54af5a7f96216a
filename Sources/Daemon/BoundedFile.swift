import Foundation

/// Reads small files that an operator names, bounded, with a clear word when it fails.
package enum BoundedFile {
  package enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
    case cannotRead(path: String)
    case tooLarge(path: String, limit: Int)

    package var description: String { text }

    package var path: String {
      switch self {
      case .cannotRead(let path), .tooLarge(let path, _): path
      }
    }

    package var text: String {
      switch self {
      case .cannotRead(let path): "cannot read \(path)"
      case .tooLarge(let path, let limit): "\(path) is larger than \(limit) bytes"
      }
    }
  }

  /// At most `limit` bytes (1 MiB unless told).
  package static func bytes(_ path: String, limit: Int = 1_048_576) throws(Problem) -> [UInt8] {
    guard let handle = FileHandle(forReadingAtPath: path) else { throw .cannotRead(path: path) }
    defer { try? handle.close() }
    let content: Data
    do {
      // Nothing is what an empty file holds.
      content = try handle.read(upToCount: limit + 1) ?? Data()
    } catch { throw .cannotRead(path: path) }
    guard content.count <= limit else { throw .tooLarge(path: path, limit: limit) }
    return Array(content)
  }

  package static func text(_ path: String, limit: Int = 1_048_576) throws(Problem) -> String {
    guard let text = String(validating: try bytes(path, limit: limit), as: UTF8.self) else {
      throw .cannotRead(path: path)
    }
    return text
  }

  /// A secret of one line, without its line end.
  package static func secret(_ path: String) throws(Problem) -> String {
    let text = try text(path, limit: 4096)
    return ["\n", "\r\n"].contains(text.last) ? String(text.dropLast()) : text
  }

  /// The names in a folder that end in `suffix`, sorted; at most 1,000.
  package static func names(in directory: String, suffix: String) throws(Problem) -> [String] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory),
      names.count <= 1000
    else { throw .cannotRead(path: directory) }
    return names.filter { $0.hasSuffix(suffix) }.sorted()
  }
}
