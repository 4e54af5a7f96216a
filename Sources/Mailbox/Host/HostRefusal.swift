import Exchange

/// Why a request is refused: what the client reads (status and body of the MESH API) and what the
/// operator reads in the log (the code). Holds nothing of the request's content.
enum HostRefusal: Error, Equatable {
  /// What is wrong with one header or parameter, named as API clients know it.
  struct Fault: Equatable {
    /// `missing`, `string_too_long`, ...
    let type: String
    /// `header`, `path` or `query`, then the name.
    let location: [String]
    let text: String
  }

  case malformedAuthorization
  case otherMailboxInToken
  case tokenOutOfTime
  case unknownMailbox
  case certificateNotOfMailbox
  case wrongToken
  case tokenUsedBefore
  case tokenMemoryFull
  case malformedAccept
  case invalid([Fault])
  case controlCharacters
  case emptyRecipient
  case forbiddenChecksum
  case unknownMessage
  case notFound
  case messageOfAnotherMailbox
  case messageGone
  case unregisteredRecipient
  case workflowNotRegistered
  case emptyBody
  case invalidChunkRange(CarrierMessageID?)
  case unsupportedEncoding
  case tooLarge
  case busy
  case localIDNotUnique
  case unknownPath
  case methodNotAllowed
  case bodyCutOff
  case failed
  case tooManyAtOnce
  case overQuota
  case expandsTooFar
  case notGzip
  case partBeyondTotal
  case uploadFinished
  case encodingChanged(CarrierMessageID)
  case totalChanged(CarrierMessageID)
  case partsMissing(CarrierMessageID)
  case tooManyParts

  /// What clients and operators get for a refusal.
  struct Form {
    let code: String
    let status: Int
    var event = ""
    var mesh = ""
    let text: String
    /// Seconds after which it is worth while to ask again.
    var retryAfter: Int?
  }

  var form: Form {
    switch self {
    // An unknown mailbox and one that this certificate may not use read the same: only its owner learns
    // that a mailbox exists.
    case .unknownMailbox:
      Form(
        code: "HOST-023", status: 403, event: "SEND", mesh: "EPL-151", text: "No mailbox matched")
    case .certificateNotOfMailbox:
      Form(
        code: "HOST-024", status: 403, event: "SEND", mesh: "EPL-151", text: "No mailbox matched")
    case .malformedAuthorization:
      Form(code: "HOST-020", status: 403, text: "Error reading from Authorization header")
    case .otherMailboxInToken:
      Form(code: "HOST-021", status: 403, text: "Mailbox id does not match token")
    case .tokenOutOfTime:
      Form(
        code: "HOST-022", status: 403,
        text: "Authentication Token is more than 2 hours from server time")
    case .wrongToken:
      Form(code: "HOST-025", status: 403, text: "Invalid Authentication Token")
    case .tokenUsedBefore:
      Form(code: "HOST-026", status: 403, text: "Error Duplicated Authentication Token")
    case .tokenMemoryFull:
      Form(
        code: "HOST-027", status: 503, text: "Too many requests; try again in a minute",
        retryAfter: 60)
    case .malformedAccept:
      Form(code: "HOST-028", status: 400, text: "Accept header api format incorrect")
    case .invalid:
      Form(code: "HOST-029", status: 400, text: "Invalid request")
    case .controlCharacters:
      Form(
        code: "HOST-030", status: 400, event: "TRANSFER", mesh: "06", text: "MalformedControlFile")
    case .emptyRecipient:
      Form(code: "HOST-031", status: 400, event: "SEND", mesh: "08", text: "TO_DTS missing")
    case .forbiddenChecksum:
      Form(
        code: "HOST-032", status: 400, event: "SEND", mesh: "Invalid checksum",
        text: "Invalid checksum")
    case .unknownMessage:
      Form(
        code: "HOST-033", status: 404, event: "RECEIVE", mesh: "20", text: "Message does not exist")
    case .notFound:
      Form(code: "HOST-034", status: 404, text: "Not Found")
    case .messageOfAnotherMailbox:
      Form(code: "HOST-035", status: 403, text: "Forbidden")
    case .messageGone:
      Form(
        code: "HOST-036", status: 410, event: "SEND", mesh: "Message already accepted",
        text: "Message no longer available for download")
    case .unregisteredRecipient:
      Form(
        code: "HOST-037", status: 417, event: "SEND", mesh: "12", text: "Unregistered to address")
    case .workflowNotRegistered:
      Form(
        code: "HOST-038", status: 417, event: "SEND", mesh: "17",
        text: "Workflow ID not registered for mailbox")
    case .emptyBody:
      Form(
        code: "HOST-039", status: 417, event: "COLLECT", mesh: "02",
        text: "Data file is missing or inaccessible.")
    case .invalidChunkRange:
      Form(
        code: "HOST-040", status: 417, event: "SEND", mesh: "InvalidHeaderChunks",
        text: "Invalid chunk values: not a part and a total, or not the part of the path")
    case .unsupportedEncoding:
      Form(
        code: "HOST-041", status: 422, event: "SEND", mesh: "UnsupportedContentEncoding",
        text: "Unsupported content encoding")
    case .tooLarge:
      Form(
        code: "HOST-042", status: 413, event: "SEND", mesh: "TooLarge",
        text: "Message is larger than this service takes")
    case .busy:
      Form(code: "HOST-043", status: 503, text: "Not now; try again", retryAfter: 2)
    case .localIDNotUnique:
      Form(code: "HOST-044", status: 300, text: "Multiple Choices")
    case .unknownPath:
      Form(code: "HOST-045", status: 404, text: "Not Found")
    case .methodNotAllowed:
      Form(code: "HOST-046", status: 405, text: "Method Not Allowed")
    case .bodyCutOff:
      Form(code: "HOST-047", status: 400, text: "Request body ended early")
    case .failed:
      Form(code: "HOST-048", status: 500, text: "An internal error occurred")
    default: partForm
    }
  }

  /// Of what has to do with parts, compression and quotas.
  private var partForm: Form {
    func chunks(_ code: String, _ text: String) -> Form {
      Form(
        code: code, status: 417, event: "SEND", mesh: "InvalidHeaderChunks",
        text: "Invalid chunk values: \(text)")
    }
    return switch self {
    case .tooManyAtOnce:
      Form(
        code: "HOST-049", status: 429, text: "Too many requests of this mailbox at once",
        retryAfter: 1)
    case .overQuota:
      Form(
        code: "HOST-050", status: 429, event: "SEND",
        text: "Too many messages of this mailbox wait or are being uploaded", retryAfter: 60)
    case .expandsTooFar:
      Form(
        code: "HOST-051", status: 413, event: "SEND", mesh: "TooLarge",
        text: "Message expands to more than this service takes")
    case .notGzip:
      Form(
        code: "HOST-052", status: 422, event: "SEND", mesh: "UnsupportedContentEncoding",
        text: "Content is not whole gzip")
    case .partBeyondTotal:
      Form(code: "HOST-053", status: 406, event: "SEND", text: "Part is beyond the message's last")
    case .uploadFinished:
      Form(code: "HOST-054", status: 423, event: "SEND", text: "Message is no longer uploading")
    case .encodingChanged: chunks("HOST-055", "cannot change content encoding")
    case .totalChanged: chunks("HOST-056", "the number of parts has changed")
    case .partsMissing: chunks("HOST-057", "the last part came before others; send them, then it")
    default: chunks("HOST-058", "more parts than this service takes")
    }
  }

  /// The message that the refusal names.
  private var message: CarrierMessageID? {
    switch self {
    case .invalidChunkRange(let id): id
    case .encodingChanged(let id), .totalChanged(let id), .partsMissing(let id): id
    default: nil
    }
  }

  /// Answers after which clients send the same header again by themselves.
  var isRepeatedByClients: Bool { [425, 429, 502, 503, 504].contains(form.status) }

  /// The body in the form of the version; validation errors have one form in both.
  ///
  /// - Parameter reference: names the request in the log.
  func body(_ version: MeshVersion, reference: String) -> JSONValue {
    if case .invalid(let faults) = self {
      return [
        "detail": .array(
          faults.map { fault in
            [
              "type": .string(fault.type), "loc": .array(fault.location.map(JSONValue.string)),
              "msg": .string(fault.text),
            ]
          })
      ]
    }
    let form = form
    var members: [String: JSONValue]
    switch version {
    case .one:
      members = [
        "errorEvent": .string(form.event), "errorCode": .string(form.mesh),
        "errorDescription": .string(form.text),
      ]
      members["messageID"] = message.map { .string($0.text) }
    case .two:
      members = [
        "internal_id": .string(reference),
        "detail": [
          ["event": .string(form.event), "code": .string(form.mesh), "msg": .string(form.text)]
        ],
      ]
      members["message_id"] = message.map { .string($0.text) }
    }
    return .object(members)
  }
}

extension HostRefusal.Fault {
  static func missing(header name: String) -> Self {
    Self(type: "missing", location: ["header", name], text: "Field required")
  }

  static func tooLong(header name: String, limit: Int) -> Self {
    Self(
      type: "string_too_long", location: ["header", name],
      text: "String should have at most \(limit) characters")
  }

  static func query(_ name: String, type: String, _ text: String) -> Self {
    Self(type: type, location: ["query", name], text: text)
  }
}
