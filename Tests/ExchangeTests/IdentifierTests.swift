import Exchange
import Testing

@Suite struct IdentifierTests {
  @Test(arguments: ["prison:durham", "jobcentre:durham-2", "a:b", "mental-health:tees"])
  func `a party is a role and a place`(text: String) {
    #expect(PartyID(text)?.text == text)
  }

  @Test(arguments: [
    "", "prison", "prison:", ":durham", "Prison:durham", "prison:durham:north", "prison: durham",
    "prison:2durham", "-prison:durham", "prison:dürham", "prison:durham\n", "prison:../durham",
    "prison:" + String(repeating: "a", count: 58),
  ])
  func `anything else is no party`(text: String) {
    #expect(PartyID(text) == nil)
  }

  @Test func `the longest party has 64 characters`() {
    #expect(PartyID("prison:" + String(repeating: "a", count: 57)) != nil)
  }

  @Test func `a mailbox in lower case is the one in upper case`() {
    #expect(MailboxID("x26hc005")?.text == "X26HC005")
    #expect(MailboxID("A-B_9")?.text == "A-B_9")
  }

  @Test(arguments: ["", "A B", "A/B", "A.B", "..", "Ä", "ſallyport", "straße", "ﬁeld", "ıd", "A\0"])
  func `a mailbox takes no character that only becomes a good one when raised`(text: String) {
    #expect(MailboxID(text) == nil)
    #expect(CarrierMessageID(text) == nil)
  }

  @Test func `carrier ids take no hyphen and at most 64 characters`() {
    #expect(CarrierMessageID("20260202093000_abc")?.text == "20260202093000_ABC")
    #expect(CarrierMessageID("A-B") == nil)
    #expect(CarrierMessageID(String(repeating: "A", count: 64)) != nil)
    #expect(CarrierMessageID(String(repeating: "A", count: 65)) == nil)
  }

  @Test(arguments: [
    ("a", true), ("urn:uuid:1/2?3", true), (String(repeating: "x", count: 128), true), ("", false),
    ("a b", false), ("a\u{7f}", false), ("é", false), (String(repeating: "x", count: 129), false),
  ])
  func `an event id is 1 to 128 visible ASCII characters`(text: String, isGood: Bool) {
    #expect((EventID(text) != nil) == isGood)
  }

  @Test(arguments: [
    ("release-date.changed", true), ("a", true), ("mappa-j.issued.release", true), ("", false),
    (".a", false), ("a.", false), ("a..b", false), ("A.b", false), ("a b", false), ("a_b", false),
    (String(repeating: "a", count: 81), false),
  ])
  func `a type is lower-case words parted by single dots`(text: String, isGood: Bool) {
    #expect((NotificationType(text) != nil) == isGood)
  }

  @Test(arguments: [
    ("c-81f3", true), ("A.b_c:9-", true), ("", false), ("a/b", false), ("a@b", false),
    ("a b", false), ("[a]", false), ("`a", false), ("é", false),
    (String(repeating: "a", count: 129), false),
  ])
  func `a subject reference is letters, digits and four marks`(text: String, isGood: Bool) {
    #expect((SubjectReference(text) != nil) == isGood)
  }

  @Test(arguments: [
    "", "00000000000000000000000000000000", "0000000-00000-0000-0000-000000000000",
    "ABCDEF00-0000-4000-8000-000000000000", "g0000000-0000-4000-8000-000000000000",
    "00000000-0000-4000-8000-0000000000000",
  ])
  func `our own ids are UUIDs in lower case`(text: String) {
    #expect(ExchangeID(text) == nil)
    #expect(DeliveryID(text) == nil)
    #expect(CaseID(text) == nil)
  }

  @Test func `a made id is a version 4 UUID of the randomness given`() {
    var generator = CountingGenerator()
    // 0123456789abcdef twice over, version digit 4, variant digit "89ab"[0x0 % 4].
    #expect(ExchangeID(random: &generator).text == "01234567-89ab-4def-8246-8acf13579bde")
    #expect(ExchangeID.random() != ExchangeID.random())
  }

  @Test func `a delivery is found by the id its mailbox lists`() throws {
    let id = try #require(DeliveryID("01234567-89ab-4def-8246-8acf13579bde"))
    let carrierID = try #require(id.carrierID)
    #expect(carrierID.text == "0123456789AB4DEF82468ACF13579BDE")
    #expect(DeliveryID(carrierID: carrierID) == id)
    #expect(DeliveryID(carrierID: try #require(CarrierMessageID("20260202_ABC"))) == nil)
  }

  @Test func `ids are kept as plain strings and checked when read`() throws {
    #expect(try encoded([party("prison:durham")]) == #"["prison:durham"]"#)
    #expect(try decoded([PartyID].self, from: #"["prison:durham"]"#) == [party("prison:durham")])
    #expect(throws: DecodingError.self) { try decoded([PartyID].self, from: #"["Prison"]"#) }
  }
}
