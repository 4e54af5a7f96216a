package import Exchange

/// The area's information-sharing agreement as data: who takes part, who serves whom, what is
/// shared less than the rulebook allows, and departures on record.
package struct Agreement: Sendable {
  package let name: String
  /// Ourselves: the party to whom notifications are sealed, and that signs the copies.
  package let own: OwnParty
  /// In the file's order.
  package let parties: [PartyEntry]
  package let narrowing: [Narrowing]
  package let departures: [Departure]
  /// To whom a missed answer goes, where the agreement says so, by type.
  package let escalations: [Escalation]
  /// `sha256:` and lower-case hex over the text.
  package let digest: String
  /// For messages.
  let file: String

  /// - Parameter file: the name for messages.
  package static func parse(
    text: String, file: String = "agreement.yaml"
  ) throws(PolicyProblems) -> Agreement {
    let problems = ProblemList()
    let reader = AgreementReader(file: file, problems: problems)
    let agreement = reader.read(text)
    try problems.throwIfAny()
    guard let agreement else {
      throw PolicyProblems([
        PolicyProblem(code: .wrongShape, file: file, line: 0, text: "the file is no agreement")
      ])
    }
    return agreement
  }
}

/// Sallyport itself, as the agreement names it.
package struct OwnParty: Equatable, Sendable {
  package let id: PartyID
  package let name: String
  package let mailbox: MailboxID
  package let certificates: PartyCertificates
}

/// A party of the agreement.
package struct PartyEntry: Equatable, Sendable {
  package let id: PartyID
  package let name: String
  package let role: Role
  /// Where it is.
  package let area: String
  /// The areas for which it answers; its own where the agreement does not say.
  package let serves: [String]
  package let standing: Standing
  package let mailbox: MailboxID
  package let certificates: PartyCertificates
  package let trust: PartyTrust
  /// Whether its messages may come as EnvelopedData with AES-CBC, as older systems send.
  package let legacyCMS: Bool
}

/// Names of certificate files, relative to the agreement's folder. Several while one follows
/// another.
package struct PartyCertificates: Equatable, Sendable {
  package let signing: [String]
  package let encryption: [String]
  package let tls: [String]
}

/// Whom a party's certificates must come from, and where it is said which are revoked. Names of files,
/// relative to the agreement's folder.
package struct PartyTrust: Equatable, Sendable {
  package let anchors: [String]
  /// Authorities between the anchors and the party's certificates.
  package let intermediates: [String]
  /// A list of every issuer.
  package let revocation: [RevocationPlace]
}

/// Where a revocation list is had from.
package enum RevocationPlace: Hashable, Sendable {
  case file(String)
  /// `http` or `https`.
  case url(String)
}

/// Something that the agreement shares less than the rulebook allows.
package struct Narrowing: Equatable, Sendable {
  package let type: NotificationType
  package let role: Role
  /// What that role is not told; nil where it is not told at all.
  package let withhold: Set<String>?
  package let reason: String
  let place: Place
}

/// A departure from the Guidance, approved and recorded (LAW-07; MAPPA Guidance 1.2, 4.3, 14.1).
/// While it lasts it lifts one guard of one type, and every decision of the type says so.
package struct Departure: Equatable, Sendable {
  package let rule: String
  package let type: NotificationType
  package let reason: String
  package let approver: String
  /// The last day on which it holds.
  package let ends: CivilDate
  let place: Place
}

package struct Escalation: Equatable, Sendable {
  package let type: NotificationType
  package let steps: [EscalationStep]
  let place: Place
}
