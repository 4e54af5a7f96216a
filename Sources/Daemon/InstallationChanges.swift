import Exchange
import Foundation
import Mailbox
import Rules
import Seal

/// What of another configuration cannot be taken into use while the daemon runs, and what is other.
extension Configuration {
  /// CONF-020 for each setting that is fixed at the start and has changed.
  func fixedChanges(in other: Configuration, file: String) -> [ConfigurationProblem] {
    let fixed: [(String, Bool)] = [
      ("party", party == other.party), ("mailbox", mailbox == other.mailbox),
      ("state", stateDirectory == other.stateDirectory),
      ("ledger.directory", ledger.directory == other.ledger.directory),
      ("ledger.origin", ledger.origin == other.ledger.origin),
      ("ledger.guard", ledger.guardFile == other.ledger.guardFile),
      ("host.address", host.address == other.host.address),
      ("host.port", host.port == other.host.port),
      ("limits.message", limits.messageBytes == other.limits.messageBytes),
      ("limits.in_flight", limits.bytesInFlight == other.limits.bytesInFlight),
    ]
    return fixed.filter { !$0.1 }.map { Configuration.fixed($0.0, file) }
  }

  static func fixed(_ what: String, _ file: String) -> ConfigurationProblem {
    ConfigurationProblem(
      code: "CONF-020", file: file, line: nil, text: "\(what) cannot change while the daemon runs",
      hint: "put it back and reload, or: systemctl restart sallyport")
  }
}

extension Installation {
  /// What is other in a newer one, in words for the operator.
  func changes(in fresh: Installation) -> [String] {
    var changes: [String] = []
    if regime.policy.rulebook.digest != fresh.regime.policy.rulebook.digest {
      changes.append("rulebook \(fresh.regime.policy.rulebook.digest)")
    }
    if regime.policy.agreement.digest != fresh.regime.policy.agreement.digest {
      changes.append("agreement \(fresh.regime.policy.agreement.digest)")
    }
    if regime.calendar.coveredThrough != fresh.regime.calendar.coveredThrough {
      changes.append("bank holidays to \(fresh.regime.calendar.coveredThrough)")
    }
    changes += regime.sealer.inventory.changes(to: fresh.regime.sealer.inventory)
    for (mailbox, credentials) in fresh.regime.mailboxes.sorted(by: { $0.key < $1.key })
    where regime.mailboxes[mailbox] != credentials {
      changes.append("mailbox \(mailbox): password or TLS certificate")
    }
    let (host, freshHost) = (connections.host, fresh.connections.host)
    if host.certificateChainPEM != freshHost.certificateChainPEM
      || host.privateKeyPEM != freshHost.privateKeyPEM || host.clientCAPEM != freshHost.clientCAPEM
    {
      changes.append("host: TLS certificate, key or client authorities")
    }
    return changes + inboxChanges(in: fresh) + ring.changes(to: fresh.ring)
  }

  private func inboxChanges(in fresh: Installation) -> [String] {
    let old = Dictionary(connections.inboxes.map { ($0.settings.name, $0) }) { first, _ in first }
    let new = Set(fresh.connections.inboxes.map(\.settings.name))
    return fresh.connections.inboxes.compactMap { inbox in
      let name = inbox.settings.name
      guard let before = old[name] else { return "inbox \(name): added" }
      return before.isSame(as: inbox) ? nil : "inbox \(name): changed"
    } + old.keys.sorted().filter { !new.contains($0) }.map { "inbox \($0): removed" }
  }
}

extension KeyRing {
  fileprivate func changes(to fresh: KeyRing) -> [String] {
    let old = Dictionary(keys.map { ($0.id, $0.state.word) }) { first, _ in first }
    return fresh.keys.filter { old[$0.id] != $0.state.word }.map {
      "key \($0.id): \($0.state.word)"
    }
  }
}

extension Inventory {
  fileprivate func changes(to fresh: Inventory) -> [String] {
    let old = Set(certificates.map(\.fingerprint))
    let new = Set(fresh.certificates.map(\.fingerprint))
    var changes: [String] = []
    for certificate in fresh.certificates where !old.contains(certificate.fingerprint) {
      changes.append("\(certificate.use.rawValue) certificate of \(certificate.party): added")
    }
    for certificate in certificates where !new.contains(certificate.fingerprint) {
      changes.append("\(certificate.use.rawValue) certificate of \(certificate.party): removed")
    }
    for (party, end) in fresh.revocationListsEnd.sorted(by: { $0.key < $1.key })
    where revocationListsEnd[party] != end {
      changes.append("revocation list of \(party): to \(end)")
    }
    return changes
  }
}
