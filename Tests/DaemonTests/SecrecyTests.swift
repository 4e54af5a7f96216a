import Exchange
import Foundation
import Store
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `Nothing of a person lies on disk or in the log in the clear` {
  /// Texts of the notices that must be found nowhere.
  private func marks() throws -> [String] {
    let cast = try Notice.cast()
    let people = [cast.adult, cast.youth, cast.unaware, cast.foreignNational, cast.unregistered]
    return people.flatMap {
      [$0.name, $0.prisonNumber, $0.pncID, $0.crn, $0.subject.text, $0.dateOfBirth.description]
    } + [
      "no-work-with-children", "an invented offence", "DISC-0001", "Telling the person",
      "Served a sentence", "01632 960001", "MJ-1001", "2026-11-02", "2026-10-12", "licence-breach",
      "Ordinary management", "Minutes of an invented",
      "Prison of invented Durham", "offenderManagerContact", "MARKED-EXTRA",
      "demo-\(Instant.start.milliseconds)",
    ]
  }

  @Test func `after every kind of ending`() async throws {
    let hub = try await Hub()
    for (place, step) in [
      "registered-adult", "registered-youth", "registered-unaware", "registered-foreign-national",
      "release-date", "release-date-changed", "j", "j-youth", "j-note", "j-unaware", "discussion",
      "transfer", "minutes", "recall", "fno-released", "unexpected",
    ].enumerated() {
      // With a field that no rule knows, too.
      let notice = try Notice.named(step).with(data: ["extra": "MARKED-EXTRA"])
      _ = try await hub.take(notice, as: "M\(place)")
    }
    try await hub.reconsider()
    let release = try Notice.named("release-date")
    try await hub.take(release.with(data: ["extra": "MARKED-EXTRA"]), as: "REPEAT")
    try await hub.take(release.with(data: ["releaseDate": "2026-11-05"]), as: "CONFLICT")
    try await hub.take(release.with(id: "bad", data: ["releaseDate": .null]), as: "BAD")
    try await hub.take(release.with(id: "type", type: "horoscope.published"), as: "TYPE")
    let forged = try Area.world.forge(
      Notice.named("forgery"), signedBy: Area.party("immigration:casework"), now: .start)
    try await hub.take(forged, as: "FORGED")
    let keeper = hub.keeper()
    _ = try await keeper.accept(
      Hub.submission(hub.seal(release), localID: release.id.text))
    for item in try await hub.store.mailboxPage(
      of: Area.party("police:durham").id, limit: 10
    ).items {
      _ = try await hub.store.recordCollected(
        item.id, party: Area.party("police:durham").id, at: .start)
    }

    // Every ending was reached.
    let counts = try await hub.store.counts().exchanges["prison"] ?? [:]
    #expect(Set(counts.keys) == ["shared", "refused", "held", "set-aside", "duplicate"])

    let disk = try hub.folder.allBytes(of: "state")
    #expect(disk.count > 100_000)
    let log = Data(hub.lines.all.joined().utf8)
    #expect(!log.isEmpty)
    for mark in try marks() {
      #expect(disk.range(of: Data(mark.utf8)) == nil, "\(mark) lies on disk")
      #expect(log.range(of: Data(mark.utf8)) == nil, "\(mark) is in the log")
    }
    // Ids that are random do lie there: the search finds what is there.
    let exchange = try #require(try await hub.store.exchanges(limit: 1).first)
    #expect(disk.range(of: Data(exchange.exchange.text.utf8)) != nil)
  }
}
