import Glibc

/// The exclusive lock of a store's one owner, held on a file for the owner's whole life. The kernel lets
/// go of it when the process ends, however it ends.
final class StoreLock: Sendable {
  private let descriptor: Int32

  /// Throws STOR-001 when somebody holds it, STOR-005 when the file cannot be opened.
  init(directory: String) throws(StoreError) {
    let path = directory + "/lock"
    descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .cannotOpen(file: path, errno: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      Glibc.close(descriptor)
      throw reason == EWOULDBLOCK
        ? .owned(directory: directory) : .cannotOpen(file: path, errno: reason)
    }
  }

  deinit {
    // Said aloud: a child that is just being spawned holds a copy of the descriptor until it becomes
    // another program, and with it a lock that is only closed here (flock(2)).
    _ = flock(descriptor, LOCK_UN)
    Glibc.close(descriptor)
  }
}
