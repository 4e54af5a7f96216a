import ArgumentParser
import Daemon
import Exchange
import Foundation

struct SendCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send",
    abstract: "Seals a notification as a party and posts it to Sallyport. Cannot be undone.",
    discussion: """
      FILE is CloudEvents JSON with at least `type`, `subject` and `data`; version, id, source, time and
      audience are filled in where they are missing.

      Examples:
        sallyport send notice.json --as pki/prison-durham/send.yaml
        sallyport send notice.json --as pki/prison-durham/send.yaml --json

      Exit codes: 0 taken, 65 the file is not a notification, 69 not taken, 78 the profile is wrong.
      """)

  @Argument(help: "The notification.") var file: String
  @Option(name: .customLong("as"), help: "The party's profile.") var profile: String
  @Flag(help: "One JSON document.") var json = false

  private struct Document: Encodable {
    let id: String
    let message: String
  }

  func run() async throws {
    let sender = PartySender(try loaded())
    let notification: Exchange.Notification
    do {
      notification = try sender.notification(from: BoundedFile.bytes(file))
    } catch {
      throw Say.failure(
        "\(file) cannot be sent: \(error)", next: "see docs/protocol.md", exit: Exit.data)
    }
    do {
      let id = try await sender.send(notification)
      Say.answer(
        json
          ? JSONText.of(Document(id: notification.id.text, message: id.text))
          : "sent \(notification.id) as message \(id)")
    } catch SendProblem.notSealed(let code, let text) {
      throw Say.failure(
        "\(file) cannot be sealed: \(code) \(text)", next: "see \(code) in docs/errors.md",
        exit: Exit.data)
    } catch {
      throw Say.failure(
        // After a broken connection nobody knows whether it was taken; no id is acted on twice.
        "\(error)", next: "put \"id\": \"\(notification.id)\" into \(file) and send it again",
        exit: Exit.unreachable)
    }
  }

  private func loaded() throws -> SenderProfile {
    let path =
      profile.hasPrefix("/") ? profile : FileManager.default.currentDirectoryPath + "/" + profile
    do {
      let directory = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)
      return try SenderProfile.parse(
        text: BoundedFile.text(path), file: profile, directory: String(directory))
    } catch {
      throw Say.failure(
        "\(error)", next: "compare it with docs/protocol.md", exit: Exit.configuration)
    }
  }
}
