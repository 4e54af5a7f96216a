import Exchange
import Foundation
import Mailbox
import Store
import Synchronization
import Testing

@testable import Daemon
@testable import Demo

/// For every ordered pair of parties: whatever one tries on what is another's ends as if it were not
/// there, in the very same words.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct `No party comes near what is another's` {
  private typealias Attempt = GuardedHost.Attempt

  /// Everything that one can ask of a thing by its id, in one's own mailbox.
  private static func attempts(in mailbox: MailboxID, on id: String) -> [Attempt] {
    let part = [("Mex-Chunk-Range", "2:3")]
    return [
      Attempt(.get, "/\(mailbox)/inbox/\(id)"), Attempt(.get, "/\(mailbox)/inbox/\(id)/1"),
      Attempt(.get, "/\(mailbox)/inbox/\(id)/2"), Attempt(.head, "/\(mailbox)/inbox/\(id)"),
      Attempt(.put, "/\(mailbox)/inbox/\(id)/status/acknowledged"),
      Attempt(.get, "/\(mailbox)/outbox/tracking?messageID=\(id)"),
      Attempt(.get, "/\(mailbox)/inbox?continue_from=\(id)"),
      Attempt(.post, "/\(mailbox)/outbox/\(id)/2", headers: part, body: [9]),
    ]
  }

  /// Everything that one can ask of a mailbox.
  private static func attempts(on mailbox: String) -> [Attempt] {
    let names = [("mex-ClientVersion", "1"), ("mex-OSName", "x"), ("mex-OSVersion", "1")]
    let letter = [("Mex-To", "SALLYPORT1"), ("Mex-WorkflowID", "SALLYPORT_NOTICE")]
    let id = "0123456789ABCDEF0123456789ABCDEF"
    return [
      Attempt(.post, "/\(mailbox)", headers: names), Attempt(.get, "/\(mailbox)/inbox"),
      Attempt(.get, "/\(mailbox)/inbox/rich"), Attempt(.get, "/\(mailbox)/outbox/rich"),
      Attempt(.get, "/\(mailbox)/count"), Attempt(.post, "/\(mailbox)/update"),
      Attempt(.post, "/\(mailbox)/outbox", headers: letter, body: [9]),
      Attempt(.get, "/\(mailbox)/outbox/tracking/local"),
    ] + attempts(in: MailboxID(mailbox) ?? Hub.own, on: id)
  }

  private static func expected(_ attempt: Attempt) -> Int {
    attempt.path.contains("continue_from") ? 400 : 404
  }

  @Test func `by id: what another has reads as what nobody has`() async throws {
    try await GuardedHost.run { host in
      #expect(host.belongings.count >= 8)
      #expect(host.belongings.filter { !$0.deliveries.isEmpty }.count >= 6)
      for owner in host.belongings {
        for stranger in host.belongings where stranger.party.id != owner.party.id {
          let mailbox = stranger.party.mailbox
          for id in owner.deliveries.prefix(2) + [owner.sent, owner.upload] {
            let absent = GuardedHost.absent()
            let tried = Self.attempts(in: mailbox, on: id)
            for (real, guess) in zip(tried, Self.attempts(in: mailbox, on: absent)) {
              let reply = try await host.attempt(real, by: stranger.party)
              #expect(reply.status == Self.expected(real), "\(real.path)")
              let nobodys = try await host.attempt(guess, by: stranger.party)
              #expect(reply == nobodys)
              #expect(!reply.description.contains(id))
            }
          }
          let local = "/\(mailbox)/outbox/tracking/"
          let known = owner.localID.replacing(" ", with: "%20")
          let reply = try await host.attempt(Attempt(.get, local + known), by: stranger.party)
          #expect(reply.status == 404)
          let nothing = try await host.attempt(Attempt(.get, local + "none"), by: stranger.party)
          #expect(reply == nothing)
        }
      }
      try await Self.nothingHappened(host)
    }
  }

  @Test func `by mailbox: another's reads as one that nobody has, with whatever token`()
    async throws
  {
    try await GuardedHost.run { host in
      let nobody = try #require(MailboxID("NOBODYDUR1"))
      for owner in host.belongings {
        for stranger in host.belongings where stranger.party.id != owner.party.id {
          let tried = Self.attempts(on: owner.party.mailbox.text)
          for (real, guess) in zip(tried, Self.attempts(on: nobody.text)) {
            // With a token of its own, and with one made out in the other's name.
            let own = try await host.attempt(real, by: stranger.party)
            #expect(own.status == 403, "\(real.path)")
            let nobodys = try await host.attempt(guess, by: stranger.party)
            #expect(own == nobodys)
            let forged = try await host.attempt(
              real, by: stranger.party, claiming: owner.party.mailbox)
            #expect(forged.status == 403, "\(real.path)")
            let unheardOf = try await host.attempt(guess, by: stranger.party, claiming: nobody)
            #expect(forged == unheardOf)
          }
          // Sending to it is as good as sending to nobody.
          let letter = { (recipient: MailboxID) in
            Attempt(
              .post, "/\(stranger.party.mailbox)/outbox",
              headers: [("Mex-To", recipient.text), ("Mex-WorkflowID", "SALLYPORT_NOTICE")],
              body: [9])
          }
          let sent = try await host.attempt(letter(owner.party.mailbox), by: stranger.party)
          #expect(sent.status == 417)
          let lost = try await host.attempt(letter(nobody), by: stranger.party)
          #expect(sent == lost)
        }
      }
      try await Self.nothingHappened(host)
    }
  }

  /// Everything is where it was, and shows in its owner's listings alone.
  private static func nothingHappened(_ host: GuardedHost) async throws {
    for owner in host.belongings {
      let mailbox = owner.party.mailbox
      let page = try await host.keeper.page(of: mailbox, after: nil, limit: 500, workflow: nil)
      #expect(page.ids.map(\.text) == owner.deliveries)
      let sent = try await host.attempt(Attempt(.get, "/\(mailbox)/outbox/rich"), by: owner.party)
      let listed = try JSONValue.parse(Array(sent.body.utf8))["messages"]?.array
      #expect(
        Set((listed ?? []).compactMap { $0["message_id"]?.string }) == [owner.upload, owner.sent])
      let inbox = try await host.attempt(Attempt(.get, "/\(mailbox)/inbox/rich"), by: owner.party)
      for other in host.belongings where other.party.id != owner.party.id {
        for id in other.deliveries + [other.sent, other.upload] {
          #expect(!inbox.body.contains(id) && !sent.body.contains(id))
        }
      }
      let upload = try #require(CarrierMessageID(owner.upload))
      #expect(try await host.hub.store.upload(upload, by: owner.party.id)?.lengths == [1: 3])
    }
  }

  @Test func `ten thousand guesses find nothing`() async throws {
    try await GuardedHost.run { host in
      let stranger = host.belongings[0]
      let mailbox = stranger.party.mailbox
      let real = host.belongings.dropFirst().flatMap { $0.deliveries + [$0.sent, $0.upload] }
      for number in 0..<10_000 {
        // Random ones, and real ones of others with one character changed.
        var text = Array(number % 2 == 0 ? GuardedHost.absent() : real[number % real.count])
        text[number % 32] = text[number % 32] == "A" ? "B" : "A"
        let id = try #require(CarrierMessageID(String(text)))
        switch number % 4 {
        case 0:
          let answer = try await host.keeper.message(id, for: mailbox, headersOnly: false)
          #expect(answer == .notFound)
        case 1:
          let answer = try await host.keeper.message(id, for: mailbox, headersOnly: true)
          #expect(answer == .notFound)
        case 2: #expect(try await host.keeper.acknowledge(id, in: mailbox) == .notFound)
        default: #expect(try await host.keeper.track(id, by: mailbox) == nil)
        }
      }
    }
  }

  /// A figure to look at, never a threshold: `SALLYPORT_BENCH=1`. That the same work is done is shown by
  /// StoreTests, statement by statement.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["SALLYPORT_BENCH"] != nil))
  func `how long an answer takes for what is another's and for what nobody has`() async throws {
    try await GuardedHost.run { host in
      let stranger = host.belongings[0].party
      let owner = try #require(host.belongings.dropFirst().first { !$0.deliveries.isEmpty })
      let clock = ContinuousClock()
      for (name, id) in [
        ("delivery", owner.deliveries[0]), ("sent", owner.sent), ("upload", owner.upload),
      ] {
        for place in 0..<8 {
          var times: [[Duration]] = [[], []]
          for _ in 0..<400 {
            for (which, text) in [id, GuardedHost.absent()].enumerated() {
              let attempt = Self.attempts(in: stranger.mailbox, on: text)[place]
              times[which].append(
                try await clock.measure { _ = try await host.attempt(attempt, by: stranger) })
            }
          }
          let medians = times.map { $0.sorted()[200] }
          print("\(name) \(place): another's \(medians[0]), nobody's \(medians[1])")
        }
      }
    }
  }
}
