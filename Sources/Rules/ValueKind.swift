package import Exchange

/// What a field or a fact holds, and within which bounds.
package enum ValueKind: Equatable, Sendable {
  case text(TextRule)
  /// `yyyy-MM-dd`.
  case date
  /// `HH:mm` on a London clock.
  case time
  case bool
  case integer(allowed: [Int64])
  /// One of a list of words.
  case code(CodeList)
  /// The id of a party of the agreement.
  case party
  /// An area as the agreement writes it.
  case area
  /// A list of `{code, parameter?}`.
  case restrictions(CodeList)
  case identifier(PersonIdentifier.Kind)
  /// A document: `{mediatype, length, sha256}`, its bytes beside the notification.
  case attachment(AttachmentRule)
  /// A fact of several members, each as its field is.
  case record([String])

  /// Whether people write it in their own words, at least in part.
  package var isWritten: Bool {
    switch self {
    case .text: true
    case .restrictions(let list): list.codes.values.contains { $0.parameter != nil }
    default: false
    }
  }

  /// The word for it in the rulebook.
  package var word: String {
    switch self {
    case .text: "text"
    case .date: "date"
    case .time: "time"
    case .bool: "bool"
    case .integer: "integer"
    case .code: "code"
    case .party: "party"
    case .area: "area"
    case .restrictions: "restrictions"
    case .identifier: "identifier"
    case .attachment: "attachment"
    case .record: "record"
    }
  }
}

/// Bounds of a text.
package struct TextRule: Equatable, Sendable {
  package enum Form: String, Sendable, CaseIterable {
    /// Any printable text on one line.
    case line
    /// Letters of names, spaces, hyphens, apostrophes and full stops; no figures.
    case personName = "person-name"
    /// Letters, figures and `. / - :`; no spaces.
    case reference
  }

  package let form: Form
  /// In Unicode scalars.
  package let longest: Int
}

/// Bounds of a document.
package struct AttachmentRule: Equatable, Sendable {
  package let mediaTypes: Set<MediaType>
  /// In bytes.
  package let longest: Int
}

/// A closed list of codes.
package struct CodeList: Equatable, Sendable {
  package struct Code: Equatable, Sendable {
    package let title: String
    /// What the code touches, for conditions: `work`, `training`.
    package let marks: Set<String>
    /// How long a parameter may be; nil where none is taken.
    package let parameter: TextRule?
  }

  package let name: String
  package let codes: [String: Code]
}

/// Why a value is not what its field takes; stable codes, without the value.
package enum FieldFault: String, Sendable, CaseIterable {
  case unknownType = "RULE-100"
  case missing = "RULE-101"
  case wrongKind = "RULE-102"
  case wrongLength = "RULE-103"
  case wrongForm = "RULE-104"
  case notInList = "RULE-105"
  /// Control, bidirectional or invisible characters.
  case characters = "RULE-106"
  /// Empty, too long, doubled entries, or a parameter where none belongs or none where one does.
  case list = "RULE-107"
  case tooFewIdentifiers = "RULE-108"
  case mediaType = "RULE-109"

  package var words: String {
    switch self {
    case .unknownType: "is of no type of the rulebook"
    case .missing: "is required"
    case .wrongKind: "is not of its kind"
    case .wrongLength: "is empty or too long"
    case .wrongForm: "is not of its form"
    case .notInList: "is none of the values that the rulebook lists"
    case .characters: "holds control, bidirectional or invisible characters"
    case .list: "is not a list as the rulebook wants it"
    case .tooFewIdentifiers: "identifies the person by too few identifiers"
    case .mediaType: "is of a media type that this field does not take"
    }
  }
}

/// What is wrong with one field of a notification: the sender's turn. Names fields of the rulebook
/// only, never a value, never a name that the sender chose.
package struct FieldProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// A field of the rulebook, or `type` or `data`.
  package let field: String
  package let fault: FieldFault

  package init(field: String, fault: FieldFault) { (self.field, self.fault) = (field, fault) }

  /// `RULE-101`.
  package var code: String { fault.rawValue }
  package var description: String { "\(code) \(field) \(fault.words)" }
}

extension ValueKind {
  /// Nil when the value is one that a field of this kind takes.
  func fault(in value: JSONValue) -> FieldFault? {
    switch self {
    case .text(let rule):
      guard let text = value.string else { return .wrongKind }
      return rule.fault(in: text)
    case .date:
      guard let text = value.string else { return .wrongKind }
      return CivilDate(text) == nil ? .wrongForm : nil
    case .time:
      guard let text = value.string else { return .wrongKind }
      return isClockTime(text) ? nil : .wrongForm
    case .bool:
      return value.bool == nil ? .wrongKind : nil
    case .integer(let allowed):
      guard let number = value.integer else { return .wrongKind }
      return allowed.contains(number) ? nil : .notInList
    case .code(let list):
      guard let code = value.string else { return .wrongKind }
      return list.codes[code] == nil ? .notInList : nil
    case .party:
      guard let text = value.string else { return .wrongKind }
      return PartyID(text) == nil ? .wrongForm : nil
    case .area:
      guard let text = value.string else { return .wrongKind }
      return isArea(text) ? nil : .wrongForm
    case .restrictions(let list):
      return restrictionsFault(in: value, list: list)
    case .identifier:
      guard let text = value.string else { return .wrongKind }
      return isPersonIdentifier(text) ? nil : .wrongForm
    case .attachment(let rule):
      return rule.fault(in: value)
    case .record:
      return .wrongKind
    }
  }

  /// The most entries of a list of restrictions.
  static let mostRestrictions = 20

  private func restrictionsFault(in value: JSONValue, list: CodeList) -> FieldFault? {
    guard let items = value.array else { return .wrongKind }
    guard (1...ValueKind.mostRestrictions).contains(items.count), Set(items).count == items.count
    else { return .list }
    for item in items {
      guard let members = item.object, let code = members["code"]?.string else {
        return .wrongKind
      }
      guard let rule = list.codes[code] else { return .notInList }
      // A member that the rulebook does not know would travel with the list past the allow-list.
      guard members.keys.allSatisfy({ $0 == "code" || $0 == "parameter" }) else { return .list }
      switch (rule.parameter, members["parameter"]) {
      case (nil, nil): continue
      case (let rule?, .string(let text)?):
        if let fault = rule.fault(in: text) { return fault }
      case (nil, _?), (_?, _): return .list
      }
    }
    return nil
  }
}

extension AttachmentRule {
  /// Of the reference alone; that its bytes are there and are what it says was found where it was opened.
  fileprivate func fault(in value: JSONValue) -> FieldFault? {
    guard value.object != nil else { return .wrongKind }
    guard let reference = AttachmentReference(value) else { return .wrongForm }
    guard let mediaType = MediaType(rawValue: reference.mediaType), mediaTypes.contains(mediaType)
    else { return .mediaType }
    return reference.length <= longest ? nil : .wrongLength
  }
}

extension TextRule {
  func fault(in text: String) -> FieldFault? {
    guard (1...longest).contains(text.unicodeScalars.count) else { return .wrongLength }
    guard text.unicodeScalars.allSatisfy(\.isPlain) else { return .characters }
    guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
      return .wrongLength
    }
    switch form {
    case .line:
      return nil
    case .personName:
      let fits = text.unicodeScalars.allSatisfy { scalar in
        scalar.properties.isAlphabetic || scalar.properties.generalCategory == .nonspacingMark
          || " -.'\u{2019}".unicodeScalars.contains(scalar)
      }
      return fits ? nil : .wrongForm
    case .reference:
      let fits = text.utf8.allSatisfy { byte in
        isLetterOrFigure(byte) || "./-:".utf8.contains(byte)
      }
      return fits ? nil : .wrongForm
    }
  }
}

extension Unicode.Scalar {
  /// Neither a control, nor invisible, nor one that turns the direction of reading: what a person
  /// sees is all there is. Variation selectors count as invisible, since they can carry hidden
  /// text.
  var isPlain: Bool {
    if (0x20...0x7e).contains(value) { return true }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned,
      .surrogate:
      return false
    default:
      return !properties.isVariationSelector && !properties.isDefaultIgnorableCodePoint
    }
  }
}

/// Lower-case letters, figures and hyphens, a letter first, at most 40: `durham`.
func isArea(_ text: String) -> Bool {
  guard (1...40).contains(text.utf8.count), let first = text.utf8.first,
    (0x61...0x7a).contains(first)
  else { return false }
  return text.utf8.allSatisfy { (0x61...0x7a).contains($0) || isFigure($0) || $0 == 0x2d }
}

/// Held loosely, since a notice must not fail for the spelling of a number: 4 to 20 letters,
/// figures, spaces, `/` and `-`, with a figure among them.
private func isPersonIdentifier(_ text: String) -> Bool {
  (4...20).contains(text.utf8.count) && text.utf8.contains(where: isFigure)
    && text.utf8.allSatisfy { isLetterOrFigure($0) || " /-".utf8.contains($0) }
}

private func isClockTime(_ text: String) -> Bool {
  let bytes = Array(text.utf8)
  guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"),
    let hour = Int(text.prefix(2)), let minute = Int(text.suffix(2)),
    [0, 1, 3, 4].allSatisfy({ isFigure(bytes[$0]) })
  else { return false }
  return (0...23).contains(hour) && (0...59).contains(minute)
}

private func isFigure(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
private func isLetterOrFigure(_ byte: UInt8) -> Bool {
  (0x61...0x7a).contains(byte | 0x20) || isFigure(byte)
}
