package import Exchange

/// A pretend agency's identity: names, mailbox and keys, all invented and made anew for each world.
package struct DemoParty: Sendable {
  package let id: PartyID
  package let name: String
  package let role: String
  package let area: String
  /// `responsible-authority` or `duty-to-co-operate`.
  package let standing: String
  package let mailbox: MailboxID
  /// The mailbox's password on Sallyport's host.
  package let password: String
  package let signing: IssuedCertificate
  package let encryption: IssuedCertificate
  package let tls: IssuedCertificate

  /// The party's folder name: the id with a hyphen for the colon.
  package var folder: String { id.text.replacing(":", with: "-") }

  /// Who takes part. Immigration has RSA keys, everybody else P-256.
  struct Profile {
    let id: String
    let name: String
    let area: String
    let standing: String
    let mailbox: String
    var key: CertificateRequest.Key = .p256
  }

  static let own = Profile(
    id: "sallyport:north", name: "Sallyport (demonstration)", area: "durham",
    standing: "responsible-authority", mailbox: "SALLYPORT1")

  static let agencies: [Profile] = [
    Profile(
      id: "prison:durham", name: "Prison of invented Durham", area: "durham",
      standing: "responsible-authority", mailbox: "PRISONDUR1"),
    Profile(
      id: "police:durham", name: "Police public protection unit of invented Durham", area: "durham",
      standing: "responsible-authority", mailbox: "POLICEDUR1"),
    Profile(
      id: "probation:durham", name: "Probation of invented Durham", area: "durham",
      standing: "responsible-authority", mailbox: "PROBATDUR1"),
    Profile(
      id: "jobcentre:durham", name: "Jobcentre of invented Durham", area: "durham",
      standing: "duty-to-co-operate", mailbox: "JOBCENDUR1"),
    Profile(
      id: "coordinator:durham", name: "MAPPA co-ordination of invented Durham", area: "durham",
      standing: "responsible-authority", mailbox: "COORDDUR1"),
    Profile(
      id: "immigration:casework", name: "Immigration casework (invented)", area: "national",
      standing: "duty-to-co-operate", mailbox: "IMMIGRAT1", key: .rsa(bits: 2048)),
    Profile(
      id: "coordinator:northumbria", name: "MAPPA co-ordination of invented Northumbria",
      area: "northumbria", standing: "responsible-authority", mailbox: "COORDNOR1"),
    Profile(
      id: "police:northumbria", name: "Police public protection unit of invented Northumbria",
      area: "northumbria", standing: "responsible-authority", mailbox: "POLICENOR1"),
  ]
}

/// What the demonstration cannot do. Ours: it makes everything itself.
package enum DemoProblem: Error, Equatable, Sendable, CustomStringConvertible {
  case profile(String)
  case cannotWrite(String)
  case noSuchParty(String)
  case timedOut(waitingFor: String)

  package var description: String {
    switch self {
    case .profile(let id): "the demonstration's profile \(id) is not of its form"
    case .cannotWrite(let path): "cannot write \(path)"
    case .noSuchParty(let id): "nobody in the demonstration is called \(id)"
    case .timedOut(let what): "waited too long for \(what)"
    }
  }
}

extension DemoParty {
  init(
    _ profile: Profile, authority: CertificateAuthority, password: String, now: Instant
  ) throws {
    guard let id = PartyID(profile.id), let mailbox = MailboxID(profile.mailbox) else {
      throw DemoProblem.profile(profile.id)
    }
    let issue = { (use: CertificateRequest.Use, purpose: String) throws -> IssuedCertificate in
      try authority.issue(
        CertificateRequest(commonName: "\(profile.id) \(purpose)", use: use, key: profile.key),
        now: now)
    }
    self.id = id
    name = profile.name
    role = String(profile.id.prefix { $0 != ":" })
    area = profile.area
    standing = profile.standing
    self.mailbox = mailbox
    self.password = password
    signing = try issue(.signing, "signing")
    encryption = try issue(.encryption, "encryption")
    tls = try issue(.tlsClient, "tls")
  }
}
