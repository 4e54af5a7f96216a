package import Exchange
import Seal

/// Which certificates and revocation lists need somebody: an ended one stops every copy that is sealed
/// with it, and every message that is signed with it.
extension Regime {
  /// - Parameter now: certificates that end within 30 days of it are told too.
  package func certificateProblems(
    file: String, at now: Instant
  ) -> (ended: [ConfigurationProblem], ending: [ConfigurationProblem]) {
    let inventory = sealer.inventory
    var ended: [ConfigurationProblem] = []
    var ending: [ConfigurationProblem] = []
    for certificate in inventory.certificates {
      let name = "\(certificate.use.rawValue) certificate of \(certificate.party)"
      let whose =
        certificate.isOwn
        ? "make a new one and send it to your partners" : "ask them for the next one"
      if !(certificate.notBefore...certificate.notAfter).contains(now) {
        ended.append(
          ConfigurationProblem(
            code: "KEYS-004", file: file, line: nil,
            text: "the \(name) is valid from \(certificate.notBefore) to \(certificate.notAfter)",
            hint: whose))
      } else if certificate.notAfter < now + .seconds(30 * 86_400) {
        ending.append(
          ConfigurationProblem(
            code: "KEYS-005", file: file, line: nil,
            text: "the \(name) ends \(certificate.notAfter)", hint: whose))
      }
    }
    for (party, end) in inventory.revocationListsEnd.sorted(by: { $0.key < $1.key })
    where end <= now {
      ended.append(
        ConfigurationProblem(
          code: "KEYS-006", file: file, line: nil,
          text: "the revocation list of \(party) was to be replaced by \(end)",
          hint: "put the newer list in its place; what is published is fetched by the daemon")
      )
    }
    // Published lists are fetched by the daemon: before its first round there are none.
    for feed in feeds {
      for party in feed.parties where inventory.revocationListsEnd[party] == nil {
        ending.append(
          ConfigurationProblem(
            code: "SEAL-026", file: file, line: nil,
            text: "the revocation list of \(party) was not fetched yet",
            hint: "the daemon fetches it; until then the party's messages stay where they are"))
      }
    }
    return (ended, ending)
  }
}
