import Crypto
package import Exchange

/// The national rules as data: what each type of notification is, who may send it, who is told
/// what, and why. Read from text, checked as a whole, and never changed after.
package struct Rulebook: Sendable {
  /// By type.
  package let types: [NotificationType: NotificationRule]
  package let facts: [String: FactRule]
  package let fields: [String: FieldRule]
  package let items: [String: DataItem]
  package let bases: [String: LawfulBasis]
  /// Codes of purposes with their words.
  package let purposes: [String: String]
  package let freeText: FreeTextWords
  package let receipts: ReceiptRules
  /// `sha256:` and lower-case hex over the files in the order of their names.
  package let digest: String

  /// Roles for whom texts are read with the word list.
  var rolesGuarded: Set<Role> { Set(Role.allCases.filter { items.values.guards($0) }) }

  /// Reads the files of a rulebook. Every file may hold any of the sections, except that each thing
  /// is defined once; all mistakes are reported together.
  package static func parse(
    files: [(name: String, text: String)]
  ) throws(PolicyProblems) -> Rulebook {
    let problems = ProblemList()
    let files = files.sorted { ($0.name, $0.text) < ($1.name, $1.text) }
    var maps: [MapReader] = []
    var names: Set<String> = []
    if files.isEmpty {
      problems.add(.missingKey, at: Place(file: "rulebook", line: 0), "the rulebook has no files")
    }
    for file in files {
      if !names.insert(file.name).inserted {
        problems.add(.definedTwice, at: Place(file: file.name, line: 0), "the file is given twice")
        continue
      }
      guard let root = ConfigNode.parse(file.text, file: file.name, problems: problems),
        let map = MapReader(
          root, what: "a rulebook file", file: file.name, keys: RulebookReader.sections,
          problems: problems)
      else { continue }
      maps.append(map)
    }
    var reader = RulebookReader(problems: problems)
    reader.read(maps)
    try problems.throwIfAny()
    return Rulebook(
      types: reader.types, facts: reader.facts, fields: reader.fields, items: reader.items,
      bases: reader.bases, purposes: reader.purposes,
      freeText: FreeTextWords(reader.freeText), receipts: reader.receipts,
      digest: digestOf(files))
  }
}

/// Digest over named texts in the order given. Lengths are part of what is digested, so that no
/// text can pass for the end of another; line ends count as one, so that a copy through another
/// system is the same.
func digestOf(_ files: [(name: String, text: String)]) -> String {
  var hash = SHA256()
  for file in files {
    let text = file.text.replacing("\r\n", with: "\n")
    for part in [file.name, text] {
      hash.update(data: Array("\(part.utf8.count):\(part)\n".utf8))
    }
  }
  let hex = hash.finalize().map { byte in
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
  return "sha256:" + hex.joined()
}

extension Collection<DataItem> {
  /// Whether texts for this role are read with the word list: it may never see an item that the list
  /// guards.
  func guards(_ role: Role) -> Bool {
    contains { $0.guardedInText && [nil, .never].contains($0.access[role]) }
  }
}
