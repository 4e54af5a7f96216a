import Daemon
import Demo
import Exchange
import Foundation
import Ledger
import Rules
import Store
import Testing

/// What must hold whatever happened to the daemon, proved from the agencies' own records, the store and
/// the published ledger.
struct Invariants {
  let world: CrashWorld
  let story: CrashStory
  private let store: Store

  init(_ world: CrashWorld, _ story: CrashStory) throws {
    self.world = world
    self.story = story
    store = try world.openStore()
  }

  /// Right after a crash: nobody was told anything that the store does not have.
  func holdAfterCrash(_ fault: String) async throws {
    for entry in await story.upstream where try await story.isAcknowledged(entry) {
      let known = try await store.carrierMessage(entry.key)
      #expect(known?.isFinished == true, "\(fault): \(entry.name) acknowledged and not finished")
    }
    for post in await story.posts.values {
      guard let accepted = post.accepted else { continue }
      let known = try await store.carrierMessage(CarrierKey(inbox: "host", message: accepted))
      #expect(known != nil, "\(fault): \(post.name) accepted and not kept")
    }
    for recipient in story.recipients {
      for delivery in await recipient.copies.keys {
        let kept = try await store.delivery(delivery, party: recipient.party.id)
        #expect(kept != nil, "\(fault): handed over without a record")
        if await recipient.collected.contains(delivery) {
          #expect(kept?.delivery.collectedAt != nil, "\(fault): confirmed and not recorded")
        }
      }
    }
    let entries = try await store.leafCount()
    let files = LedgerFolder(world.configuration.ledger.directory)
    guard try files.read("checkpoint", limit: 65_536) != nil else { return }
    let published = try #require(try ledgerReport(kept: []).size)
    #expect(published <= entries, "\(fault): published more than was committed")
    // The sequencer keeps a checkpoint under its size before it publishes it: a crash between the two
    // leaves one that is longer, until the next start.
    let kept = try files.keptCheckpoints()
    let longer = kept.filter { Int($0) ?? 0 > published }
    #expect(longer.count <= 1, "\(fault): \(longer)")
    let report = try ledgerReport(kept: kept.filter { !longer.contains($0) })
    #expect(report.isSound, "\(fault): \(report.problems)")
  }

  /// At the end, with the daemon stopped: nothing lost, nothing twice, the ledger whole.
  func holdAtTheEnd(starts: Int) async throws {
    let views = try await exchanges()
    try await nothingLost(views)
    try await nothingTwice(views)
    try await factsOnce(views)
    try await receiptedOnce(views)
    try await ledgerWhole(views, starts: starts)
    try nothingInTheClear()
  }

  private func exchanges() async throws -> [ExchangeView] {
    var views: [ExchangeView] = []
    for line in try await store.exchanges(limit: 1000) {
      views.append(try await store.exchange(line.exchange.text))
    }
    return views
  }

  /// The one exchange that decided upon a notification.
  private func decided(_ name: String, _ views: [ExchangeView]) async throws -> ExchangeView? {
    let event = try await story.event(name)
    let found = views.filter {
      $0.notification?.id == event.id && $0.notification?.source == event.source
        && $0.ending == .shared
    }
    #expect(found.count == 1, "\(name) was shared \(found.count) times")
    return found.first
  }

  private func nothingLost(_ views: [ExchangeView]) async throws {
    for entry in await story.upstream {
      let known = try await store.carrierMessage(entry.key)
      #expect(known?.isFinished == true, "\(entry.name) is not finished")
      #expect(try await story.isAcknowledged(entry), "\(entry.name) is not acknowledged upstream")
      guard entry.name == "forgery" else { continue }
      #expect(known?.ending?.word == "set-aside" && known?.ending?.code?.hasPrefix("SEAL-") == true)
    }
    for post in await story.posts.values {
      let accepted = try #require(post.accepted)
      let known = try await store.carrierMessage(CarrierKey(inbox: "host", message: accepted))
      #expect(known?.isFinished == true, "\(post.name) is not finished")
    }
    for (name, told) in CrashStory.told {
      let view = try #require(try await decided(name, views), "\(name) was not shared")
      #expect(view.deliveries.map(\.party.text).sorted() == told.sorted(), "\(name)")
      for delivery in view.deliveries {
        let expected: Delivery.State = name.hasPrefix("j") ? .acknowledged : .collected
        #expect(delivery.state == expected, "\(name) to \(delivery.party)")
        let recipient = story.recipients.first { $0.party.id == delivery.party }
        #expect(await recipient?.collected.contains(delivery.id) == true, "\(name)")
      }
    }
  }

  private func nothingTwice(_ views: [ExchangeView]) async throws {
    // Whatever else is in the store is a repeat of one of these, or the forgery.
    let first = Set(views.filter { $0.ending == .shared }.map(\.exchange))
    #expect(first.count == CrashStory.told.count)
    for view in views where view.ending != .shared {
      guard view.ending?.word != "set-aside" else { continue }
      #expect(view.ending == .duplicate)
      #expect(view.first.map(first.contains) == true)
      #expect(view.deliveries.isEmpty)
    }
    #expect(views.filter { $0.ending?.word == "set-aside" }.count == 1)
    let upstream = await story.upstream
    #expect(views.filter { $0.carrier.inbox != "host" }.count == upstream.count)
    #expect(Set(views.map(\.carrier)).count == views.count)
    for recipient in story.recipients {
      let ours =
        views.flatMap(\.deliveries).filter { $0.party == recipient.party.id }.map(\.id)
        + views.flatMap(\.receipts).filter { $0.party == recipient.party.id }.map(\.delivery)
      #expect(Set(ours).count == ours.count)
      #expect(await Set(recipient.copies.keys) == Set(ours), "\(recipient.party.id)")
      #expect(await recipient.changed.isEmpty, "\(recipient.party.id) was given other bytes")
    }
  }

  /// One version of the case for each notification that sets facts: registration, release date and
  /// MAPPA J of the adult; registration, discussion and two MAPPA Js of the one who is not aware.
  private func factsOnce(_ views: [ExchangeView]) async throws {
    for (name, version) in [("j", 3), ("j-unaware", 4)] {
      let id = try #require(try await decided(name, views)?.caseID)
      #expect(try await store.subjectCase(id).version == version, "the case of \(name)")
    }
    let dated = try #require(try await decided("release-date", views))
    let subject = try await store.subjectCase(try #require(dated.caseID))
    #expect(subject.facts.facts["releaseDate"]?.source == dated.exchange)
  }

  private func ledgerReport(kept: [String]) throws -> LedgerReport {
    let files = LedgerFolder(world.configuration.ledger.directory)
    let key = try world.ring.ledgerKey(origin: world.configuration.ledger.origin).verifierKey
    return LedgerVerifier(files: files, ledger: key).check(kept: kept)
  }

  /// Every entry is published, and the entries are those of what happened, each once: one for each
  /// decision, one for each collection, two for an answer (delivery and deadline), two for each receipt
  /// (made, collected), one for each start and for the stop.
  private func ledgerWhole(_ views: [ExchangeView], starts: Int) async throws {
    let files = LedgerFolder(world.configuration.ledger.directory)
    let report = try ledgerReport(kept: try files.keptCheckpoints())
    let entries = try await store.leafCount()
    #expect(report.isSound, "\(report.problems)")
    #expect(report.size == entries && report.entriesChecked == entries)
    let numbers = views.flatMap(\.leaves)
    #expect(Set(numbers).count == numbers.count)
    #expect(entries - numbers.count == starts + 1, "entries of starts and the stop")
    for view in views {
      var least = 1
      for receipt in view.receipts { least += receipt.deliveryState == .collected ? 2 : 1 }
      for delivery in view.deliveries { least += delivery.state == .acknowledged ? 3 : 1 }
      if try await mayWait(view) {
        // Each hold before the decision is an entry of its own.
        #expect((least...least + 4).contains(view.leaves.count), "\(view.leaves)")
      } else {
        #expect(view.leaves.count == least, "\(view.carrier)")
      }
    }
  }

  private func mayWait(_ view: ExchangeView) async throws -> Bool {
    for name in ["release-date", "j", "j-unaware", "j-unaware-2"] {
      if view.notification?.id == (try await story.event(name)).id { return true }
    }
    return false
  }

  /// Neither the store, nor the ledger, nor the log holds a name, a number or a word of a message.
  private func nothingInTheClear() throws {
    let marks = [
      "Invented Person", "Z1001ZZ", "Z1003ZZ", "X000001", "MJ-1001", "DISC-0001", "demo-person",
      "Adviser desk", "no-work-with-children",
    ]
    let files = FileManager.default
    let folders = [world.configuration.stateDirectory, world.configuration.ledger.directory]
    var paths = [world.logFile]
    for folder in folders {
      paths += try files.subpathsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
    }
    for path in paths {
      var isFolder: ObjCBool = false
      guard files.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
        continue
      }
      let content = try Data(contentsOf: URL(filePath: path))
      for mark in marks {
        #expect(content.range(of: Data(mark.utf8)) == nil, "\(mark) in \(path)")
      }
    }
  }
}
