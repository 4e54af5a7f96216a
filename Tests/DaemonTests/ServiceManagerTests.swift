import Foundation
import Glibc
import Testing

@testable import Daemon

/// A datagram socket as systemd has it, in a folder of its own.
private final class Listener {
  let folder: TemporaryFolder
  let path: String
  private let number: Int32

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/notify"
    number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    try #require(number >= 0 && path.utf8.count < MemoryLayout.size(ofValue: address.sun_path))
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let number = number
    let bound = withUnsafePointer(to: &address) { pointer in
      // An address of any family begins as `sockaddr` does: how bind(2) takes it.
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    try #require(bound)
  }

  deinit { close(number) }

  /// What came; nil when nothing did.
  func next() -> String? {
    var buffer = [UInt8](repeating: 0, count: 512)
    let count = recv(number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
  }
}

@Suite struct `systemd is told how the daemon is` {
  @Test func `ready, reloading with the time, stopping`() throws {
    let listener = try Listener()
    ServiceManager.tell(.ready, at: listener.path)
    #expect(listener.next() == "READY=1")
    ServiceManager.tell(.reloading, at: listener.path)
    let words = try #require(listener.next()).split(separator: "\n")
    #expect(words.first == "RELOADING=1")
    let time = try #require(words.last?.split(separator: "="))
    #expect(time.first == "MONOTONIC_USEC")
    #expect(time.last.flatMap { Int64($0) }.map { $0 > 0 } == true)
    ServiceManager.tell(.stopping, at: listener.path)
    #expect(listener.next() == "STOPPING=1")
  }

  @Test(arguments: ["", "relative", "/nowhere/at/all", String(repeating: "/x", count: 200)])
  func `an address that leads nowhere harms nobody`(name: String) {
    ServiceManager.tell(.ready, at: name)
  }
}
