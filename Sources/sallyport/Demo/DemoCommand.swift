import ArgumentParser
import Daemon
import Demo
import Exchange
import Foundation
import Ledger
import Logging
import Store
import Synchronization
import UnixSignals

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: """
      Pretend agencies, real messages: plays a story through the whole of Sallyport. Changes state in a folder
      of its own alone.
      """,
    discussion: """
      Makes a folder with a PKI, pretend agencies, mailboxes, rulebook and agreement, runs a daemon that
      polls over mutual TLS on loopback, and sends a story through it. Nothing leaves this machine.

      Examples:
        sallyport demo --once
        sallyport demo --once --json --keep /tmp/sallyport-demo

      Exit codes: 0 the story ran and the ledger holds, 1 it did not.
      """)

  @Flag(help: "End when the story has been told.") var once = false
  @Flag(help: "One JSON document instead of the story; ends like --once.") var json = false
  @Option(help: "Keep everything in this folder, which must be empty or new.") var keep: String?

  func run() async throws {
    guard let sharedFiles = SharedFiles.directory() else {
      throw Say.failure(
        "the rulebook that comes with the program is not found",
        next: "SALLYPORT_SHARE=/path/to/config sallyport demo", exit: Exit.configuration)
    }
    let directory = try folder()
    defer { if keep == nil { try? FileManager.default.removeItem(atPath: directory) } }
    var log = Logger(label: "demo") { JSONLogHandler(label: $0) }
    log.logLevel = .error
    let world = try DemoWorld.make(now: .wallClock)
    let stage = DemoStage(world: world, folder: DemoFolder(path: directory), log: log)
    let good = Mutex(false)
    do {
      try await stage.run(sharedFiles: sharedFiles) { play in
        let sound = try await tell(play)
        good.withLock { $0 = sound }
      }
    } catch {
      throw Say.failure("\(error)", next: "sallyport demo --once --keep DIR", exit: Exit.badAnswer)
    }
    if !good.withLock({ $0 }) { throw Exit.badAnswer }
  }

  private func folder() throws -> String {
    guard let keep else {
      return FileManager.default.temporaryDirectory.path() + "sallyport-demo-\(ExchangeID.random())"
    }
    let path = keep.hasPrefix("/") ? keep : FileManager.default.currentDirectoryPath + "/" + keep
    let content = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard content.isEmpty else {
      throw Say.failure("\(keep) is not empty", next: "name a new folder", exit: Exit.usage)
    }
    return path
  }

  private func tell(_ play: DemoPlay) async throws -> Bool {
    if !json {
      Say.answer("Eight pretend agencies, a PKI and a rulebook in \(play.folder.path).")
      Say.answer("Nothing leaves this machine. Every person is invented.\n")
    }
    let scenes = try await play.play { scene in if !json { Narrator.tell(scene) } }
    let receipts = try await play.receipts()
    let report = try await play.verifiedLedger()
    let vkey = try play.ring.ledgerKey(origin: play.configuration.ledger.origin).verifierKey
    if json {
      let views = try await play.final(scenes)
      Say.answer(JSONText.of(DemoDocument(views, report: report, vkey: vkey, play: play)))
      return report.isSound
    }
    Narrator.tell(receipts, ledger: vkey)
    Narrator.tell(report)
    Say.answer(
      once && keep == nil
        ? "Keep it all, to look closer: sallyport demo --once --keep DIR"
        : "    sallyport audit verify --key '\(vkey)' \(play.configuration.ledger.directory)")
    if !once {
      Say.answer("\nRunning on. Try, in another terminal:")
      Say.answer("  sallyport status --config \(play.configurationFile)")
      Say.answer("Ctrl-C ends it.")
      for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
    }
    return report.isSound
  }
}

/// The story's document, for tests and for other programs.
struct DemoDocument: Encodable {
  struct LedgerPart: Encodable {
    let directory: String
    let vkey: String
    let size: Int
    let root: String
    let verified: Bool
  }

  let exchanges: [ExchangeDocument]
  let deadlines: [DeadlineDocument]
  let ledger: LedgerPart

  init(_ views: [ExchangeView], report: LedgerReport, vkey: VerifierKey, play: DemoPlay) {
    exchanges = views.map { view in
      ExchangeDocument(view, first: views.first { $0.exchange == view.first })
    }
    deadlines = views.flatMap(\.deadlines).map(DeadlineDocument.init)
    ledger = LedgerPart(
      directory: play.configuration.ledger.directory, vkey: vkey.description,
      size: report.size ?? 0, root: report.root?.base64 ?? "", verified: report.isSound)
  }
}
