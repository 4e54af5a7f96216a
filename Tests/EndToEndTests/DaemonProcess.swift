import Foundation
import Glibc

/// The real program, serving one installation as a child of the tests.
struct DaemonProcess: Sendable {
  enum End: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  private let process: Process

  /// The program that was built together with these tests.
  static let program: URL = {
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appending(path: "sallyport")
  }()

  /// - Parameters:
  ///   - fault: where it is to end itself (`FaultPoint`); nowhere when nil.
  ///   - log: the file that its standard error is added to.
  init(configurationFile: String, fault: String?, log: String) throws {
    process = Process()
    process.executableURL = DaemonProcess.program
    process.arguments = ["serve", "--config", configurationFile]
    var environment = ProcessInfo.processInfo.environment
    environment["SALLYPORT_FAULT"] = fault
    process.environment = environment
    if !FileManager.default.fileExists(atPath: log) {
      _ = FileManager.default.createFile(atPath: log, contents: nil)
    }
    let file = try FileHandle(forWritingTo: URL(filePath: log))
    try file.seekToEnd()
    process.standardError = file
    process.standardOutput = file
    process.standardInput = FileHandle.nullDevice
    let watch = try OrphanWatch.shared.get()
    try process.run()
    try watch.started(process.processIdentifier)
    try file.close()
  }

  /// How it ended; nil while it runs.
  var end: End? {
    guard !process.isRunning else { return nil }
    switch process.terminationReason {
    case .exit: return .exited(process.terminationStatus)
    case .uncaughtSignal: return .killed(signal: process.terminationStatus)
    @unknown default: return .exited(process.terminationStatus)
    }
  }

  /// Asks it to drain and stop.
  func stop() { send(SIGTERM) }

  /// Ends it if it still runs, whatever the test came to.
  func remove() {
    send(SIGKILL)
    try? OrphanWatch.shared.get().ended(process.processIdentifier)
  }

  private func send(_ signal: Int32) {
    guard process.isRunning else { return }
    kill(process.processIdentifier, signal)
  }
}

/// Looks again and again until there is something to see, or time is up. Another process tells nobody
/// when it is done, so it is asked every 15 ms; no test rests on how long that takes.
func eventually<Value>(
  _ what: String, within limit: Duration = .seconds(40), _ look: () async throws -> Value?
) async throws -> Value {
  let clock = ContinuousClock()
  let end = clock.now + limit
  while clock.now < end {
    if let value = try await look() { return value }
    try await Task.sleep(for: .milliseconds(15))
  }
  throw WaitedTooLong(what: what)
}

struct WaitedTooLong: Error, CustomStringConvertible {
  let what: String
  var description: String { "waited too long: \(what)" }
}
