import Foundation
import Glibc

/// A file descriptor that is closed with its last owner.
final class Descriptor: Sendable {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { Glibc.close(number) }
}

/// The calls of the system that the control socket is made of: a Unix-domain stream socket which only root,
/// the daemon's own user and the configured group can reach. Nothing here waits without a limit.
enum ControlSocket {
  /// Bytes of a request or an answer, without the line end.
  static let maximumLine = 16 * 1024
  /// Connections that the system keeps until they are looked at.
  private static let backlog: Int32 = 8

  enum Line: Equatable {
    case read([UInt8])
    case failed(ControlProblem)
    /// Told to stop meanwhile.
    case stopped
  }

  /// Listens anew. What an earlier process left behind is removed: the caller owns the store, so that no
  /// other daemon of this configuration listens there.
  ///
  /// - Parameter group: whose members may connect too; nobody's when nil.
  static func listen(at path: String, group: gid_t? = nil) throws(ControlProblem) -> Descriptor {
    // Links are not followed.
    if let found = try? FileManager.default.attributesOfItem(atPath: path) {
      guard found[.type] as? FileAttributeType == .typeSocket else {
        throw .notOpened(errno: EEXIST)
      }
      guard unlink(path) == 0 else { throw .notOpened(errno: errno) }
    }
    let socket = try make()
    // Before it has a name: the file is never reachable for others, whatever the umask.
    guard fchmod(socket.number, 0o600) == 0 else { throw .notOpened(errno: errno) }
    let failure = at(path) { Glibc.bind(socket.number, $0, $1) == 0 ? 0 : errno }
    guard failure == 0 else { throw .notOpened(errno: failure) }
    if let group {
      // The group first: at no time may another than it reach the file. The umask has no say in chmod(2).
      guard lchown(path, uid_t.max, group) == 0, chmod(path, 0o660) == 0 else {
        let reason = errno
        unlink(path)
        throw .notOpened(errno: reason)
      }
    }
    guard Glibc.listen(socket.number, backlog) == 0 else { throw .notOpened(errno: errno) }
    return socket
  }

  static func remove(at path: String) { unlink(path) }

  /// Throws CTRL-001 where the file may not be reached, CTRL-005 and CTRL-010.
  static func connect(to path: String) throws(ControlProblem) -> Descriptor {
    let socket = try make()
    switch at(path, { Glibc.connect(socket.number, $0, $1) == 0 ? 0 : errno }) {
    case 0: return socket
    case EACCES, EPERM: throw .notAllowed
    case EAGAIN: throw .busy
    default: throw .notReached
    }
  }

  /// The next connection; nil when there is none after all.
  static func accept(_ socket: Descriptor) -> Descriptor? {
    let number = Glibc.accept(socket.number, nil, nil)
    guard number >= 0 else { return nil }
    let connection = Descriptor(number)
    guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0, fcntl(number, F_SETFL, O_NONBLOCK) == 0 else {
      return nil
    }
    return connection
  }

  /// The user at the other end when it connected, as the kernel knows it.
  static func peer(of connection: Descriptor) -> uid_t? {
    // `struct ucred` of unix(7): process, user and group, 32 bits each.
    var words: [UInt32] = [0, 0, 0]
    let wanted = socklen_t(words.count * MemoryLayout<UInt32>.size)
    var length = wanted
    guard getsockopt(connection.number, SOL_SOCKET, SO_PEERCRED, &words, &length) == 0,
      length == wanted
    else { return nil }
    return words[1]
  }

  /// Waits until there is something to read: true; or until it is told to stop, or time is up.
  static func wait(
    for descriptor: Descriptor, stop: Descriptor?, milliseconds: Int32
  ) -> Bool {
    var waiting = [pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)]
    // poll(2) passes over what is negative.
    waiting.append(pollfd(fd: stop?.number ?? -1, events: Int16(POLLIN), revents: 0))
    guard poll(&waiting, nfds_t(waiting.count), milliseconds) > 0 else { return false }
    return waiting[1].revents == 0 && waiting[0].revents != 0
  }

  /// One line without its end, which must be the last that comes.
  static func readLine(
    _ connection: Descriptor, within patience: Duration, stop: Descriptor? = nil
  ) -> Line {
    let clock = ContinuousClock()
    let end = clock.now + patience
    var line: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(connection.number, &buffer, buffer.count, 0)
      if count > 0 {
        line += buffer.prefix(count)
        if let place = line.firstIndex(of: UInt8(ascii: "\n")) {
          guard place <= maximumLine else { return .failed(.tooLong) }
          guard place == line.count - 1 else { return .failed(.malformed("more than a line")) }
          return .read(Array(line.dropLast()))
        }
        if line.count > maximumLine { return .failed(.tooLong) }
      } else if count == 0 {
        return .failed(.malformed("no line end"))
      } else if errno == EINTR {
        continue
      } else if errno != EAGAIN {
        return .failed(.noAnswer)
      }
      if let stop, wait(for: stop, stop: nil, milliseconds: 0) { return .stopped }
      let left = end - clock.now
      guard left > .zero else { return .failed(.tooSlow) }
      let milliseconds = Int32(max(1, min(60_000, (left / .milliseconds(1)).rounded(.up))))
      if count < 0 { _ = wait(for: connection, stop: stop, milliseconds: milliseconds) }
    }
  }

  /// Sends a line as far as the system takes it at once: it takes all, a line is far shorter than its
  /// buffer. Whoever went away does not get it.
  static func send(_ line: [UInt8], to connection: Descriptor) {
    sendAll(line + [UInt8(ascii: "\n")], to: connection)
  }

  static func sendAll(_ bytes: [UInt8], to connection: Descriptor) {
    _ = Glibc.send(connection.number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  private static func make() throws(ControlProblem) -> Descriptor {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard number >= 0 else { throw .notOpened(errno: errno) }
    let made = Descriptor(number)
    guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0, fcntl(number, F_SETFL, O_NONBLOCK) == 0 else {
      throw .notOpened(errno: errno)
    }
    return made
  }

  /// The socket's address. A path that is too long for one goes by its open directory.
  private static func at(
    _ file: String, _ work: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    var path = Array(file.utf8)
    var folder: Descriptor?
    if path.count >= room {
      let slash = file.lastIndex(of: "/") ?? file.startIndex
      let (directory, name) = (String(file[..<slash]), file[slash...].drop { $0 == "/" })
      let number = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard number >= 0 else { return errno }
      folder = Descriptor(number)
      path = Array("/proc/self/fd/\(number)/\(name)".utf8)
    }
    return withExtendedLifetime(folder) {
      // Shorter than the room; what is left of it is zero and ends the text.
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
      return withUnsafePointer(to: &address) { pointer in
        // An address of any family begins as `sockaddr` does: how bind(2) and connect(2) take them.
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          work($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
    }
  }
}
