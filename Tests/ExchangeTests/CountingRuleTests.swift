import Exchange
import Testing

@Suite struct CountingRuleTests {
  static let words: [(String, CountingRule)] = [
    ("immediately", CountingRule.immediately), ("on the day", .onTheDay),
    ("5 working days after", .after(5, .workingDays)),
    ("1 working day after", .after(1, .workingDays)),
    ("24 hours after", .after(24, .hours)), ("10 calendar days after", .after(10, .calendarDays)),
    ("1 week after", .after(1, .weeks)), ("3 months after", .after(3, .months)),
    ("2 working days before", .before(2, .workingDays)),
    ("14 calendar days before", .before(14, .calendarDays)), ("6 weeks before", .before(6, .weeks)),
    ("8 months before", .before(8, .months)), ("1000 hours after", .after(1000, .hours)),
  ]

  @Test(arguments: words)
  func `a rule is read and written in the Guidance's words`(text: String, rule: CountingRule)
    throws
  {
    #expect(CountingRule(text) == rule)
    #expect(rule.description == text)
    #expect(try decoded([CountingRule].self, from: encoded([rule])) == [rule])
    #expect(try encoded([rule]) == "[\"\(text)\"]")
  }

  @Test(arguments: [
    "", "Immediately", "5", "5 days after", "5 working days", "working days after",
    "0 weeks after", "05 weeks after", "-1 weeks after", "+1 weeks after", "1001 weeks after",
    "5 working  days after", "5 working days after ", "5 weekss after", "2 hours before",
    "5 weeks since", "five weeks after", "99999999999999999999 weeks after", "5 s after",
  ])
  func `anything else is no rule`(text: String) {
    #expect(CountingRule(text) == nil)
    #expect(throws: DecodingError.self) {
      try decoded([CountingRule].self, from: encoded([text]))
    }
  }

  // By hand; London is one hour ahead of UTC from 29 March to 25 October 2026.
  @Test(arguments: [
    ("5 working days after", "2026-04-01T22:59:59Z", "2026-04-10", "2026-04-10T23:00:00Z"),
    ("5 working days after", "2026-04-01T23:00:00Z", "2026-04-13", "2026-04-13T23:00:00Z"),
    ("1 working day after", "2026-12-24T16:00:00Z", "2026-12-29", "2026-12-30T00:00:00Z"),
    ("10 calendar days after", "2026-03-25T12:00:00Z", "2026-04-04", "2026-04-04T23:00:00Z"),
    ("1 week after", "2026-10-20T12:00:00Z", "2026-10-27", "2026-10-28T00:00:00Z"),
    ("1 month after", "2026-01-31T12:00:00Z", "2026-02-28", "2026-03-01T00:00:00Z"),
    ("on the day", "2026-07-01T12:00:00Z", "2026-07-01", "2026-07-01T23:00:00Z"),
    ("immediately", "2026-04-04T03:00:00Z", "2026-04-04T04:00:00.000Z", "2026-04-04T04:00:00Z"),
    ("24 hours after", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00.000Z", "2026-10-25T12:00:00Z"),
  ])
  func `a limit after an event ends with a day in London`(
    rule: String, event: String, due: String, limit: String
  ) throws {
    let happened = try moment(event)
    let counted = try shippedCalendar().due(
      #require(CountingRule(rule)), event: .happened(at: happened), knownAt: happened)
    #expect(counted == CountedDue(due: try #require(Due(due)), isCertain: true, isShortRun: false))
    #expect(counted.due.description == due)
    #expect(counted.due.limit == (try moment(limit)))
  }

  @Test(arguments: [
    ("8 months before", "2026-10-31", "2026-02-28"),
    ("6 months before", "2026-08-31", "2026-02-28"),
    ("3 months before", "2026-05-31", "2026-02-28"), ("6 weeks before", "2026-05-15", "2026-04-03"),
    ("14 calendar days before", "2026-04-01", "2026-03-18"),
    ("2 working days before", "2026-04-07", "2026-04-01"),
    ("on the day", "2026-04-05", "2026-04-05"),
    ("5 working days after", "2026-04-02", "2026-04-13"),
  ])
  func `a limit before an event is a day, working or not`(rule: String, event: String, due: String)
    throws
  {
    let counted = try shippedCalendar().due(
      #require(CountingRule(rule)), event: .falls(on: day(event)),
      knownAt: moment("2026-01-05T09:00:00Z"))
    #expect(counted == CountedDue(due: .day(try day(due)), isCertain: true, isShortRun: false))
  }

  @Test func `a limit that had passed when the event became known is due at once, short run`()
    throws
  {
    let calendar = try shippedCalendar()
    let known = try moment("2026-04-20T10:00:00Z")
    let rule = CountingRule.before(6, .weeks)
    let passed = calendar.due(rule, event: .falls(on: try day("2026-05-15")), knownAt: known)
    let atOnce = Due.moment(try moment("2026-04-20T11:00:00Z"))
    #expect(passed == CountedDue(due: atOnce, isCertain: true, isShortRun: true))
    // The last day of all is not yet passed: 20 April and six weeks are 1 June.
    let today = calendar.due(rule, event: .falls(on: try day("2026-06-01")), knownAt: known)
    #expect(today.due == .day(try day("2026-04-20")))
    #expect(!today.isShortRun)
    // What is owed after an event is late when it is late.
    let after = calendar.due(
      .after(5, .workingDays), event: .happened(at: try moment("2026-04-01T10:00:00Z")),
      knownAt: known)
    #expect(after.due == .day(try day("2026-04-10")))
    #expect(!after.isShortRun)
  }

  @Test func `immediately after a day without an hour runs from when it is known`() throws {
    let calendar = try shippedCalendar()
    let known = try moment("2026-04-04T15:00:00Z")
    let passed = calendar.due(
      .immediately, event: .falls(on: try day("2026-04-03")), knownAt: known)
    #expect(passed.due == .moment(try moment("2026-04-04T16:00:00Z")))
    let ahead = calendar.due(.immediately, event: .falls(on: try day("2026-04-06")), knownAt: known)
    #expect(ahead.due == .moment(try moment("2026-04-06T00:00:00Z")))
  }

  @Test func `a limit past the list of bank holidays is not certain`() throws {
    let calendar = try shippedCalendar()
    let event = CountingRule.Event.happened(at: try moment("2028-12-22T12:00:00Z"))
    let known = try moment("2028-12-22T12:00:00Z")
    let working = calendar.due(.after(5, .workingDays), event: event, knownAt: known)
    #expect(
      working == CountedDue(due: .day(try day("2029-01-02")), isCertain: false, isShortRun: false))
    #expect(calendar.due(.after(30, .calendarDays), event: event, knownAt: known).isCertain)
  }

  @Test func `counts in code beyond the bound are taken as the bound`() throws {
    let calendar = try shippedCalendar()
    let event = CountingRule.Event.falls(on: try day("2026-01-01"))
    let known = try moment("2026-01-01T00:00:00Z")
    for (wild, tame): (CountingRule, CountingRule) in [
      (.after(.max, .hours), .after(1000, .hours)), (.after(.max, .weeks), .after(1000, .weeks)),
      (.after(.min, .months), .after(0, .months)),
      (.before(.min, .calendarDays), .before(0, .calendarDays)),
    ] {
      #expect(
        calendar.due(wild, event: event, knownAt: known)
          == calendar.due(tame, event: event, knownAt: known))
    }
  }

  @Test func `a due day or moment is kept as text`() throws {
    let dues: [Due] = [.day(try day("2026-04-13")), .moment(try moment("2026-04-13T09:00:00Z"))]
    #expect(try encoded(dues) == #"["2026-04-13","2026-04-13T09:00:00.000Z"]"#)
    #expect(try decoded([Due].self, from: encoded(dues)) == dues)
    #expect(throws: DecodingError.self) { try decoded([Due].self, from: "[\"soon\"]") }
    #expect(Due.moment(try moment("2026-04-13T23:30:00Z")).day == (try day("2026-04-14")))
  }
}
