/// The bytes of up to 256 consecutive entries, as they lie in one file: for each entry a length of
/// two bytes, big-endian, then that many bytes (C2SP tlog-tiles, "Log Entries").
package struct EntryBundle: Hashable, Sendable {
  package let entries: [[UInt8]]

  /// The most bytes an entry can have in this form.
  package static let longestEntry = 65_535
  /// The most bytes a bundle can have.
  package static let longest = TilePath.full * (2 + longestEntry)

  /// Throws LEDG-047 for an entry that the form cannot hold, with its number in `index`.
  package init(_ entries: [[UInt8]]) throws(LedgerProblem) {
    for (number, entry) in entries.enumerated() where entry.count > Self.longestEntry {
      throw LedgerProblem(
        .tooLarge, index: number, "an entry has \(entry.count) bytes, at most 65535 are possible")
    }
    self.entries = entries
  }

  /// Reads a bundle of exactly `count` entries. Throws LEDG-043 if an entry runs past the end, if
  /// bytes are left over or if there are fewer entries; `index` is then the number in the bundle.
  package init(decoding bytes: [UInt8], count: Int) throws(LedgerProblem) {
    var entries: [[UInt8]] = []
    var rest = bytes[...]
    while entries.count < count {
      guard !rest.isEmpty else {
        throw LedgerProblem(
          .bundle, index: entries.count, "it ends after \(entries.count) entries of \(count)")
      }
      guard rest.count >= 2 else {
        throw LedgerProblem(.bundle, index: entries.count, "a length is cut off")
      }
      let start = rest.startIndex
      let length = Int(rest[start]) << 8 | Int(rest[start + 1])
      rest = rest.dropFirst(2)
      guard length <= rest.count else {
        throw LedgerProblem(
          .bundle, index: entries.count,
          "an entry of \(length) bytes runs past the end, \(rest.count) are left")
      }
      entries.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    guard rest.isEmpty else {
      throw LedgerProblem(
        .bundle, index: count, "\(rest.count) bytes are left over after \(count) entries")
    }
    self.entries = entries
  }

  /// The bytes of the file.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(entries.reduce(0) { $0 + 2 + $1.count })
    for entry in entries {
      bytes += [UInt8(entry.count >> 8), UInt8(entry.count & 0xFF)]
      bytes += entry
    }
    return bytes
  }
}
