import Exchange
import Foundation
import Testing

func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text), "\(text)") }

func moment(_ text: String) throws -> Instant { try #require(Instant(text), "\(text)") }

func party(_ text: String) throws -> PartyID { try #require(PartyID(text)) }

func eventID(_ text: String) throws -> EventID { try #require(EventID(text)) }

/// The list of bank holidays that is shipped.
func shippedBankHolidays() throws -> BankHolidays {
  let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../config/bank-holidays.json")
  return try BankHolidays(parsing: Data(contentsOf: file))
}

func shippedCalendar() throws -> WorkingCalendar { WorkingCalendar(try shippedBankHolidays()) }

/// A value's JSON, as a store would keep it.
func encoded(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

func decoded<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
  try JSONDecoder().decode(type, from: Data(text.utf8))
}

/// The same numbers in the same order each time.
struct CountingGenerator: RandomNumberGenerator {
  var value: UInt64 = 0

  mutating func next() -> UInt64 {
    value &+= 0x0123_4567_89ab_cdef
    return value
  }
}
