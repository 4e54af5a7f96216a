import Foundation

/// Words of offence and risk that hold a free text for an officer's confirmation (FREE-01).
///
/// Free text cannot be filtered by field name. This finds plain uses of the words and the usual ways of
/// hiding them (capitals, accents, wide or styled letters, figures for letters, spaced or dotted letters,
/// repeated letters); it cannot find a meaning put in other words. A text with a letter of another script
/// is held too: it cannot be checked, or the letter stands for a Latin one that it looks like.
package struct FreeTextWords: Sendable {
  private let exact: Set<String>
  /// Entries that ended in `*`: they match the beginning of a word. By their first two letters, so that a
  /// long list costs no more than a short one.
  private let stems: [String: [String]]
  private let squeezed: [String]

  /// - Parameter entries: words in lower case; `*` at the end of a stem.
  package init(_ entries: [String]) {
    var exact: Set<String> = []
    var stems: [String: [String]] = [:]
    for entry in entries {
      if entry.hasSuffix("*") {
        let stem = String(entry.dropLast())
        stems[String(stem.prefix(2)), default: []].append(stem)
      } else {
        exact.insert(entry)
      }
    }
    self.exact = exact
    self.stems = stems
    squeezed = (Array(exact) + stems.values.joined()).filter { $0.count >= 4 }
  }

  static func isEntry(_ text: String) -> Bool {
    let letters = text.hasSuffix("*") ? text.dropLast() : Substring(text)
    return (2...40).contains(letters.utf8.count)
      && letters.utf8.allSatisfy { (0x61...0x7a).contains($0) }
  }

  /// Whether a person must look at the text before it goes anywhere.
  package func holds(_ text: String) -> Bool {
    let letters = FreeTextWords.plain(text)
    guard
      !letters.contains(where: { $0.value > 0x7f && $0.properties.isAlphabetic })
    else { return true }
    for spelling in FreeTextWords.spellings(of: letters) where hit(spelling) { return true }
    return false
  }

  private func hit(_ text: String) -> Bool {
    var run: [Substring] = []
    for chunk in text.split(separator: " ") {
      // "sex-offender" is read as "sex", "offender" and "sexoffender".
      let parts = chunk.split { !$0.isLetter }
      let joined = parts.joined()
      if parts.contains(where: { matches(String($0)) }) || matches(joined) { return true }
      // "r a p e": short pieces in a row are read as one.
      if joined.count <= 2, !joined.isEmpty {
        run.append(Substring(joined))
      } else {
        if hit(run: run) { return true }
        run = []
      }
    }
    return hit(run: run)
  }

  private func hit(run: [Substring]) -> Bool {
    guard run.count >= 3 else { return false }
    let joined = run.joined()
    return matches(joined) || squeezed.contains(where: joined.contains)
  }

  private func matches(_ word: String) -> Bool {
    if listed(word) { return true }
    let single = FreeTextWords.withoutRepeats(word)
    return single != word && listed(single)
  }

  private func listed(_ word: String) -> Bool {
    guard word.utf8.count >= 2 else { return false }
    return exact.contains(word)
      || (stems[String(word.prefix(2))] ?? []).contains(where: word.hasPrefix)
  }

  /// Letters without accents, case, width, style or anything invisible.
  private static func plain(_ text: String) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    for scalar in text.decomposedStringWithCompatibilityMapping.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format, .control: continue
      default: break
      }
      if scalar.properties.isWhitespace {
        result.append(" ")
        continue
      }
      for lower in scalar.properties.lowercaseMapping.unicodeScalars {
        result.append(contentsOf: FreeTextWords.letters[lower] ?? [lower])
      }
    }
    return result
  }

  /// The text with figures and signs read as the letters they stand for; "1" is an i or an l, and a sign
  /// may also be only a sign.
  private static func spellings(of letters: [Unicode.Scalar]) -> Set<String> {
    var result: Set<String> = []
    for one in ["i", "l"] as [Unicode.Scalar] {
      for signs in [false, true] {
        var text = String.UnicodeScalarView()
        for chunk in letters.split(separator: " ", omittingEmptySubsequences: true) {
          // A number by itself is a number, and not letters in disguise.
          let hasLetter = chunk.contains { $0.properties.isAlphabetic }
          for scalar in chunk {
            if hasLetter, scalar == "1" || (signs && scalar == "!") || (signs && scalar == "|") {
              text.append(one)
            } else if hasLetter, let letter = figures[scalar] {
              text.append(letter)
            } else if hasLetter, signs, let letter = FreeTextWords.signs[scalar] {
              text.append(letter)
            } else {
              text.append(scalar)
            }
          }
          text.append(" ")
        }
        result.insert(String(text))
      }
    }
    return result
  }

  /// "raaape" as "rape": runs of three and more letters as one.
  private static func withoutRepeats(_ word: String) -> String {
    var result = ""
    var run = ""
    for letter in word {
      if run.last == letter {
        run.append(letter)
      } else {
        result += run.count >= 3 ? String(run.prefix(1)) : run
        run = String(letter)
      }
    }
    return result + (run.count >= 3 ? String(run.prefix(1)) : run)
  }

  private static let figures: [Unicode.Scalar: Unicode.Scalar] = [
    "0": "o", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g",
  ]
  private static let signs: [Unicode.Scalar: Unicode.Scalar] = [
    "@": "a", "$": "s", "+": "t", "(": "c", "\u{20ac}": "e", "\u{a3}": "l",
  ]
  /// Latin letters that do not decompose into a plain one and a mark.
  private static let letters: [Unicode.Scalar: [Unicode.Scalar]] = [
    "\u{e6}": ["a", "e"], "\u{153}": ["o", "e"], "\u{df}": ["s", "s"], "\u{f8}": ["o"],
    "\u{142}": ["l"], "\u{111}": ["d"], "\u{131}": ["i"], "\u{127}": ["h"], "\u{167}": ["t"],
  ]
}
