package import Exchange

/// An invented person of the demonstration.
package struct Person: Sendable {
  package let name: String
  package let dateOfBirth: CivilDate
  package let prisonNumber: String
  package let pncID: String
  package let crn: String
  /// What the person's agencies call them outside `data`: opaque, and no use to anybody else.
  package let subject: SubjectReference

  init(_ number: Int, name: String, dateOfBirth: CivilDate) throws(DemoProblem) {
    guard let subject = SubjectReference("demo-person-\(number)") else {
      throw .profile("person \(number)")
    }
    self.name = name
    self.dateOfBirth = dateOfBirth
    self.subject = subject
    prisonNumber = "Z100\(number)ZZ"
    // The check letter of a PNC ID is the figures modulo 23 in this alphabet.
    let letters = Array("ZABCDEFGHJKLMNPQRTUVWXY")
    let figures = 200_000_000 + number
    pncID = "2020/\(String(figures).suffix(7))\(letters[(20 * 10_000_000 + number) % 23])"
    crn = "X00000\(number)"
  }

  /// The identifiers by which agencies mean the same person.
  var identifiers: [String: JSONValue] {
    ["prisonNumber": .string(prisonNumber), "pncId": .string(pncID), "crn": .string(crn)]
  }
}

/// The people of the story. Every one is invented, and says so.
package struct Cast: Sendable {
  /// Grown up, level 1, may not do certain work and knows it.
  package let adult: Person
  /// Seventeen on the day of the story.
  package let youth: Person
  /// Does not know of the restriction, for a recorded reason.
  package let unaware: Person
  /// In immigration detention.
  package let foreignNational: Person
  /// Nobody told Sallyport of this person.
  package let unregistered: Person

  package init(today: CivilDate) throws(DemoProblem) {
    adult = try Person(1, name: "Invented Person One", dateOfBirth: today.adding(months: -12 * 34))
    youth = try Person(2, name: "Invented Person Two", dateOfBirth: today.adding(months: -12 * 17))
    unaware = try Person(
      3, name: "Invented Person Three", dateOfBirth: today.adding(months: -12 * 41))
    foreignNational = try Person(
      4, name: "Invented Person Four", dateOfBirth: today.adding(months: -12 * 29))
    unregistered = try Person(
      5, name: "Invented Person Five", dateOfBirth: today.adding(months: -12 * 52))
  }
}
