/// `Mex-Chunk-Range`: which part of how many, `n:total` with 0 < n <= total.
package struct MeshChunkRange: Sendable, Hashable, CustomStringConvertible {
  package let part: Int
  package let total: Int

  /// A message that comes whole.
  package static let whole = MeshChunkRange(uncheckedPart: 1, of: 1)

  /// Nil when the text is not two numbers of at most six digits, or the part is outside the total.
  package init?(_ text: String) {
    let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map(decimal)
    guard numbers.count == 2, let part = numbers[0], let total = numbers[1], part > 0,
      part <= total
    else { return nil }
    (self.part, self.total) = (part, total)
  }

  private init(uncheckedPart part: Int, of total: Int) { (self.part, self.total) = (part, total) }

  package var description: String { "\(part):\(total)" }
}

/// The number that one to six ASCII digits write. Nil for anything else, signs and spaces among it.
func decimal(_ text: some StringProtocol) -> Int? {
  guard (1...6).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
  else { return nil }
  return Int(text)
}
