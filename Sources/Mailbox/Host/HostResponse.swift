import Exchange
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
  static func json(
    _ value: JSONValue, status: HTTPResponse.Status = .ok, mediaType: String = "application/json"
  ) -> Response {
    Response(
      status: status, headers: [.contentType: mediaType],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.canonicalBytes)))
  }

  static func refusal(_ refusal: HostRefusal, _ version: MeshVersion, reference: String) -> Response
  {
    let isValidation = if case .invalid = refusal { true } else { false }
    var response = json(
      refusal.body(version, reference: reference), status: .init(code: refusal.form.status),
      mediaType: isValidation ? "application/json" : version.mediaType)
    response.headers.set("retry-after", refusal.form.retryAfter.map { String($0) })
    return response
  }
}

extension HTTPFields {
  /// Sets a header, or leaves it out when there is nothing to say.
  mutating func set(_ name: String, _ value: String?) {
    guard let value, !value.isEmpty, let name = HTTPField.Name(name) else { return }
    self[name] = value
  }
}

extension HostRefusal {
  static let unreadableCursor = HostRefusal.invalid([
    .query("continue_from", type: "value_error", "Not a cursor of this inbox")
  ])
}
