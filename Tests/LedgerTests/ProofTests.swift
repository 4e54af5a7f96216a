import Ledger
import Testing

@Suite struct ProofTests {
  private static let node01 = "6bc5e5ab9c493aceae1a3635c0a42d342fb6755fdbb6bd796ae15ebebe7bc615"
  private static let node23 = "58b5a2a92e0334e03c446aabe63cb01f608d1301702a94f1b9579d1edd433062"
  private static let node0to3 = "b7d42bbd30e164e449ea1bc37f2687e9cce9bdd3d9e81dbc804b6ebf3be4e206"
  private static let leaf2 = "5e4d74551d8195d1dce28bb13aa5b517766a7b013ba7081745f3cafa5c1997a7"
  private static let leaf3 = "dfdac3a431e0813d07acd948fe93942d9ec5f5060d10cf87c1568fe27ae02aa6"
  private static let leaf4 = "2a7e3370721bb8099776031a82b1e3e9501b06f3184d4891071d605f10b6ea7b"
  private static let tile0 = "ab3848e9085957a078b2e4081a2682822ba06b7236b212a360fedd5973c3e081"

  @Test(arguments: [
    (0, 1, []),
    (2, 5, [leaf3, node01, leaf4]),
    (4, 5, [node0to3]),
    (
      299, 300,
      [
        "71d9936cf6b187dbdd16202a84daae0e653a750e3b6dedaf2d2706a3baf36ba9",
        "b6f1199cb53d90280743b011a85081fa347eb49e2088259d8ae5a5f14697f3aa",
        "dcd8ec688b27dd48feac46114a3e509a167bcd6ec0871a9f262c2d9ea4128c83",
        "5e0036cc3384a4c77a1b666a5f80e1ff60c461d9ba69e195cd557a16c95c7947",
        tile0,
      ]
    ),
  ])
  func `an entry's inclusion proof is the published one`(
    index: Int, size: Int, expected: [String]
  ) throws {
    let ledger = try WrittenLedger(sizes: [size])
    let proof = try MerkleTree(size: size, files: ledger.files).inclusionProof(of: index)
    #expect(proof.hashes.map(\.hex) == expected)
    #expect(proof.proves(.leaf(Vector.entry(index)), under: ledger.state.root))
  }

  @Test(arguments: [
    (3, 5, [leaf2, leaf3, node01, leaf4]),
    (4, 5, [leaf4]),
    (2, 5, [node23, leaf4]),
    (256, 300, ["3239dff6c047c32c3b9e1e6412082c65c7ebd753e0bf6a6e8a45a19c8689da3f"]),
    (
      257, 300,
      [
        "aaca90ed747f7423e8c45624bcc2fd6ea649e75195605206a2f8d31fdcfbf6c2",
        "01accdbb7c16f0565c8b6903c60025b169269af2a7b438cff78432d746df5b86",
        "ec157e220cfc07e8414578576911ef1e69d87f70bc2ce3fafbf3462e3d224752",
        "0a972d385066e1f13c5655764630f29d7a47fc6d11efd18d1534001de1a64f40",
        "aec321b2c00b2ae697b2962cdd51e37252c7e02d3a21e228619e5554c816f226",
        "3ef607ce019c091121f6750d533813fe6c7f7f17562dd94517b99ec1d7bacd8d",
        "9b82031f0e23ba7faae7fb5ab81086dc7d8837f406e70f5e2bee3bd01b09b1c9",
        tile0,
      ]
    ),
  ])
  func `a ledger's consistency proof is the published one`(
    oldSize: Int, size: Int, expected: [String]
  ) throws {
    let ledger = try WrittenLedger(sizes: [oldSize, size])
    let proof = try MerkleTree(size: size, files: ledger.files).consistencyProof(from: oldSize)
    #expect(proof.hashes.map(\.hex) == expected)
    #expect(
      proof.proves(try ledger.checkpoint(oldSize).root, isPrefixOf: ledger.state.root))
  }

  @Test func `every proof of every small ledger is that of the definition`() throws {
    let leaves = Vector.entries(0..<70).map { LedgerHash.leaf($0) }
    let roots = (0..<70).map { Reference.root(leaves[..<$0]) }
    let ledger = try WrittenLedger(sizes: Array(0..<70))
    for size in 0..<70 {
      let tree = MerkleTree(size: size, files: ledger.files)
      #expect(try tree.root() == roots[size])
      for index in 0..<size {
        let proof = try tree.inclusionProof(of: index)
        #expect(proof.hashes == Reference.path(index, leaves[..<size]), "\(index) in \(size)")
        #expect(proof.proves(leaves[index], under: roots[size]))
        #expect(!proof.proves(leaves[(index + 1) % 70], under: roots[size]))
      }
      for oldSize in 0...size {
        let proof = try tree.consistencyProof(from: oldSize)
        #expect(
          proof.hashes == Reference.proof(oldSize, leaves[..<size]), "\(oldSize) to \(size)")
        #expect(proof.proves(roots[oldSize], isPrefixOf: roots[size]))
        // Every ledger begins with the empty one: only then is the newer root left open.
        #expect(
          proof.proves(roots[oldSize], isPrefixOf: roots[(size + 1) % 70])
            == (oldSize == 0 && size > 0))
      }
    }
  }

  @Test func `random proofs of larger ledgers are those of the definition`() throws {
    var random = Sequenced(state: 2026)
    let sizes = (0..<25).map { _ in Int.random(in: 70...3000, using: &random) }.sorted()
    let leaves = Vector.entries(0..<3000).map { LedgerHash.leaf($0) }
    let ledger = try WrittenLedger(sizes: sizes)
    for size in sizes {
      let tree = MerkleTree(size: size, files: ledger.files)
      let root = Reference.root(leaves[..<size])
      #expect(try tree.root() == root)
      #expect(try ledger.checkpoint(size).root == root)
      for index in [0, size - 1] + (0..<2).map({ _ in Int.random(in: 0..<size, using: &random) }) {
        let proof = try tree.inclusionProof(of: index)
        #expect(proof.hashes == Reference.path(index, leaves[..<size]), "\(index) in \(size)")
        #expect(proof.proves(leaves[index], under: root))
      }
      for oldSize in [1, 256, Int.random(in: 1...size, using: &random)] where oldSize <= size {
        let proof = try tree.consistencyProof(from: oldSize)
        #expect(
          proof.hashes == Reference.proof(oldSize, leaves[..<size]), "\(oldSize) to \(size)")
        #expect(proof.proves(Reference.root(leaves[..<oldSize]), isPrefixOf: root))
      }
    }
  }

  @Test(arguments: [(2, 5), (4, 5), (0, 64), (63, 64), (299, 300), (255, 257)])
  func `an inclusion proof with any other hash, index or size proves nothing`(
    index: Int, size: Int
  ) throws {
    let ledger = try WrittenLedger(sizes: [size])
    let root = ledger.state.root
    let leaf = LedgerHash.leaf(Vector.entry(index))
    let proof = try MerkleTree(size: size, files: ledger.files).inclusionProof(of: index)
    let hashes = proof.hashes
    for wrong in Self.spoilt(hashes) {
      #expect(!InclusionProof(index: index, size: size, hashes: wrong).proves(leaf, under: root))
    }
    for wrongIndex in [index - 1, index + 1, size, -1, Int.max, Int.min] {
      #expect(
        !InclusionProof(index: wrongIndex, size: size, hashes: hashes)
          .proves(leaf, under: root), "index \(wrongIndex)")
    }
    for wrongSize in [0, -1, index, Int.max, Int.min] {
      #expect(
        !InclusionProof(index: index, size: wrongSize, hashes: hashes)
          .proves(leaf, under: root), "size \(wrongSize)")
    }
  }

  @Test(arguments: [(3, 5), (4, 5), (2, 5), (1, 64), (63, 64), (256, 300), (257, 300)])
  func `a consistency proof with any other hash or size proves nothing`(
    oldSize: Int, size: Int
  ) throws {
    let ledger = try WrittenLedger(sizes: [oldSize, size])
    let (old, new) = (try ledger.checkpoint(oldSize).root, ledger.state.root)
    let proof = try MerkleTree(size: size, files: ledger.files).consistencyProof(from: oldSize)
    for wrong in Self.spoilt(proof.hashes) + [[]] {
      #expect(
        !ConsistencyProof(oldSize: oldSize, newSize: size, hashes: wrong)
          .proves(old, isPrefixOf: new))
    }
    for wrongOld in [0, oldSize - 1, oldSize + 1, size, size + 1, -1, Int.min, Int.max] {
      #expect(
        !ConsistencyProof(oldSize: wrongOld, newSize: size, hashes: proof.hashes)
          .proves(old, isPrefixOf: new), "old size \(wrongOld)")
    }
    for wrongNew in [0, oldSize, oldSize - 1, -1, Int.min, Int.max] {
      #expect(
        !ConsistencyProof(oldSize: oldSize, newSize: wrongNew, hashes: proof.hashes)
          .proves(old, isPrefixOf: new), "new size \(wrongNew)")
    }
    #expect(!proof.proves(new, isPrefixOf: old))
  }

  @Test func `equal and empty ledgers need no hashes`() throws {
    let root = try hash(Self.node01)
    #expect(ConsistencyProof(oldSize: 2, newSize: 2, hashes: []).proves(root, isPrefixOf: root))
    #expect(!ConsistencyProof(oldSize: 2, newSize: 2, hashes: []).proves(root, isPrefixOf: .empty))
    #expect(
      !ConsistencyProof(oldSize: 2, newSize: 2, hashes: [root]).proves(root, isPrefixOf: root))
    #expect(ConsistencyProof(oldSize: 0, newSize: 2, hashes: []).proves(.empty, isPrefixOf: root))
    #expect(!ConsistencyProof(oldSize: 0, newSize: 2, hashes: []).proves(root, isPrefixOf: root))
    #expect(
      !ConsistencyProof(oldSize: 0, newSize: 2, hashes: [root]).proves(.empty, isPrefixOf: root))
  }

  @Test(arguments: [-1, 5, 6, Int.max, Int.min])
  func `no proof is made for an entry that is not there`(index: Int) throws {
    let tree = MerkleTree(size: 5, files: try WrittenLedger(sizes: [5]).files)
    #expect(problem { _ = try tree.inclusionProof(of: index) }?.code == .notInTree)
    #expect(problem { _ = try tree.entry(index) }?.code == .notInTree)
    if index != 5 {
      #expect(problem { _ = try tree.consistencyProof(from: index) }?.code == .notInTree)
    }
  }

  @Test func `proofs of an older size are made from full tiles once partial ones are gone`() throws
  {
    var ledger = try WrittenLedger(sizes: [200, 300, 520])
    for path in ledger.files.contents.keys where path.contains(".p/") && !path.hasSuffix(".p/8") {
      ledger.files.contents[path] = nil
    }
    let tree = MerkleTree(size: 200, files: ledger.files)
    #expect(try tree.root() == ledger.checkpoint(200).root)
    #expect(try tree.entry(199) == Vector.entry(199))
    let proof = try tree.inclusionProof(of: 199)
    #expect(proof.proves(.leaf(Vector.entry(199)), under: try ledger.checkpoint(200).root))
  }

  /// One hash fewer at either end, one more, every two neighbours exchanged, one bit changed.
  private static func spoilt(_ hashes: [LedgerHash]) -> [[LedgerHash]] {
    var spoilt = [hashes + [.empty], [.empty] + hashes]
    if !hashes.isEmpty { spoilt += [Array(hashes.dropLast()), Array(hashes.dropFirst())] }
    for number in hashes.indices {
      if number > 0 {
        var exchanged = hashes
        exchanged.swapAt(number - 1, number)
        spoilt.append(exchanged)
      }
      var bytes = hashes[number].bytes
      bytes[31] ^= 1
      var changed = hashes
      if let hash = LedgerHash(bytes: bytes) { changed[number] = hash }
      spoilt.append(changed)
    }
    return spoilt
  }
}
