import Crypto

/// A SHA-256 hash of 32 bytes: of an entry, of a part of the tree, or of the whole tree.
package struct LedgerHash: Hashable, Sendable, CustomStringConvertible {
  /// Always 32.
  package let bytes: [UInt8]

  /// The number of bytes of a hash.
  package static let length = 32

  /// Nil unless there are exactly 32 bytes.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.length else { return nil }
    self.bytes = Array(bytes)
  }

  /// Nil unless `hex` is 64 figures, lower case.
  package init?(hex: String) {
    guard let bytes = StrictText.bytes(hex: hex) else { return nil }
    self.init(bytes: bytes)
  }

  /// Nil unless `base64` is the one standard, padded text of 32 bytes.
  package init?(base64: String) {
    guard let bytes = StrictText.bytes(base64: base64) else { return nil }
    self.init(bytes: bytes)
  }

  /// The plain SHA-256 of some bytes, for digests of files and rulebooks; not a hash of the tree.
  package init(sha256 content: [UInt8]) {
    self.init(SHA256.hash(data: content))
  }

  /// The hash of one entry as a leaf (RFC 9162 2.1.1): `SHA-256(0x00 || entry)`.
  package static func leaf(_ entry: [UInt8]) -> LedgerHash {
    LedgerHash(sha256: [0x00] + entry)
  }

  /// The hash of two neighbouring parts of the tree (RFC 9162 2.1.1): `SHA-256(0x01 || l || r)`.
  package static func node(_ left: LedgerHash, _ right: LedgerHash) -> LedgerHash {
    var hash = SHA256()
    hash.update(data: nodePrefix + left.bytes)
    hash.update(data: right.bytes)
    return LedgerHash(hash.finalize())
  }

  private static let nodePrefix: [UInt8] = [0x01]

  private init(_ digest: SHA256Digest) {
    // One copy of the 32 bytes; the digest's own sequence goes byte by byte.
    bytes = digest.withUnsafeBytes { Array($0) }
  }

  /// The root of a ledger without entries: `SHA-256("")`.
  package static let empty = LedgerHash(sha256: [])

  package var hex: String { StrictText.hex(bytes) }
  package var base64: String { StrictText.base64(bytes) }
  /// Hex.
  package var description: String { hex }
}

extension LedgerHash {
  /// The hash of the complete part of the tree whose bottom row is `row`; nil unless the row's
  /// length is a power of two.
  static func complete(_ row: some Collection<LedgerHash>) -> LedgerHash? {
    guard row.count > 0, row.count & (row.count - 1) == 0 else { return nil }
    var row = Array(row)
    while row.count > 1 {
      row = stride(from: 0, to: row.count, by: 2).map { .node(row[$0], row[$0 + 1]) }
    }
    return row.first
  }
}
