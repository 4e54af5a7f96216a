extension Schema {
  /// Deliveries on their way to mailboxes at other services: by which carrier, when one is looked at next,
  /// and by which id the carrier knows it. `state` is `queued` before the first post, `done` at the end,
  /// and the machine's word in between.
  static let carriages =
    """
    CREATE TABLE carriage (
      number INTEGER PRIMARY KEY REFERENCES delivery,
      carrier TEXT NOT NULL,
      state TEXT NOT NULL,
      next_at INTEGER,
      message TEXT
    ) STRICT;
    CREATE INDEX carriage_due ON carriage (carrier, next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX carriage_message ON carriage (carrier, message) WHERE message IS NOT NULL;
    """ + tallyTriggers("carriage carrier")
}
