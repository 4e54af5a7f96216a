import Ledger
import Testing

@Suite struct CheckpointTests {
  @Test(arguments: [
    (0, 193, "8a2a19cf983244161aed66f8ad0ad5ee8bebec13db79df33c528e854eda59fd9"),
    (3, 193, "13d6d500020f621a05514064f181f7b5283f330b0428da84bf1f345417c676e3"),
    (5, 193, "daeff982588ca1f2686fd17bcbe08876c131cf7b660d1907277053fc8e61595b"),
    (300, 195, "0a43bfedd85c5d7453f948dc737f7b3df13a55b765048278b00ee586403751e6"),
  ])
  func `a checkpoint is written byte for byte as published`(
    size: Int, length: Int, sha256: String
  ) throws {
    let ledger = try WrittenLedger(sizes: [size])
    let bytes = ledger.files["checkpoint"]
    #expect(bytes.count == length)
    #expect(LedgerHash(sha256: bytes).hex == sha256)
    #expect(ledger.files["checkpoints/\(size)"] == bytes)
    let read = try SignedCheckpoint(verifying: bytes, ledger: try Vector.ledger())
    #expect(read.size == size)
    #expect(read.origin == Vector.name)
    #expect(read.bytes == bytes)
  }

  @Test func `the published text of size 5 is what is written`() throws {
    #expect(try WrittenLedger(sizes: [5]).files["checkpoint"] == Array(Vector.checkpoint5.utf8))
  }

  /// The size 5 checkpoint with one thing wrong in its form or its signature.
  @Test(
    arguments: [
      ("\n5\n", "\n05\n", .signatureWrong),
      ("\n5\n", "\n6\n", .signatureWrong),
      ("vR8E", "vR8F", .signatureWrong),
      ("0yhMMkmJ", "0yhMMkmK", .signatureWrong),
      ("\n", "\r\n", .note),
      ("cwE=\n", "cwE=", .note),
      ("cwE=\n", "cwE=\n\n", .note),
      ("\n\n", "\n", .note),
      ("— ", "- ", .note),
      ("— ", "– ", .note),
      ("— ", "—", .note),
      ("— ", "—  ", .note),
      ("audit 0yh", "audit  0yh", .note),
      ("cwE=", "cwE= ", .note),
      ("cwE=", "cwE", .note),
      ("5evO", "5ev_", .note),
      (Vector.signature5, "0yhMMg==", .note),
      (Vector.signature5, "", .note),
      ("— relay.example.org/audit", "— relay.example.org+audit", .note),
      ("— relay.example.org/audit", "— relay.example.org/other", .signatureMissing),
      ("0yhMMkmJ", "0yhNMkmJ", .signatureMissing),
      ("relay.example.org/audit\n", "relay\t\n", .note),
      (Vector.checkpoint5, "", .note),
      (Vector.checkpoint5, "\n", .note),
      (Vector.checkpoint5, "\n\n", .note),
    ] as [(String, String, LedgerProblem.Code)])
  func `a checkpoint with anything changed is refused`(
    part: String, replacement: String, code: LedgerProblem.Code
  ) throws {
    let text = Self.replacing(part, with: replacement, in: Vector.checkpoint5)
    #expect(text != Array(Vector.checkpoint5.utf8))
    let key = try Vector.ledger()
    let found = problem { _ = try SignedCheckpoint(verifying: text, ledger: key) }
    #expect(found?.code == code)
  }

  private static let root5 = "vR8E1wOYzUxpxwI65RtudEyhyTuNfNpRCU5+klXNpRg="

  @Test(arguments: [
    "\(Vector.name)\n05\n\(root5)\n", "\(Vector.name)\n+5\n\(root5)\n",
    "\(Vector.name)\n-5\n\(root5)\n", "\(Vector.name)\n\n\(root5)\n",
    "\(Vector.name)\n5 \n\(root5)\n", "\(Vector.name)\n0x5\n\(root5)\n",
    "\(Vector.name)\n٥\n\(root5)\n", "\(Vector.name)\n9223372036854775808\n\(root5)\n",
    "\(Vector.name)\n18446744073709551621\n\(root5)\n",
    "\(Vector.name)\n5\n\(root5.dropLast())\n",
    "\(Vector.name)\n5\nvR8E1wOYzUxpxwI65RtudEyhyTuNfNpRCU5-klXNpRg=\n",
    "\(Vector.name)\n5\nvR8E1wOYzUxpxwI65RtudEyhyTuNfNpRCU5+klXNpRh=\n",
    "\(Vector.name)\n5\nvR8E1wOYzUxpxwI65RtudEyhyTuNfNpRCU5+klXNpQ==\n",
    "\(Vector.name)\n5\nvR8E1wOYzUxpxwI65RtudEyhyTuNfNpRCU5+klXNpRgA\n",
    "\(Vector.name)\n5\n \(root5)\n", "\(Vector.name)\n5\n", "\(Vector.name)\n", "\n5\n\(root5)\n",
    "\(Vector.name)\n5\n\(root5)\n\n", "\(Vector.name)\n5\n\(root5)", "",
  ])
  func `a checkpoint's text has one spelling`(text: String) {
    #expect(problem { _ = try Checkpoint(text: Array(text.utf8)) }?.code == .checkpoint)
  }

  @Test func `other people's extension lines are kept`() throws {
    let text = Array("\(Vector.name)\n5\n\(Self.root5)\nmore 1\nmore 2\n".utf8)
    let checkpoint = try Checkpoint(text: text)
    #expect(checkpoint.extensions == ["more 1", "more 2"])
    #expect(checkpoint.text == text)
  }

  @Test func `bytes that are not UTF-8 are refused`() throws {
    let key = try Vector.ledger()
    let text = Array("relay".utf8) + [0xFF] + Array(Vector.checkpoint5.utf8)
    #expect(problem { _ = try SignedCheckpoint(verifying: text, ledger: key) }?.code == .note)
  }

  @Test func `a good checkpoint of another origin is refused`() throws {
    // The same key bytes under another name sign for another ledger; then the trusted key signs a
    // text with a strange first line.
    let other = try SigningKey(name: "other.example.org/audit", seed: Array(0...0x1F))
    let strange = try SignedCheckpoint(size: 0, root: .empty, key: other)
    let key = try Vector.ledger()
    #expect(
      problem { _ = try SignedCheckpoint(verifying: strange.bytes, ledger: key) }?.code
        == .signatureMissing)
    let note = """
      relay.example.org/other
      5
      vR8E1wOYzUxpxwI65RtudEyhyTuNfNpRCU5+klXNpRg=

      — relay.example.org/audit \
      0yhMMgrdJ3wG7IJJSOXZgozeOgh2ogEpUZOzWuGVaZMQmiiX42uOrJ0W+30c4LrLAxmbA30zatVyJHNdIwRCxqetFw8=

      """
    #expect(
      problem { _ = try SignedCheckpoint(verifying: Array(note.utf8), ledger: key) }?.code
        == .origin)
  }

  @Test func `a well signed text that is not a checkpoint is refused`() throws {
    let note = """
      relay.example.org/audit
      05
      vR8E1wOYzUxpxwI65RtudEyhyTuNfNpRCU5+klXNpRg=

      — relay.example.org/audit \
      0yhMMi88Zgm6CMvdCa+5wkKLb8RmytW3IV30FPC1X0JqtzhauKGm2I6wowkn4SvNZgux0q9caUh/CC7h/8uNdw4Cqgs=

      """
    let key = try Vector.ledger()
    #expect(
      problem { _ = try SignedCheckpoint(verifying: Array(note.utf8), ledger: key) }?.code
        == .checkpoint)
  }

  @Test func `a bad signature of a known key is refused next to a good unknown one`() throws {
    let stranger = try SigningKey(name: "stranger.example.org", seed: Array(1...32))
    let good = try SignedCheckpoint(size: 0, root: .empty, key: stranger)
    // The known key's line of another text, below the stranger's good one.
    let line = "— \(Vector.name) \(Vector.signature5)\n"
    let key = try Vector.ledger()
    let found = problem {
      _ = try SignedCheckpoint(verifying: good.bytes + Array(line.utf8), ledger: key)
    }
    #expect(found?.code == .signatureWrong)
  }

  @Test func `a bad signature of an unknown key does not spoil a good known one`() throws {
    let line = "— stranger.example.org AAAAAAAA\n"
    let bytes = Array((Vector.checkpoint5 + line).utf8)
    let read = try SignedCheckpoint(verifying: bytes, ledger: try Vector.ledger())
    #expect(read.size == 5)
    #expect(read.bytes == bytes)
  }

  @Test func `a hundred signature lines are read and one more is not`() throws {
    let line = "— stranger.example.org AAAAAAAA\n"
    let key = try Vector.ledger()
    let most = Vector.checkpoint5 + String(repeating: line, count: 99)
    #expect(try SignedCheckpoint(verifying: Array(most.utf8), ledger: key).size == 5)
    let found = problem {
      _ = try SignedCheckpoint(verifying: Array((most + line).utf8), ledger: key)
    }
    #expect(found?.code == .note)
  }

  @Test func `while the key changes, readers of either key are served`() throws {
    let next = try SigningKey(name: Vector.name, seed: Array(repeating: 9, count: 32))
    let signed = try SignedCheckpoint(
      size: 0, root: .empty, key: try Vector.key(), nextKey: next)
    for key in [try Vector.ledger(), next.verifierKey] {
      #expect(try SignedCheckpoint(verifying: signed.bytes, ledger: key).size == 0)
    }
    let other = try SigningKey(name: "other.example.org", seed: Array(repeating: 9, count: 32))
    let key = try Vector.key()
    #expect(
      problem { _ = try SignedCheckpoint(size: 0, root: .empty, key: key, nextKey: other) }?.code
        == .origin)
  }

  @Test func `a newer checkpoint must continue the one that is held`() throws {
    let ledger = try WrittenLedger(sizes: [3, 5, 300])
    let (three, five) = (try ledger.checkpoint(3), try ledger.checkpoint(5))
    try five.mustContinue(three, files: ledger.files)
    try five.mustContinue(five, files: ledger.files)
    try ledger.checkpoint(300).mustContinue(five, files: ledger.files)
    #expect(
      problem { try three.mustContinue(five, files: ledger.files) }?.code == .wentBack)

    let key = try Vector.key()
    let forked = try SignedCheckpoint(size: 5, root: three.root, key: key)
    #expect(problem { try forked.mustContinue(five, files: ledger.files) }?.code == .forked)
    #expect(problem { try five.mustContinue(forked, files: ledger.files) }?.code == .forked)
    let rewritten = try SignedCheckpoint(size: 3, root: five.root, key: key)
    #expect(problem { try five.mustContinue(rewritten, files: ledger.files) }?.code == .notPrefix)
    let wrong = ConsistencyProof(oldSize: 2, newSize: 5, hashes: [])
    #expect(problem { try five.mustContinue(three, proof: wrong) }?.code == .notPrefix)

    let stranger = try SigningKey(name: "stranger.example.org", seed: Array(1...32))
    let strange = try SignedCheckpoint(size: 3, root: three.root, key: stranger)
    #expect(problem { try five.mustContinue(strange, files: ledger.files) }?.code == .origin)
  }

  /// Replaces bytes, since Swift's own comparison takes CR LF for one character.
  private static func replacing(
    _ part: String, with replacement: String, in text: String
  ) -> [UInt8] {
    let (part, text) = (Array(part.utf8), Array(text.utf8))
    var result: [UInt8] = []
    var position = 0
    while position < text.count {
      if text[position...].starts(with: part) {
        result += Array(replacement.utf8)
        position += part.count
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }
}
