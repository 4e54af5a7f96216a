package import Exchange

/// What the rulebook says of one type of notification.
package struct NotificationRule: Sendable {
  package let type: NotificationType
  package let title: String
  /// The form that carries it on paper.
  package let form: String
  /// The paragraph that explains the type to a reader.
  package let about: String
  package let sources: [String]
  /// What the sources do not say and a policy owner should confirm.
  package let assumption: String?
  /// Goes out at once, past formalities (EMG-01, EMG-02).
  package let urgent: Bool
  package let purpose: String
  /// In the order in which they are tried for a pair of sender and recipient.
  package let bases: [LawfulBasis]
  /// The condition of Schedule 8 for sensitive processing (LAW-04).
  package let sensitiveCondition: String?
  package let senders: [SenderRule]
  /// In the rulebook's order: required ones first.
  package let fields: [FieldOfType]
  /// How many different identifiers of the person it must bring.
  package let identifiersNeeded: Int
  package let recipients: [RecipientRule]
  package let guards: [Guard]
  /// The types that it answers.
  package let answers: [NotificationType]
  /// Fields of an answer that must equal a field of what it answers, by their names.
  package let sameAsAnswered: [String: String]
  package let effects: [Effect]
  package let registersCase: Bool
  /// How long copies are kept, in words.
  package let retention: String
  let place: Place
}

/// A field as the rulebook defines it once, for all types.
///
/// A class, so that looking at a type's fields copies no definitions.
package final class FieldRule: Sendable {
  package let name: String
  package let title: String
  package let kind: ValueKind
  package let item: DataItem

  init(name: String, title: String, kind: ValueKind, item: DataItem) {
    (self.name, self.title, self.kind, self.item) = (name, title, kind, item)
  }
}

package struct FieldOfType: Sendable {
  package let rule: FieldRule
  package let required: Bool
  package var name: String { rule.name }
}

/// Who may send a type.
package struct SenderRule: Sendable {
  package let roles: [Role]
  /// Any of them; none where no relation to the case is needed.
  package let relations: [Relation]
  package let condition: Condition?
  package let reason: Reason
}

/// Who is told, and what.
package struct RecipientRule: Sendable {
  /// Words for people: `police of the release area`.
  package let title: String
  package let roles: [Role]
  package let relation: Relation
  package let condition: Condition?
  /// Nobody need exist in this relation: a case in the community has no prison.
  package let optional: Bool
  /// The allow-list, by name.
  package let fields: Set<String>
  package let conditional: [String: ConditionalField]
  package let forbidden: [String: Reason]
  package let answer: AnswerDue?
  package let reason: Reason
  let place: Place
}

/// A field of the allow-list that goes only under a condition.
package struct ConditionalField: Sendable {
  package let condition: Condition
  package let reason: Reason
}

/// What must be so before a type is shared.
package struct Guard: Sendable {
  package enum Otherwise: String, Sendable, CaseIterable {
    case refuse, hold
  }

  /// The guard applies only when this holds.
  package let when: Condition?
  package let require: Condition
  package let otherwise: Otherwise
  /// A person may confirm what a held notification waits for.
  package let confirmable: Bool
  /// An agreement may record a departure from it (LAW-07).
  package let departure: Bool
  package let reason: Reason
}

/// What a shared notification changes in the facts of the case.
package struct Effect: Sendable {
  package enum Origin: Equatable, Sendable {
    case field(String)
    /// The sender itself.
    case sender
    case constant(JSONValue)
    /// Members of a record, each from a field.
    case record([String: String])
  }

  package let fact: String
  package let origin: Origin
}

/// A fact that cases hold, and who may set it.
package struct FactRule: Sendable {
  package let name: String
  package let title: String
  package let kind: ValueKind
  package let setBy: Set<Role>
  /// For a party: of which roles it must be.
  package let roles: Set<Role>
  package let reason: Reason
}

/// A lawful basis as the catalogue codes it.
package struct LawfulBasis: Sendable {
  /// One side of a pair: a role, or a standing.
  package enum Side: Hashable, Sendable {
    case role(Role)
    case standing(Standing)

    func fits(role: Role, standing: Standing) -> Bool {
      switch self {
      case .role(let own): own == role
      case .standing(let own): own == standing
      }
    }
  }

  package struct Pair: Sendable {
    package let one: Side
    package let other: Side
  }

  package let code: String
  package let title: String
  package let law: String
  package let source: String
  package let purposes: Set<String>
  package let pairs: [Pair]
  /// What must be so of the person (LAW-02).
  package let onlyWhile: Condition?
  package let onlyWhileReason: Reason?

  /// Either side may send.
  func fits(_ sender: (Role, Standing), _ recipient: (Role, Standing)) -> Bool {
    pairs.contains { pair in
      let forth =
        pair.one.fits(role: sender.0, standing: sender.1)
        && pair.other.fits(role: recipient.0, standing: recipient.1)
      let back =
        pair.other.fits(role: sender.0, standing: sender.1)
        && pair.one.fits(role: recipient.0, standing: recipient.1)
      return forth || back
    }
  }
}

/// An item of information, and which roles may ever see it.
package struct DataItem: Sendable {
  package enum Class: String, Sendable, CaseIterable {
    case personal, sensitive, criminal, victim, intelligence, meeting, aggregate
    case genderRecognition = "gender-recognition"
    case patientPlace = "patient-place"
  }

  package enum Access: String, Sendable, CaseIterable {
    case needs, may, condition, never
  }

  package let name: String
  package let title: String
  package let classes: Set<Class>
  package let source: String
  package let access: [Role: Access]
  /// Roles for which the sources are silent and a reading was chosen.
  package let inferred: Set<Role>
  /// Texts for a role that may never see it are read with the word list (FREE-01).
  package let guardedInText: Bool
}
