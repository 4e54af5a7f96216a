package import Exchange
import Foundation
import Logging
import Mailbox
import ServiceLifecycle
import Synchronization

/// How each inbox is doing, written beside the store so that `status` can say it without the daemon.
package final class InboxBoard: Sendable {
  private let states = Mutex<[String: InboxState]>([:])
  private let file: String

  package init(stateDirectory: String) { file = InboxBoard.file(in: stateDirectory) }

  private static func file(in stateDirectory: String) -> String { stateDirectory + "/inboxes.json" }

  func note(_ inbox: String, _ state: InboxState) { states.withLock { $0[inbox] = state } }

  /// One line of the board.
  package struct Line: Codable, Sendable {
    package let inbox: String
    package let lastSuccess: Instant?
    package let lastErrorCode: String?
    package let waiting: Int?
    /// Mailbox, password, secret, certificate or clock are refused: somebody must act.
    package let needsOperator: Bool
  }

  /// What the daemon last wrote; empty before it ever ran.
  package static func read(stateDirectory: String) -> [Line] {
    guard let bytes = try? BoundedFile.bytes(file(in: stateDirectory)) else { return [] }
    return (try? JSONDecoder().decode([Line].self, from: Data(bytes))) ?? []
  }

  func write() throws {
    let lines = states.withLock { states in
      states.sorted { $0.key < $1.key }.map { name, state in
        Line(
          inbox: name, lastSuccess: state.lastSuccess, lastErrorCode: state.lastErrorCode,
          waiting: state.waiting, needsOperator: state.needsOperator)
      }
    }
    try JSONEncoder().encode(lines).write(to: URL(filePath: file), options: .atomic)
  }
}

/// Keeps the board's file current.
struct BoardWorker: Service {
  let board: InboxBoard
  let log: Logger

  func run() async throws {
    try await Rounds(wakeup: Wakeup(), interval: .seconds(2), log: log).run {
      do {
        try board.write()
      } catch {
        log.warning("inbox states not written")
      }
    }
  }
}
