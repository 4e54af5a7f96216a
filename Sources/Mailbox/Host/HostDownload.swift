import Exchange
import HTTPTypes
import Hummingbird
import NIOCore

/// A message as it is given out: in how many parts, and what each answer says.
struct HostDownload {
  let message: HostedMessage
  /// Where each part lies in the payload; none for a report.
  let parts: [Range<Int>]
  /// Whether the payload lies compressed and the client takes it so.
  private let staysCompressed: Bool

  /// - Parameter partBytes: a longer message is cut into parts of so many bytes, unless it must be given
  ///   out as it came.
  init(_ message: HostedMessage, partBytes: Int, offersGzip: Bool) {
    self.message = message
    staysCompressed = message.metadata.contentEncoding == "gzip" && offersGzip
    if message.report != nil {
      parts = []
    } else if !message.partLengths.isEmpty {
      var start = 0
      parts = message.partLengths.map { length in
        defer { start += length }
        return start..<(start + length)
      }
    } else {
      // A compressed file must never be cut (MESH API specification, "Send message").
      let step = message.metadata.contentEncoding == nil ? partBytes : max(1, message.payloadLength)
      parts = stride(from: 0, to: max(1, message.payloadLength), by: step).map {
        $0..<min($0 + step, message.payloadLength)
      }
    }
  }

  /// In how many parts a message is given out.
  static func count(length: Int, partLengths: [Int], isReport: Bool, partBytes: Int) -> Int {
    if isReport { return 0 }
    if !partLengths.isEmpty { return partLengths.count }
    return max(1, (length + partBytes - 1) / partBytes)
  }

  /// 206 while further parts follow.
  func status(of part: Int) -> HTTPResponse.Status { part < parts.count ? .partialContent : .ok }

  /// - Throws: `Gzip.Problem` when what the keeper holds does not expand.
  func bytes(of part: Int, expandedUpTo limit: Int) throws -> [UInt8] {
    guard parts.indices.contains(part - 1) else { return [] }
    let stored = Array(message.payload[parts[part - 1]])
    let isPlain = message.metadata.contentEncoding == nil || staysCompressed
    return isPlain ? stored : try Gzip.expand(stored, limit: limit)
  }

  /// The headers of an answer. Lower-case names, as MESH servers send them.
  func fields(of part: Int, _ version: MeshVersion) -> HTTPFields {
    let (metadata, report) = (message.metadata, message.report)
    var fields = HTTPFields()
    fields.set("mex-messageid", message.id.text)
    fields.set("mex-messagetype", report == nil ? "DATA" : "REPORT")
    fields.set("mex-from", message.sender?.text)
    fields.set("mex-to", message.recipient.text)
    fields.set("mex-workflowid", metadata.workflowID)
    fields.set("mex-chunk-range", "\(part):\(parts.count)")
    fields.set("mex-total-chunks", String(parts.count))
    fields.set("mex-localid", metadata.localID)
    fields.set("mex-subject", metadata.subject)
    fields.set("mex-addresstype", "ALL")
    fields.set("mex-version", "1.0")
    if let report {
      fields.set("mex-linkedmsgid", report.linkedID.text)
      fields.set("mex-statuscode", report.code)
      fields.set("mex-statusevent", report.event)
      fields.set("mex-statusdescription", report.text)
      fields.set("mex-statussuccess", "ERROR")
      fields.set("mex-statustimestamp", report.at.meshTimestamp)
      return fields
    }
    fields.set("mex-partnerid", metadata.partnerID)
    fields.set("mex-filename", metadata.fileName ?? "\(message.id).dat")
    fields.set("mex-content-checksum", metadata.checksum)
    fields.set("mex-content-encrypted", metadata.isEncrypted ? "Y" : nil)
    fields.set("mex-content-compressed", metadata.isCompressed || staysCompressed ? "Y" : nil)
    fields.set("mex-content-type", metadata.contentType)
    fields.set("mex-statuscode", MeshStatus.goodCode)
    fields.set("mex-statusevent", MeshStatus.goodEvent)
    fields.set("mex-statusdescription", MeshStatus.goodText)
    fields.set("mex-statussuccess", "SUCCESS")
    fields.set("mex-statustimestamp", message.acceptedAt.meshTimestamp)
    fields.set("content-encoding", staysCompressed ? "gzip" : nil)
    let type = version == .two && parts.count == 1 ? metadata.contentType : nil
    fields.set("content-type", type ?? "application/octet-stream")
    return fields
  }
}

extension MeshStatus {
  /// What a service says of a message that it took and passed on.
  static let goodCode = "00"
  static let goodEvent = "TRANSFER"
  static let goodText = "Transferred to recipient mailbox"
}

/// Whether an `Accept-Encoding` header takes gzip (RFC 9110 12.5.3): named, or by `*`, and not with a
/// weight of 0.
func offersGzip(_ header: String?) -> Bool {
  var verdicts: [String: Bool] = [:]
  for item in (header ?? "").lowercased().split(separator: ",") {
    let parts = item.split(separator: ";").map { trimmed($0) }
    let weight = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
    let isZero = weight.map { !$0.isEmpty && $0.allSatisfy { "0.".contains($0) } } ?? false
    if let name = parts.first { verdicts[name] = !isZero }
  }
  return verdicts["gzip"] ?? verdicts["x-gzip"] ?? verdicts["*"] ?? false
}
