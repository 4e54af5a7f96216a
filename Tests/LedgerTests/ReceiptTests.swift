import Ledger
import Testing

@Suite struct ReceiptTests {
  /// The published receipt for entry 2 of 5, cosigned at 2026-01-01T00:00:00Z.
  static let published = """
    c2sp.org/tlog-proof@v1
    index 2
    39rDpDHggT0HrNlI/pOULZ7F9QYNEM+HwVaP4nrgKqY=
    a8Xlq5xJOs6uGjY1wKQtNC+2dV/btr15auFevr57xhU=
    Kn4zcHIbuAmXdgMagrHj6VAbBvMYTUiRBx1gXxC26ns=

    \(Vector.checkpoint5)\(Vector.witnessLine5)
    """

  private static func cosigned(_ ledger: WrittenLedger) throws -> SignedCheckpoint {
    try ledger.checkpoint(5).adding(
      cosignatures: Array(Vector.witnessLine5.utf8), ledger: try Vector.ledger(),
      witnesses: [try Vector.witness()])
  }

  @Test func `the published receipt is written byte for byte`() throws {
    let ledger = try WrittenLedger(sizes: [5])
    let receipt = try Receipt(
      proving: Vector.entry(2), index: 2, in: try Self.cosigned(ledger), files: ledger.files)
    #expect(receipt.bytes == Array(Self.published.utf8))
    #expect(receipt.bytes.count == 492)
    #expect(
      LedgerHash(sha256: receipt.bytes).hex
        == "3a1acb8bdc5dc099f6b8caaf17bf3f24c4edd2d04b5e13c32a5d37d62e5a24a2")
  }

  @Test func `the published receipt proves its entry and names the witness`() throws {
    let receipt = try Receipt(Array(Self.published.utf8))
    let (key, witness) = (try Vector.ledger(), try Vector.witness())
    let checkpoint = try receipt.verify(
      entry: Vector.entry(2), ledger: key, witnesses: [witness])
    #expect(checkpoint.size == 5)
    #expect(checkpoint.cosignatures.map(\.witness) == [witness])
    #expect(checkpoint.cosignatures.map(\.time) == [1_767_225_600])
    // Without a trusted witness its line is tolerated and does not count.
    #expect(try receipt.verify(entry: Vector.entry(2), ledger: key).cosignatures == [])
    #expect(
      problem { _ = try receipt.verify(entry: Vector.entry(3), ledger: key) }?.code
        == .notIncluded)
  }

  @Test func `the published receipt is read to the same bytes, with an extra line too`() throws {
    #expect(try Receipt(Array(Self.published.utf8)).bytes == Array(Self.published.utf8))
    let extra = Self.replacing("@v1\n", with: "@v1\nextra AQID\n")
    let receipt = try Receipt(Array(extra.utf8))
    #expect(receipt.extra == [1, 2, 3])
    #expect(receipt.bytes == Array(extra.utf8))
  }

  @Test func `a cosignature of another time or text is refused`() throws {
    let (key, witness) = (try Vector.ledger(), try Vector.witness())
    // Byte 11 of the blob is the last of the time.
    let later = Self.replacing("88CAtgAAAABpVbkA", with: "88CAtgAAAABpVbkB")
    #expect(later != Self.published)
    let receipt = try Receipt(Array(later.utf8))
    #expect(
      problem {
        _ = try receipt.verify(entry: Vector.entry(2), ledger: key, witnesses: [witness])
      }?.code == .signatureWrong)
    let three = try WrittenLedger(sizes: [3]).checkpoint(3)
    let line = Array(Vector.witnessLine5.utf8)
    #expect(
      problem { _ = try three.adding(cosignatures: line, ledger: key, witnesses: [witness]) }?.code
        == .signatureWrong)
  }

  @Test func `a witness does not stand in for the ledger`() throws {
    let note = Self.replacing(
      "— relay.example.org/audit \(Vector.signature5)\n", with: "")
    let receipt = try Receipt(Array(note.utf8))
    let (key, witness) = (try Vector.ledger(), try Vector.witness())
    #expect(
      problem {
        _ = try receipt.verify(entry: Vector.entry(2), ledger: key, witnesses: [witness])
      }?.code == .signatureMissing)
    #expect(
      problem { _ = try receipt.verify(entry: Vector.entry(2), ledger: witness) }?.code == .keyType)
    #expect(
      problem {
        _ = try receipt.verify(entry: Vector.entry(2), ledger: key, witnesses: [key])
      }?.code == .keyType)
  }

  @Test(arguments: [
    "", "garbage", "\n", "— x AAAA", "\n— relay.example.org/audit AAAAAAAA\n",
    "text\n\n— stranger.example.org AAAAAAAA\n",
  ])
  func `an answer of a witness that is not signature lines is refused`(answer: String) throws {
    let five = try WrittenLedger(sizes: [5]).checkpoint(5)
    let (key, witness) = (try Vector.ledger(), try Vector.witness())
    let found = problem {
      _ = try five.adding(cosignatures: Array(answer.utf8), ledger: key, witnesses: [witness])
    }
    #expect(answer.isEmpty == (found == nil))
  }

  @Test func `the published request to a witness is written byte for byte`() throws {
    let ledger = try WrittenLedger(sizes: [3, 5])
    let proof = try MerkleTree(size: 5, files: ledger.files).consistencyProof(from: 3)
    let body = try ledger.checkpoint(5).witnessRequest(proof)
    #expect(
      LedgerHash(sha256: body).hex
        == "b8035bc49b1a43b85867f8e1a98fafeff02f3368656e5d4129d8b55ba6ca5ef9")
  }

  @Test(
    arguments: [
      ("index 2", "index 1", .notIncluded),
      ("index 2", "index 3", .notIncluded),
      ("index 2", "index 5", .notInTree),
      ("index 2", "index 6", .notInTree),
      ("index 2", "index 02", .receipt),
      ("index 2", "index -2", .receipt),
      ("index 2", "index", .receipt),
      ("index 2\n", "", .receipt),
      ("index 2\n", "index 2\nextra AQID\n", .receipt),
      ("@v1", "@v2", .receipt),
      ("@v1\n", "@v1\nextra AQI\n", .receipt),
      ("@v1\n", "@v1\n\n", .receipt),
      ("c2sp.org/tlog-proof@v1\n", "", .receipt),
      ("39rDpDHggT0HrNlI/pOULZ7F9QYNEM+HwVaP4nrgKqY=\n", "", .notIncluded),
      ("Kn4zcHIbuAmXdgMagrHj6VAbBvMYTUiRBx1gXxC26ns=\n", "", .notIncluded),
      (
        "Kn4zcHIbuAmXdgMagrHj6VAbBvMYTUiRBx1gXxC26ns=\n",
        String(repeating: "Kn4zcHIbuAmXdgMagrHj6VAbBvMYTUiRBx1gXxC26ns=\n", count: 2), .notIncluded
      ),
      (
        "39rDpDHggT0HrNlI/pOULZ7F9QYNEM+HwVaP4nrgKqY=\na8Xlq5xJOs6uGjY1wKQtNC+2dV/btr15auFevr57xhU=",
        "a8Xlq5xJOs6uGjY1wKQtNC+2dV/btr15auFevr57xhU=\n39rDpDHggT0HrNlI/pOULZ7F9QYNEM+HwVaP4nrgKqY=",
        .notIncluded
      ),
      (
        "Kn4zcHIbuAmXdgMagrHj6VAbBvMYTUiRBx1gXxC26ns=\n",
        String(repeating: "Kn4zcHIbuAmXdgMagrHj6VAbBvMYTUiRBx1gXxC26ns=\n", count: 62), .receipt
      ),
      ("39rD", "39r", .receipt),
      ("ns=\n\n", "ns=\n", .receipt),
      ("\nvR8E", "\nvR8F", .signatureWrong),
      (published, "", .receipt),
    ] as [(String, String, LedgerProblem.Code)])
  func `a receipt with anything changed is refused`(
    part: String, replacement: String, code: LedgerProblem.Code
  ) throws {
    let text = Self.replacing(part, with: replacement)
    #expect(text != Self.published)
    let key = try Vector.ledger()
    let found = problem {
      _ = try Receipt(Array(text.utf8)).verify(entry: Vector.entry(2), ledger: key)
    }
    #expect(found?.code == code)
  }

  @Test func `no changed byte of a receipt passes for the original`() throws {
    let (key, witness) = (try Vector.ledger(), try Vector.witness())
    let good = Array(Self.published.utf8)
    let witnessLine = good.count - Vector.witnessLine5.utf8.count
    for position in good.indices {
      var changed = good
      changed[position] ^= 1 << (position % 8)
      let checkpoint = try? Receipt(changed)
        .verify(entry: Vector.entry(2), ledger: key, witnesses: [witness])
      // A witness line under another name is a stranger's: it is passed over and does not count.
      #expect(
        checkpoint == nil || (position >= witnessLine && checkpoint?.cosignatures == []),
        "byte \(position)")
    }
    for length in good.indices where length != witnessLine {
      #expect(
        (try? Receipt(Array(good[..<length])).verify(entry: Vector.entry(2), ledger: key)) == nil,
        "\(length) bytes")
    }
    let withoutWitness = try Receipt(Array(good[..<witnessLine]))
    #expect(try withoutWitness.verify(entry: Vector.entry(2), ledger: key).size == 5)
  }

  @Test func `no receipt is given out for another entry or from changed tiles`() throws {
    var ledger = try WrittenLedger(sizes: [5])
    let five = try ledger.checkpoint(5)
    let files = ledger.files
    #expect(
      problem { _ = try Receipt(proving: Vector.entry(1), index: 2, in: five, files: files) }?.code
        == .notIncluded)
    ledger.files["tile/0/000.p/5"][0] ^= 1
    let changed = ledger.files
    #expect(
      problem { _ = try Receipt(proving: Vector.entry(2), index: 2, in: five, files: changed) }?
        .code
        == .notIncluded)
  }

  /// The published receipt with the first occurrence of `part` replaced.
  private static func replacing(_ part: String, with replacement: String) -> String {
    guard let range = published.firstRange(of: part) else { return published }
    return published[..<range.lowerBound] + replacement + published[range.upperBound...]
  }
}
