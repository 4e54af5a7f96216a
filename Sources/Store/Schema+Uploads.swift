extension Schema {
  /// Messages that parties send in parts, until the last part came; and what quotas and listings of what
  /// a party handed in look up.
  ///
  /// A key of an upload lies in a table of its own like all others: rows of one length, filled at the
  /// end.
  static let uploads = """
    CREATE TABLE upload_key (
      number INTEGER PRIMARY KEY,
      version INTEGER NOT NULL,
      wrapped BLOB NOT NULL
    ) STRICT;
    CREATE TABLE upload (
      number INTEGER PRIMARY KEY,
      exchange TEXT NOT NULL UNIQUE,
      message TEXT NOT NULL UNIQUE,
      submitter BLOB NOT NULL,
      submission BLOB,
      content BLOB NOT NULL,
      total INTEGER NOT NULL,
      encoding TEXT,
      opened_at INTEGER NOT NULL,
      revision INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX upload_submitter ON upload (submitter, number);
    CREATE INDEX upload_submission ON upload (submission) WHERE submission IS NOT NULL;
    CREATE INDEX upload_opened ON upload (opened_at);
    CREATE TABLE upload_part (
      upload INTEGER NOT NULL REFERENCES upload,
      part INTEGER NOT NULL,
      length INTEGER NOT NULL,
      sealed BLOB NOT NULL,
      PRIMARY KEY (upload, part)
    ) STRICT;
    CREATE INDEX exchange_submitter ON exchange (submitter, number) WHERE submitter IS NOT NULL;
    CREATE INDEX exchange_waiting ON exchange (submitter)
      WHERE state = 'waiting' AND submitter IS NOT NULL;
    """
}
