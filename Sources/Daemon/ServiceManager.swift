import Dispatch
import Glibc

/// Tells systemd how we are, where it asks (`NOTIFY_SOCKET`; sd_notify(3)). Whether it hears is not our
/// trouble.
package enum ServiceManager {
  package enum State: Equatable, Sendable {
    case ready
    /// With the monotonic clock's microseconds, as reloading is told (sd_notify(3)).
    case reloading
    case stopping

    var text: String {
      switch self {
      case .ready: "READY=1"
      case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(ServiceManager.microseconds)"
      case .stopping: "STOPPING=1"
      }
    }
  }

  package static func tell(_ state: State) {
    guard let name = getenv("NOTIFY_SOCKET") else { return }
    tell(state, at: String(cString: name))
  }

  /// - Parameter name: a path, or `@` and an abstract name (unix(7)).
  static func tell(_ state: State, at name: String) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var path = Array(name.utf8)
    guard let first = path.first, ["/", "@"].contains(Character(UnicodeScalar(first))),
      path.count < MemoryLayout.size(ofValue: address.sun_path)
    else { return }
    let length = MemoryLayout<sa_family_t>.size + path.count + (first == UInt8(ascii: "@") ? 0 : 1)
    if first == UInt8(ascii: "@") { path[0] = 0 }
    // Shorter than the room; what is left of it is zero and ends a path.
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { return }
    defer { close(number) }
    let bytes = Array(state.text.utf8)
    withUnsafePointer(to: &address) { pointer in
      // An address of any family begins as `sockaddr` does: how sendto(2) takes it.
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        _ = sendto(
          number, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), generic,
          socklen_t(length))
      }
    }
  }

  /// Of CLOCK_MONOTONIC, as sd_notify(3) wants them.
  private static var microseconds: Int64 {
    let nanoseconds = DispatchTime.now().uptimeNanoseconds
    return Int64(clamping: nanoseconds / 1000)
  }
}
