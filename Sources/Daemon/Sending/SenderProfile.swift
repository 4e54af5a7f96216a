package import Exchange

/// Who speaks, and to whom, when a party sends from the command line: a small YAML file.
package struct SenderProfile: Sendable, CustomStringConvertible, CustomReflectable {
  package let party: PartyID
  let mailbox: MailboxID
  let url: String
  let password: String
  let sharedSecret: String
  let authorityFile: String
  let revocationFile: String
  let tlsCertificateFile: String
  let tlsKeyFile: String
  let signingCertificateFile: String
  let signingKeyFile: String
  package let recipient: PartyID
  let recipientMailbox: MailboxID
  let recipientCertificateFile: String

  /// - Throws: every mistake of the file, with its line.
  package static func parse(
    text: String, file: String, directory: String
  ) throws(ConfigurationProblems) -> SenderProfile {
    let report = ProblemReport(file: file)
    guard let root = SettingsReader(text: text, directory: directory, report: report) else {
      throw report.problems
    }
    let profile = SenderProfile(reading: root, report: report)
    root.finish()
    guard let profile, report.problems.list.isEmpty else { throw report.problems }
    return profile
  }

  // No text or dump shows a secret.
  package var description: String { "SenderProfile(\(party))" }
  package var customMirror: Mirror { Mirror(self, children: ["party": party]) }

  private init?(reading root: SettingsReader, report: ProblemReport) {
    let secret = { (key: String) -> String? in
      guard let path = root.path(key) else { return nil }
      do throws(BoundedFile.Problem) {
        return try BoundedFile.secret(path)
      } catch {
        report.add(.init("CONF-010", line: nil, error.text, "check \(key)"))
        return nil
      }
    }
    let party = root.identifier("party", PartyID.init)
    let mailbox = root.identifier("mailbox", MailboxID.init)
    let url = root.httpsURL("url")
    let password = secret("password")
    let sharedSecret = secret("shared_secret")
    let files = [
      "authority", "tls_certificate", "tls_key", "signing_certificate", "signing_key",
      "recipient_certificate", "revocation",
    ].compactMap { root.path($0) }
    let recipient = root.identifier("recipient", PartyID.init)
    let recipientMailbox = root.identifier("recipient_mailbox", MailboxID.init)
    guard let party, let mailbox, let url, let password, let sharedSecret, files.count == 7,
      let recipient, let recipientMailbox
    else { return nil }
    self.party = party
    self.mailbox = mailbox
    self.url = url
    self.password = password
    self.sharedSecret = sharedSecret
    authorityFile = files[0]
    tlsCertificateFile = files[1]
    tlsKeyFile = files[2]
    signingCertificateFile = files[3]
    signingKeyFile = files[4]
    recipientCertificateFile = files[5]
    revocationFile = files[6]
    self.recipient = recipient
    self.recipientMailbox = recipientMailbox
  }
}
