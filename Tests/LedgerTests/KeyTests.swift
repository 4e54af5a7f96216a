import Ledger
import Testing

@Suite struct KeyTests {
  @Test func `the published seed gives the published verifier key`() throws {
    let key = try Vector.key().verifierKey
    #expect(
      key.publicKey
        == bytes(hex: "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"))
    #expect(key.id == bytes(hex: "d3284c32"))
    #expect(key.description == Vector.vkey)
    #expect(try VerifierKey(Vector.vkey) == key)
  }

  @Test func `a witness's key has its own type and id`() throws {
    let key = try Vector.witness()
    #expect(key.kind == .witness)
    #expect(key.name == "witness.example.org/w1")
    #expect(
      key.publicKey
        == bytes(hex: "29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7"))
    #expect(key.description == Vector.witnessVkey)
  }

  private static let base64 = "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"

  @Test(
    arguments: [
      ("\(Vector.name)+d3284c33+\(base64)", .keyID),
      ("relay.example.org/audi+d3284c32+\(base64)", .keyID),
      ("\(Vector.name)+D3284C32+\(base64)", .keyText),
      ("\(Vector.name)+d3284c3+\(base64)", .keyText),
      ("\(Vector.name)+\(base64)", .keyText),
      ("\(Vector.name)+d3284c32+\(base64)\n", .keyText),
      ("\(Vector.name)+d3284c32+\(base64.dropLast(4))", .keyText),
      ("\(Vector.name)+d3284c32+\(base64)AAAA", .keyText),
      ("\(Vector.name)+d3284c32+", .keyText),
      ("", .keyText),
      ("+d3284c32+\(base64)", .keyName),
      (" \(Vector.name)+d3284c32+\(base64)", .keyName),
      ("relay\u{00A0}x+d3284c32+\(base64)", .keyName),
      ("relay\u{0007}x+d3284c32+\(base64)", .keyName),
      ("\(Vector.name)+d3284c32+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", .keyType),
      ("\(Vector.name)+d3284c32+BgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", .keyType),
    ] as [(String, LedgerProblem.Code)])
  func `a verifier key with anything wrong in it is refused`(
    text: String, code: LedgerProblem.Code
  ) {
    #expect(problem { _ = try VerifierKey(text) }?.code == code)
  }

  @Test(arguments: [0, 31, 33, 64])
  func `a seed of any other length is refused`(count: Int) {
    let seed = Array(repeating: UInt8(7), count: count)
    #expect(problem { _ = try SigningKey(name: Vector.name, seed: seed) }?.code == .keySeed)
  }

  @Test(arguments: ["", "two words", "a+b", "line\nend", String(repeating: "a", count: 513)])
  func `a name that cannot stand in a note is refused`(name: String) {
    let seed = Array(repeating: UInt8(7), count: 32)
    #expect(problem { _ = try SigningKey(name: name, seed: seed) }?.code == .keyName)
  }

  @Test func `every code has one number, a title and a next step`() {
    let codes = LedgerProblem.Code.allCases
    #expect(Set(codes.map(\.rawValue)).count == codes.count)
    #expect(Set(codes.map(\.title)).count == codes.count)
    #expect(codes.allSatisfy { $0.rawValue.hasPrefix("LEDG-") && $0.rawValue.count == 8 })
    #expect(codes.allSatisfy { !$0.nextStep.isEmpty })
    let problem = LedgerProblem(.tile, file: "tile/0/000", index: 3, "it is short")
    #expect(
      problem.description
        == "LEDG-042 tile/0/000, number 3: a tile does not hold the hashes it must: it is short")
  }
}
