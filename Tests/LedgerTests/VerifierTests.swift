import Ledger
import Synchronization
import Testing

@Suite struct VerifierTests {
  /// One way to spoil a ledger of 600 entries, and exactly what must be reported.
  struct Change: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let spoil: @Sendable (inout MemoryFiles) throws -> Void
    /// Code, file and number of each problem, in order.
    let expected: [String]

    init(
      _ description: String, _ expected: [String],
      _ spoil: @escaping @Sendable (inout MemoryFiles) throws -> Void
    ) {
      testDescription = description
      self.spoil = spoil
      self.expected = expected
    }
  }

  static let changes = [
    Change("one bit of an entry", ["LEDG-044 tile/entries/000 5"]) {
      $0["tile/entries/000"][80] ^= 1
    },
    Change("one bit of the last entry", ["LEDG-044 tile/entries/002.p/88 599"]) {
      let last = $0["tile/entries/002.p/88"].count - 1
      $0["tile/entries/002.p/88"][last] ^= 0x80
    },
    Change(
      "one bit of a full tile of level 0",
      ["LEDG-044 tile/entries/001 263", "LEDG-045 tile/1/000.p/2 1"]
    ) {
      $0["tile/0/001"][7 * 32 + 3] ^= 4
    },
    Change("one bit of the partial tile of level 0", ["LEDG-044 tile/entries/002.p/88 512"]) {
      $0["tile/0/002.p/88"][0] ^= 1
    },
    Change("one bit of a tile of level 1", ["LEDG-045 tile/1/000.p/2 1"]) {
      $0["tile/1/000.p/2"][63] ^= 1
    },
    Change(
      "an entry and its hash changed together",
      [
        "LEDG-032 checkpoints/300 300", "LEDG-032 checkpoints/600 600",
        "LEDG-045 tile/1/000.p/2 0", "LEDG-046 checkpoint -",
      ]
    ) {
      $0["tile/entries/000"][80] ^= 1
      let entry = $0["tile/entries/000"][(5 * 15 + 2)..<(6 * 15)]
      $0["tile/0/000"].replaceSubrange(5 * 32..<6 * 32, with: LedgerHash.leaf(Array(entry)).bytes)
    },
    Change("the root line", ["LEDG-011 checkpoint -"]) {
      let root = $0["checkpoint"].firstIndex(of: UInt8(ascii: "0")) ?? 0
      $0["checkpoint"][root + 3] ^= 1
    },
    Change("the signature", ["LEDG-011 checkpoint -"]) {
      let place = $0["checkpoint"].count - 20
      $0["checkpoint"][place] = $0["checkpoint"][place] == 0x41 ? 0x42 : 0x41
    },
    Change("an entry removed", ["LEDG-043 tile/entries/000 255"]) {
      $0["tile/entries/000"].removeSubrange(15..<30)
    },
    Change("an entry doubled", ["LEDG-043 tile/entries/000 256"]) {
      $0["tile/entries/000"].insert(contentsOf: $0["tile/entries/000"][..<15], at: 15)
    },
    Change(
      "two entries swapped", ["LEDG-044 tile/entries/000 3", "LEDG-044 tile/entries/000 4"]
    ) {
      $0["tile/entries/000"][45 + 14] = UInt8(ascii: "4")
      $0["tile/entries/000"][60 + 14] = UInt8(ascii: "3")
    },
    Change("an entry removed from the last bundle", ["LEDG-043 tile/entries/002.p/88 599"]) {
      $0["tile/entries/002.p/88"].removeFirst(17)
    },
    Change(
      "the last entry removed, the checkpoint kept",
      ["LEDG-040 tile/0/002.p/88 -", "LEDG-040 tile/entries/002.p/88 -"]
    ) {
      $0["tile/0/002.p/87"] = $0["tile/0/002.p/88"].dropLast(32)
      $0["tile/entries/002.p/87"] = $0["tile/entries/002.p/88"].dropLast(17)
      $0.contents["tile/0/002.p/88"] = nil
      $0.contents["tile/entries/002.p/88"] = nil
    },
    Change(
      "tiles of one entry less under the same names",
      ["LEDG-042 tile/0/002.p/88 -", "LEDG-043 tile/entries/002.p/88 599"]
    ) {
      $0["tile/0/002.p/88"].removeLast(32)
      $0["tile/entries/002.p/88"].removeLast(17)
    },
    Change("a byte too many in a full bundle", ["LEDG-043 tile/entries/001 512"]) {
      $0["tile/entries/001"].append(0)
    },
    Change("a byte too many in the last bundle", ["LEDG-043 tile/entries/002.p/88 600"]) {
      $0["tile/entries/002.p/88"].append(0)
    },
    Change("a length that runs past the end", ["LEDG-043 tile/entries/002.p/88 599"]) {
      let length = $0["tile/entries/002.p/88"].count - 17
      $0["tile/entries/002.p/88"][length] = 0xFF
    },
    Change("a length cut in two", ["LEDG-043 tile/entries/002.p/88 599"]) {
      $0["tile/entries/002.p/88"].removeLast(16)
    },
    Change("a full tile a byte short", ["LEDG-042 tile/0/000 -"]) {
      $0["tile/0/000"].removeLast()
    },
    Change("a full tile a byte long", ["LEDG-042 tile/0/000 -"]) { $0["tile/0/000"].append(0) },
    Change("a tile of level 1 a hash short", ["LEDG-042 tile/1/000.p/2 -"]) {
      $0["tile/1/000.p/2"].removeLast(32)
    },
    Change("a tile of any length", ["LEDG-041 tile/0/000 -"]) {
      $0["tile/0/000"] = Array(repeating: 0, count: 100_000)
    },
    Change("a missing full tile", ["LEDG-040 tile/0/001 -"]) { $0.contents["tile/0/001"] = nil },
    Change("a missing bundle", ["LEDG-040 tile/entries/001 -"]) {
      $0.contents["tile/entries/001"] = nil
    },
    Change("no checkpoint", ["LEDG-040 checkpoint -"]) { $0.contents["checkpoint"] = nil },
    Change("a kept checkpoint changed", ["LEDG-011 checkpoints/300 -"]) {
      $0["checkpoints/300"][40] ^= 1
    },
    Change("a kept checkpoint missing", ["LEDG-040 checkpoints/300 -"]) {
      $0.contents["checkpoints/300"] = nil
    },
    Change("a kept checkpoint under another size", ["LEDG-022 checkpoints/300 -"]) {
      $0["checkpoints/300"] = $0["checkpoints/3"]
    },
    Change("an older checkpoint put back", ["LEDG-030 checkpoints/600 600"]) {
      $0["checkpoint"] = $0["checkpoints/300"]
    },
  ]

  @Test(arguments: changes)
  func `a changed ledger is reported with the file and the number`(change: Change) throws {
    var files = try WrittenLedger(sizes: [3, 300, 600]).files
    try change.spoil(&files)
    let report = LedgerVerifier(files: files, ledger: try Vector.ledger())
      .check(kept: ["600", "3", "300"])
    let found = report.problems.map {
      "\($0.code.rawValue) \($0.file ?? "-") \($0.index.map(String.init) ?? "-")"
    }
    #expect(found == change.expected)
    #expect(!report.isSound)
    #expect(!report.stoppedEarly)
  }

  @Test(arguments: ["", "x", "03", "+3", "3.tmp", "99999999999999999999"])
  func `a file among the kept checkpoints that is not a size is reported`(name: String) throws {
    let files = try WrittenLedger(sizes: [3]).files
    let report = LedgerVerifier(files: files, ledger: try Vector.ledger()).check(kept: [name])
    #expect(report.problems.map(\.code) == [.checkpointName])
    #expect(report.problems.first?.file == "checkpoints/\(name)")
  }

  @Test func `a ledger written again after an edit is known by a checkpoint held elsewhere`() throws
  {
    let true300 = try WrittenLedger(sizes: [300])
    var entries = Vector.entries(0..<600)
    entries[5] = Array("another".utf8)
    let false600 = try WrittenLedger(entries: entries, sizes: [300, 600])
    let verifier = LedgerVerifier(files: false600.files, ledger: try Vector.ledger())
    // By itself it is a sound ledger: nothing but a checkpoint held by somebody else can tell.
    #expect(verifier.check(kept: ["300", "600"]).isSound)

    let held = HeldCheckpoint(name: "receipt.tlog-proof", bytes: true300.files["checkpoint"])
    let report = verifier.check(held: [held])
    #expect(report.problems.map(\.code) == [.notPrefix])
    #expect(report.problems.first?.file == "receipt.tlog-proof")
    #expect(report.problems.first?.index == 300)
  }

  @Test func `a shorter or a forked ledger is known by a checkpoint held elsewhere`() throws {
    let ledger = try WrittenLedger(sizes: [300, 600])
    let held = [
      HeldCheckpoint(name: "march", bytes: ledger.files["checkpoints/600"]),
      HeldCheckpoint(name: "january", bytes: ledger.files["checkpoints/300"]),
    ]
    let key = try Vector.ledger()
    let good = LedgerVerifier(files: ledger.files, ledger: key).check(held: held)
    #expect(good.isSound && good.checkpointsChecked == 2)

    var cut = ledger.files
    cut["checkpoint"] = cut["checkpoints/300"]
    let shorter = LedgerVerifier(files: cut, ledger: key).check(held: held)
    #expect(shorter.problems.map(\.code) == [.wentBack])
    #expect(shorter.problems.first?.file == "march")

    let other = try WrittenLedger(entries: Vector.entries(1..<601), sizes: [600])
    let forked = LedgerVerifier(files: other.files, ledger: key).check(held: [held[0]])
    #expect(forked.problems.map(\.code) == [.forked])

    let broken = HeldCheckpoint(name: "torn", bytes: Array("relay".utf8))
    let torn = LedgerVerifier(files: ledger.files, ledger: key).check(held: [broken])
    #expect(torn.problems.map(\.code) == [.note])
    #expect(torn.problems.first?.file == "torn")
  }

  @Test func `the wrong key believes nothing`() throws {
    let files = try WrittenLedger(sizes: [3]).files
    let other = try SigningKey(name: Vector.name, seed: Array(repeating: 1, count: 32))
    let report = LedgerVerifier(files: files, ledger: other.verifierKey).check()
    #expect(report.problems.map(\.code) == [.signatureMissing])
    #expect(report.checkpoint == nil)
    #expect(!report.isSound)
  }

  @Test func `checkpoints of a former key count while the newest needs the present one`() throws {
    var ledger = try WrittenLedger(sizes: [3])
    let next = try SigningKey(name: Vector.name, seed: Array(repeating: 9, count: 32))
    let append = try ledger.state.appending(Vector.entries(3..<5), key: next)
    ledger.files.publish(append)
    let former = try Vector.ledger()
    let present = next.verifierKey
    let both = LedgerVerifier(files: ledger.files, ledger: present, formerKeys: [former])
    let report = both.check(kept: ["3", "5"])
    #expect(report.isSound && report.checkpointsChecked == 2)
    let alone = LedgerVerifier(files: ledger.files, ledger: present).check(kept: ["3", "5"])
    #expect(alone.problems.map(\.code) == [.signatureMissing])
    let stale = LedgerVerifier(files: ledger.files, ledger: former, formerKeys: [present])
    #expect(stale.check().problems.map(\.code) == [.signatureMissing])
  }

  @Test func `partial files may be gone once the full ones exist`() throws {
    // A reader that saw the checkpoint of 300 and reads on while the ledger grows to 520.
    var files = try WrittenLedger(sizes: [300, 520]).files
    files["checkpoint"] = files["checkpoints/300"]
    files.contents["tile/0/001.p/44"] = nil
    files.contents["tile/entries/001.p/44"] = nil
    let report = LedgerVerifier(files: files, ledger: try Vector.ledger()).check()
    #expect(report.problems == [])
    #expect(report.entriesChecked == 300)
  }

  @Test func `a ledger that grows during the check raises no alarm`() throws {
    let ledger = try WrittenLedger(sizes: [3, 5])
    let growing = GrowingFiles(files: ledger.files, first: ledger.files["checkpoints/3"])
    var sawThree = LedgerVerifier(files: growing, ledger: try Vector.ledger())
      .check(kept: ["3", "5"])
    #expect(sawThree.size == nil || sawThree.size == 3)
    #expect(sawThree.problems.filter { $0.code == .wentBack } == [])
    sawThree = LedgerVerifier(files: growing, ledger: try Vector.ledger()).check(kept: ["3", "5"])
    #expect(sawThree.size == 5)
    #expect(sawThree.isSound)
  }

  @Test func `a check of a ledger without files stops after the problems asked for`() throws {
    let key = try Vector.key()
    let vast = try SignedCheckpoint(size: Int.max, root: .empty, key: key)
    let files = MemoryFiles(contents: ["checkpoint": vast.bytes])
    let report = LedgerVerifier(files: files, ledger: try Vector.ledger(), mostProblems: 7).check()
    #expect(report.problems.count == 7)
    #expect(report.stoppedEarly)
    #expect(!report.isSound)
  }

  @Test func `a file that cannot be read is reported with the reason`() throws {
    let report = LedgerVerifier(files: UnreadableFiles(), ledger: try Vector.ledger()).check()
    #expect(report.problems.map(\.code) == [.fileUnreadable])
    #expect(report.problems.first?.file == "checkpoint")
  }

  @Test func `a ledger of three levels verifies, and one bit at each level is found`() throws {
    var ledger = try WrittenLedger(sizes: [65_535, 65_536, 65_537])
    let key = try Vector.ledger()
    #expect(
      ledger.state.root.hex == "c2fa62fb5be6e22241db7b3100b5deda08b60a960b2c4804e9fb06ca48f551bb")
    #expect(try LedgerState(at: ledger.checkpoint(65_537), files: ledger.files) == ledger.state)
    ledger.files["tile/entries/100"][500] ^= 1
    ledger.files["tile/0/017"][0] ^= 1
    ledger.files["tile/1/000"][40 * 32] ^= 1
    ledger.files["tile/2/000.p/1"][31] ^= 1
    let report = LedgerVerifier(files: ledger.files, ledger: key)
      .check(kept: ["65535", "65536", "65537"])
    let found = report.problems.map {
      "\($0.code.rawValue) \($0.file ?? "-") \($0.index.map(String.init) ?? "-")"
    }
    // Bundle 100 begins with entry 25600, and each entry there takes 19 bytes: byte 500 is in the
    // 27th. The changes at level 0 are an entry in one place and a hash in another, so that neither
    // the entries nor the tiles give the signed roots.
    #expect(
      found == [
        "LEDG-044 tile/entries/017 4352", "LEDG-044 tile/entries/100 25626",
        "LEDG-032 checkpoints/65535 65535", "LEDG-032 checkpoints/65536 65536",
        "LEDG-045 tile/1/000 17", "LEDG-045 tile/1/000 40",
        "LEDG-032 checkpoints/65537 65537", "LEDG-045 tile/2/000.p/1 0",
        "LEDG-046 checkpoint -",
      ])
    #expect(report.entriesChecked == 65_535)
  }
}

/// A folder in which the newest checkpoint is still the first one when it is read first.
private final class GrowingFiles: LedgerFiles {
  private let files: MemoryFiles
  private let first: Mutex<[UInt8]?>

  init(files: MemoryFiles, first: [UInt8]) {
    self.files = files
    self.first = Mutex(first)
  }

  func read(_ path: String, limit: Int) throws -> [UInt8]? {
    if path == "checkpoint", let bytes = first.withLock({ $0.take() }) { return bytes }
    return try files.read(path, limit: limit)
  }
}

/// A disk that answers nothing.
private struct UnreadableFiles: LedgerFiles {
  struct Failure: Error {}

  func read(_ path: String, limit: Int) throws -> [UInt8]? { throw Failure() }
}
