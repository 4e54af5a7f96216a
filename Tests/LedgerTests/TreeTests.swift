import Ledger
import Testing

@Suite struct TreeTests {
  @Test(arguments: [
    (0, "5a1932bbb4fad7b461ce42fb49b42121068519f182c0dd94c9a42b85b01f925e"),
    (1, "282180e769820aa1f725e42932e4e329896ba3e33bdfc9daa45d5271eb4352e7"),
    (2, "5e4d74551d8195d1dce28bb13aa5b517766a7b013ba7081745f3cafa5c1997a7"),
    (3, "dfdac3a431e0813d07acd948fe93942d9ec5f5060d10cf87c1568fe27ae02aa6"),
    (4, "2a7e3370721bb8099776031a82b1e3e9501b06f3184d4891071d605f10b6ea7b"),
  ])
  func `an entry has the published leaf hash`(index: Int, expected: String) {
    #expect(LedgerHash.leaf(Vector.entry(index)).hex == expected)
  }

  @Test func `two neighbours have the published node hash`() {
    let leaves = Vector.entries(0..<4).map { LedgerHash.leaf($0) }
    let left = LedgerHash.node(leaves[0], leaves[1])
    let right = LedgerHash.node(leaves[2], leaves[3])
    #expect(left.hex == "6bc5e5ab9c493aceae1a3635c0a42d342fb6755fdbb6bd796ae15ebebe7bc615")
    #expect(right.hex == "58b5a2a92e0334e03c446aabe63cb01f608d1301702a94f1b9579d1edd433062")
    #expect(
      LedgerHash.node(left, right).hex
        == "b7d42bbd30e164e449ea1bc37f2687e9cce9bdd3d9e81dbc804b6ebf3be4e206")
  }

  @Test func `the tree has the published root at every published size`() {
    let published = [
      0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      1: "5a1932bbb4fad7b461ce42fb49b42121068519f182c0dd94c9a42b85b01f925e",
      2: "6bc5e5ab9c493aceae1a3635c0a42d342fb6755fdbb6bd796ae15ebebe7bc615",
      3: "4c73ea6bcbbdd87a7106deea6ce63ef932629199df6d1593938c7ffe8be46a5a",
      4: "b7d42bbd30e164e449ea1bc37f2687e9cce9bdd3d9e81dbc804b6ebf3be4e206",
      5: "bd1f04d70398cd4c69c7023ae51b6e744ca1c93b8d7cda51094e7e9255cda518",
      7: "550b0bfb5d67821da6bc439fa9c1a55feb0a124cde0df4a54d3ef55a0873130a",
      8: "05bd5145fdf4a3c3c2423dd927a4f0ddf6822c6ef23c237deac98cf1bf695f80",
      255: "a07a8fe4982dfd376cb140e2e90f84ea50cab2b0e7a3ae5b7e8f93500e76276f",
      256: "ab3848e9085957a078b2e4081a2682822ba06b7236b212a360fedd5973c3e081",
      257: "81618c380a08fd04e4da75d59aed6e688ee538832b444bc87a44cb16d4046739",
      300: "8d2320c8e63d62bef60621918aa0e2dfb69951bc9842ade63a20b902ab7b7105",
      65_535: "dd9a07a81f19377b9a78bd48cedf9f1b6574bdf11dbc78b0ba75e70f60a8599d",
      65_536: "76c53af6c0f8e60b567fec45dbb02c21ac6fa026d38c408f5a9037fc998a3757",
      65_537: "c2fa62fb5be6e22241db7b3100b5deda08b60a960b2c4804e9fb06ca48f551bb",
      70_000: "131e2a45132dc1de8ee4e69e9dab7c18dc248eaf80a63f670e1bef4558015b44",
    ]
    var frontier = Frontier()
    for size in 0...70_000 {
      if let root = published[size] {
        #expect(frontier.root.hex == root, "size \(size)")
        #expect(frontier.size == size)
      }
      frontier.append(.leaf(Vector.entry(size)))
    }
  }

  @Test func `the leaves known from Certificate Transparency give their known roots`() {
    let leaves = [
      "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
      "606162636465666768696a6b6c6d6e6f",
    ]
    var frontier = Frontier()
    for (number, leaf) in leaves.enumerated() {
      frontier.append(.leaf(bytes(hex: leaf)))
      if number == 2 {
        #expect(
          frontier.root.hex
            == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77")
      }
    }
    #expect(
      frontier.root.hex == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
  }

  @Test func `a hash is read only from exactly 32 bytes in their one spelling`() throws {
    let known = try hash("5a1932bbb4fad7b461ce42fb49b42121068519f182c0dd94c9a42b85b01f925e")
    #expect(LedgerHash(base64: known.base64) == known)
    #expect(LedgerHash(bytes: known.bytes) == known)
    #expect(LedgerHash(bytes: known.bytes.dropLast()) == nil)
    #expect(LedgerHash(bytes: known.bytes + [0]) == nil)
    #expect(LedgerHash(hex: known.hex.uppercased()) == nil)
    #expect(LedgerHash(hex: String(known.hex.dropLast())) == nil)
    #expect(LedgerHash(base64: String(known.base64.dropLast())) == nil)
    #expect(LedgerHash(base64: known.base64 + "\n") == nil)
  }
}
