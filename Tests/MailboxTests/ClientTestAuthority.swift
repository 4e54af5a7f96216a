import Foundation
import Testing

@testable import Mailbox

/// Certificates for the client's tests, made by the `openssl` command: by another hand than the code
/// under test.
struct ClientTestAuthority: Sendable {
  /// PEM by file name: `ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key`, ...
  private let files: [String: [UInt8]]

  static let shared: Result<ClientTestAuthority, any Error> = Result { try make() }

  subscript(_ name: String) -> [UInt8] { files[name] ?? [] }

  /// `client` and `second` are of the authority `ca`; `stranger` is of `other`.
  func identity(
    _ name: String = "client", trusting authority: String = "ca", revocationFile: String? = nil
  ) throws -> TLSIdentity {
    try TLSIdentity(
      certificate: self["\(name).pem"], key: self["\(name).key"],
      authorities: self["\(authority).pem"],
      revocationFile: revocationFile)
  }

  private static func make() throws -> ClientTestAuthority {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mesh-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-ec", commands]
    process.currentDirectoryURL = folder
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "the openssl command is needed")
    var files: [String: [UInt8]] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      files[name] = Array(try Data(contentsOf: folder.appending(path: name)))
    }
    return ClientTestAuthority(files: files)
  }

  private static let commands = """
    key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    cat > ca.cnf <<END
    [ca]
    database = index.txt
    default_md = sha256
    default_crl_days = 30
    [server]
    subjectAltName = IP:127.0.0.1
    extendedKeyUsage = serverAuth
    [client]
    extendedKeyUsage = clientAuth
    END
    touch index.txt
    for ca in ca other; do
      openssl req -x509 $key -days 30 -subj "/CN=Invented authority $ca" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout $ca.key -out $ca.pem
    done
    issue() {
      openssl req -new $key -subj "/CN=$1" -keyout $1.key -out $1.csr
      openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 30 \
        -extfile ca.cnf -extensions $3 -out $1.pem
    }
    issue server ca server
    issue client ca client
    issue second ca client
    issue stranger other client
    crl="openssl ca -config ca.cnf -name ca -cert ca.pem -keyfile ca.key"
    $crl -gencrl -out clean.crl
    $crl -revoke server.pem
    $crl -gencrl -out revoked.crl
    """
}
