import ArgumentParser
import Daemon
import Exchange

struct InboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inbox", abstract: "The inboxes that are polled at agencies' services.",
    subcommands: [InboxPollCommand.self])
}

struct InboxPollCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "poll",
    abstract: "Polls one inbox now and says what came of it. Changes state.",
    discussion: """
      Whatever its schedule. A national service allows a poll every five minutes: ask out of turn only for
      a reason, such as credentials that were just mended.

      Examples:
        sallyport inbox poll prison --config /etc/sallyport/sallyport.yaml
        sallyport inbox poll prison --json

      Exit codes: 0 polled, 1 no such inbox, 69 the service or the daemon cannot be reached, 75 busy,
      77 not allowed.
      """)

  @Argument(help: "The inbox's name in the configuration.") var name: String
  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let done: Bool
    let inbox: String
    let code: OrNull<String>
    let text: OrNull<String>
    let taken: Int
    let known: Int
    let left: Int
    let givenUp: Int
    let waiting: OrNull<Int>
    let nextPoll: OrNull<String>
    /// What to type when it failed.
    let next: OrNull<String>
  }

  func run() async throws {
    let configuration = try option.configuration()
    let again = "sallyport inbox poll \(name)"
    let answer: ControlAnswer
    do throws(ControlProblem) {
      answer = try await ControlClient(socketFile: configuration.control.socketFile)
        .ask(.poll(name))
    } catch {
      let next = error == .notReached ? "systemctl start sallyport; then: \(again)" : again
      throw failure(error.code, error.text, next: next)
    }
    switch answer {
    case .polled(let poll): try tell(poll)
    case .refused(let refusal):
      throw failure(refusal.code, refusal.text, next: "sallyport status")
    default:
      throw failure(
        ControlProblem.noAnswer.code, ControlProblem.noAnswer.text,
        next: "run the program of the daemon's own version")
    }
  }

  private struct Refusal: Encodable {
    let done = false
    let code: String
    let text: String
    let next: String
  }

  private func failure(_ code: String, _ text: String, next: String) -> ExitCode {
    if json { Say.answer(JSONText.of(Refusal(code: code, text: text, next: next))) }
    let exit =
      switch code {
      case ControlProblem.noSuchInbox.code: Exit.badAnswer
      case ControlProblem.pollUnderWay.code: Exit.busy
      default: Act.exit(code)
      }
    return Say.failure("\(code) \(text)", next: next, exit: exit)
  }

  private static func explained(_ code: String) -> String { "sallyport errors \(code)" }

  private func tell(_ poll: PollAnswer) throws {
    if json {
      Say.answer(
        JSONText.of(
          Document(
            done: poll.code == nil, inbox: poll.inbox, code: OrNull(poll.code),
            text: OrNull(poll.text), taken: poll.taken, known: poll.known, left: poll.left,
            givenUp: poll.givenUp, waiting: OrNull(poll.waiting),
            nextPoll: OrNull(poll.nextPoll?.description),
            next: OrNull(poll.code.map(InboxPollCommand.explained)))))
    }
    let next = poll.nextPoll.map { "next poll \($0)" } ?? "more is fetched at once"
    if let code = poll.code {
      throw Say.failure(
        "\(code) \(poll.text ?? "the poll failed"); \(next)",
        next: InboxPollCommand.explained(code), exit: Exit.unreachable)
    }
    guard !json else { return }
    Say.answer(
      "\(poll.inbox)  taken \(poll.taken)  known \(poll.known)  left \(poll.left)  "
        + "given up \(poll.givenUp)  waiting \(poll.waiting.map(String.init) ?? "-")  \(next)")
  }
}
