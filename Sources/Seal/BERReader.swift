/// Reads the outer shape of foreign ASN.1: one element after another of a stretch of bytes.
///
/// BER, since streaming senders write indefinite lengths, but bounded in depth and number. OpenSSL
/// does the decoding proper; this sees what OpenSSL does not show, and settles what it is given.
struct BERReader {
  struct Element {
    let tag: UInt8
    /// With tag, length and end marker.
    let whole: Range<Int>
    let content: Range<Int>
  }

  /// Elements within an element of indefinite length.
  static let countLimit = 100_000
  static let depthLimit = 16

  let bytes: [UInt8]
  private var offset: Int
  private let end: Int

  init(_ bytes: [UInt8]) { self.init(bytes, within: 0..<bytes.count) }

  init(_ bytes: [UInt8], within range: Range<Int>) {
    self.bytes = bytes
    (offset, end) = (range.lowerBound, range.upperBound)
  }

  var isAtEnd: Bool { offset == end }

  /// The next element's tag, if there is one.
  var nextTag: UInt8? { offset < end ? bytes[offset] : nil }

  /// Nil at the end, and where the bytes are not BER.
  mutating func next() -> Element? {
    var count = BERReader.countLimit
    guard let element = element(at: offset, depth: 0, count: &count) else { return nil }
    offset = element.whole.upperBound
    return element
  }

  /// The next element, if it has this tag; otherwise nil, and nothing is read.
  mutating func next(_ tag: UInt8) -> Element? { nextTag == tag ? next() : nil }

  func inside(_ element: Element) -> BERReader { BERReader(bytes, within: element.content) }

  func octets(_ element: Element) -> [UInt8] { Array(bytes[element.content]) }

  /// The object identifier at the head of an AlgorithmIdentifier or a similar sequence.
  func identifier(_ element: Element) -> [UInt8]? {
    var reader = inside(element)
    return reader.next(0x06).map(octets)
  }

  private func element(at start: Int, depth: Int, count: inout Int) -> Element? {
    count -= 1
    guard count >= 0, depth <= BERReader.depthLimit, end - start >= 2 else { return nil }
    let tag = bytes[start]
    // Tag numbers from 31 do not occur in CMS; zero is the end marker, no element.
    guard tag & 0x1f != 0x1f, tag != 0 else { return nil }
    let first = bytes[start + 1]
    var body = start + 2
    switch first {
    case 0x80:
      guard tag & 0x20 != 0 else { return nil }
      while true {
        guard end - body >= 2 else { return nil }
        if bytes[body] == 0, bytes[body + 1] == 0 {
          return Element(tag: tag, whole: start..<body + 2, content: start + 2..<body)
        }
        guard let child = element(at: body, depth: depth + 1, count: &count) else { return nil }
        body = child.whole.upperBound
      }
    case 0x81...0x84:
      let width = Int(first & 0x7f)
      guard end - body >= width else { return nil }
      let length = bytes[body..<body + width].reduce(0) { $0 << 8 | Int($1) }
      body += width
      guard length <= end - body else { return nil }
      return Element(tag: tag, whole: start..<body + length, content: body..<body + length)
    case 0..<0x80:
      guard Int(first) <= end - body else { return nil }
      return Element(tag: tag, whole: start..<body + Int(first), content: body..<body + Int(first))
    default: return nil
    }
  }

  /// Whether bytes begin with an element that says more is to come than there is.
  static func isCutOff(_ bytes: [UInt8]) -> Bool {
    guard bytes.first == 0x30 else { return false }
    guard bytes.count > 1 else { return true }
    switch bytes[1] {
    case 0x80:
      // The end marker is missing where what there is reads well to its last element.
      var reader = BERReader(bytes, within: 2..<bytes.count)
      var count = 0
      while count < countLimit, reader.next() != nil { count += 1 }
      return count > 0
    case 0x81...0x84:
      let width = Int(bytes[1] & 0x7f)
      guard bytes.count >= 2 + width else { return true }
      let length = bytes[2..<2 + width].reduce(0) { $0 << 8 | Int($1) }
      // A length that no message has says nothing of where this one was to end.
      return length > bytes.count - 2 - width && length <= 1 << 30
    case 0..<0x80: return Int(bytes[1]) > bytes.count - 2
    default: return false
    }
  }

  /// Tag, definite length and content (DER).
  static func encode(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    var length: [UInt8] = []
    var rest = content.count
    while rest > 0 {
      length.insert(UInt8(rest & 0xff), at: 0)
      rest >>= 8
    }
    let header =
      content.count < 0x80 ? [UInt8(content.count)] : [0x80 | UInt8(length.count)] + length
    return [tag] + header + content
  }
}
