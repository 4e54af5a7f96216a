import ArgumentParser
import Daemon
import Exchange
import Foundation
import Ledger
import Rules
import Store

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Reads everything as the daemon does and reports every mistake at once. Reads only.",
    discussion: """
      Examples:
        sallyport check --config /etc/sallyport/sallyport.yaml
        sallyport check --config sallyport.yaml --json

      Exit codes: 0 good, 78 something is wrong.
      """)

  @OptionGroup var option: ConfigurationOption
  @Flag(help: "One JSON document.") var json = false

  private struct Stage: Encodable {
    let name: String
    let good: Bool
    let text: String
    let problems: [Problem]
  }

  private struct Problem: Encodable {
    let code: String
    let file: String
    let line: Int?
    let text: String
    let hint: String
  }

  private struct Document: Encodable {
    let good: Bool
    let stages: [Stage]
  }

  func run() async throws {
    var stages: [Stage] = []
    do {
      let installation = try Installation.load(configurationFile: option.file)
      stages.append(good("configuration", option.file))
      stages += facts(of: installation)
      stages.append(certificateStage(installation))
      stages.append(await storeStage(installation))
      stages.append(ledgerStage(installation))
    } catch {
      stages.append(
        Stage(
          name: "configuration", good: false, text: option.file,
          problems: error.list.map {
            Problem(code: $0.code, file: $0.file, line: $0.line, text: $0.text, hint: $0.hint)
          }))
    }
    let good = stages.allSatisfy(\.good)
    if json {
      Say.answer(JSONText.of(Document(good: good, stages: stages)))
    } else {
      tell(stages)
    }
    if !good { throw Exit.configuration }
  }

  private func good(_ name: String, _ text: String) -> Stage {
    Stage(name: name, good: true, text: text, problems: [])
  }

  private func bad(_ name: String, code: String, file: String, text: String, hint: String) -> Stage
  {
    Stage(
      name: name, good: false, text: text,
      problems: [Problem(code: code, file: file, line: nil, text: text, hint: hint)])
  }

  private func facts(of installation: Installation) -> [Stage] {
    let regime = installation.regime
    let today = Instant.wallClock.londonDate
    var stages = [
      good("rulebook", regime.policy.rulebook.digest),
      good("agreement", "\(regime.policy.parties.count) parties"),
      good("keys", "\(installation.ring.keys.count) keys in the ring"),
    ]
    if regime.calendar.runsOut(within: 365, of: today) {
      stages.append(
        bad(
          "calendar", code: "CAL-010", file: installation.configuration.bankHolidaysFile,
          text: "bank holidays are known only to \(regime.calendar.coveredThrough)",
          hint: "fetch https://www.gov.uk/bank-holidays.json"))
    } else {
      stages.append(good("calendar", "bank holidays to \(regime.calendar.coveredThrough)"))
    }
    return stages
  }

  private func certificateStage(_ installation: Installation) -> Stage {
    let (ended, ending) = installation.regime.certificateProblems(
      file: installation.configuration.agreementFile, at: .wallClock)
    return Stage(
      name: "certificates", good: ended.isEmpty,
      text: ended.isEmpty ? "all valid, \(ending.count) to end within 30 days" : "some have ended",
      problems: (ended + ending).map {
        Problem(code: $0.code, file: $0.file, line: $0.line, text: $0.text, hint: $0.hint)
      })
  }

  private func storeStage(_ installation: Installation) async -> Stage {
    let directory = installation.configuration.stateDirectory
    guard FileManager.default.fileExists(atPath: directory) else {
      return good("store", "\(directory) is not there yet; the first start makes it")
    }
    do throws(StoreError) {
      let store = try Store.open(
        directory: directory, keys: installation.ring.storeKeys(), mode: .reader)
      return good("store", "\(try await store.counts().leaves) ledger entries")
    } catch {
      return bad(
        "store", code: error.code, file: directory,
        text: "\(error)", hint: "is the key-encryption key that of this store?")
    }
  }

  private func ledgerStage(_ installation: Installation) -> Stage {
    let ledger = installation.configuration.ledger
    guard FileManager.default.fileExists(atPath: ledger.directory + "/checkpoint") else {
      return good("ledger", "nothing published yet")
    }
    do {
      let key = try installation.ring.ledgerKey(origin: ledger.origin).verifierKey
      let folder = LedgerFolder(ledger.directory)
      let report = LedgerVerifier(files: folder, ledger: key).check(
        kept: try folder.keptCheckpoints())
      if report.isSound { return good("ledger", "\(report.size ?? 0) entries verify") }
      return Stage(
        name: "ledger", good: false, text: ledger.directory,
        problems: report.problems.map {
          Problem(
            code: $0.code.rawValue, file: $0.file ?? ledger.directory, line: nil,
            text: $0.description, hint: $0.code.nextStep)
        })
    } catch {
      let code =
        (error as? LedgerProblem)?.code.rawValue ?? (error as? StoreError)?.code ?? "STOR-005"
      return bad(
        "ledger", code: code, file: ledger.directory, text: "\(error)",
        hint: "sallyport audit verify --key @\(ledger.directory)/vkey \(ledger.directory)")
    }
  }

  private func tell(_ stages: [Stage]) {
    for stage in stages {
      Say.answer("  \(stage.good ? "✓" : "✗") \(stage.name.padded(to: 14)) \(stage.text)")
      for problem in stage.problems {
        let place = problem.line.map { "\(problem.file):\($0)" } ?? problem.file
        Say.answer("      \(place): \(problem.text)  \(problem.code)\n        \(problem.hint)")
      }
    }
    let count = stages.reduce(0) { $0 + $1.problems.count }
    Say.answer(count == 0 ? "All good." : "\(count) problem(s).")
  }
}

extension String {
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
