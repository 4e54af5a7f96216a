import Exchange
import Foundation
import Mailbox
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

/// The testing library has attachments of its own.
private typealias Attachment = Exchange.Attachment

@Suite struct `A document goes whole to those whom the rules name, and nowhere else` {
  private func document() throws -> Attachment {
    try #require(Notice.named("minutes").attachments.list.first)
  }

  private var receiver: String { "coordinator:northumbria" }
  private func mailbox() throws -> MailboxID { try Area.party(receiver).mailbox }

  /// Sealed by the co-ordinator although it does not fit what it says of itself.
  private func take(
    _ hub: Hub, _ data: [String: JSONValue], _ attachments: [Attachment]
  ) async throws -> ExchangeView {
    let notice = try Notice.named("minutes").with(data: data).with(Attachments(attachments))
    return try await hub.take(notice, as: "WRONG")
  }

  @Test func `the minutes go to the receiving co-ordinator, the notice alone to the lead agency`()
    async throws
  {
    let hub = try await Hub()
    try await hub.share("registered-unaware", "minutes")
    let document = try document()
    #expect(Array(document.bytes) == Array(Story.minutes.utf8))
    let whole = try #require(try await hub.copies(receiver).last)
    #expect(whole.attachments == Attachments([document]))
    #expect(whole.data["minutes"] == document.reference.json)
    let notice = try #require(try await hub.copies("probation:durham").last)
    #expect(notice.type.text == "transfer.level23-minutes")
    #expect(notice.attachments.isEmpty && notice.data["minutes"] == nil)
    #expect(try await hub.copyCount() == 4, "two of the registration, two of this")
  }

  @Test func `held until the person is known, it goes with its document, whatever opens by then`()
    async throws
  {
    let hub = try await Hub()
    let held = try await hub.take(Notice.named("minutes"), as: "HELD")
    #expect(held.ending == .held(code: "INTK-004"))
    try await hub.share("registered-unaware")
    // The key that opened it is in use no more: what was kept with it is enough.
    let (world, base) = (try Area.world, try Area.regime)
    var identity = try world.identity(of: world.own)
    identity.decryption = try world.identity(of: Area.party("police:durham")).decryption
    hub.regime.swap(
      for: Regime(
        policy: base.policy,
        sealer: try Sealer(
          identity: identity, parties: world.agencies.map { world.trust(in: $0) }),
        calendar: base.calendar, mailboxes: base.mailboxes))
    #expect(try await hub.reconsider() == [held.exchange])
    #expect(try await hub.view(held.exchange).ending == .shared)
    let copy = try #require(try await hub.copies(receiver).last)
    #expect(try copy.attachments == Attachments([document()]))
  }

  @Test func `held twice it still has its document`() async throws {
    let hub = try await Hub()
    let held = try await hub.take(Notice.named("minutes"), as: "HELD")
    for _ in 1...2 { try await hub.reconsider(held.exchange) }
    #expect(try await hub.view(held.exchange).ending == .held(code: "INTK-004"))
    try await hub.share("registered-unaware")
    try await hub.reconsider()
    let copy = try #require(try await hub.copies(receiver).last)
    #expect(try copy.attachments == Attachments([document()]))
  }

  @Test func `a copy that is made anew has the document, unless that is what may be told no more`()
    async throws
  {
    for (field, keeps) in [("name", true), ("minutes", false)] {
      let hub = try await Hub()
      try await hub.share("registered-unaware", "minutes")
      let old = try #require(try await hub.listed(mailbox()).last)
      try await hub.changeAgreement(
        adding: """
          narrowing:
            - {type: transfer.level23-minutes, role: coordinator, withhold: [\(field)], reason: A test.}
          """)
      #expect(try await hub.get(old, for: mailbox()) == .gone)
      let copy = try #require(try await hub.copies(receiver).last)
      #expect(copy.data[field] == nil)
      #expect(try copy.attachments == (keeps ? Attachments([document()]) : .none))
      #expect((copy.data["minutes"] != nil) == keeps)
    }
  }

  @Test func `what does not fit is set aside under its own code`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-unaware")
    let (document, text) = (try document(), try Attachment(Array("plain".utf8), as: .text))
    #expect(
      try await take(hub, ["minutes": document.reference.json], []).ending
        == .setAside(code: "EXCH-013"))
    let other = try await Hub()
    #expect(
      try await take(other, ["minutes": text.reference.json], [text]).ending
        == .setAside(code: "RULE-109"))
    #expect(try await hub.copies(receiver).isEmpty)
    #expect(try await other.copies(receiver).isEmpty)
    #expect(hub.lines.all.contains { $0.contains("EXCH-013") })
  }

  @Test func `a document in a field that no rule knows goes nowhere`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-unaware")
    let document = try document()
    let annex = try Attachment(Array("an annex that nobody asked for".utf8), as: .text)
    let view = try await take(
      hub, ["annex": annex.reference.json, "minutes": document.reference.json], [annex, document])
    #expect(view.ending == .shared)
    for party in [receiver, "probation:durham"] {
      let copy = try #require(try await hub.copies(party).last)
      #expect(copy.attachments[annex.digest] == nil)
      #expect(copy.data["annex"] == nil)
    }
  }

  @Test func `of 15 MiB every byte arrives`() async throws {
    let hub = try await Hub()
    try await hub.share("registered-unaware")
    let bytes = Array("%PDF-".utf8) + [UInt8](repeating: 0x5a, count: 15 << 20)
    let document = try Attachment(bytes, as: .pdf)
    let view = try await take(hub, ["minutes": document.reference.json], [document])
    #expect(view.ending == .shared)
    let copy = try #require(try await hub.copies(receiver).last)
    let arrived = try #require(copy.attachments[document.digest])
    #expect(Data(arrived.bytes) == Data(bytes))
  }
}
