import Exchange

/// The headers of a message that is being sent, checked (MESH API specification, "Send message").
struct HostSubmission {
  /// Trimmed, not yet an identifier: a name that cannot be a mailbox is an unregistered one.
  let recipient: String
  let metadata: MeshMetadata
  /// `1:1`, or `1:k` for the first part of several.
  let range: MeshChunkRange
  /// How the body is coded on the wire: nil or `gzip`.
  let encoding: String?

  /// Characters that each header may have.
  private static let limits = [
    ("mex-to", 100), ("mex-workflowid", 300), ("mex-chunk-range", 20), ("mex-subject", 500),
    ("mex-localid", 300), ("mex-filename", 300), ("mex-partnerid", 500),
    ("mex-content-encrypted", 20), ("mex-content-compressed", 20), ("mex-content-checksum", 100),
    ("mex-content-type", 100), ("content-type", 255),
  ]

  /// - Parameter header: the value of a header by its lower-case name.
  init(header: (String) -> String?, partsPerMessage: Int) throws(HostRefusal) {
    var faults: [HostRefusal.Fault] = []
    var values: [String: String] = [:]
    for (name, limit) in Self.limits {
      guard let value = header(name) else { continue }
      if value.count > limit { faults.append(.tooLong(header: name, limit: limit)) }
      values[name] = value
    }
    for name in ["mex-to", "mex-workflowid"] where values[name] == nil {
      faults.append(.missing(header: name))
    }
    guard faults.isEmpty else { throw .invalid(faults) }
    func given(_ name: String) -> String? {
      guard let value = values[name], !value.isEmpty else { return nil }
      return value
    }

    guard !values.values.contains(where: { $0.unicodeScalars.contains { $0.value < 0x20 } }),
      !["mex-to", "mex-workflowid", "mex-content-checksum"].contains(where: { name in
        let value = (values[name] ?? "").lowercased()
        return value.hasPrefix("http://") || value.hasPrefix("https://")
      })
    else { throw .controlCharacters }
    guard let recipient = given("mex-to").map({ trimmed($0) }), !recipient.isEmpty else {
      throw .emptyRecipient
    }
    guard let workflow = given("mex-workflowid") else {
      throw .invalid([.missing(header: "mex-workflowid")])
    }
    if let checksum = given("mex-content-checksum"), !checksum.utf8.allSatisfy(mayStandInChecksum) {
      throw .forbiddenChecksum
    }
    guard let range = given("mex-chunk-range").map(MeshChunkRange.init) ?? .whole, range.part == 1
    else { throw .invalidChunkRange(nil) }
    guard range.total <= partsPerMessage else { throw .tooManyParts }
    encoding = try contentEncoding(header)
    self.range = range
    self.recipient = recipient
    metadata = MeshMetadata(
      workflowID: workflow, localID: given("mex-localid"), subject: given("mex-subject"),
      fileName: given("mex-filename"), partnerID: given("mex-partnerid"),
      checksum: given("mex-content-checksum"),
      contentType: range == .whole
        ? given("content-type") ?? given("mex-content-type")
        : given("mex-content-type") ?? given("content-type"),
      isEncrypted: isTrue(values["mex-content-encrypted"]),
      isCompressed: isTrue(values["mex-content-compressed"]))
  }
}

/// The headers of a further part, checked.
struct HostPart {
  let range: MeshChunkRange
  let encoding: String?

  /// - Parameters:
  ///   - part: its number as the path has it.
  ///   - id: of the message, for the refusal.
  init(
    header: (String) -> String?, part: String, id: CarrierMessageID?
  ) throws(HostRefusal) {
    guard let range = header("mex-chunk-range").flatMap({ MeshChunkRange($0) }),
      range.part == decimal(part)
    else { throw .invalidChunkRange(id) }
    self.range = range
    encoding = try contentEncoding(header)
  }
}

/// Nil for a plain body, else `gzip`.
private func contentEncoding(_ header: (String) -> String?) throws(HostRefusal) -> String? {
  let encoding = trimmed(header("content-encoding") ?? "").lowercased()
  guard encoding.isEmpty || encoding == "gzip" else { throw .unsupportedEncoding }
  return encoding.isEmpty ? nil : encoding
}

private func isTrue(_ text: String?) -> Bool {
  ["y", "yes", "t", "true", "on", "1"].contains((text ?? "").lowercased())
}

private func mayStandInChecksum(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: " "), UInt8(ascii: ":"),
    UInt8(ascii: "-"), UInt8(ascii: "/"):
    true
  default: false
  }
}
