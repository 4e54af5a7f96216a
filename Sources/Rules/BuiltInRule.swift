/// Rules that hold for every type, so that no file can leave them out. Those of the catalogue keep
/// its ids; SND, CASE, ANS, ADR, EXP, TYPE, AGR and FREE are Sallyport's own.
enum BuiltInRule {
  static let unknownType = Reason(
    rule: "TYPE-01", source: "Sallyport", text: "The rulebook has no type of that name.")
  static let senderUnknown = Reason(
    rule: "SND-01", source: "MAPPA Guidance 9.9",
    text: "The sender is no party of the information-sharing agreement.")
  static let senderRole = Reason(
    rule: "SND-02", source: "MAPPA Guidance 9.5",
    text: "No rule lets a party of this role send this type.")
  static let purpose = Reason(
    rule: "LAW-01", source: "MAPPA Guidance 9.5, 9.6",
    text: "The stated purpose is not the one for which this type is shared.")
  static let basisOfType = Reason(
    rule: "LAW-01", source: "MAPPA Guidance 9.5, 9.6",
    text: "The stated lawful basis is none of those of this type.")
  static let basisOfPair = Reason(
    rule: "LAW-01", source: "MAPPA Guidance 9.5, 9.6",
    text: "No lawful basis of this type fits the standing of sender and recipient.")
  static let disclosure = Reason(
    rule: "LAW-03", source: "MAPPA Guidance 9.1, 10.2",
    text: "The recipient is a third party: telling it is disclosure and needs its own decision.")
  static let personUnknown = Reason(
    rule: "CASE-01", source: "MAPPA Guidance 9.7, 14.25; rule NEC-02",
    text: "Waits for the registration of the case: nobody is known by these identifiers.")
  static let personUnknownUrgent = Reason(
    rule: "CASE-01", source: "MAPPA Guidance 10.21; rule EMG-01",
    text: "Nobody is known by these identifiers: urgent, so it goes to those it names by area.")
  static let recipientUnknown = Reason(
    rule: "ADR-03", source: "MAPPA Guidance 9.9",
    text: "The recipient is no party of the information-sharing agreement any more.")
  static let noRecipientRule = Reason(
    rule: "PRO-01", source: "MAPPA Guidance 9.8",
    text: "No rule tells this type to a party of this role any more.")
  static let notAnAnswer = Reason(
    rule: "ANS-01", source: "MAPPA Guidance 3.33",
    text: "It answers nothing of the right type that was delivered to this party.")
  static let namesAnother = Reason(
    rule: "ANS-02", source: "MAPPA Guidance 3.33",
    text: "The reference that it names is not that of the notice that it answers.")
  static let expired = Reason(
    rule: "EXP-01", source: "Sallyport",
    text: "The time after which the sender wants it delivered no more has passed.")

  static let noReceiptRule = Reason(
    rule: "RCPT-00", source: "MAPPA Guidance 9.8",
    text: "No rule lets a party of this role be told this of its own message.")

  static let factMissingRule = (rule: "CASE-02", source: "MAPPA Guidance 9.7; rule NEC-02")
  static let nobodyServesRule = (rule: "ADR-01", source: "MAPPA Guidance 3.14, 15.21")
  static let partyUnknownRule = (rule: "ADR-02", source: "MAPPA Guidance 3.14, 9.9")
  static let leastRule = (rule: "PRO-01", source: "MAPPA Guidance 9.8")
  static let freeTextRule = (rule: "FREE-01", source: "MAPPA Guidance 3.27; rule PRO-02")
  static let narrowedRule = (rule: "AGR-01", source: "information-sharing agreement")
  static let departureRule = (rule: "LAW-07", source: "MAPPA Guidance 1.2, 4.3, 14.1")

  static func reason(_ rule: (rule: String, source: String), _ text: String) -> Reason {
    Reason(rule: rule.rule, source: rule.source, text: text)
  }
}
