import Glibc

/// Who may act through the control socket: root, the daemon's own user, and the members of a group that the
/// configuration names. The kernel says who is at the other end, and the system's user database who belongs
/// to the group.
struct ControlAccess: Sendable {
  /// Nil where the configuration names none.
  let group: gid_t?

  /// - Throws: CTRL-013 when the system knows no such group.
  init(group name: String?) throws(ControlProblem) {
    guard let name else {
      group = nil
      return
    }
    var entry = Glibc.group()
    var found: UnsafeMutablePointer<Glibc.group>?
    var buffer = [CChar](repeating: 0, count: 64 * 1024)
    guard getgrnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
      throw .noSuchGroup(name)
    }
    group = entry.gr_gid
  }

  func admits(_ user: uid_t) -> Bool {
    if user == 0 || user == geteuid() { return true }
    guard let group else { return false }
    return ControlAccess.account(of: user) { account in
      // One user is in 65536 groups at most (NGROUPS_MAX of limits.h).
      var groups = [gid_t](repeating: 0, count: 65_536)
      var count = Int32(groups.count)
      guard getgrouplist(account.pw_name, account.pw_gid, &groups, &count) >= 0 else {
        return false
      }
      return groups.prefix(Int(count)).contains(group)
    } ?? false
  }

  /// Number and, where it resolves, name.
  static func name(of user: uid_t) -> String {
    let name = account(of: user) { account in account.pw_name.map { String(cString: $0) } }
    return (name ?? nil).map { "uid \(user) (\($0))" } ?? "uid \(user)"
  }

  /// What the system knows of a user, while `work` looks at it.
  private static func account<Value>(of user: uid_t, _ work: (passwd) -> Value) -> Value? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16 * 1024)
    guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
      return nil
    }
    // `entry` points into `buffer`, which is still there; the system ends its texts with a zero.
    return withExtendedLifetime(buffer) { work(entry) }
  }
}
