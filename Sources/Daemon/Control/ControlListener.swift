import Exchange
import Foundation
import Glibc

/// Takes requests from the control socket on a thread of its own, one connection after the other, each
/// within its time, and hands on those that may be done.
final class ControlListener: Sendable {
  /// A request that may be done, and where its answer goes.
  struct Arrival: Sendable {
    let connection: Descriptor
    let request: ControlRequest
    /// `uid 1000 (alice)`.
    let by: String
  }

  /// Requests that wait for the store; more are turned away with CTRL-005.
  private static let maximumWaiting = 8

  let arrivals: AsyncStream<Arrival>
  private let continuation: AsyncStream<Arrival>.Continuation
  private let path: String
  private let socket: Descriptor
  private let patience: Duration
  private let mayAct: @Sendable (uid_t) -> Bool
  private let onRefusal: @Sendable (ControlProblem) -> Void
  /// A byte in this pipe ends the thread, whatever it waits for.
  private let stopReader: Descriptor
  private let stopWriter: Descriptor

  init(
    path: String, group: gid_t?, patience: Duration, mayAct: @escaping @Sendable (uid_t) -> Bool,
    onRefusal: @escaping @Sendable (ControlProblem) -> Void
  ) throws(ControlProblem) {
    self.path = path
    self.patience = patience
    self.mayAct = mayAct
    self.onRefusal = onRefusal
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw .notOpened(errno: errno) }
    (stopReader, stopWriter) = (Descriptor(ends[0]), Descriptor(ends[1]))
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    socket = try ControlSocket.listen(at: path, group: group)
    (arrivals, continuation) = AsyncStream.makeStream(
      bufferingPolicy: .bufferingOldest(ControlListener.maximumWaiting))
  }

  func start() { Thread.detachNewThread { [self] in loop() } }

  /// Takes no more; `arrivals` ends after what was taken.
  func stop() {
    ControlSocket.remove(at: path)
    _ = write(stopWriter.number, [UInt8(1)], 1)
  }

  private func loop() {
    defer { continuation.finish() }
    while !ControlSocket.wait(for: stopReader, stop: nil, milliseconds: 0) {
      guard ControlSocket.wait(for: socket, stop: stopReader, milliseconds: -1) else { continue }
      if let connection = ControlSocket.accept(socket) {
        take(connection)
      } else {
        // Out of descriptors, or it went away: not at once again.
        _ = ControlSocket.wait(for: stopReader, stop: nil, milliseconds: 100)
      }
    }
  }

  private func take(_ connection: Descriptor) {
    guard let user = ControlSocket.peer(of: connection), mayAct(user) else {
      return refuse(connection, .notAllowed)
    }
    switch ControlSocket.readLine(connection, within: patience, stop: stopReader) {
    case .failed(let problem): refuse(connection, problem)
    case .stopped: refuse(connection, .busy)
    case .read(let line):
      do throws(ControlProblem) {
        let request = try ControlRequest(line: line)
        let arrival = Arrival(
          connection: connection, request: request, by: ControlAccess.name(of: user))
        if case .enqueued = continuation.yield(arrival) { return }
        refuse(connection, .busy)
      } catch {
        refuse(connection, error)
      }
    }
  }

  private func refuse(_ connection: Descriptor, _ problem: ControlProblem) {
    onRefusal(problem)
    ControlSocket.send(ControlAnswer.refused(problem).json.canonicalBytes, to: connection)
  }
}
