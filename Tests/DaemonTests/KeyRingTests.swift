import Foundation
import Testing

@testable import Daemon

@Suite struct `The key ring opens under its key alone and shows nothing` {
  static let keyEncryptionKey = [UInt8](repeating: 0x5a, count: 32)

  /// Marked bytes: whatever text they come out as can be searched for.
  static func secret(_ mark: UInt8) -> [UInt8] { (0..<32).map { mark &+ $0 } }

  static let keys: [KeyRing.Key] = [
    .init(
      use: .signing, version: 1, secret: Array("MARKED-SIGNING-KEY".utf8),
      certificate: "MARKED-CERTIFICATE-1"),
    .init(
      use: .decryption, version: 1, secret: Array("MARKED-OLD-KEY".utf8),
      certificate: "MARKED-CERTIFICATE-2"),
    .init(
      use: .decryption, version: 2, secret: Array("MARKED-NEW-KEY".utf8),
      certificate: "MARKED-CERTIFICATE-3"),
    .init(use: .store, version: 3, secret: secret(10)),
    .init(use: .store, version: 11, secret: secret(60)),
    .init(use: .store, version: 2, secret: secret(110)),
    .init(use: .lookup, version: 1, secret: secret(160)),
    .init(use: .ledger, version: 1, secret: secret(200)),
  ]

  static func with(_ change: (inout [KeyRing.Key]) -> Void) -> [KeyRing.Key] {
    var changed = keys
    change(&changed)
    return changed
  }

  @Test func `what was sealed opens again, whole`() throws {
    let sealed = try KeyRing(keys: Self.keys).sealed(under: Self.keyEncryptionKey)
    let opened = try KeyRing(opening: sealed, with: Self.keyEncryptionKey)
    #expect(opened.keys.map(\.use) == Self.keys.map(\.use))
    #expect(opened.keys.map(\.version) == Self.keys.map(\.version))
    #expect(opened.keys.map(\.secret) == Self.keys.map(\.secret))
    #expect(opened.keys.map(\.certificate) == Self.keys.map(\.certificate))
  }

  @Test func `sealed twice it is other bytes, and neither holds a key in the clear`() throws {
    let ring = try KeyRing(keys: Self.keys)
    let first = try ring.sealed(under: Self.keyEncryptionKey)
    #expect(try ring.sealed(under: Self.keyEncryptionKey) != first)
    let bytes = Data(first)
    #expect(bytes.range(of: Data("MARKED".utf8)) == nil)
    #expect(
      bytes.range(of: Data(Data("MARKED-SIGNING-KEY".utf8).base64EncodedString().utf8)) == nil)
    #expect(bytes.range(of: Data(Self.secret(60).prefix(8))) == nil)
  }

  @Test func `the newest version of a use comes first, by number`() throws {
    let ring = try KeyRing(keys: Self.keys)
    #expect(ring.keys(.store).map(\.version) == [11, 3, 2])
    #expect(ring.keys(.decryption).map(\.version) == [2, 1])
    #expect(ring.current(.store).secret == Self.secret(60))
    #expect(ring.current(.decryption).secret == Array("MARKED-NEW-KEY".utf8))
    #expect(ring.current(.store).id == "store-11")
  }

  @Test func `another key does not open it`() throws {
    let sealed = try KeyRing(keys: Self.keys).sealed(under: Self.keyEncryptionKey)
    var other = Self.keyEncryptionKey
    other[31] ^= 1
    #expect(throws: KeyRingProblem.cannotOpen) { try KeyRing(opening: sealed, with: other) }
  }

  @Test func `a change of any byte is found`() throws {
    let sealed = try KeyRing(keys: Self.keys).sealed(under: Self.keyEncryptionKey)
    for place in sealed.indices {
      var changed = sealed
      changed[place] ^= 0x10
      #expect(throws: KeyRingProblem.cannotOpen) {
        try KeyRing(opening: changed, with: Self.keyEncryptionKey)
      }
    }
  }

  @Test func `cut off anywhere, or with bytes after its end, it does not open`() throws {
    let sealed = try KeyRing(keys: Self.keys).sealed(under: Self.keyEncryptionKey)
    for length in sealed.indices {
      #expect(throws: KeyRingProblem.cannotOpen) {
        try KeyRing(opening: Array(sealed[..<length]), with: Self.keyEncryptionKey)
      }
    }
    #expect(throws: KeyRingProblem.cannotOpen) {
      try KeyRing(opening: sealed + [0], with: Self.keyEncryptionKey)
    }
  }

  @Test(arguments: [0, 16, 31, 33, 64])
  func `a key-encryption key is 32 bytes`(count: Int) throws {
    let key = [UInt8](repeating: 0x5a, count: count)
    let ring = try KeyRing(keys: Self.keys)
    #expect(throws: KeyRingProblem.wrongKeyEncryptionKey) { try ring.sealed(under: key) }
    let sealed = try ring.sealed(under: Self.keyEncryptionKey)
    #expect(throws: KeyRingProblem.wrongKeyEncryptionKey) {
      try KeyRing(opening: sealed, with: key)
    }
  }

  @Test(arguments: KeyRing.Use.allCases)
  func `a ring without a key for a use is incomplete`(use: KeyRing.Use) {
    #expect(throws: KeyRingProblem.incomplete(use)) {
      try KeyRing(keys: Self.keys.filter { $0.use != use })
    }
  }

  @Test(arguments: [KeyRing.Use.store, .lookup, .ledger], [0, 31, 33])
  func `keys for store, look-up and ledger are 32 bytes`(use: KeyRing.Use, count: Int) {
    let short = KeyRing.Key(use: use, version: 20, secret: [UInt8](repeating: 1, count: count))
    #expect(throws: KeyRingProblem.incomplete(use)) { try KeyRing(keys: Self.keys + [short]) }
  }

  @Test(arguments: [KeyRing.Use.signing, .decryption])
  func `keys for messages have a certificate`(use: KeyRing.Use) {
    let bare = KeyRing.Key(use: use, version: 20, secret: [1])
    let empty = KeyRing.Key(use: use, version: 20, secret: [], certificate: "PEM")
    for key in [bare, empty] {
      #expect(throws: KeyRingProblem.incomplete(use)) { try KeyRing(keys: Self.keys + [key]) }
    }
  }

  @Test(arguments: [3, 0, -1])
  func `versions of a use differ, and count from 1`(version: Int) {
    let key = KeyRing.Key(use: .store, version: version, secret: Self.secret(1))
    #expect(throws: KeyRingProblem.incomplete(.store)) { try KeyRing(keys: Self.keys + [key]) }
  }

  @Test func `codes are stable and their words name no key`() {
    let all: [(KeyRingProblem, String)] = [
      (.wrongKeyEncryptionKey, "KEYS-001"), (.cannotOpen, "KEYS-002"),
      (.incomplete(.ledger), "KEYS-003"),
    ]
    for (problem, code) in all { #expect(problem.code == code) }
    #expect(KeyRingProblem.incomplete(.ledger).text == "the key ring has no good key for ledger")
  }

  @Test func `neither text nor dump of a ring shows a key`() throws {
    let ring = try KeyRing(keys: Self.keys)
    let names =
      "signing-1, decryption-1, decryption-2, store-3, store-11, store-2, lookup-1, ledger-1"
    #expect("\(ring)" == "KeyRing(\(names))")
    #expect("\(ring.current(.signing))" == "KeyRing.Key(signing-1)")
    let around: (place: Int, ring: KeyRing, keys: [KeyRing.Key]) = (1, ring, ring.keys)
    var texts = [
      "\(ring)", String(reflecting: ring), String(describing: ring.keys),
      String(reflecting: ring.keys), String(describing: around), String(reflecting: around),
      String(describing: Optional(ring.current(.lookup))),
    ]
    for value in [ring, ring.keys, around, ring.current(.signing)] as [Any] {
      var dumped = ""
      dump(value, to: &dumped)
      texts.append(dumped)
      texts += Mirror(reflecting: value).children.map { String(reflecting: $0.value) }
    }
    for text in texts {
      #expect(!text.contains("MARKED"))
      // As numbers in a row, and as numbers below each other.
      #expect(!text.contains("77, 65, 82"))
      #expect(!text.contains("60, 61, 62"))
      #expect(!text.contains("- 77\n"))
      #expect(!text.contains("- 61\n"))
      #expect(!text.contains(Data("MARKED".utf8).base64EncodedString()))
    }
  }
}
