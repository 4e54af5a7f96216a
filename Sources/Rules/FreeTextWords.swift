import Foundation

/// Words of offence and risk that hold a free text for an officer's confirmation (FREE-01).
///
/// Free text cannot be filtered by field name. This finds plain uses of the words and the usual
/// ways of hiding them (capitals, accents, wide or styled letters, figures for letters, spaced or
/// dotted letters, repeated letters); it cannot find a meaning put in other words. A text with a
/// letter of another script is held too: it cannot be checked, or the letter stands for a Latin one
/// that it looks like.
package struct FreeTextWords: Sendable {
  private struct Entry {
    let letters: [UInt8]
    /// It ended in `*`, and matches the beginning of a word.
    let stem: Bool
  }

  /// By the first two letters, so that a long list costs no more than a short one.
  private let byStart: [[Entry]]

  /// - Parameter entries: words in lower case; `*` at the end of a stem.
  package init(_ entries: [String]) {
    var byStart: [[Entry]] = Array(repeating: [], count: 26 * 26)
    for entry in entries {
      let letters = Array(entry.utf8.filter(isLetter))
      guard let start = FreeTextWords.start(of: letters[...]) else { continue }
      byStart[start].append(Entry(letters: letters, stem: entry.hasSuffix("*")))
    }
    self.byStart = byStart
  }

  static func isEntry(_ text: String) -> Bool {
    let letters = text.hasSuffix("*") ? text.dropLast() : Substring(text)
    return (2...40).contains(letters.utf8.count) && letters.utf8.allSatisfy(isLetter)
  }

  /// Whether a person must look at the text before it goes anywhere.
  package func holds(_ text: String) -> Bool {
    guard let letters = FreeTextWords.plain(text) else { return true }
    return FreeTextWords.spellings(of: letters).contains { hit($0) }
  }

  private func hit(_ text: [UInt8]) -> Bool {
    var run: [UInt8] = []
    var pieces = 0
    for chunk in text.split(separator: space) {
      var joined = chunk
      if !chunk.allSatisfy(isLetter) {
        // "sex-offender" is read as "sex", "offender" and "sexoffender".
        let parts = chunk.split { !isLetter($0) }
        if parts.contains(where: matches) { return true }
        joined = ArraySlice(parts.joined())
      }
      if matches(joined) { return true }
      // "r a p e": short pieces in a row are read as one.
      if (1...2).contains(joined.count) {
        run += joined
        pieces += 1
      } else {
        if pieces >= 3, hitAnywhere(in: run) { return true }
        (run, pieces) = ([], 0)
      }
    }
    return pieces >= 3 && hitAnywhere(in: run)
  }

  /// A word of four letters or more may begin anywhere in a run.
  private func hitAnywhere(in run: [UInt8]) -> Bool {
    if matches(run[...]) { return true }
    return run.indices.contains { place in
      guard let start = FreeTextWords.start(of: run[place...]) else { return false }
      return byStart[start].contains { entry in
        entry.letters.count >= 4 && run[place...].starts(with: entry.letters)
      }
    }
  }

  private func matches(_ word: ArraySlice<UInt8>) -> Bool {
    if listed(word) { return true }
    guard let single = FreeTextWords.withoutRepeats(word) else { return false }
    return listed(single[...])
  }

  private func listed(_ word: ArraySlice<UInt8>) -> Bool {
    guard let start = FreeTextWords.start(of: word) else { return false }
    return byStart[start].contains { entry in
      entry.stem ? word.starts(with: entry.letters) : word.elementsEqual(entry.letters)
    }
  }

  private static func start(of letters: ArraySlice<UInt8>) -> Int? {
    guard let first = letters.first, let second = letters.dropFirst().first, isLetter(first),
      isLetter(second)
    else { return nil }
    return Int(first - firstLetter) * 26 + Int(second - firstLetter)
  }

  /// Latin letters in lower case without accents, width, style or anything invisible, and every
  /// other sign as it is or as a hyphen; nil where there is a letter that is none of those.
  private static func plain(_ text: String) -> [UInt8]? {
    let bytes = Array(text.utf8)
    if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.map(lowered) }
    var result: [UInt8] = []
    for scalar in text.decomposedStringWithCompatibilityMapping.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format, .control: continue
      default: break
      }
      if scalar.properties.isWhitespace {
        result.append(space)
      } else if scalar.isASCII {
        result.append(lowered(UInt8(scalar.value)))
      } else {
        for lower in scalar.properties.lowercaseMapping.unicodeScalars {
          if let own = letters[lower] {
            result += own.utf8
          } else if lower.properties.isAlphabetic {
            return nil
          } else {
            result.append(UInt8(ascii: "-"))
          }
        }
      }
    }
    return result
  }

  private static func lowered(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
    case 0..<space: space
    default: byte
    }
  }

  /// The text with figures and signs read as the letters they stand for; "1" is an i or an l, and a
  /// sign may also be only a sign.
  private static func spellings(of letters: [UInt8]) -> [[UInt8]] {
    var hasOne = false
    var hasSign = false
    var hasFigure = false
    for byte in letters {
      switch byte {
      case UInt8(ascii: "1"): hasOne = true
      case UInt8(ascii: "!"), UInt8(ascii: "|"): (hasOne, hasSign) = (true, true)
      case UInt8(ascii: "@"), UInt8(ascii: "$"), UInt8(ascii: "+"), UInt8(ascii: "("):
        hasSign = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): hasFigure = true
      default: continue
      }
    }
    guard hasOne || hasSign || hasFigure else { return [letters] }
    var result: [[UInt8]] = []
    for one in Array((hasOne ? "il" : "i").utf8) {
      for asLetters in hasSign ? [false, true] : [false] {
        var text: [UInt8] = []
        text.reserveCapacity(letters.count)
        for chunk in letters.split(separator: space) {
          // A number by itself is a number, and not letters in disguise.
          let disguised = chunk.contains(where: isLetter)
          for byte in chunk {
            text.append(disguised ? letter(for: byte, one: one, signs: asLetters) : byte)
          }
          text.append(space)
        }
        result.append(text)
      }
    }
    return result
  }

  private static func letter(for byte: UInt8, one: UInt8, signs: Bool) -> UInt8 {
    switch byte {
    case UInt8(ascii: "0"): UInt8(ascii: "o")
    case UInt8(ascii: "1"): one
    case UInt8(ascii: "3"): UInt8(ascii: "e")
    case UInt8(ascii: "4"): UInt8(ascii: "a")
    case UInt8(ascii: "5"): UInt8(ascii: "s")
    case UInt8(ascii: "6"), UInt8(ascii: "9"): UInt8(ascii: "g")
    case UInt8(ascii: "7"): UInt8(ascii: "t")
    case UInt8(ascii: "8"): UInt8(ascii: "b")
    case UInt8(ascii: "!") where signs, UInt8(ascii: "|") where signs: one
    case UInt8(ascii: "@") where signs: UInt8(ascii: "a")
    case UInt8(ascii: "$") where signs: UInt8(ascii: "s")
    case UInt8(ascii: "+") where signs: UInt8(ascii: "t")
    case UInt8(ascii: "(") where signs: UInt8(ascii: "c")
    default: byte
    }
  }

  /// "raaape" as "rape": runs of three and more letters as one; nil where there is none.
  private static func withoutRepeats(_ word: ArraySlice<UInt8>) -> [UInt8]? {
    guard word.count >= 3,
      word.indices.dropFirst(2).contains(where: {
        word[$0] == word[$0 - 1] && word[$0] == word[$0 - 2]
      })
    else { return nil }
    var result: [UInt8] = []
    var run = 0
    for place in word.indices {
      run = place > word.startIndex && word[place - 1] == word[place] ? run + 1 : 1
      if run == 3 { result.removeLast() }
      if run < 3 { result.append(word[place]) }
    }
    return result
  }

  /// Latin letters that do not decompose into a plain one and a mark.
  private static let letters: [Unicode.Scalar: String] = [
    "\u{e6}": "ae", "\u{153}": "oe", "\u{df}": "ss", "\u{f8}": "o", "\u{142}": "l",
    "\u{111}": "d", "\u{131}": "i", "\u{127}": "h", "\u{167}": "t",
  ]
}

private let space = UInt8(ascii: " ")
private let firstLetter = UInt8(ascii: "a")

private func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
