import Foundation

/// One Sallyport as it is installed: configuration, key ring, and what is in force by them.
///
/// `check`, `serve` and the commands that read the store all load it here.
package struct Installation: Sendable {
  /// The configuration's file, as it was named; read again by a reload.
  package let file: String
  package let configuration: Configuration
  package let ring: KeyRing
  package let regime: Regime
  package let connections: Connections

  /// - Throws: every problem that was found, in the order of the files.
  package static func load(
    configurationFile: String
  ) throws(ConfigurationProblems) -> Installation {
    var (configuration, problems) = try read(configurationFile)
    guard let configuration else { throw problems }
    do throws(ConfigurationProblems) {
      let ring = try ring(configuration)
      let regime = Result { () throws(ConfigurationProblems) in
        try Regime.load(configuration, ring: ring)
      }
      let connections = Result { () throws(ConfigurationProblems) in
        try Connections.load(configuration)
      }
      switch (regime, connections) {
      case (.success(let regime), .success(let connections)):
        guard problems.list.isEmpty else { throw problems }
        return Installation(
          file: configurationFile, configuration: configuration, ring: ring, regime: regime,
          connections: connections)
      case (.failure(let one), .failure(let other)):
        throw ConfigurationProblems(one.list + other.list)
      case (.failure(let one), _): throw one
      case (_, .failure(let other)): throw other
      }
    } catch {
      problems.list += error.list.filter { !problems.list.contains($0) }
      throw problems
    }
  }

  /// The same with another ring.
  func with(_ ring: KeyRing) throws(ConfigurationProblems) -> Installation {
    Installation(
      file: file, configuration: configuration, ring: ring,
      regime: try Regime.load(configuration, ring: ring), connections: connections)
  }

  /// Configuration alone: what it takes to reach the daemon, or for a ring that is not finished.
  package static func configuration(
    file: String
  ) throws(ConfigurationProblems) -> Configuration {
    let (configuration, problems) = try read(file)
    guard let configuration, problems.list.isEmpty else { throw problems }
    return configuration
  }

  /// Configuration and key ring alone: what it takes to read the store.
  package static func keys(
    configurationFile: String
  ) throws(ConfigurationProblems) -> (Configuration, KeyRing) {
    let (configuration, problems) = try read(configurationFile)
    guard let configuration, problems.list.isEmpty else { throw problems }
    return (configuration, try ring(configuration))
  }

  private static func read(
    _ file: String
  ) throws(ConfigurationProblems) -> (Configuration?, ConfigurationProblems) {
    let path = file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
    let text: String
    do {
      text = try BoundedFile.text(path)
    } catch {
      throw problem("CONF-010", file, error.text, "name it with --config FILE")
    }
    let directory = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)
    return Configuration.read(text: text, file: file, directory: String(directory))
  }

  private static func ring(_ configuration: Configuration) throws(ConfigurationProblems) -> KeyRing
  {
    let keys = configuration.keys
    do {
      let ring = try KeyRing(keys: KeyRingFile(keys).read())
      let open = [keys.ringFile, keys.keyEncryptionKeyFile].compactMap(BoundedFile.openToOthers)
      guard open.isEmpty else { throw ConfigurationProblems(open) }
      return ring
    } catch let error as KeyRingProblem {
      throw problem(error.code, keys.ringFile, error.text, "see \(error.code) in docs/errors.md")
    } catch let error as ConfigurationProblems {
      throw error
    } catch let error as BoundedFile.Problem {
      throw problem("CONF-010", error.path, error.text, "check keys in the configuration")
    } catch {
      throw problem("KEYS-002", keys.ringFile, "the key ring cannot be read", "check its owner")
    }
  }

  private static func problem(
    _ code: String, _ file: String, _ text: String, _ hint: String
  ) -> ConfigurationProblems {
    ConfigurationProblems([.init(code: code, file: file, line: nil, text: text, hint: hint)])
  }
}
