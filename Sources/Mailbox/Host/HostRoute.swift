import HTTPTypes

/// Which call of the MESH API a request is. Identifiers are as they came: they are checked only once
/// the caller is known.
enum HostRoute: Equatable {
  case ping
  case endpointLookup(odsCode: String, workflow: String)
  case workflowSearch(workflow: String)
  case handshake(mailbox: String)
  case inbox(mailbox: String)
  case download(mailbox: String, id: String, part: String?)
  case headers(mailbox: String, id: String)
  case acknowledge(mailbox: String, id: String)
  case count(mailbox: String)
  case send(mailbox: String)
  case sendPart(mailbox: String, id: String, part: String)
  case track(mailbox: String)
  case trackLocal(mailbox: String, localID: String)
  case update(mailbox: String)
  case rich(HostedBox, mailbox: String)

  /// Paths up to this many bytes are read; the longest of the API is near 1,700 with its cursor.
  static let longestTarget = 8192

  /// - Throws: `HostRefusal.unknownPath`, or `.methodNotAllowed` for a known path.
  init(_ method: HTTPRequest.Method, path: Substring) throws(HostRefusal) {
    guard path.utf8.count <= Self.longestTarget, path.first == "/" else { throw .unknownPath }
    var parts: [String] = []
    for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      guard let decoded = percentDecoded(part) else { throw .unknownPath }
      parts.append(decoded)
    }
    if parts.last == "" { parts.removeLast() }
    guard parts.first == "messageexchange", parts.count > 1, !parts.contains("") else {
      throw .unknownPath
    }
    let known = try Self.known(Array(parts.dropFirst()), method)
    guard let (methods, route) = known else { throw .unknownPath }
    guard methods.contains(method) else { throw .methodNotAllowed }
    self = route
  }

  private static func known(
    _ parts: [String], _ method: HTTPRequest.Method
  ) throws(HostRefusal) -> ([HTTPRequest.Method], HostRoute)? {
    let mailbox = parts[0]
    switch (parts.count, parts.count > 1 ? parts[1] : "") {
    case (1, _) where mailbox == "_ping": return ([.get], .ping)
    case (2, let workflow) where mailbox == "workflowsearch":
      return ([.get], .workflowSearch(workflow: workflow))
    case (3, let code) where mailbox == "endpointlookup":
      return ([.get], .endpointLookup(odsCode: code, workflow: parts[2]))
    case (1, _): return ([.get, .post], .handshake(mailbox: mailbox))
    case (2, "inbox"): return ([.get], .inbox(mailbox: mailbox))
    case (2, "count"): return ([.get], .count(mailbox: mailbox))
    case (2, "outbox"): return ([.post], .send(mailbox: mailbox))
    case (2, "update"): return ([.post], .update(mailbox: mailbox))
    case (3, "outbox") where parts[2] == "tracking": return ([.get], .track(mailbox: mailbox))
    case (4, "outbox") where parts[2] == "tracking":
      return ([.get], .trackLocal(mailbox: mailbox, localID: parts[3]))
    // Not in the published specification, and must not read as an id.
    case (3, "inbox") where parts[2] == "rich": return ([.get], .rich(.inbox, mailbox: mailbox))
    case (3, "outbox") where parts[2] == "rich": return ([.get], .rich(.outbox, mailbox: mailbox))
    case (3, "inbox"):
      return (
        [.get, .head],
        method == .head
          ? .headers(mailbox: mailbox, id: parts[2])
          : .download(mailbox: mailbox, id: parts[2], part: nil)
      )
    case (4, "inbox"):
      return ([.get], .download(mailbox: mailbox, id: parts[2], part: parts[3]))
    case (5, "inbox") where parts[3] == "status" && parts[4] == "acknowledged":
      return ([.put], .acknowledge(mailbox: mailbox, id: parts[2]))
    case (4, "outbox"):
      return ([.post], .sendPart(mailbox: mailbox, id: parts[2], part: parts[3]))
    default: return nil
    }
  }

  /// Nil for the calls that need no token.
  var mailbox: String? {
    switch self {
    case .ping, .endpointLookup, .workflowSearch: nil
    case .handshake(let mailbox), .inbox(let mailbox), .count(let mailbox), .send(let mailbox),
      .track(let mailbox), .update(let mailbox), .headers(let mailbox, _),
      .download(let mailbox, _, _), .acknowledge(let mailbox, _), .sendPart(let mailbox, _, _),
      .trackLocal(let mailbox, _), .rich(_, let mailbox):
      mailbox
    }
  }

  /// For logs and metrics: never an identifier.
  var pattern: String {
    switch self {
    case .ping: "/_ping"
    case .endpointLookup: "/endpointlookup/{ods_code}/{workflow_id}"
    case .workflowSearch: "/workflowsearch/{workflow_id}"
    case .handshake: "/{mailbox}"
    case .inbox: "/{mailbox}/inbox"
    case .download(_, _, nil), .headers: "/{mailbox}/inbox/{id}"
    case .download: "/{mailbox}/inbox/{id}/{n}"
    case .acknowledge: "/{mailbox}/inbox/{id}/status/acknowledged"
    case .count: "/{mailbox}/count"
    case .send: "/{mailbox}/outbox"
    case .sendPart: "/{mailbox}/outbox/{id}/{n}"
    case .track: "/{mailbox}/outbox/tracking"
    case .trackLocal: "/{mailbox}/outbox/tracking/{local_id}"
    case .update: "/{mailbox}/update"
    case .rich(let box, _): "/{mailbox}/\(box.rawValue)/rich"
    }
  }
}
