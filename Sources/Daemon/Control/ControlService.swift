import Exchange
import Glibc
import Logging
import ServiceLifecycle

/// The control socket, as one of the daemon's services.
struct ControlService: Service {
  private let listener: Result<ControlListener, ControlProblem>
  private let acts: OperatorActs

  /// Listens from here on; what is asked waits for `run`. Without a socket the daemon goes on all the
  /// same: notices must flow, and the log says so.
  ///
  /// - Parameters:
  ///   - patience: for the one line of a request.
  ///   - mayAct: by the user's number as the kernel names it; `ControlAccess` when nil.
  init(
    place: Configuration.ControlSettings, acts: OperatorActs, patience: Duration = .seconds(5),
    mayAct: (@Sendable (uid_t) -> Bool)? = nil
  ) {
    self.acts = acts
    let log = acts.log
    do throws(ControlProblem) {
      let access = try ControlAccess(group: place.group)
      listener = .success(
        try ControlListener(
          path: place.socketFile, group: access.group, patience: patience,
          mayAct: mayAct ?? { access.admits($0) }
        ) { problem in
          log.warning("control request refused", metadata: ["code": "\(problem.code)"])
        })
    } catch {
      listener = .failure(error)
    }
  }

  func run() async throws {
    switch listener {
    case .failure(let problem):
      acts.log.error("control socket not opened", metadata: ["code": "\(problem.code)"])
      // Ends with the others: a service that ends ends them all.
      try? await gracefulShutdown()
    case .success(let listener):
      listener.start()
      await withTaskCancellationOrGracefulShutdownHandler {
        for await arrival in listener.arrivals {
          let answer = await acts.perform(arrival.request, by: arrival.by)
          ControlSocket.send(answer.json.canonicalBytes, to: arrival.connection)
        }
      } onCancelOrGracefulShutdown: {
        listener.stop()
      }
    }
  }
}
