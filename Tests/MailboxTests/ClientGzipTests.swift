import Foundation
import Testing

@testable import Mailbox

/// What the `gzip` command makes of bytes: another hand than the code under test.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
  let file = FileManager.default.temporaryDirectory.appending(path: "gzip-\(UUID())")
  try Data(bytes).write(to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  let (process, output) = (Process(), Pipe())
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = ["gzip", "-9", "-c", file.path]
  process.standardOutput = output
  try process.run()
  let made = Array(try output.fileHandleForReading.readToEnd() ?? Data())
  process.waitUntilExit()
  return made
}

@Suite struct `Bytes coded as gzip` {
  private let text = Array(String(repeating: "An invented notice. ", count: 20_000).utf8)

  @Test func `come out as they went in, one member or several`() throws {
    let random = (0..<100_000).map { _ in UInt8.random(in: 0...255) }
    for bytes in [text, random, [7], []] {
      #expect(try Gzip.expand(gzipped(bytes), limit: 400_000) == bytes)
    }
    let two = try gzipped([1, 2]) + gzipped([3])
    #expect(try Gzip.expand(two, limit: 3) == [1, 2, 3])
  }

  @Test func `are refused when they are cut anywhere, changed, or followed by something`() throws {
    let whole = try gzipped(Array("An invented notice.".utf8))
    for length in whole.indices {
      #expect(throws: Gzip.Problem.malformed, "\(length)") {
        try Gzip.expand(Array(whole[..<length]), limit: 1000)
      }
    }
    var changed = whole
    changed[changed.count - 5] ^= 1
    #expect(throws: Gzip.Problem.malformed) { try Gzip.expand(changed, limit: 1000) }
    #expect(throws: Gzip.Problem.malformed) { try Gzip.expand(whole + [0], limit: 1000) }
  }

  @Test func `are refused beyond the limit, to the byte`() throws {
    let coded = try gzipped(text)
    #expect(try Gzip.expand(coded, limit: text.count).count == text.count)
    #expect(throws: Gzip.Problem.tooLarge) { try Gzip.expand(coded, limit: text.count - 1) }
  }

  @Test func `are refused beyond a hundredfold, whatever the limit`() throws {
    // 64 MiB of zeros become about 64 KiB.
    let bomb = try gzipped([UInt8](repeating: 0, count: 64 * 1_048_576))
    #expect(bomb.count < 70_000)
    #expect(throws: Gzip.Problem.tooLarge) { try Gzip.expand(bomb, limit: 1 << 30) }
  }
}
