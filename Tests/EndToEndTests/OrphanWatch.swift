import Foundation

/// Ends the daemons that are left when the tests themselves are killed: a shell that is told each process
/// id, and ends what is still on its list when this process, whose end of the pipe it reads, is gone.
struct OrphanWatch: Sendable {
  static let shared = Result { try OrphanWatch() }

  private let list: FileHandle

  private init() throws {
    let pipe = Pipe()
    let shell = Process()
    shell.executableURL = URL(filePath: "/bin/sh")
    shell.arguments = [
      "-c",
      """
      running=' '
      while read -r sign id; do
        case $sign in
          start) running="$running$id " ;;
          end) running="${running%%" $id "*} ${running#*" $id "}" ;;
        esac
      done
      for id in $running; do kill -KILL "$id"; done
      """,
    ]
    shell.standardInput = pipe
    try shell.run()
    list = pipe.fileHandleForWriting
  }

  func started(_ process: Int32) throws { try tell("start \(process)") }

  func ended(_ process: Int32) throws { try tell("end \(process)") }

  /// One short line is written at once or not at all, whoever else writes.
  private func tell(_ line: String) throws { try list.write(contentsOf: Data("\(line)\n".utf8)) }
}
