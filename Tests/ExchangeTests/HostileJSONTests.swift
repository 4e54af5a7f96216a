import Exchange
import Testing

/// SplitMix64: the same mutants on every machine.
private struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

@Suite struct HostileJSONTests {
  private func seed() -> [UInt8] {
    var members = NotificationTests.full
    members["data"] = ["a": [1, -2, .decimal("3.5e-7"), .null, true], "é😀": "\u{1}\"\\/\n"]
    return JSONValue.object(members).canonicalBytes
  }

  @Test func `every cut of a notification is refused`() {
    let bytes = seed()
    for length in 0..<bytes.count {
      #expect(throws: NotificationProblem.self) {
        try Notification(parsing: bytes.prefix(length))
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `whatever mutants are taken are read back as the same value`(seedNumber: UInt64) {
    var random = SeededGenerator(state: seedNumber)
    let original = seed()
    let marks = Array(#"{}[]:,"\u0d8e+-.9 "#.utf8) + [0, 0x1f, 0x7f, 0x80, 0xc0, 0xed, 0xff]
    var (taken, wrong) = (0, 0)
    for _ in 0..<2000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let mark = marks[Int.random(in: 0..<marks.count, using: &random)]
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = mark
        case 1: bytes.insert(mark, at: place)
        default: bytes.remove(at: place)
        }
      }
      guard let value = try? JSONValue.parse(bytes) else { continue }
      taken += 1
      if (try? JSONValue.parse(value.canonicalBytes)) != value { wrong += 1 }
      // Refused or taken, it comes to an end.
      _ = try? Notification(parsing: bytes)
    }
    #expect(wrong == 0)
    #expect(taken > 0)
  }
}
