import Crypto
import Exchange
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// What Hummingbird tells of a request beside the request: its connection.
struct HostContext: InitializableFromSource {
  let channel: any Channel

  init(source: ApplicationRequestContextSource) { channel = source.channel }

  /// SHA-256 of the DER of the certificate that the client opened the connection with, lower-case hex.
  func certificateFingerprint() async -> String? {
    guard let certificate = try? await channel.nioSSL_peerCertificate().get(),
      let bytes = try? certificate.toDERBytes()
    else { return nil }
    return SHA256.hash(data: bytes).map { hex(UInt64($0), digits: 2) }.joined()
  }
}

/// Answers the MESH API: finds the call, admits the caller, lets the keeper answer, and logs one line
/// that holds nothing of the message.
struct HostResponder: HTTPResponder {
  typealias Context = HostContext

  let keeper: any MailboxKeeper
  let now: @Sendable () -> Instant
  let logger: Logger
  let authorization: HostAuthorization
  /// Bodies that are being received.
  let incoming: BodyBudget
  /// Bodies that are being sent.
  let outgoing: BodyBudget
  let turnstile: RequestTurnstile
  let limits: HostLimits
  let environment: String
  let ownMailbox: HostConfiguration.OwnMailbox?
  let compression: HostConfiguration.Compression
  let references: HostReferences

  init(
    _ configuration: HostConfiguration, keeper: any MailboxKeeper,
    now: @escaping @Sendable () -> Instant, logger: Logger
  ) {
    (self.keeper, self.now, self.logger) = (keeper, now, logger)
    limits = configuration.limits
    authorization = HostAuthorization(
      secret: configuration.sharedSecret, tokensPerMailbox: limits.tokensPerMailbox)
    incoming = BodyBudget(capacity: limits.bodyBytesInFlight, share: limits.mailboxShare)
    outgoing = BodyBudget(capacity: limits.bodyBytesInFlight, share: limits.mailboxShare)
    turnstile = RequestTurnstile(limit: limits.requestsAtOnce)
    (environment, ownMailbox) = (configuration.environment, configuration.ownMailbox)
    compression = configuration.compression
    references = HostReferences()
  }

  func respond(to request: Request, context: HostContext) async throws -> Response {
    let clock = ContinuousClock()
    let started = clock.now
    let deadline =
      request.announcesBody
      ? TransferDeadline(context.channel, after: limits.transferTimeout) : nil
    let at = now()
    var trace = Trace(reference: references.next(at: at))
    var version = MeshVersion.one
    var response: Response
    do {
      response = try await answer(request, context, at: at, version: &version, trace: &trace)
    } catch {
      let refusal = self.refusal(for: error, reference: trace.reference)
      trace.code = refusal.form.code
      response = .refusal(refusal, version, reference: trace.reference)
    }
    if trace.bodyIsRead {
      deadline?.met()
    } else if deadline != nil {
      // The rest of the body is read and dropped; the deadline still stands to end that.
      response.headers[.connection] = "close"
    }
    // A body after the answer to HEAD would be read as the next answer (RFC 9110 9.3.2).
    if request.method == .head { response = response.createHeadResponse() }
    log(request, trace, status: response.status.code, took: clock.now - started)
    return response
  }

  private func answer(
    _ request: Request, _ context: HostContext, at: Instant, version: inout MeshVersion,
    trace: inout Trace
  ) async throws -> Response {
    let target = (request.head.path ?? "")[...]
    let path = target.prefix { $0 != "?" }
    let route = try HostRoute(request.method, path: path)
    trace.route = route.pattern
    guard let asked = MeshVersion(accept: request.headers[values: .accept].joined(separator: ","))
    else { throw HostRefusal.malformedAccept }
    version = asked
    guard let name = route.mailbox else { return lookUp(route, version) }

    let token = try await admit(request, context, name: name, at: at, trace: &trace)
    let call = HostCall(
      request: request, channel: context.channel, mailbox: token.mailbox, version: version,
      query: HostQuery(target.dropFirst(path.count).dropFirst()), at: at,
      reference: trace.reference)
    do {
      guard turnstile.enter(token.mailbox) else { throw HostRefusal.tooManyAtOnce }
      defer { turnstile.leave(token.mailbox) }
      // Every body is read before its call is answered: nothing is done for a request that broke off.
      let content = try content(of: route, call)
      let response = try await request.withBody(
        upTo: content.isNone ? 65_536 : limits.bodyBytes,
        reserved: content.needsWholeMessage ? limits.bodyBytes : 0,
        share: BodyShare(incoming, token.mailbox)
      ) { body in
        trace.bodyIsRead = true
        return try await serve(route, call, content, body)
      }
      authorization.settle(token)
      return response
    } catch {
      let refusal = self.refusal(for: error, reference: trace.reference)
      // Nobody has had an answer to a request that broke off.
      if refusal.isRepeatedByClients || refusal == .bodyCutOff {
        authorization.release(token)
      } else {
        authorization.settle(token)
      }
      throw refusal
    }
  }

  private func admit(
    _ request: Request, _ context: HostContext, name: String, at: Instant, trace: inout Trace
  ) async throws -> MeshToken {
    let header = request.headers[.authorization]
    let mailbox = try HostAuthorization.read(header, path: name).mailbox
    let credentials = try await keeper.credentials(of: mailbox)
    // Any text of the right form can stand in a path: only names that are ours are logged.
    if credentials != nil { trace.mailbox = mailbox }
    return try authorization.admit(
      header, path: name, fingerprint: await context.certificateFingerprint(),
      credentials: credentials, at: at)
  }

  /// What the headers say of the body.
  private enum Content {
    case none
    case message(HostSubmission)
    case part(HostPart)

    var isNone: Bool { if case .none = self { true } else { false } }

    /// Whether more is held than the body: what it expands to, or the parts before it.
    var needsWholeMessage: Bool {
      switch self {
      case .none: false
      case .message(let message): message.encoding != nil
      case .part(let part): part.encoding != nil || part.range.part == part.range.total
      }
    }
  }

  private func content(of route: HostRoute, _ call: HostCall) throws(HostRefusal) -> Content {
    switch route {
    case .send:
      .message(try HostSubmission(header: call.header, partsPerMessage: limits.partsPerMessage))
    case .sendPart(_, let id, let part):
      .part(try HostPart(header: call.header, part: part, id: CarrierMessageID(id)))
    default: .none
    }
  }

  private func serve(
    _ route: HostRoute, _ call: HostCall, _ content: Content, _ body: [UInt8]
  ) async throws -> Response {
    switch content {
    case .message(let submission): return try await send(call, submission, body)
    case .part(let part):
      guard case .sendPart(_, let id, _) = route else { throw HostRefusal.failed }
      return try await sendPart(call, id: id, part, body)
    case .none: return try await serve(route, call)
    }
  }

  private func serve(_ route: HostRoute, _ call: HostCall) async throws -> Response {
    switch route {
    case .handshake: try await shakeHands(call)
    case .inbox: try await list(call)
    case .count: try await count(call)
    case .download(_, let id, let part): try await download(call, id: id, part: part)
    case .headers(_, let id): try await headers(call, id: id)
    case .acknowledge(_, let id): try await acknowledge(call, id: id)
    case .rich(let box, _): try await listing(call, box)
    case .send, .sendPart: throw HostRefusal.failed
    case .track: try await track(call)
    case .trackLocal(_, let localID): try await track(call, localID: localID)
    case .update, .ping, .endpointLookup, .workflowSearch: Response(status: .ok)
    }
  }

  private func refusal(for error: any Error, reference: String) -> HostRefusal {
    switch error {
    case let refusal as HostRefusal: return refusal
    case KeeperRefusal.unavailable: return .busy
    case KeeperRefusal.unknownCursor: return .unreadableCursor
    default:
      // The type alone: what an error says of itself may hold data.
      logger.error(
        "a keeper failed",
        metadata: ["request": .string(reference), "error": "\(type(of: error))"])
      return .failed
    }
  }
}

// MARK: - Log

extension HostResponder {
  /// What is told of a request in the log.
  private struct Trace {
    /// Names the request; clients read it as `internal_id`.
    let reference: String
    var route = "unknown"
    var mailbox: MailboxID?
    var code: String?
    var bodyIsRead = false
  }

  private func log(_ request: Request, _ trace: Trace, status: Int, took: Duration) {
    let level: Logger.Level =
      switch status {
      case 500, 503: .warning
      case 403: .notice
      default: .info
      }
    let known = [HTTPRequest.Method.get, .head, .put, .post].contains(request.method)
    var metadata: Logger.Metadata = [
      "method": .string(known ? request.method.rawValue : "other"), "route": .string(trace.route),
      "status": "\(status)", "request": .string(trace.reference),
      "microseconds":
        "\(took.components.seconds * 1_000_000 + took.components.attoseconds / 1_000_000_000_000)",
    ]
    metadata["mailbox"] = trace.mailbox.map { .string($0.text) }
    metadata["code"] = trace.code.map { .string($0) }
    logger.log(level: level, "mailbox request", metadata: metadata)
  }
}

/// Names requests: `yyyyMMddHHmmss_` and a number that grows, from one process unlike each other.
final class HostReferences: Sendable {
  private let last = Mutex<UInt64>(0)

  func next(at now: Instant) -> String {
    let number = last.withLock { last in
      last &+= 1
      return last
    }
    return now.meshTimestamp + "_" + hex(number, digits: 6).uppercased()
  }
}

/// One authenticated request.
struct HostCall {
  let request: Request
  let channel: any Channel
  let mailbox: MailboxID
  let version: MeshVersion
  let query: HostQuery
  let at: Instant
  let reference: String

  /// The value of a header by its name in any case.
  func header(_ name: String) -> String? {
    HTTPField.Name(name).flatMap { request.headers[$0] }
  }
}
