import Foundation
package import Ledger
package import Store

/// One Sallyport as it is installed: configuration, key ring, and what is in force by them.
///
/// `check`, `serve` and the commands that read the store all load it here.
package struct Installation: Sendable {
  package let configuration: Configuration
  package let ring: KeyRing
  package let regime: Regime

  /// - Throws: every problem that was found, in the order of the files.
  package static func load(
    configurationFile: String
  ) throws(ConfigurationProblems) -> Installation {
    var (configuration, problems) = try read(configurationFile)
    guard let configuration else { throw problems }
    do throws(ConfigurationProblems) {
      let ring = try ring(configuration)
      let regime = try Regime.load(configuration, ring: ring)
      guard problems.list.isEmpty else { throw problems }
      return Installation(configuration: configuration, ring: ring, regime: regime)
    } catch {
      problems.list += error.list.filter { !problems.list.contains($0) }
      throw problems
    }
  }

  /// Configuration alone: what it takes to reach the daemon.
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
      let sealed = try BoundedFile.bytes(keys.ringFile)
      let key = try BoundedFile.bytes(keys.keyEncryptionKeyFile, limit: 64)
      return try KeyRing(opening: sealed, with: key)
    } catch let error as KeyRingProblem {
      throw problem(error.code, keys.ringFile, error.text, "see \(error.code) in docs/errors.md")
    } catch let error as BoundedFile.Problem {
      throw problem("CONF-010", keys.ringFile, error.text, "check keys in the configuration")
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

extension KeyRing {
  /// What the store needs of the ring.
  package func storeKeys() throws(StoreError) -> StoreKeys {
    let ofStore = try keys(.store).map { key throws(StoreError) in
      try StoreKeys.StoreKey(version: key.version, bytes: key.secret)
    }
    return try StoreKeys(
      store: ofStore[0], earlier: Array(ofStore.dropFirst()), lookup: current(.lookup).secret)
  }

  /// The key that signs checkpoints under the log's name.
  package func ledgerKey(origin: String) throws(LedgerProblem) -> SigningKey {
    try SigningKey(name: origin, seed: current(.ledger).secret)
  }
}
