import Ledger
import Testing

@Suite struct AppendTests {
  @Test(arguments: [
    (0, "000"), (999, "999"), (1000, "x001/000"), (1_234_067, "x001/x234/067"),
  ])
  func `a tile's number is written in groups of three`(index: Int, expected: String) {
    let tile = TilePath(.hashes(level: 0), index: index)
    #expect(tile.description == "tile/0/\(expected)")
    #expect(
      TilePath(.entries, index: index, width: 7).description == "tile/entries/\(expected).p/7")
  }

  @Test(arguments: [
    (0, []),
    (1, ["tile/0/000.p/1"]),
    (255, ["tile/0/000.p/255"]),
    (256, ["tile/0/000", "tile/1/000.p/1"]),
    (257, ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]),
    (300, ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]),
  ])
  func `a size implies these tiles and the bundles beside level 0`(
    size: Int, expected: [String]
  ) {
    let paths = TilePath.implied(bySize: size).map(\.description)
    #expect(paths.filter { !$0.hasPrefix("tile/entries/") } == expected)
    let level0 = expected.filter { $0.hasPrefix("tile/0/") }
    #expect(
      paths.filter { $0.hasPrefix("tile/entries/") }
        == level0.map { "tile/entries/" + $0.dropFirst("tile/0/".count) })
  }

  @Test func `large sizes imply the published tiles`() {
    let at65536 = TilePath.implied(bySize: 65_536).filter { $0.content != .entries }
    #expect(at65536.count == 256 + 1 + 1)
    #expect(at65536.last?.description == "tile/2/000.p/1")
    let at70000 = TilePath.implied(bySize: 70_000).filter { $0.content != .entries }
      .map(\.description)
    #expect(at70000.count == 274 + 2 + 1)
    #expect(
      at70000.suffix(4)
        == ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"])
  }

  @Test(arguments: [
    (3, "tile/0/000.p/3", 96, "61557fc7eaef18066bb5446b0b29ae60ef7102fe73574743d4bd530f81a5d70c"),
    (
      3, "tile/entries/000.p/3", 45,
      "eeab59e2815a82aeeac358f6df9b570094c2de2a515c6bdb8726ef27cabe3a62"
    ),
    (5, "tile/0/000.p/5", 160, "fe1d474c2375bcf60125471c078efecc80f6e17b2b43d21dc84318579d173228"),
    (
      5, "tile/entries/000.p/5", 75,
      "d5760177a5c8400f31f9c95bb6cf60b94fa692522ffed96699c513524b10da03"
    ),
    (256, "tile/0/000", 8192, "ff93849f42530c1c47bcbbd40fff0faeca3ef442fd51953c78e937834576f56c"),
    (
      256, "tile/entries/000", 4242,
      "893635413fd7849eed3c5b5127bb22e30f6ddf7d60a4042e2d36448a2cea7288"
    ),
    (256, "tile/1/000.p/1", 32, "bd075d57d6765e1c08e0d5e75b55f6253c508fc349527bec7ce91b9432f46d5f"),
    (300, "tile/0/000", 8192, "ff93849f42530c1c47bcbbd40fff0faeca3ef442fd51953c78e937834576f56c"),
    (
      300, "tile/entries/000", 4242,
      "893635413fd7849eed3c5b5127bb22e30f6ddf7d60a4042e2d36448a2cea7288"
    ),
    (300, "tile/1/000.p/1", 32, "bd075d57d6765e1c08e0d5e75b55f6253c508fc349527bec7ce91b9432f46d5f"),
    (
      300, "tile/0/001.p/44", 1408,
      "5f061a1965e784cf13a6e00ae369881efd32c1d28d9bec32e7e47f9e3b0f227f"
    ),
    (
      300, "tile/entries/001.p/44", 748,
      "1c93a28f2284653c01681d6769c5630e08616f4b9e2a010a98a3a99da5574860"
    ),
  ])
  func `a file is written byte for byte as published`(
    size: Int, path: String, length: Int, sha256: String
  ) throws {
    let bytes = try WrittenLedger(sizes: [size]).files[path]
    #expect(bytes.count == length)
    #expect(LedgerHash(sha256: bytes).hex == sha256)
  }

  @Test func `a bundle is a length and the bytes of each entry`() throws {
    let published = bytes(
      hex: "000d61756469742d656e7472792d30000d61756469742d656e7472792d31"
        + "000d61756469742d656e7472792d32")
    #expect(try EntryBundle(Vector.entries(0..<3)).bytes == published)
    #expect(try EntryBundle(decoding: published, count: 3).entries == Vector.entries(0..<3))
    #expect(try EntryBundle(decoding: [0, 0], count: 1).entries == [[]])
  }

  @Test func `the longest entry is taken and one byte more is not`() throws {
    let longest = Array(repeating: UInt8(1), count: 65_535)
    let key = try Vector.key()
    let append = try LedgerState().appending([longest], key: key)
    #expect(append.tiles.first?.bytes.count == 65_537)
    let found = problem { _ = try LedgerState().appending([[], longest + [1]], key: key) }
    #expect(found?.code == .tooLarge)
    #expect(found?.index == 1)
  }

  @Test func `a batch is written from the bundles upwards and committed by the checkpoint`() throws
  {
    let ledger = try WrittenLedger(sizes: [250])
    let append = try ledger.state.appending(Vector.entries(250..<520), key: try Vector.key())
    #expect(
      append.files.map(\.path) == [
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/8",
        "tile/0/000", "tile/0/001", "tile/0/002.p/8", "tile/1/000.p/2", "checkpoints/520",
      ])
    #expect(append.commit.path == "checkpoint")
    #expect(append.commit.bytes == append.files.last?.bytes)
    #expect(append.state.size == 520)
    #expect(ledger.state.size == 250)
  }

  @Test(arguments: [0, 1, 2, 3, 255, 256, 257, 511, 512, 513])
  func `a ledger grown in any steps is the same and verifies`(size: Int) throws {
    let atOnce = try WrittenLedger(sizes: [size])
    let leaves = Vector.entries(0..<size).map { LedgerHash.leaf($0) }
    #expect(atOnce.state.root == Reference.root(leaves[...]))
    for step in [1, 7, 100, 256, 257] {
      let sizes = Array(stride(from: 0, to: size, by: step)) + [size]
      let ledger = try WrittenLedger(sizes: sizes)
      #expect(ledger.state == atOnce.state)
      for path in TilePath.implied(bySize: size).map(\.description) + ["checkpoint"] {
        #expect(ledger.files.contents[path] == atOnce.files.contents[path], "\(path)")
        #expect(ledger.files.contents[path] != nil, "\(path)")
      }
      if step > 1 || size < 4 || size == 513 {
        let report = LedgerVerifier(files: ledger.files, ledger: try Vector.ledger())
          .check(kept: sizes.map(String.init))
        #expect(report.problems == [])
        #expect(report.isSound && !report.stoppedEarly)
        #expect(report.entriesChecked == size)
        #expect(report.checkpointsChecked == sizes.count)
        #expect(report.root == atOnce.state.root)
      }
      #expect(
        try LedgerState(at: ledger.checkpoint(size), files: ledger.files) == ledger.state)
    }
  }

  @Test func `a crash after any file leaves the committed ledger, and the batch can be repeated`()
    throws
  {
    let before = try WrittenLedger(sizes: [250])
    let key = try Vector.ledger()
    let append = try before.state.appending(Vector.entries(250..<520), key: try Vector.key())
    for written in 0...append.files.count {
      var ledger = before
      for file in append.files.prefix(written) { ledger.files.write(file) }
      let report = LedgerVerifier(files: ledger.files, ledger: key).check(kept: ["250"])
      #expect(report.problems == [])
      #expect(report.size == 250)
      ledger.state = try LedgerState(at: ledger.checkpoint(250), files: ledger.files)
      #expect(ledger.state == before.state)
      // The batch after a restart need not be the same one.
      try ledger.grow(to: 600)
      let kept = written == append.files.count ? ["250", "520", "600"] : ["250", "600"]
      let repaired = LedgerVerifier(files: ledger.files, ledger: key).check(kept: kept)
      #expect(repaired.problems == [])
      #expect(repaired.checkpointsChecked == kept.count)
    }
  }

  @Test(
    arguments: [
      ("tile/0/001.p/44", .rootChanged), ("tile/1/000.p/1", .rootChanged),
      ("tile/entries/001.p/44", .entryChanged),
    ] as [(String, LedgerProblem.Code)])
  func `a writer does not start on a changed file`(path: String, code: LedgerProblem.Code) throws {
    var ledger = try WrittenLedger(sizes: [300])
    ledger.files[path][20] ^= 1
    let checkpoint = try ledger.checkpoint(300)
    let files = ledger.files
    #expect(problem { _ = try LedgerState(at: checkpoint, files: files) }?.code == code)
    ledger.files.contents[path] = nil
    let without = ledger.files
    let found = problem { _ = try LedgerState(at: checkpoint, files: without) }
    #expect(found?.code == .fileMissing)
    #expect(found?.file == path)
  }
}
