import Crypto
import Exchange
import Foundation
import Glibc

/// The ring as it lies on disk, and the file of the key that opens it.
package struct KeyRingFile: Sendable {
  package let path: String
  package let keyEncryptionKeyFile: String

  package init(path: String, keyEncryptionKeyFile: String) {
    (self.path, self.keyEncryptionKeyFile) = (path, keyEncryptionKeyFile)
  }

  package init(_ keys: Configuration.Keys) {
    self.init(path: keys.ringFile, keyEncryptionKeyFile: keys.keyEncryptionKeyFile)
  }

  /// The ring before the last change, kept once.
  package var previousPath: String { path + ".previous" }

  /// - Throws: KEYS-001, KEYS-002, `BoundedFile.Problem`.
  package func read() throws -> [KeyRing.Key] {
    let sealed = try BoundedFile.bytes(path)
    return try KeyRing.keys(opening: sealed, with: keyEncryptionKey())
  }

  private func keyEncryptionKey() throws -> [UInt8] {
    try BoundedFile.bytes(keyEncryptionKeyFile, limit: 64)
  }

  /// Puts another ring in its place so that a crash leaves the one or the other, whole.
  ///
  /// - Parameter keepsPrevious: false where what was given up must not lie about any longer.
  /// - Throws: KEYS-008.
  package func replace(with ring: KeyRing, keepsPrevious: Bool) throws {
    let bytes = try ring.sealed(under: keyEncryptionKey())
    let temporary = path + ".new"
    try write(bytes, to: temporary)
    FaultPoint.beforeRingRename.reached()
    if keepsPrevious, let current = try? BoundedFile.bytes(path) {
      try write(current, to: previousPath + ".new")
      try move(previousPath + ".new", to: previousPath)
    }
    try move(temporary, to: path)
    FaultPoint.afterRingRename.reached()
    if !keepsPrevious, unlink(previousPath) != 0, errno != ENOENT {
      throw KeyRingProblem.cannotWrite(file: previousPath, errno: errno)
    }
    try sync()
  }

  /// Writes a first ring; what is there already is left alone. The key that opens it is made if it is
  /// not there.
  ///
  /// - Throws: KEYS-008, KEYS-009.
  package func create(_ ring: KeyRing) throws {
    guard access(path, F_OK) != 0 else { throw KeyRingProblem.exists(file: path) }
    if access(keyEncryptionKeyFile, F_OK) != 0 {
      try write(KeyBytes.random(32).copy, to: keyEncryptionKeyFile)
    }
    try replace(with: ring, keepsPrevious: false)
  }

  private func write(_ bytes: [UInt8], to file: String) throws(KeyRingProblem) {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .cannotWrite(file: file, errno: errno) }
    defer { close(descriptor) }
    // A ring has some thousand bytes: what is not taken at once will not be taken.
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
      throw .cannotWrite(file: file, errno: errno)
    }
  }

  private func move(_ file: String, to name: String) throws(KeyRingProblem) {
    guard rename(file, name) == 0 else { throw .cannotWrite(file: name, errno: errno) }
    try sync()
  }

  private func sync() throws(KeyRingProblem) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let directory = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw .cannotWrite(file: folder, errno: errno) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw .cannotWrite(file: folder, errno: errno) }
  }
}

extension KeyRing {
  private static let header = Array("sallyport-key-ring/2\n".utf8)

  /// The ring as it lies on disk: a header, then AES-256-GCM under the key-encryption key.
  package func sealed(under keyEncryptionKey: [UInt8]) throws(KeyRingProblem) -> [UInt8] {
    guard keyEncryptionKey.count == 32 else { throw .wrongKeyEncryptionKey }
    let content = JSONValue.array(keys.map(\.json))
    let box = try? AES.GCM.seal(
      content.canonicalBytes, using: SymmetricKey(data: keyEncryptionKey),
      authenticating: KeyRing.header)
    guard let sealed = box?.combined else { throw .cannotOpen }
    return KeyRing.header + sealed
  }

  /// KEYS-001 to KEYS-003.
  package init(opening bytes: [UInt8], with keyEncryptionKey: [UInt8]) throws(KeyRingProblem) {
    try self.init(keys: try KeyRing.keys(opening: bytes, with: keyEncryptionKey))
  }

  fileprivate static func keys(
    opening bytes: [UInt8], with keyEncryptionKey: [UInt8]
  ) throws(KeyRingProblem) -> [Key] {
    guard keyEncryptionKey.count == 32 else { throw .wrongKeyEncryptionKey }
    guard bytes.starts(with: header),
      let box = try? AES.GCM.SealedBox(combined: bytes.dropFirst(header.count)),
      let content = try? AES.GCM.open(
        box, using: SymmetricKey(data: keyEncryptionKey), authenticating: header),
      let items = try? JSONValue.parse(content).array
    else { throw .cannotOpen }
    var keys: [Key] = []
    for item in items {
      guard let key = Key(item) else { throw .cannotOpen }
      keys.append(key)
    }
    return keys
  }
}

extension KeyRing.Key {
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = [
      "use": .string(use.rawValue), "version": .integer(Int64(version)),
      "secret": .string(Data(secret).base64EncodedString()),
      "created": .integer(created.milliseconds), "state": .string(state.word),
      "changed": [
        "at": .integer(change.at.milliseconds), "by": .string(change.by),
        "reason": .string(change.reason),
      ],
    ]
    if case .accepted(let until) = state { members["until"] = .integer(until.milliseconds) }
    members["certificate"] = certificate.map { .string($0) }
    members["publicKey"] = publicKey.map { .string(Data($0).base64EncodedString()) }
    return .object(members)
  }

  fileprivate init?(_ json: JSONValue) {
    guard let use = json["use"]?.string.flatMap(KeyRing.Use.init(rawValue:)),
      let version = json["version"]?.integer.flatMap({ Int(exactly: $0) }),
      let secret = json["secret"]?.string.flatMap({ Data(base64Encoded: $0) }),
      let created = json["created"]?.integer, let word = json["state"]?.string,
      let state = KeyRing.State(word: word, until: json["until"]?.integer),
      let changed = json["changed"], let at = changed["at"]?.integer,
      let by = changed["by"]?.string, let reason = changed["reason"]?.string
    else { return nil }
    self.init(
      use: use, version: version, material: KeyBytes(secret),
      certificate: json["certificate"]?.string, created: Instant(milliseconds: created),
      state: state,
      change: KeyRing.Change(at: Instant(milliseconds: at), by: by, reason: reason),
      publicKey: json["publicKey"]?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) })
  }
}

extension KeyRing.State {
  fileprivate init?(word: String, until: Int64?) {
    switch (word, until) {
    case ("requested", nil): self = .requested
    case ("active", nil): self = .active
    case ("accepted", .some(let until)): self = .accepted(until: Instant(milliseconds: until))
    case ("retired", nil): self = .retired
    default: return nil
    }
  }
}
