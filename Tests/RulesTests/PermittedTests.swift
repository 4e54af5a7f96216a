import Exchange
import Rules
import Testing

/// SplitMix64: the same seed, the same values.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

struct PermittedTests {
  private func randomValue(
    _ generator: inout SeededGenerator, marker: String, depth: Int = 0
  ) -> JSONValue {
    switch Int.random(in: 0..<(depth < 3 ? 7 : 5), using: &generator) {
    case 0: return .null
    case 1: return .bool(.random(using: &generator))
    case 2: return .integer(.random(in: -9...9, using: &generator))
    case 3: return .string(marker)
    case 4: return .string(marker + String(Int.random(in: 0...999, using: &generator)))
    case 5:
      return .array(
        (0..<Int.random(in: 0...3, using: &generator)).map { _ in
          randomValue(&generator, marker: marker, depth: depth + 1)
        })
    default:
      var members: [String: JSONValue] = [:]
      for name in ["code", "parameter", "name", marker].shuffled(using: &generator).prefix(2) {
        members[name] = randomValue(&generator, marker: marker, depth: depth + 1)
      }
      return .object(members)
    }
  }

  /// What a Jobcentre may read of a MAPPA J, for ever.
  private static let allowed: Set<String> = [
    "name", "dateOfBirth", "restrictions", "endDate", "staffRisk", "offenderManagerContact",
    "reference", "note",
  ]

  @Test func `random fields and values never appear in a MAPPA J's copy`() throws {
    let policy = try Shipped.policy.get()
    let known = Array(policy.rulebook.fields.keys).sorted()
    var generator = SeededGenerator(state: 20_260_302)
    var copies = 0
    for round in 0..<2000 {
      let marker = "zebra\(round)"
      var ask = Notice.mappaJ
      // Fields that nothing of the Jobcentre's is called, and known ones that it may not have.
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let name =
          Bool.random(using: &generator)
          ? known.randomElement(using: &generator) ?? "offence"
          : "x" + String(Int.random(in: 0...99_999, using: &generator))
        if PermittedTests.allowed.contains(name) { continue }
        ask.data[name] = randomValue(&generator, marker: marker)
      }
      for copy in try policy.permitted(policy.decide(ask.request()), ask.notification()) {
        copies += 1
        #expect(copy.recipient.text == "jobcentre:durham")
        #expect(Set(copy.fields.keys).isSubset(of: PermittedTests.allowed))
        #expect(!JSONValue.object(copy.fields).canonicalText.contains(marker))
        for (name, value) in copy.fields { #expect(value == Notice.mappaJ.data[name]) }
      }
    }
    // `offenderAware` made false holds some of them; most must have been shared for this to mean
    // much.
    #expect(copies > 1000)
  }

  @Test func `random values of any field of any type only ever go where a rule says`() throws {
    let policy = try Shipped.policy.get()
    var generator = SeededGenerator(state: 7)
    for ask in try Notice.all() {
      let base = try ask.copies()
      for round in 0..<200 {
        var changed = ask
        let name = try #require(ask.data.keys.sorted().randomElement(using: &generator))
        changed.data[name] = randomValue(&generator, marker: "zebra\(round)")
        for (recipient, fields) in try changed.copies(by: policy) where base[recipient] != nil {
          #expect(fields.isSubset(of: base[recipient] ?? []), "\(ask.type) to \(recipient)")
        }
      }
    }
  }

  @Test func `a decision of other rules permits nothing`() throws {
    let policy = try Shipped.policy.get()
    let other = try Shipped.policy(adding: "# another agreement by one comment")
    let request = try Notice.mappaJ.request()
    #expect(other.permitted(policy.decide(request), request.notification) == [])
    #expect(policy.permitted(policy.decide(request), request.notification).count == 1)
  }

  @Test func `a decision of another notification permits nothing`() throws {
    let policy = try Shipped.policy.get()
    let decision = try Notice.mappaJ.decision()
    #expect(try policy.permitted(decision, Notice.confirmed.notification()) == [])
    #expect(
      try policy.permitted(
        decision, Notice.mappaJ.with { $0.from = "police:durham" }.notification())
        == [])
  }

  @Test func `a decision that was altered to release more permits no more`() throws {
    let policy = try Shipped.policy.get()
    let decision = try Notice.mappaJ.decision()
    let text = decision.json.canonicalText
    let altered = text.replacing("\"forbidden\"", with: "\"released\"")
      .replacing("\"no-rule\"", with: "\"released\"")
    let forged = try #require(Decision(json: JSONValue.parse(altered.utf8)))
    #expect(forged.recipients.first?.released.contains("offence") == true)
    let copy = try #require(policy.permitted(forged, Notice.mappaJ.notification()).first)
    #expect(Set(copy.fields.keys) == PermittedTests.allowed)
  }

  @Test func `what is held or refused permits nothing`() throws {
    #expect(try Notice.mappaJ.with { $0.data["offenderAware"] = false }.copies() == [:])
    #expect(try Notice.mappaJ.with { $0.purpose = "benefits" }.copies() == [:])
  }

  @Test func `the same request gets the same decision`() throws {
    for ask in try Notice.all() {
      let request = try ask.request()
      let policy = try Shipped.policy.get()
      #expect(policy.decide(request) == policy.decide(request))
      #expect(try Shipped.policy().decide(request) == policy.decide(request))
    }
  }
}
