/// A message that is sent in parts and not whole yet: what each further part may do (MESH API
/// specification, "Send message chunk").
///
/// Every part but the last is kept as it comes and replaces its earlier copy. The last is never kept by
/// itself: it completes the message when all others are there, and is refused until then.
package struct MeshUpload: Sendable, Equatable {
  package enum Verdict: Sendable, Equatable {
    case keep
    /// All parts are there: the message is whole with this one.
    case finish
    case beyondTotal
    case encodingChanged
    case totalChanged
    case partsMissing
    case tooLarge
  }

  /// Above 1.
  package let total: Int
  /// How the parts are coded on the wire: nil or `gzip`.
  package let encoding: String?
  /// Bytes of each part that is there, as it is kept, by its number from 1.
  package private(set) var lengths: [Int: Int]

  package init(total: Int, encoding: String?, lengths: [Int: Int]) {
    (self.total, self.encoding, self.lengths) = (total, encoding, lengths)
  }

  /// Bytes of the parts that are there.
  package var length: Int { lengths.values.reduce(0, +) }

  /// - Parameters:
  ///   - length: of the part as it would be kept.
  ///   - wholeLimit: bytes that the whole message may have.
  package func verdict(
    on range: MeshChunkRange, encoding: String?, length: Int, wholeLimit: Int
  ) -> Verdict {
    guard range.part <= total else { return .beyondTotal }
    guard encoding == self.encoding else { return .encodingChanged }
    guard range.total == total else { return .totalChanged }
    let others = self.length - (lengths[range.part] ?? 0)
    guard length <= wholeLimit - others else { return .tooLarge }
    guard range.part == total else { return .keep }
    return (1..<total).allSatisfy { lengths[$0] != nil } ? .finish : .partsMissing
  }

  package mutating func kept(_ part: Int, length: Int) { lengths[part] = length }
}
