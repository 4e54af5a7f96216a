import Exchange
import Foundation

/// The other end of the control socket: what commands ask the daemon by.
package struct ControlClient: Sendable {
  private let path: String
  private let patience: Duration

  /// - Parameters:
  ///   - socketFile: where the daemon listens.
  ///   - patience: for the answer: the disk may be busy.
  package init(socketFile: String, patience: Duration = .seconds(30)) {
    (path, self.patience) = (socketFile, patience)
  }

  /// Whether the daemon answers there.
  package func isRunning() async -> Bool {
    let greeting = try? await ask(.hello)
    guard case .running = greeting else { return false }
    return true
  }

  /// - Throws: CTRL-001, CTRL-005, CTRL-010: nothing was asked; CTRL-011: it may have been done.
  package func ask(_ request: ControlRequest) async throws(ControlProblem) -> ControlAnswer {
    let line = try await exchange(request.json.canonicalBytes + [UInt8(ascii: "\n")]).get()
    guard let answer = ControlAnswer(line: line) else { throw .noAnswer }
    return answer
  }

  /// Sends bytes as they are and takes one line, on a thread of its own.
  func exchange(_ bytes: [UInt8]) async -> Result<[UInt8], ControlProblem> {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: answer(to: bytes)) }
    }
  }

  private func answer(to bytes: [UInt8]) -> Result<[UInt8], ControlProblem> {
    let connection: Descriptor
    do throws(ControlProblem) {
      connection = try ControlSocket.connect(to: path)
    } catch { return .failure(error) }
    ControlSocket.sendAll(bytes, to: connection)
    guard case .read(let line) = ControlSocket.readLine(connection, within: patience) else {
      return .failure(.noAnswer)
    }
    return .success(line)
  }
}
