import Exchange
import Rules
import Testing

/// Purpose, basis, standing, status, and persons that nobody knows.
struct LawfulTests {
  /// Who may send which type, by role; every other pair is refused.
  private static let senders: [String: Set<Role>] = [
    "case.registered": [.probation, .police, .yot],
    "release-date.confirmed": [.prison], "release-date.changed": [.prison],
    "release.unexpected": [.prison], "recall.initiated": [.probation, .yot],
    "transfer.level1-notified": [.probation, .police, .yot, .coordinator],
    "fno.released": [.immigration], "mappa-j.issued.release": [.probation, .police],
    "mappa-j.prior-discussion.unaware": [.probation, .police],
    "mappa-j.acknowledged": [.jobcentre],
    "mappa-a.referred": [.probation, .police, .yot], "mappa-f.returned": [.prison],
    "minutes.distributed.level2": [.coordinator], "minutes.distributed.level3": [.coordinator],
    "transfer.level23-minutes": [.coordinator],
  ]

  @Test func `the table of senders covers every type`() throws {
    let types = try Shipped.rulebook().types.keys.map(\.text)
    #expect(Set(types) == Set(LawfulTests.senders.keys))
    #expect(try Set(Notice.all().map(\.type)) == Set(types))
  }

  @Test func `every type is refused from every role that may not send it`() throws {
    let policy = try Shipped.policy.get()
    var refused = 0
    for ask in try Notice.all() {
      for sender in policy.parties
      where LawfulTests.senders[ask.type]?.contains(sender.role) != true {
        let decision = try ask.with { $0.from = sender.id.text }.decision()
        #expect(decision.outcome == .refused, "\(ask.type) from \(sender.id)")
        #expect(decision.rules.first == "SND-02", "\(ask.type) from \(sender.id)")
        #expect(decision.recipients == [])
        refused += 1
      }
    }
    #expect(refused > 40)
  }

  @Test func `a sender outside the agreement is refused`() throws {
    for ask in try Notice.all() {
      let decision = try ask.with { $0.from = "probation:elsewhere" }.decision()
      #expect(decision.outcome == .refused)
      #expect(decision.rules == ["SND-01"])
    }
  }

  @Test func `an unknown type is refused, and its fields are counted`() throws {
    let ask = Notice.confirmed.with { $0.type = "release-date.guessed" }
    #expect(try ask.decision().rules == ["TYPE-01"])
    #expect(try ask.decision().unknownFields == ask.data.count)
    #expect(try ask.problems().map(\.code) == ["RULE-100"])
    #expect(try !Shipped.policy.get().knows(type("release-date.guessed")))
  }

  @Test func `another purpose or basis is refused`() throws {
    #expect(try Notice.mappaJ.with { $0.purpose = "benefits" }.decision().rules == ["LAW-01"])
    #expect(try Notice.mappaJ.with { $0.basis = "LB-02" }.decision().rules == ["LAW-01"])
    #expect(try Notice.mappaJ.with { $0.basis = "LB-99" }.decision().outcome == .refused)
  }

  @Test func `the right purpose and basis may be stated`() throws {
    let decision = try Notice.mappaJ.with { ($0.purpose, $0.basis) = ("manage-risk", "LB-01") }
      .decision()
    #expect(decision.outcome == .shared)
    #expect(decision.basis == "LB-01")
    #expect(try Notice.confirmed.decision().basis == "LB-02")
  }

  @Test func `a stated basis that does not fit the pair is refused`() throws {
    // Prison, police and probation are all of the Responsible Authority: LB-01 is not between them.
    let decision = try Notice.confirmed.with { $0.basis = "LB-01" }.decision()
    #expect(decision.outcome == .refused)
    #expect(decision.rules == ["LAW-01"])
  }

  @Test func `a recipient that is a third party is not told`() throws {
    let text = try Shipped.agreementText().replacing(
      "standing: duty-to-co-operate\n    mailbox: JOBCENDUR1",
      with: "standing: third-party\n    mailbox: JOBCENDUR1")
    let policy = try Policy(rulebook: Shipped.rulebook(), agreement: Agreement.parse(text: text))
    let decision = try Notice.mappaJ.decision(by: policy)
    #expect(decision.outcome == .refused)
    #expect(decision.rules == ["LAW-03"])
  }

  @Test func `nothing is shared of a person who is no MAPPA offender any more`() throws {
    for ask in try Notice.all() where !["case.registered", "fno.released"].contains(ask.type) {
      let decision = try ask.with { $0.facts = Case.with(["category": 0]) }.decision()
      #expect(decision.outcome == .refused, "\(ask.type)")
      #expect(decision.rules.contains("LAW-02"), "\(ask.type)")
    }
  }

  @Test func `a category that is not on record is waited for, but not by an urgent type`() throws {
    let facts = Case.with(["category": nil])
    let held = try Notice.confirmed.with { $0.facts = facts }.decision()
    #expect(held.outcome == .held)
    #expect(held.rules == ["LAW-02"])
    let urgent = try Notice.unexpected.with { $0.facts = facts }.decision()
    #expect(urgent.outcome == .shared)
    #expect(urgent.rules.contains("LAW-02"))
  }

  @Test func `a notice about nobody known waits for the case`() throws {
    for ask in [
      Notice.confirmed, Notice.changed, Notice.transfer, Notice.mappaJ, Notice.discussion,
    ] {
      let decision = try ask.with { $0.facts = nil }.decision()
      #expect(decision.outcome == .held, "\(ask.type)")
      #expect(decision.rules == ["CASE-01"], "\(ask.type)")
      #expect(try ask.with { $0.facts = nil }.copies() == [:])
    }
  }

  @Test func `a minor's MAPPA J is refused even before the case is known`() throws {
    let ask = Notice.mappaJ.with {
      $0.facts = nil
      $0.data["dateOfBirth"] = "2012-05-05"
    }
    #expect(try ask.decision().outcome == .refused)
  }

  @Test func `an urgent notice about nobody known goes to those it names by area, flagged`() throws
  {
    let ask = Notice.unexpected.with { $0.facts = nil }
    let decision = try ask.decision()
    #expect(decision.outcome == .shared)
    #expect(decision.told == ["police:northumbria"])
    #expect(decision.rules == ["CASE-01"])
    let recall = Notice.recall.with {
      $0.facts = nil
      $0.data["area"] = "durham"
    }
    #expect(try recall.decision().told == ["police:durham"])
  }

  @Test func `an urgent notice that names no area waits, since nobody can be told`() throws {
    for ask in [Notice.recall, Notice.immigration] {
      let decision = try ask.with { $0.facts = nil }.decision()
      #expect(decision.outcome == .held, "\(ask.type)")
      #expect(decision.rules.contains("CASE-01"), "\(ask.type)")
    }
  }

  @Test func `a notice past the time that its sender set is refused`() throws {
    let ask = Notice.confirmed.with { $0.expiry = "2026-03-02T09:05:00Z" }
    #expect(try ask.decision().rules == ["EXP-01"])
    #expect(try ask.with { $0.now = "2026-03-02T09:04:59Z" }.decision().outcome == .shared)
  }

  @Test func `every decision carries the digests of both texts`() throws {
    let policy = try Shipped.policy.get()
    for ask in try Notice.all() {
      let decision = try ask.decision()
      #expect(decision.rulebookDigest == policy.rulebook.digest)
      #expect(decision.agreementDigest == policy.agreement.digest)
      #expect(Decision(json: decision.json) == decision)
    }
  }
}
