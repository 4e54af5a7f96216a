import Exchange

/// Reads an agreement; reports every mistake together.
struct AgreementReader {
  let file: String
  let problems: ProblemList

  private static let keys = [
    "name", "about", "own", "parties", "narrowing", "departures", "escalation",
  ]
  private static let partyKeys = [
    "id", "name", "role", "area", "serves", "standing", "mailbox", "certificates", "trust",
    "legacy-cms",
  ]

  func read(_ text: String) -> Agreement? {
    guard let root = ConfigNode.parse(text, file: file, problems: problems),
      let map = MapReader(
        root, what: "the agreement", file: file, keys: AgreementReader.keys, problems: problems)
    else { return nil }
    _ = map.optionalText("about")
    let own = map.required("own").flatMap { readOwn($0) }
    let parties = map.nodes("parties").compactMap { readParty($0) }
    if map.node("parties") == nil { _ = map.required("parties") }
    if let own { checkDoubles(own: own, parties: parties) }
    let narrowing = map.nodes("narrowing").compactMap { readNarrowing($0) }
    let departures = map.nodes("departures").compactMap { readDeparture($0) }
    let escalations = map.nodes("escalation").compactMap { readEscalation($0) }
    let name = map.text("name")
    guard let own else { return nil }
    return Agreement(
      name: name, own: own, parties: parties.map(\.party), narrowing: narrowing,
      departures: departures, escalations: escalations,
      digest: digestOf([(name: "agreement", text: text)]), file: file)
  }

  private func readOwn(_ node: ConfigNode) -> OwnParty? {
    guard
      let map = MapReader(
        node, what: "the own party", file: file, keys: ["id", "name", "mailbox", "certificates"],
        problems: problems)
    else { return nil }
    let name = map.text("name")
    let id = value("id", of: map, "party id", PartyID.init)
    let mailbox = value("mailbox", of: map, "mailbox id", MailboxID.init)
    let certificates = readCertificates(map)
    guard let id, let mailbox, let certificates else { return nil }
    return OwnParty(id: id, name: name, mailbox: mailbox, certificates: certificates)
  }

  private func readParty(_ node: ConfigNode) -> (party: PartyEntry, place: Place)? {
    guard
      let map = MapReader(
        node, what: "a party", file: file, keys: AgreementReader.partyKeys, problems: problems)
    else { return nil }
    let id = value("id", of: map, "party id", PartyID.init)
    let role = map.word("role").flatMap { map.meaning(of: $0, "role", in: choices(Role.self)) }
    let standing = map.word("standing").flatMap {
      map.meaning(of: $0, "standing", in: choices(Standing.self))
    }
    let area = value("area", of: map, "area", areaName)
    let serves = map.words("serves").compactMap { check($0, "area", areaName) }
    let mailbox = value("mailbox", of: map, "mailbox id", MailboxID.init)
    let certificates = readCertificates(map)
    let trust = readTrust(map)
    let name = map.text("name")
    let legacy = map.flag("legacy-cms") ?? false
    guard let id, let role, let standing, let area, let mailbox, let certificates, let trust else {
      return nil
    }
    if !id.text.hasPrefix(role.rawValue + ":") {
      problems.add(
        .partyUnfit, at: map.place(of: "id"),
        "the id \(id) does not begin with its role, \(role.rawValue)")
    }
    let order: [Standing] = [.thirdParty, .dutyToCooperate, .responsibleAuthority]
    if (order.firstIndex(of: standing) ?? 0) > (order.firstIndex(of: role.highestStanding) ?? 0) {
      problems.add(
        .widens, at: map.place(of: "standing"),
        "\(id) cannot be a \(standing.rawValue): a \(role.rawValue) is at most a "
          + "\(role.highestStanding.rawValue) (LAW-03)", suggestion: role.highestStanding.rawValue)
    }
    let party = PartyEntry(
      id: id, name: name, role: role, area: area, serves: serves.isEmpty ? [area] : serves,
      standing: standing, mailbox: mailbox, certificates: certificates, trust: trust,
      legacyCMS: legacy)
    return (party, map.place)
  }

  private func readCertificates(_ map: MapReader) -> PartyCertificates? {
    guard let node = map.required("certificates"),
      let entry = MapReader(
        node, what: "the certificates of \(map.what)", file: file,
        keys: ["signing", "encryption", "tls"], problems: problems)
    else { return nil }
    let names = { (key: String) -> [String] in
      entry.requiredWords(key).compactMap { check($0, "file name", fileName) }
    }
    return PartyCertificates(
      signing: names("signing"), encryption: names("encryption"), tls: names("tls"))
  }

  private func readTrust(_ map: MapReader) -> PartyTrust? {
    guard let node = map.required("trust"),
      let entry = MapReader(
        node, what: "the trust of \(map.what)", file: file,
        keys: ["anchors", "intermediates", "revocation"], problems: problems)
    else { return nil }
    return PartyTrust(
      anchors: entry.requiredWords("anchors").compactMap { check($0, "file name", fileName) },
      intermediates: entry.words("intermediates").compactMap {
        check($0, "file name", fileName)
      },
      revocation: entry.requiredWords("revocation").compactMap {
        check($0, "file name, and no http address", RevocationPlace.init)
      })
  }

  private func checkDoubles(own: OwnParty, parties: [(party: PartyEntry, place: Place)]) {
    var ids: Set<PartyID> = [own.id]
    var mailboxes: Set<MailboxID> = [own.mailbox]
    for (party, place) in parties {
      if !ids.insert(party.id).inserted {
        problems.add(.partyTwice, at: place, "the id \(party.id) is given to two parties")
      }
      if !mailboxes.insert(party.mailbox).inserted {
        problems.add(
          .partyTwice, at: place, "the mailbox \(party.mailbox) is given to two parties")
      }
    }
  }

  /// Only what is told less can be said here: there is no key to tell more.
  private func readNarrowing(_ node: ConfigNode) -> Narrowing? {
    guard
      let map = MapReader(
        node, what: "a narrowing", file: file, keys: nil, problems: problems)
    else { return nil }
    let keys = ["type", "role", "withhold", "tell-nothing", "reason"]
    for entry in map.entries where !keys.contains(entry.key) {
      problems.add(
        .widens, at: Place(file: file, line: entry.line),
        "an agreement may only narrow the rulebook, and \"\(entry.key)\" is no way to do so",
        suggestion: nearest(to: entry.key, among: keys))
    }
    let type = value("type", of: map, "name of a type", NotificationType.init)
    let role = map.word("role").flatMap { map.meaning(of: $0, "role", in: choices(Role.self)) }
    let reason = map.text("reason")
    let nothing = map.flag("tell-nothing") ?? false
    let fields = map.words("withhold").map(\.text)
    if nothing == !fields.isEmpty {
      problems.add(
        .missingKey, at: map.place, "a narrowing has either \"withhold\" or \"tell-nothing: yes\"")
    }
    guard let type, let role else { return nil }
    return Narrowing(
      type: type, role: role, withhold: nothing ? nil : Set(fields), reason: reason,
      place: map.place)
  }

  private func readDeparture(_ node: ConfigNode) -> Departure? {
    let keys = ["rule", "type", "reason", "approver", "ends"]
    guard
      let map = MapReader(node, what: "a departure", file: file, keys: keys, problems: problems)
    else { return nil }
    let missing = keys.filter { map.node($0) == nil }
    if !missing.isEmpty {
      problems.add(
        .departure, at: map.place,
        "a departure names rule, type, reason, approver and end date; this one lacks "
          + missing.joined(separator: ", ") + " (LAW-07)")
      return nil
    }
    let ends = value("ends", of: map, "date", CivilDate.init(_:))
    let type = value("type", of: map, "name of a type", NotificationType.init)
    guard let ends, let type else { return nil }
    return Departure(
      rule: map.text("rule"), type: type, reason: map.text("reason"),
      approver: map.text("approver"), ends: ends, place: map.place)
  }

  private func readEscalation(_ node: ConfigNode) -> Escalation? {
    guard
      let map = MapReader(
        node, what: "an escalation", file: file, keys: ["type", "to"], problems: problems),
      let type = value("type", of: map, "name of a type", NotificationType.init)
    else { return nil }
    let steps = map.meanings(
      map.requiredWords("to"), "step of an escalation", in: choices(EscalationStep.self))
    return Escalation(type: type, steps: steps, place: map.place)
  }

  private func value<Value>(
    _ key: String, of map: MapReader, _ noun: String, _ parse: (String) -> Value?
  ) -> Value? {
    map.word(key).flatMap { check($0, noun, parse) }
  }

  private func check<Value>(
    _ word: Word, _ noun: String, _ parse: (String) -> Value?
  ) -> Value? {
    let value = parse(word.text)
    if value == nil {
      problems.add(.malformed, at: word.place, "\"\(word.text)\" is no \(noun)")
    }
    return value
  }
}

private func areaName(_ text: String) -> String? { isArea(text) ? text : nil }

/// A relative name that stays within its folder.
private func fileName(_ text: String) -> String? {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false)
  let fits = parts.allSatisfy { part in
    !part.isEmpty && part.first != "."
      && part.utf8.allSatisfy { byte in
        (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte)
          || "._-".utf8.contains(byte)
      }
  }
  return (1...200).contains(text.utf8.count) && fits ? text : nil
}

extension RevocationPlace {
  /// A file name, or the address of a host: no password, no fragment, visible ASCII, at most 1,000.
  fileprivate init?(_ text: String) {
    guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else {
      guard let name = fileName(text) else { return nil }
      self = .file(name)
      return
    }
    let host = text.dropFirst(scheme.count).prefix { $0 != "/" }
    let isAddress =
      !host.isEmpty && text.utf8.count <= 1000
      && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"@#\\\"<>".utf8.contains($0) }
    guard isAddress else { return nil }
    self = .url(text)
  }
}
