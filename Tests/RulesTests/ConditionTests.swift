import Exchange
import Testing

@testable import Rules

/// Conditions are true, false, or not to be told.
struct ConditionTests {
  private func truth(
    _ text: String, facts: [String: JSONValue]? = [:], data: [String: JSONValue] = [:],
    now: String = "2026-03-02T09:00:00Z"
  ) throws -> Truth {
    let rulebook = try Shipped.policy.get().rulebook
    let condition = try Condition(
      text,
      words: ConditionWords(
        facts: rulebook.facts.mapValues(\.kind), fields: rulebook.fields.mapValues(\.kind)))
    let ask = Ask(
      type: "fno.released", from: "probation:durham", data: data, facts: facts, time: now, now: now)
    let request = try ask.request()
    return condition.truth(
      in: Circumstances(
        notification: request.notification, facts: request.facts, senderRole: .probation,
        now: request.now))
  }

  @Test(arguments: [
    ("case.level is 1", Truth.yes), ("case.level is 2", .no), ("case.level is not 2", .yes),
    ("case.level in [2, 3]", .no), ("case.level not in [2, 3]", .yes),
    ("case.level atLeast 1", .yes), ("case.level atMost 0", .no),
    ("case.area is durham", .yes), ("case.supervisedBy in [police, yot]", .no),
    ("case.receivingArea present", .no), ("case.receivingArea absent", .yes),
    ("case.receivingArea is durham", .unknown), ("case.receivingArea is not durham", .unknown),
    ("case.area sameAs case.releaseArea", .yes), ("case.area differsFrom case.releaseArea", .no),
    ("case.area sameAs case.receivingArea", .unknown),
    ("subject.age atLeast 46", .yes), ("subject.age atLeast 47", .no),
    ("subject.known is true", .yes), ("sender.role is probation", .yes),
    ("sender.party is probation:durham", .yes), ("sender.party sameAs case.leadAgency", .yes),
    // Kleene: what is known decides where it can.
    ("case.level is 2 and case.receivingArea is durham", .no),
    ("case.level is 1 and case.receivingArea is durham", .unknown),
    ("case.level is 1 or case.receivingArea is durham", .yes),
    ("case.level is 2 or case.receivingArea is durham", .unknown),
  ])
  func `a condition is asked of the facts`(text: String, expected: Truth) throws {
    #expect(try truth(text, facts: Case.facts) == expected)
  }

  @Test func `somebody born on 29 February comes of age on 1 March`() throws {
    let facts: [String: JSONValue] = ["dateOfBirth": "2008-02-29"]
    let text = "subject.age atLeast 18"
    #expect(try truth(text, facts: facts, now: "2026-02-28T12:00:00Z") == .no)
    #expect(try truth(text, facts: facts, now: "2026-03-01T00:00:00Z") == .yes)
  }

  @Test func `of nobody nothing is known`() throws {
    #expect(try truth("case.level is 1", facts: nil) == .unknown)
    #expect(try truth("subject.known is false", facts: nil) == .yes)
    #expect(try truth("subject.age atLeast 18", facts: nil) == .unknown)
  }

  @Test func `a null counts as absent`() throws {
    #expect(try truth("data.offenderAware absent", data: ["offenderAware": .null]) == .yes)
  }

  @Test func `restrictions are marked when every one is`() throws {
    let text = "data.restrictions allMarked [training]"
    let training: JSONValue = ["code": "no-training-with-under-18s"]
    let work: JSONValue = ["code": "no-driving-for-hire"]
    #expect(try truth(text, data: ["restrictions": [training]]) == .yes)
    #expect(try truth(text, data: ["restrictions": [training, work]]) == .no)
    #expect(try truth(text, data: ["restrictions": []]) == .no)
  }

  @Test func `the first wrong word is named`() throws {
    let words = ConditionWords(facts: ["level": .integer(allowed: [1, 2, 3])], fields: [:])
    #expect(throws: ConditionFault.self) { try Condition("", words: words) }
    #expect(throws: ConditionFault.self) { try Condition("case.level", words: words) }
    #expect(throws: ConditionFault.self) { try Condition("case.level in []", words: words) }
    #expect(throws: ConditionFault.self) { try Condition("case.level is 1 2", words: words) }
    #expect(throws: ConditionFault.self) {
      try Condition("case.level allMarked [work]", words: words)
    }
    do {
      _ = try Condition("case.levle is 1", words: words)
      Issue.record("expected a fault")
    } catch {
      #expect(error.suggestion == "case.level")
    }
  }
}
