package import Exchange
import Seal

/// What the pretend agencies do, in order. A step says who does what; what comes of it is Sallyport's to
/// decide, and the tests' tables to expect.
package struct Story: Sendable {
  package enum Act: Sendable {
    /// The agency puts a sealed message into its own inbox, where Sallyport polls it.
    case publish(Notification)
    /// The agency posts a sealed message to Sallyport's mailbox on Sallyport's host.
    case post(Notification)
    /// Somebody seals a message in another's name, with a key of their own.
    case forge(Notification, signedBy: PartyID)
    /// The sealed bytes of an earlier step are put into the inbox again.
    case replay(step: String)
    /// The recipient answers the copy of an earlier step that it collected.
    case answer(step: String, by: PartyID, type: NotificationType, data: [String: JSONValue])
  }

  package struct Step: Sendable {
    /// Names the step within the story.
    package let name: String
    package let title: String
    package let act: Act
  }

  package let steps: [Step]

  /// What the invented minutes hold: begins as PDF does, and is as short as a test wants it.
  package static let minutes = """
    %PDF-1.4
    % Minutes of an invented meeting: everybody in it is invented.
    %%EOF

    """

  /// - Parameters:
  ///   - now: when the story begins; dates in it are counted from here.
  ///   - world: who takes part.
  package init(now: Instant, world: DemoWorld) throws(DemoProblem) {
    let today = now.londonDate
    let cast = try Cast(today: today)
    var teller = Teller(now: now, audience: world.own.id)
    try teller.register(cast, today: today)
    try teller.releaseDates(cast.adult, today: today)
    try teller.restrictions(cast, today: today)
    try teller.moves(cast, today: today)
    try teller.attempts(cast, today: today)
    steps = teller.steps
  }
}

/// Collects the steps; every id counts up, so that a story can be told again and compared.
private struct Teller {
  let now: Instant
  let audience: PartyID
  var steps: [Story.Step] = []

  private func party(_ id: String) throws(DemoProblem) -> PartyID {
    guard let party = PartyID(id) else { throw .profile(id) }
    return party
  }

  private func type(_ name: String) throws(DemoProblem) -> NotificationType {
    guard let type = NotificationType(name) else { throw .profile(name) }
    return type
  }

  private func notification(
    _ typeName: String, from sender: String, about person: Person, _ data: [String: JSONValue],
    attachments: Attachments = .none
  ) throws(DemoProblem) -> Notification {
    guard let id = EventID("demo-\(now.milliseconds)-\(steps.count + 1)") else {
      throw .profile(typeName)
    }
    return Notification(
      id: id, source: try party(sender), type: try type(typeName),
      time: now + .seconds(steps.count), subject: person.subject, audience: audience, data: data,
      attachments: attachments)
  }

  private mutating func publish(
    _ name: String, _ title: String, _ typeName: String, from sender: String, about person: Person,
    _ data: [String: JSONValue]
  ) throws(DemoProblem) {
    let act = Story.Act.publish(try notification(typeName, from: sender, about: person, data))
    steps.append(.init(name: name, title: title, act: act))
  }

  mutating func register(_ cast: Cast, today: CivilDate) throws(DemoProblem) {
    let people = [
      ("adult", cast.adult), ("youth", cast.youth), ("unaware", cast.unaware),
      ("foreign-national", cast.foreignNational),
    ]
    for (name, person) in people {
      var data = person.identifiers
      data["dateOfBirth"] = .string(person.dateOfBirth.description)
      data["category"] = 2
      data["level"] = name == "unaware" ? 2 : 1
      data["area"] = "durham"
      data["leadAgency"] = "probation:durham"
      data["offenderManager"] = "probation:durham"
      data["supervisedBy"] = "probation"
      data["holdingPrison"] = "prison:durham"
      data["jobcentreArea"] = "durham"
      data["releaseArea"] = "durham"
      try publish(
        "registered-\(name)", "Probation registers a case (\(name))", "case.registered",
        from: "probation:durham", about: person, data)
    }
  }

  mutating func releaseDates(_ person: Person, today: CivilDate) throws(DemoProblem) {
    let first = today.adding(months: 9)
    let second = today.adding(months: 9).adding(days: -21)
    var data: [String: JSONValue] = [
      "prisonNumber": .string(person.prisonNumber), "pncId": .string(person.pncID),
      "establishment": "Prison of invented Durham", "releaseDate": .string(first.description),
      "releaseArea": "durham", "releaseType": "licence",
    ]
    try publish(
      "release-date", "The prison confirms a release date", "release-date.confirmed",
      from: "prison:durham", about: person, data)
    data["releaseDate"] = .string(second.description)
    data["previousReleaseDate"] = .string(first.description)
    data["changeReason"] = "remand-time"
    try publish(
      "release-date-changed", "The date changes", "release-date.changed", from: "prison:durham",
      about: person, data)
  }

  private func restriction(
    _ person: Person, reference: String, today: CivilDate
  ) -> [String: JSONValue] {
    var data = person.identifiers
    data["reference"] = .string(reference)
    data["name"] = .string(person.name)
    data["dateOfBirth"] = .string(person.dateOfBirth.description)
    data["restrictions"] = [["code": "no-work-with-children"]]
    data["endDate"] = .string(today.adding(months: 18).description)
    data["staffRisk"] = false
    data["offenderManagerContact"] = "Duty desk, probation of invented Durham, 01632 960001"
    data["offenderAware"] = true
    return data
  }

  mutating func restrictions(_ cast: Cast, today: CivilDate) throws(DemoProblem) {
    var withOffence = restriction(cast.adult, reference: "MJ-1001", today: today)
    withOffence["offence"] = "an invented offence that must not get through"
    try publish(
      "j", "A MAPPA J, with an offence field that must not get through",
      "mappa-j.issued.release", from: "probation:durham", about: cast.adult, withOffence)
    try answer(
      "j-answer", "The Jobcentre answers it", to: "j", "mappa-j.acknowledged",
      from: "jobcentre:durham",
      ["receivedOn": .string(today.description), "adviserContact": "Adviser desk, 01632 960002"])
    try publish(
      "j-youth", "A MAPPA J for a 17-year-old", "mappa-j.issued.release",
      from: "probation:durham", about: cast.youth,
      restriction(cast.youth, reference: "MJ-1002", today: today))
    var withNote = restriction(cast.adult, reference: "MJ-1003", today: today)
    withNote["note"] = "Served a sentence for robbery; see file."
    try publish(
      "j-note", "A MAPPA J with a note that names an offence", "mappa-j.issued.release",
      from: "probation:durham", about: cast.adult, withNote)
    var unaware = restriction(cast.unaware, reference: "MJ-1004", today: today)
    unaware["offenderAware"] = false
    try publish(
      "j-unaware", "A MAPPA J for somebody who does not know of it", "mappa-j.issued.release",
      from: "probation:durham", about: cast.unaware, unaware)
    var discussion: [String: JSONValue] = cast.unaware.identifiers
    discussion["discussionDate"] = .string(today.description)
    discussion["discussionReference"] = "DISC-0001"
    discussion["discussionReason"] = "Telling the person would raise the risk."
    try publish(
      "discussion", "The discussion with the Jobcentre is recorded; the J goes out",
      "mappa-j.prior-discussion.unaware", from: "probation:durham", about: cast.unaware, discussion)
    try answer(
      "j-unaware-answer", "The Jobcentre answers it", to: "j-unaware", "mappa-j.acknowledged",
      from: "jobcentre:durham",
      ["receivedOn": .string(today.description), "adviserContact": "Adviser desk, 01632 960002"])
  }

  mutating func moves(_ cast: Cast, today: CivilDate) throws(DemoProblem) {
    var transfer = cast.adult.identifiers
    transfer["name"] = .string(cast.adult.name)
    transfer["dateOfBirth"] = .string(cast.adult.dateOfBirth.description)
    transfer["receivingArea"] = "northumbria"
    transfer["screening"] = "Ordinary management by the lead agency is enough."
    try publish(
      "transfer", "A level 1 case moves to a second area", "transfer.level1-notified",
      from: "probation:durham", about: cast.adult, transfer)
    try minutes(of: cast.unaware, today: today)
    var recall = cast.adult.identifiers
    recall["name"] = .string(cast.adult.name)
    recall["dateOfBirth"] = .string(cast.adult.dateOfBirth.description)
    recall["recallDate"] = .string(today.description)
    recall["recallType"] = "standard"
    recall["reasonClass"] = "licence-breach"
    try publish(
      "recall", "A recall begins", "recall.initiated", from: "probation:durham", about: cast.adult,
      recall)
    var released: [String: JSONValue] = cast.foreignNational.identifiers
    released["releasedOn"] = .string(today.description)
    released["place"] = "Removal centre of invented Durham"
    released["conditions"] = "To report each week."
    try publish(
      "fno-released", "A foreign national leaves immigration detention", "fno.released",
      from: "immigration:casework", about: cast.foreignNational, released)
  }

  /// The document goes to the receiving co-ordinator, and the lead agency learns that it went.
  private mutating func minutes(of person: Person, today: CivilDate) throws(DemoProblem) {
    let document: Attachment
    do throws(SealError) {
      document = try Attachment(Array(Story.minutes.utf8), as: .pdf)
    } catch { throw .profile("minutes") }
    var data = person.identifiers
    data["name"] = .string(person.name)
    data["receivingArea"] = "northumbria"
    data["meetingDate"] = .string(today.adding(days: -7).description)
    data["minutes"] = document.reference.json
    let notice = try notification(
      "transfer.level23-minutes", from: "coordinator:durham", about: person, data,
      attachments: Attachments([document]))
    // The co-ordination units have no inbox of their own that Sallyport polls.
    steps.append(
      .init(
        name: "minutes", title: "A level 2 case moves too, with the minutes of its last meeting",
        act: .post(notice)))
  }

  mutating func attempts(_ cast: Cast, today: CivilDate) throws(DemoProblem) {
    try publish(
      "unexpected", "Somebody whom nobody registered is released unexpectedly",
      "release.unexpected", from: "prison:durham", about: cast.unregistered,
      [
        "prisonNumber": .string(cast.unregistered.prisonNumber),
        "pncId": .string(cast.unregistered.pncID), "releaseDate": .string(today.description),
        "releaseArea": "durham", "establishment": "Prison of invented Durham",
      ])
    let forged = try notification(
      "release-date.changed", from: "prison:durham", about: cast.adult,
      [
        "prisonNumber": .string(cast.adult.prisonNumber), "pncId": .string(cast.adult.pncID),
        "establishment": "Prison of invented Durham",
        "releaseDate": .string(today.adding(days: 2).description), "releaseArea": "durham",
        "previousReleaseDate": .string(today.adding(months: 9).description),
        "releaseType": "licence", "changeReason": "recalculation",
      ])
    steps.append(
      .init(
        name: "forgery", title: "Somebody signs in the prison's name",
        act: .forge(forged, signedBy: try party("immigration:casework"))))
    steps.append(
      .init(
        name: "replay", title: "An old message is put into the inbox again",
        act: .replay(step: "release-date")))
  }

  private mutating func answer(
    _ name: String, _ title: String, to step: String, _ typeName: String, from sender: String,
    _ data: [String: JSONValue]
  ) throws(DemoProblem) {
    steps.append(
      .init(
        name: name, title: title,
        act: .answer(step: step, by: try party(sender), type: try type(typeName), data: data)))
  }
}
