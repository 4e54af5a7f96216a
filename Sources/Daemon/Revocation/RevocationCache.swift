import Crypto
import Foundation
import Glibc
import Seal

/// Fetched revocation lists in the state directory, so that a start needs no network: one file an address,
/// named by its SHA-256. What lies there was judged before it was written.
package struct RevocationCache: Sendable {
  private let folder: String

  package init(stateDirectory: String) { folder = stateDirectory + "/revocation" }

  func path(_ url: String) -> String {
    let name = SHA256.hash(data: Array(url.utf8)).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    return "\(folder)/\(name).crl"
  }

  /// The list as PEM; nil when it was never fetched, or what lies there is no list. Such a file must not
  /// keep everything else from being loaded: it counts as none, and the next fetch replaces it.
  package func read(_ url: String) -> String? {
    guard let bytes = try? BoundedFile.bytes(path(url), limit: RevocationFile.limit),
      let list = try? RevocationFile(bytes)
    else { return nil }
    return list.pem
  }

  /// Puts a list in place of the one before, whole or not at all.
  func write(_ list: RevocationFile, of url: String) -> Bool {
    let file = path(url)
    let fresh = file + ".new"
    // Where the folder cannot be made, neither can the file.
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    guard
      FileManager.default.createFile(
        atPath: fresh, contents: Data(list.pem.utf8), attributes: [.posixPermissions: 0o600]),
      let handle = FileHandle(forUpdatingAtPath: fresh)
    else { return false }
    defer { try? handle.close() }
    // Synced before it is named: after a power cut there is the old list or the new one.
    guard (try? handle.synchronize()) != nil else { return false }
    return rename(fresh, file) == 0
  }
}
