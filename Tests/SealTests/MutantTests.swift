import Demo
import Exchange
import Forgery
import Testing

@testable import Seal

/// A generator of the same numbers at every run (SplitMix64).
private struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var number = state
    number = (number ^ number >> 30) &* 0xbf58_476d_1ce4_e5b9
    number = (number ^ number >> 27) &* 0x94d0_49bb_1331_11eb
    return number ^ number >> 31
  }
}

/// Real messages, and what becomes of them: cut, changed, doubled, swollen. None may end the process, take
/// long, or be accepted with other content than was signed.
@Suite struct `Mutants of real messages are refused in time, or say what was signed` {
  let agencies: Agencies
  let now = Agencies.now

  init() throws { agencies = try Agencies.shared() }

  /// The most that one may take. A good message takes less than a millisecond; the rest is room for a busy
  /// machine.
  private static let limit = Duration.milliseconds(500)

  private func seeds() throws -> [(name: String, bytes: [UInt8])] {
    let notification = try agencies.notification().content
    let signed = try ForgedSignature(notification, by: [agencies.prison.signing]).encoded()
    return try OpenSSLCommand.use { tool in
      [
        ("by hand", try ForgedEnvelope(signed, to: [agencies.hub.encryption]).encoded()),
        (
          "by openssl, certificates inside, streamed",
          try tool.encrypt(
            tool.sign(notification, by: [agencies.prison.signing]), to: agencies.hub.encryption,
            OpenSSLCommand.ecdh + ["-stream"])
        ),
        (
          "to RSA",
          try tool.encrypt(signed, to: agencies.rsaHub.encryption, OpenSSLCommand.oaep)
        ),
      ]
    }
  }

  private func sealer() throws -> Sealer {
    var identity = try agencies.hub.identity()
    identity.decryption += try agencies.rsaHub.identity().decryption
    return try Sealer(
      identity: identity, parties: [agencies.prison, agencies.police].map(agencies.trust))
  }

  /// What must hold of any bytes.
  private func expectHarmless(
    _ bytes: [UInt8], _ sealer: Sealer, _ name: String, _ expected: Notification
  ) {
    let clock = ContinuousClock()
    let start = clock.now
    let result = Result { () throws(SealError) in try sealer.open(bytes, now: now) }
    #expect(clock.now - start < Self.limit, "\(name)")
    guard case .success(let message) = result else { return }
    #expect(message.notification == expected, "\(name)")
    #expect(message.verdict.signer == agencies.prison.id)
  }

  @Test func `six thousand by chance, always the same`() throws {
    let sealer = try sealer()
    let expected = try agencies.notification()
    var numbers = SeededNumbers(state: 20_260_202)
    for (name, seed) in try seeds() {
      #expect(try sealer.open(seed, now: now).notification == expected)
      for _ in 0..<2000 {
        expectHarmless(
          SealMutation.mutated(seed, by: &numbers), sealer, name, expected)
      }
    }
  }

  @Test func `the inside too: what a sender with a good key could put there`() throws {
    let sealer = try sealer()
    let expected = try agencies.notification()
    let signed = try OpenSSLCommand.use { tool in
      try tool.sign(expected.content, by: [agencies.prison.signing])
    }
    var numbers = SeededNumbers(state: 7)
    for _ in 0..<1500 {
      let mutant = SealMutation.mutated(signed, by: &numbers)
      let bytes = try ForgedEnvelope(mutant, to: [agencies.hub.encryption]).encoded()
      expectHarmless(bytes, sealer, "inside", expected)
    }
  }

  @Test func `cut at each octet, and each tag and length changed`() throws {
    let sealer = try sealer()
    let expected = try agencies.notification()
    let (name, seed) = try seeds()[0]
    for length in seed.indices {
      let error = #expect(throws: SealError.self) {
        try sealer.open(Array(seed.prefix(length)), now: now)
      }
      #expect(error?.code == (length == 0 ? "SEAL-017" : "SEAL-019"))
    }
    for place in 0..<min(seed.count, 300) {
      for value: UInt8 in [0, 1, 0x1f, 0x30, 0x7f, 0x80, 0x81, 0x84, 0x88, 0xa0, 0xff] {
        var bytes = seed
        bytes[place] = value
        expectHarmless(bytes, sealer, name, expected)
      }
    }
  }

  @Test func `huge numbers, names and depths cost little`() throws {
    let sealer = try sealer()
    let expected = try agencies.notification()
    let huge = [UInt8](repeating: 0xff, count: 4 << 20)
    let deep = (0..<10_000).flatMap { _ -> [UInt8] in [0x30, 0x80] }
    let bodies: [[UInt8]] = [
      DER.element(0x06, huge), DER.element(0x02, huge), DER.element(0x31, huge), deep,
      deep + [UInt8](repeating: 0, count: 20_000),
      DER.element(0x31, (0..<200_000).flatMap { _ -> [UInt8] in [0x30, 0x00] }),
    ]
    for body in bodies {
      for type in [Name.authEnvelopedData, Name.envelopedData, Name.signedData] {
        let inside = DER.sequence(
          DER.oid(type), DER.tagged(0, DER.sequence(DER.integer(0), body)))
        expectHarmless(inside, sealer, "huge outside", expected)
        let sealed = try ForgedEnvelope(inside, to: [agencies.hub.encryption]).encoded()
        expectHarmless(sealed, sealer, "huge inside", expected)
      }
    }
  }
}

/// One to three changes of a kind that finds readers out.
private enum SealMutation {
  static func mutated(_ seed: [UInt8], by numbers: inout SeededNumbers) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 1...3, using: &numbers) {
      guard bytes.count > 8 else { break }
      let place = Int.random(in: 0..<bytes.count, using: &numbers)
      let length = min(Int.random(in: 1...40, using: &numbers), bytes.count - place)
      switch Int.random(in: 0..<8, using: &numbers) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
      case 1: bytes[place] = UInt8.random(in: 0...255, using: &numbers)
      // Tags and lengths stand in the first octets of elements, most of them near the front.
      case 2: bytes[place % min(200, bytes.count)] = [0x30, 0x80, 0x84, 0xff, 0, 0x31][place % 6]
      case 3: bytes.removeSubrange(place..<place + length)
      case 4: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
      case 5: bytes.removeLast(bytes.count - max(1, place))
      case 6:
        bytes.insert(
          contentsOf: (0..<length).map { _ in UInt8.random(in: 0...255, using: &numbers) },
          at: place)
      default:
        // An element's length, swollen.
        let start = place % min(300, bytes.count - 5)
        bytes.replaceSubrange(start..<start + 5, with: [0x84, 0x7f, 0xff, 0xff, 0xff])
      }
    }
    return bytes
  }
}
