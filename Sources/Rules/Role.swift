/// What a party is.
package enum Role: String, Sendable, CaseIterable, Codable {
  case prison, police, probation, coordinator, yot, jobcentre, immigration, housing, victim, court
  case headquarters, statistics
  case childrensServices = "childrens-services"
  case mentalHealth = "mental-health"
  case electronicMonitoring = "electronic-monitoring"
  case housingBenefit = "housing-benefit"
  case victimLiaison = "victim-liaison"
  case thirdParty = "third-party"

  /// The highest standing that a party of this role can have (Criminal Justice Act 2003 s.325;
  /// MAPPA Guidance chapters 2 and 3). An agreement may write a lower one, such as for a specialist
  /// force.
  package var highestStanding: Standing {
    switch self {
    case .prison, .police, .probation, .coordinator, .victimLiaison: .responsibleAuthority
    case .yot, .jobcentre, .immigration, .housing, .childrensServices, .mentalHealth,
      .electronicMonitoring, .housingBenefit:
      .dutyToCooperate
    case .victim, .court, .headquarters, .statistics, .thirdParty: .thirdParty
    }
  }
}

/// What a party is under the Act: decides which lawful basis fits (LAW-01, LAW-03).
package enum Standing: String, Sendable, CaseIterable, Codable {
  /// Police, probation and prisons of the area, acting jointly, and their co-ordinators.
  case responsibleAuthority = "responsible-authority"
  case dutyToCooperate = "duty-to-co-operate"
  /// Neither: telling it is disclosure.
  case thirdParty = "third-party"
}

/// Through what a party has to do with a case.
package enum Relation: String, Sendable, CaseIterable {
  case holdingPrison, leadAgency, offenderManager
  case area, releaseArea, formerReleaseArea, jobcentreArea, receivingArea
  case answeredSender

  /// The words for a message: `the release area`.
  package var words: String {
    switch self {
    case .holdingPrison: "the prison that holds the person"
    case .leadAgency: "the lead agency"
    case .offenderManager: "the offender manager"
    case .area: "the area of the case"
    case .releaseArea: "the release area"
    case .formerReleaseArea: "the release area until now"
    case .jobcentreArea: "the Jobcentre area"
    case .receivingArea: "the receiving area"
    case .answeredSender: "the sender of what is answered"
    }
  }

  /// Whether a party stands in it by serving an area.
  var byArea: Bool {
    switch self {
    case .area, .releaseArea, .formerReleaseArea, .jobcentreArea, .receivingArea: true
    case .holdingPrison, .leadAgency, .offenderManager, .answeredSender: false
    }
  }
}

/// To whom a missed answer goes, one step after the other (catalogue gap G7).
package enum EscalationStep: String, Sendable, CaseIterable {
  /// The manager at the recipient itself.
  case recipientManager = "recipient-manager"
  /// The co-ordinator of the case's area.
  case coordinator
  case offenderManager = "offender-manager"
}
