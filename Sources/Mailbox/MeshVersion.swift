/// The version of the MESH API that a request asks for by its `Accept` header (MESH API specification,
/// "Versioning").
package enum MeshVersion: Int, Sendable, Comparable {
  case one = 1
  case two = 2

  /// The highest version among the media ranges of an `Accept` header: version 1 when the header is
  /// absent, empty or names none. Numbers above 2 mean 2. Nil when a range speaks of `vnd.mesh` and is
  /// not of the form `application/vnd.mesh.v<digits>+json`.
  package init?(accept: String?) {
    var highest = MeshVersion.one
    // Some clients part media types by semicolons; what is a parameter does not speak of MESH.
    for range in (accept ?? "").split(whereSeparator: { $0 == "," || $0 == ";" }) {
      let name = trimmed(range).lowercased()
      guard name.contains("vnd.mesh") else { continue }
      let (prefix, suffix) = ("application/vnd.mesh.v", "+json")
      guard name.hasPrefix(prefix), name.hasSuffix(suffix),
        name.utf8.count > prefix.utf8.count + suffix.utf8.count
      else { return nil }
      let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
      guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        digits.contains(where: { $0 != "0" })
      else { return nil }
      if digits != "1" { highest = .two }
    }
    self = highest
  }

  /// Of inbox lists, tracking and errors; other bodies are plain `application/json` in both versions.
  package var mediaType: String {
    self == .two ? "application/vnd.mesh.v2+json" : "application/json"
  }

  package static func < (left: MeshVersion, right: MeshVersion) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// The text without spaces and tabs at its ends.
func trimmed(_ text: some StringProtocol) -> String {
  let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
  let head = text.drop(while: isSpace)
  return String(head.reversed().drop(while: isSpace).reversed())
}
