import Daemon
import Exchange
import Foundation
import Synchronization

/// A folder of its own for each test, removed with it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory.appending(path: "daemon-tests-\(UUID().uuidString)")
      .path()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
  }

  func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path + "/" + name)))
  }

  func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: path + "/" + name)
  }

  /// All bytes of all files below a folder.
  func allBytes(of name: String) throws -> Data {
    let folder = path + "/" + name
    return try FileManager.default.subpathsOfDirectory(atPath: folder).reduce(into: Data()) {
      // A folder has no bytes.
      $0.append((try? Data(contentsOf: URL(filePath: folder + "/" + $1))) ?? Data())
    }
  }
}

/// The folder of the data that is shipped with the program.
enum Shipped {
  static let path =
    URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path() + "config"
}

/// A clock that moves when a test says so.
final class Clock: Sendable {
  private let value: Mutex<Instant>

  init(_ start: Instant = .start) { value = Mutex(start) }

  var now: Instant { value.withLock { $0 } }

  func set(_ moment: Instant) { value.withLock { $0 = moment } }
}

/// What was logged.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

extension Instant {
  /// 2026-02-02T09:30:00Z, a Monday.
  static let start = Instant(milliseconds: 1_770_024_600_000)
}

extension Duration {
  static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
  static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}

extension ConfigurationProblems {
  /// Code and last path component, as tables of expected problems name them.
  var places: [String] {
    list.map { "\($0.code) \($0.file.split(separator: "/").last ?? "")" }
  }
}

/// The problems that `work` throws; none when it does not.
func problems<Value>(
  _ work: () throws(ConfigurationProblems) -> Value
) -> [ConfigurationProblem] {
  do {
    _ = try work()
    return []
  } catch {
    return error.list
  }
}
