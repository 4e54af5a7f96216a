import Exchange
import Foundation

/// The other end of the control socket: what commands ask the daemon by.
package struct ControlClient: Sendable {
  private let directory: String
  private let patience: Duration

  /// - Parameters:
  ///   - stateDirectory: where the daemon's store lies.
  ///   - patience: for the answer: the disk may be busy.
  package init(stateDirectory: String, patience: Duration = .seconds(30)) {
    (directory, self.patience) = (stateDirectory, patience)
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
      connection = try ControlSocket.connect(in: directory)
    } catch { return .failure(error) }
    ControlSocket.sendAll(bytes, to: connection)
    guard case .read(let line) = ControlSocket.readLine(connection, within: patience) else {
      return .failure(.noAnswer)
    }
    return .success(line)
  }
}
