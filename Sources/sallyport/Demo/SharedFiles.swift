import Foundation

/// The data that is shipped with the program: rulebook, bank holidays, examples.
enum SharedFiles {
  /// The folder that holds `rulebook` and `bank-holidays.json`: what the environment names, then `config`
  /// beside or above the program (a source tree), then the package's.
  static func directory() -> String? {
    var candidates: [String] = []
    if let named = ProcessInfo.processInfo.environment["SALLYPORT_SHARE"] {
      candidates.append(named)
    }
    if var folder = Bundle.main.executableURL?.resolvingSymlinksInPath() {
      for _ in 0..<6 {
        folder.deleteLastPathComponent()
        candidates.append(folder.appending(path: "config").path())
      }
    }
    candidates.append("/usr/share/sallyport")
    return candidates.first { FileManager.default.fileExists(atPath: $0 + "/rulebook") }
  }
}
