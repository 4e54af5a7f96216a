package import Exchange
import Foundation
import Logging
import Mailbox
import ServiceLifecycle
import Synchronization

/// How each inbox is doing, written beside the store so that `status` can say it without the daemon.
package final class InboxBoard: Sendable {
  private let states = Mutex<[String: InboxState]>([:])
  private let courses = Mutex<[String: CarrierCourse]>([:])
  private let demands = Mutex<[String: PollDemand]>([:])
  private let file: String

  package init(stateDirectory: String) { file = InboxBoard.file(in: stateDirectory) }

  private static func file(in stateDirectory: String) -> String { stateDirectory + "/inboxes.json" }

  /// Where a poll of this inbox is asked for, made anew for each poller.
  func demand(_ inbox: String) -> PollDemand {
    let demand = PollDemand()
    demands.withLock { $0[inbox] = demand }
    return demand
  }

  /// What came of asking for a poll.
  enum Asked {
    /// No inbox has this name.
    case unknown
    /// The poll goes on.
    case underWay
    case answered(PollDemand.Answer)
  }

  /// Asks the inbox's poller to poll now, and waits for so long at most.
  func poll(_ inbox: String, patience: Duration) async -> Asked {
    guard let demand = demands.withLock({ $0[inbox] }) else { return .unknown }
    return await withTaskGroup(of: Asked.self) { group in
      group.addTask { .answered(await demand.ask()) }
      group.addTask {
        try? await Task.sleep(for: patience)
        return .underWay
      }
      defer { group.cancelAll() }
      return await group.next() ?? .underWay
    }
  }

  /// What a carrier's worker remembers, and this board tells.
  func course(_ carrier: String) -> CarrierCourse {
    courses.withLock { courses in
      let course = courses[carrier] ?? CarrierCourse()
      courses[carrier] = course
      return course
    }
  }

  func note(_ inbox: String, _ state: InboxState) { states.withLock { $0[inbox] = state } }

  /// No longer polled.
  func forget(_ inbox: String) {
    states.withLock { $0[inbox] = nil }
    demands.withLock { $0[inbox] = nil }
  }

  /// One line of the board.
  package struct Line: Codable, Sendable {
    package let inbox: String
    /// When the last poll ended, well or not.
    package let lastPoll: Instant?
    package let lastSuccess: Instant?
    /// Nil while more waits and is fetched at once.
    package let nextPoll: Instant?
    package let lastHandshake: Instant?
    package let lastErrorCode: String?
    /// Since when no poll was without failure.
    package let troubleSince: Instant?
    package let waiting: Int?
    /// Messages that failed and are tried again.
    package let troubled: Int
    /// Messages that were given up, set aside under a MESH code, and still lie in the inbox.
    package let givenUp: Int
    /// Mailbox, password, secret, certificate or clock are refused: somebody must act.
    package let needsOperator: Bool
  }

  /// How one carrier is doing.
  package struct CarrierLine: Codable, Sendable {
    package let carrier: String
    package let lastSuccess: Instant?
    package let lastErrorCode: String?
    package let troubleSince: Instant?
    /// It is left alone until then.
    package let pausedUntil: Instant?
  }

  /// The whole board.
  package struct Page: Codable, Sendable {
    package var inboxes: [Line] = []
    package var carriers: [CarrierLine] = []
  }

  /// What the daemon last wrote; empty before it ever ran.
  package static func read(stateDirectory: String) -> Page {
    guard let bytes = try? BoundedFile.bytes(file(in: stateDirectory)) else { return Page() }
    return (try? JSONDecoder().decode(Page.self, from: Data(bytes))) ?? Page()
  }

  func write() throws {
    let inboxes = states.withLock { states in
      states.sorted { $0.key < $1.key }.map { name, state in
        Line(
          inbox: name, lastPoll: state.lastPoll, lastSuccess: state.lastSuccess,
          nextPoll: state.nextPoll, lastHandshake: state.lastHandshake,
          lastErrorCode: state.lastErrorCode, troubleSince: state.troubleSince,
          waiting: state.waiting, troubled: state.troubled, givenUp: state.givenUp,
          needsOperator: state.needsOperator)
      }
    }
    let carriers = courses.withLock { courses in
      courses.sorted { $0.key < $1.key }.map { name, course in
        let health = course.health
        return CarrierLine(
          carrier: name, lastSuccess: health.lastSuccess, lastErrorCode: health.lastErrorCode,
          troubleSince: health.troubleSince, pausedUntil: health.pausedUntil)
      }
    }
    try JSONEncoder().encode(Page(inboxes: inboxes, carriers: carriers))
      .write(to: URL(filePath: file), options: .atomic)
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
