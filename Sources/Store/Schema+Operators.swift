/// What operators keep back, and what their lists need.
extension Schema {
  static let operators = """
    -- Exchanges that an operator put on hold, until they are released.
    CREATE TABLE hold (
      exchange INTEGER PRIMARY KEY REFERENCES exchange,
      since INTEGER NOT NULL
    ) STRICT;
    -- When what is held was last decided again with the same result. `look_again` counts from here on:
    -- a look takes off what it has seen, and what came meanwhile stays.
    ALTER TABLE exchange ADD COLUMN looked_at INTEGER;
    CREATE INDEX deadline_running ON deadline (state, number)
      WHERE state IN ('owed', 'reminded', 'overdue', 'escalated');
    -- What was answered and never collected leaves its mailbox in its time: each is asked for that once.
    UPDATE delivery SET next_clock = 0 WHERE state = 'acknowledged' AND listed = 1;
    """
}
