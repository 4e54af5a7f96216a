package import Foundation

/// The `openssl` command, the second implementation that these tests hold Seal against.
package struct OpenSSLCommand {
  /// A folder of this test's own, removed by ``remove()``.
  package let folder: URL

  /// Runs `body` with a command in a fresh folder.
  package static func use<Value>(_ body: (OpenSSLCommand) throws -> Value) throws -> Value {
    let command = try OpenSSLCommand()
    defer { command.remove() }
    return try body(command)
  }

  package init() throws {
    folder = FileManager.default.temporaryDirectory.appending(
      path: "sallyport-seal-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  package func remove() { try? FileManager.default.removeItem(at: folder) }

  package func write(_ text: String, as name: String) throws {
    try Data(text.utf8).write(to: folder.appending(path: name))
  }

  package func write(_ bytes: [UInt8], as name: String) throws {
    try Data(bytes).write(to: folder.appending(path: name))
  }

  package func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appending(path: name)))
  }

  /// Runs `openssl` in the folder; gives the exit status and what it printed.
  @discardableResult
  package func run(_ arguments: String...) throws -> (status: Int32, output: String) {
    try run(arguments)
  }

  @discardableResult
  package func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    try run(program: "/usr/bin/openssl", arguments)
  }

  /// Runs another program in the folder.
  package func run(
    program: String, _ arguments: [String]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let printed = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: printed, as: UTF8.self))
  }
}
