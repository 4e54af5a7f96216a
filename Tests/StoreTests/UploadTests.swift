import Exchange
import Testing

@testable import Store

@Suite struct UploadTests {
  let fixture: StoreFixture
  private static let police = StoreFixture.police

  init() throws { fixture = try StoreFixture() }

  private func begin(
    _ store: Store, _ name: String = "M1", total: Int = 3, local: String? = "ref-1",
    quota: Int = 10, at now: Instant = .start
  ) async throws -> Bool {
    try await store.openUpload(
      NewUpload(
        message: #require(CarrierMessageID(name)), submitter: Self.police,
        submission: Submission(submittedBy: Self.police, localID: local, workflow: "W"),
        total: total, encoding: nil, firstPart: Array("marked-one".utf8)),
      quota: quota, at: now)
  }

  private func upload(_ store: Store, _ name: String = "M1") async throws -> UploadView? {
    try await store.upload(#require(CarrierMessageID(name)), by: Self.police)
  }

  @Test func `a part that was kept is there after a power cut, sealed`() async throws {
    let store = try await fixture.open()
    #expect(try await begin(store))
    let open = try #require(try await upload(store))
    #expect(try await store.keepPart(2, Array("marked-two".utf8), of: open))
    // The files as they are when the call returns.
    let image = try fixture.image()
    let again = try image.openPlain()
    let kept = try #require(try await upload(again))
    #expect(kept.lengths == [1: 10, 2: 10])
    #expect(kept.total == 3 && kept.openedAt == .start && kept.submission.localID == "ref-1")
    let end = try await again.finishUpload(
      kept, lastPart: Array("marked-three".utf8), inbox: "mailbox", quota: 10, at: .start)
    #expect(end == .whole)
    let raw = try await again.rawWaiting(limit: 10)
    #expect(raw.map(\.bytes) == [Array("marked-onemarked-twomarked-three".utf8)])
    #expect(raw.map(\.submittedBy) == [Self.police])
    #expect(raw.map(\.localID) == ["ref-1"])
    #expect(raw.map(\.carrier.message.text) == ["M1"])
    #expect(try await upload(again) == nil)
    #expect(try await again.submissions(localID: "ref-1", by: Self.police).count == 1)
    for files in [try fixture.allBytes(), try image.allBytes()] {
      #expect(!String(decoding: files, as: UTF8.self).contains("marked"))
      #expect(!String(decoding: files, as: UTF8.self).contains("ref-1"))
    }
  }

  @Test func `before the last part nothing waits to be opened`() async throws {
    let store = try await fixture.open()
    #expect(try await begin(store))
    #expect(try await store.rawWaiting(limit: 10).isEmpty)
    #expect(try await store.submissions(localID: "ref-1", by: Self.police).isEmpty)
    #expect(try await store.uploads(localID: "ref-1", by: Self.police).count == 1)
  }

  @Test func `an upload is its submitter's alone`() async throws {
    let store = try await fixture.open()
    #expect(try await begin(store))
    let id = try #require(CarrierMessageID("M1"))
    #expect(try await store.upload(id, by: StoreFixture.prison) == nil)
    #expect(try await store.uploads(localID: "ref-1", by: StoreFixture.prison).isEmpty)
    #expect(try await store.uploads(by: StoreFixture.prison, since: .start, limit: 9).isEmpty)
  }

  @Test func `a message is not made whole of parts that changed meanwhile`() async throws {
    let store = try await fixture.open()
    #expect(try await begin(store))
    let first = try #require(try await upload(store))
    #expect(try await store.keepPart(2, [2], of: first))
    let seen = try #require(try await upload(store))
    #expect(try await store.keepPart(2, [22], of: seen))
    let end = try await store.finishUpload(
      seen, lastPart: [3], inbox: "mailbox", quota: 10, at: .start)
    #expect(end == .moved)
    let now = try #require(try await upload(store))
    #expect(now.lengths == [1: 10, 2: 1])
    #expect(
      try await store.finishUpload(now, lastPart: [3], inbox: "mailbox", quota: 10, at: .start)
        == .whole)
    #expect(try await store.keepPart(2, [2], of: now) == false)
    #expect(
      try await store.finishUpload(now, lastPart: [3], inbox: "mailbox", quota: 10, at: .start)
        == .moved)
  }

  @Test func `an upload whose number another got by now is not touched through the old one`()
    async throws
  {
    let store = try await fixture.open()
    #expect(try await begin(store, "M1"))
    let old = try #require(try await upload(store, "M1"))
    #expect(try await store.dropUploads(openedBefore: .start + .seconds(1), limit: 9) == 1)
    #expect(try await begin(store, "M2"))
    let new = try #require(try await upload(store, "M2"))
    #expect(new.number == old.number)
    #expect(try await store.keepPart(2, [2], of: old) == false)
    #expect(
      try await store.finishUpload(old, lastPart: [3], inbox: "mailbox", quota: 10, at: .start)
        == .moved)
    #expect(try await upload(store, "M2")?.lengths == [1: 10])
  }

  @Test func `uploads never finished are dropped by their age, and leave nothing`() async throws {
    let store = try await fixture.open()
    #expect(try await begin(store, "M1"))
    #expect(try await begin(store, "M2", at: .start + .seconds(60)))
    #expect(try await store.dropUploads(openedBefore: .start, limit: 9) == 0)
    #expect(try await store.dropUploads(openedBefore: .start + .seconds(60), limit: 9) == 1)
    #expect(try await upload(store, "M1") == nil)
    #expect(try await upload(store, "M2") != nil)
    let rows = try await store.read { db in
      try ["upload", "upload_part", "upload_key"].map {
        try db.number("SELECT count(*) FROM \($0)") ?? -1
      }
    }
    #expect(rows == [1, 1, 1])
  }

  @Test func `a party may have so many uploads open, and so many messages waiting`() async throws {
    let store = try await fixture.open()
    #expect(try await begin(store, "M1", quota: 2))
    #expect(try await begin(store, "M2", quota: 2))
    #expect(try await begin(store, "M3", quota: 2) == false)
    for (number, isKept) in [(1, true), (2, true), (3, false)] {
      let kept = try await store.keepSubmission(
        StoreFixture.carrier(number, inbox: "mailbox"), bytes: [1],
        submission: Submission(submittedBy: Self.police), quota: 2, at: .start)
      #expect(kept == isKept)
    }
    let other = try await store.keepSubmission(
      StoreFixture.carrier(4, inbox: "mailbox"), bytes: [1],
      submission: Submission(submittedBy: StoreFixture.prison), quota: 2, at: .start)
    #expect(other)
    let first = try #require(try await upload(store, "M1"))
    #expect(try await store.keepPart(2, [2], of: first))
    let ready = try #require(try await upload(store, "M1"))
    #expect(
      try await store.finishUpload(ready, lastPart: [3], inbox: "mailbox", quota: 2, at: .start)
        == .overQuota)
    #expect(try await upload(store, "M1") != nil)
  }
}
