package import Exchange

/// Everything that `sallyport.yaml` settles, checked once. Paths are absolute.
package struct Configuration: Sendable {
  /// Our own party: the audience of every inbound message.
  package var party: PartyID
  /// Our own mailbox, the only one that can be addressed on our host.
  package var mailbox: MailboxID
  /// Where the store lies.
  package var stateDirectory: String
  package var agreementFile: String
  /// Folder of rulebook files (`*.yaml`).
  package var rulebookDirectory: String
  /// Bank holidays of England and Wales in gov.uk's format.
  package var bankHolidaysFile: String
  package var keys: Keys
  package var ledger: LedgerSettings
  package var host: HostSettings
  package var inboxes: [InboxSettings]
  package var carriers: [CarrierSettings]
  package var limits: Limits
  package var control: ControlSettings

  /// Where commands reach the daemon.
  package struct ControlSettings: Sendable {
    package var socketFile: String
    /// Whose members may act, beside root and the daemon's own user.
    package var group: String?
  }

  /// Where the wrapped key ring lies, and the key that opens it.
  package struct Keys: Sendable {
    package var ringFile: String
    /// 32 bytes; a systemd credential in production.
    package var keyEncryptionKeyFile: String
  }

  package struct LedgerSettings: Sendable {
    /// Tiles, bundles and checkpoints, as outsiders read them.
    package var directory: String
    /// The log's origin and key name: a schema-less URL that the operator controls.
    package var origin: String
    /// A second place that keeps the largest signed size and root (rollback guard).
    package var guardFile: String
  }

  /// The mailboxes that we host.
  package struct HostSettings: Sendable {
    package var address: String
    /// 0 lets the system choose.
    package var port: Int
    package var certificateFile: String
    package var keyFile: String
    /// Authorities of the parties' TLS client certificates.
    package var clientAuthorityFiles: [String]
    /// The shared secret of our MESH environment.
    package var sharedSecretFile: String
    /// Folder with one file a mailbox, named for it, holding its password.
    package var passwordsDirectory: String
    /// The workflow ids that parties may send to us.
    package var workflows = Set(Workflow.all)
    /// A longer message is given out in parts of so many bytes.
    package var partBytes = 5 * 1024 * 1024
    /// What one party may have waiting here.
    package var quotas = StoreKeeper.Quotas()
  }

  /// An inbox at an agency's HTTPS service.
  package struct InboxSettings: Equatable, Sendable {
    package var name: String
    /// Whose service it is; what lies in it may come from anybody, and is verified.
    package var party: PartyID
    package var service: ServiceSettings
    /// Between two polls. A national MESH allows one every five minutes.
    package var pollInterval: Duration
    /// Largest message taken from it; nil: `limits.message`.
    package var messageBytes: Int?
  }

  /// An inbox's service as the way to parties whose mailboxes are there.
  package struct CarrierSettings: Equatable, Sendable {
    /// The inbox's name: what is sent goes out from that mailbox of ours, and what the service has to say
    /// of it comes back there.
    package var inbox: String
    /// Reached by it; each has the agreement's mailbox there.
    package var parties: [PartyID]
    /// Longest body that is sent in one request.
    package var partBytes: Int
    /// Between two questions where a message stands.
    package var trackInterval: Duration
  }

  package struct Limits: Sendable {
    /// Bytes of one message, download or upload: 20 MiB of attachments, envelope and CMS.
    package var messageBytes = 22 * 1024 * 1024
    /// Bytes of one set of open messages over all inboxes.
    package var bytesInFlight = 64 * 1024 * 1024
  }
}

extension Configuration {
  /// Reads the file's text; every mistake is reported, each with its line.
  ///
  /// - Parameter directory: what relative paths start from: the file's own folder.
  package static func parse(
    text: String, file: String, directory: String
  ) throws(ConfigurationProblems) -> Configuration {
    let (configuration, problems) = read(text: text, file: file, directory: directory)
    guard let configuration, problems.list.isEmpty else { throw problems }
    return configuration
  }

  /// As `parse`, but what could be read in spite of the mistakes is given too, so that the files that it
  /// names can be looked at as well.
  static func read(
    text: String, file: String, directory: String
  ) -> (configuration: Configuration?, problems: ConfigurationProblems) {
    let report = ProblemReport(file: file)
    guard let root = SettingsReader(text: text, directory: directory, report: report) else {
      return (nil, report.problems)
    }
    let keys = root.section("keys")
    let ledger = root.section("ledger")
    let host = root.section("host")
    let limits = root.optionalSection("limits")
    let control = root.optionalSection("control")
    let listed = root.list("inboxes")
    let inboxes = listed.map { InboxSettings(reading: $0) }
    checkNames(listed, report)
    let sending = root.list("carriers")
    let carriers = sending.map { CarrierSettings(reading: $0) }
    checkCarriers(sending, carriers, inboxes: listed, report)
    var bounds = Limits()
    if let limits {
      bounds.messageBytes = limits.bytes("message", default: bounds.messageBytes)
      bounds.bytesInFlight = limits.bytes("in_flight", default: bounds.bytesInFlight)
      if bounds.messageBytes > 95 * 1024 * 1024 {
        report.add(
          .init(
            "CONF-003", line: limits.word("message")?.line,
            "limits.message is more than a carrier takes in one part", "write at most 95MiB"))
      }
      if bounds.bytesInFlight < bounds.messageBytes {
        report.add(
          .init(
            "CONF-003", line: limits.word("in_flight")?.line ?? limits.word("message")?.line,
            "limits.in_flight is less than one message", "write at least limits.message"))
      }
      limits.finish()
    }
    checkSizes(listed, inboxes, bounds, report)
    let ledgerDirectory = ledger.path("directory")
    let guardFile = ledger.optionalPath("guard")
    let configuration = Configuration(
      party: root.identifier("party", PartyID.init),
      mailbox: root.identifier("mailbox", MailboxID.init),
      state: root.path("state"), agreement: root.path("agreement"),
      rulebook: root.path("rulebook"), bankHolidays: root.path("bank_holidays"),
      keys: both(keys.path("ring"), keys.path("key_encryption_key")).map {
        Keys(ringFile: $0, keyEncryptionKeyFile: $1)
      },
      ledger: both(ledgerDirectory, ledger.text("origin")).map {
        LedgerSettings(
          directory: $0, origin: $1,
          guardFile: guardFile ?? $0 + "-guard")
      },
      host: HostSettings(reading: host), inboxes: inboxes, carriers: carriers, limits: bounds,
      control: (control?.optionalPath("socket"), control?.optionalText("group")))
    control?.finish()
    keys.finish()
    ledger.finish()
    host.finish()
    root.finish()
    return (configuration, report.problems)
  }

  /// The store knows messages by their inbox's name; one is taken by our own mailbox.
  private static func checkNames(_ inboxes: [SettingsReader], _ report: ProblemReport) {
    var taken: Set<String> = []
    for name in inboxes.compactMap({ $0.word("name") }) {
      if name.text == StoreKeeper.inbox {
        report.add(
          .init("CONF-005", line: name.line, "our own mailbox is called \(name.text)", "rename it"))
      } else if !taken.insert(name.text).inserted {
        report.add(
          .init("CONF-005", line: name.line, "two inboxes are called \(name.text)", "rename one"))
      }
    }
  }

  private static func checkSizes(
    _ listed: [SettingsReader], _ inboxes: [InboxSettings?], _ limits: Limits,
    _ report: ProblemReport
  ) {
    for (section, inbox) in zip(listed, inboxes) {
      guard let bytes = inbox?.messageBytes, bytes > limits.messageBytes else { continue }
      report.add(
        .init(
          "CONF-003", line: section.word("message")?.line,
          "message is more than limits.message", "write at most limits.message"))
    }
  }

  /// A carrier is one of the inboxes, and each party is reached by one.
  private static func checkCarriers(
    _ listed: [SettingsReader], _ carriers: [CarrierSettings?], inboxes: [SettingsReader],
    _ report: ProblemReport
  ) {
    let names = inboxes.compactMap { $0.word("name")?.text }
    var taken: Set<String> = []
    var reached: Set<PartyID> = []
    for (section, carrier) in zip(listed, carriers) {
      guard let carrier else { continue }
      let line = section.word("inbox")?.line
      if !names.contains(carrier.inbox) {
        report.add(
          .init(
            "CONF-013", line: line, "no inbox is called \(carrier.inbox)",
            "name one of inboxes: what the carrier reports comes back there"))
      } else if !taken.insert(carrier.inbox).inserted {
        report.add(
          .init("CONF-013", line: line, "\(carrier.inbox) is a carrier twice", "join the two"))
      }
      if carrier.partBytes > 95 * 1_048_576 {
        report.add(
          .init(
            "CONF-003", line: section.word("part")?.line,
            "part is more than a carrier takes in one request", "write at most 95MiB"))
      }
      for party in carrier.parties where !reached.insert(party).inserted {
        report.add(
          .init("CONF-013", line: line, "\(party) is named twice in carriers", "keep one"))
      }
    }
  }

  private init?(
    party: PartyID?, mailbox: MailboxID?, state: String?, agreement: String?, rulebook: String?,
    bankHolidays: String?, keys: Keys?, ledger: LedgerSettings?, host: HostSettings?,
    inboxes: [InboxSettings?], carriers: [CarrierSettings?], limits: Limits,
    control: (socket: String?, group: String?)
  ) {
    guard let party, let mailbox, let state, let agreement, let rulebook, let bankHolidays,
      let keys, let ledger, let host
    else { return nil }
    self.init(
      party: party, mailbox: mailbox, stateDirectory: state, agreementFile: agreement,
      rulebookDirectory: rulebook, bankHolidaysFile: bankHolidays, keys: keys, ledger: ledger,
      host: host, inboxes: inboxes.compactMap { $0 }, carriers: carriers.compactMap { $0 },
      limits: limits,
      control: ControlSettings(
        socketFile: control.socket ?? state + "/control.sock", group: control.group))
  }
}

private func both<A, B>(_ first: A?, _ second: B?) -> (A, B)? {
  guard let first, let second else { return nil }
  return (first, second)
}

extension Configuration.HostSettings {
  fileprivate init?(reading section: SettingsReader) {
    let address = section.text("address")
    let port = section.integer("port", in: 0...65_535)
    let certificate = section.path("certificate")
    let key = section.path("key")
    let authorities = section.paths("client_authorities")
    let secret = section.path("shared_secret")
    let passwords = section.path("passwords")
    guard let address, let port, let certificate, let key, let authorities, let secret,
      let passwords
    else { return nil }
    self.init(
      address: address, port: port, certificateFile: certificate, keyFile: key,
      clientAuthorityFiles: authorities, sharedSecretFile: secret, passwordsDirectory: passwords)
    if let names = section.optionalNames("workflows") { workflows = Set(names) }
    partBytes = section.bytes("part", default: partBytes)
    quotas.uploadTime = section.duration("upload_time", default: quotas.uploadTime)
    quotas.openUploads =
      section.optionalInteger("open_uploads", in: 1...1000) ?? quotas.openUploads
    quotas.waiting = section.optionalInteger("waiting", in: 1...1_000_000) ?? quotas.waiting
  }
}

extension Configuration.InboxSettings {
  fileprivate init?(reading section: SettingsReader) {
    defer { section.finish() }
    let name = section.identifier("name", InboxName.init)
    let party = section.identifier("party", PartyID.init)
    let service = ServiceSettings(reading: section)
    let poll = section.duration("poll_interval", default: .seconds(300))
    let message = section.optionalBytes("message")
    guard let name, let party, let service else { return nil }
    self.init(
      name: name.text, party: party, service: service, pollInterval: poll, messageBytes: message)
  }
}

extension Configuration.CarrierSettings {
  fileprivate init?(reading section: SettingsReader) {
    defer { section.finish() }
    let inbox = section.identifier("inbox", InboxName.init)
    let parties = section.identifiers(
      "parties", of: "parties such as [police:durham]", PartyID.init)
    let part = section.bytes("part", default: 20 * 1_048_576)
    let track = section.duration(
      "track_interval", from: .seconds(1), through: .seconds(86_400), default: .seconds(3600))
    guard let inbox, let parties else { return nil }
    self.init(inbox: inbox.text, parties: parties, partBytes: part, trackInterval: track)
  }
}

/// An inbox's name in logs, metrics and commands: 1 to 32 lower-case letters, digits and hyphens.
private struct InboxName: Identifier {
  let text: String

  init?(_ text: String) {
    let allowed = text.utf8.allSatisfy { byte in
      (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
    }
    guard (1...32).contains(text.utf8.count), allowed else { return nil }
    self.text = text
  }
}
