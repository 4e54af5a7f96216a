extension Schema {
  /// Receipts that are owed to senders, each written by the commit of the outcome that it tells of, and
  /// where a receipt was made, the delivery of the same id. Copies alone count as deliveries of a party.
  static let receipts = """
    -- `state`: due, made, withheld (the rules let nothing be told), erased.
    CREATE TABLE receipt (
      number INTEGER PRIMARY KEY,
      exchange INTEGER NOT NULL REFERENCES exchange,
      leaf INTEGER NOT NULL REFERENCES leaf,
      delivery TEXT NOT NULL UNIQUE,
      party TEXT NOT NULL,
      state TEXT NOT NULL,
      try_at INTEGER NOT NULL,
      content BLOB NOT NULL
    ) STRICT;
    CREATE INDEX receipt_exchange ON receipt (exchange);
    CREATE INDEX receipt_due ON receipt (try_at, number) WHERE state = 'due';

    CREATE TRIGGER receipt_added AFTER INSERT ON receipt BEGIN
      INSERT INTO tally VALUES ('receipt', new.party, new.state, 1)
        ON CONFLICT DO UPDATE SET count = count + excluded.count;
    END;
    CREATE TRIGGER receipt_changed AFTER UPDATE OF state ON receipt WHEN old.state <> new.state BEGIN
      INSERT INTO tally VALUES ('receipt', old.party, old.state, -1)
        ON CONFLICT DO UPDATE SET count = count + excluded.count;
      INSERT INTO tally VALUES ('receipt', new.party, new.state, 1)
        ON CONFLICT DO UPDATE SET count = count + excluded.count;
    END;

    DROP TRIGGER delivery_added;
    DROP TRIGGER delivery_changed;
    CREATE TRIGGER delivery_added AFTER INSERT ON delivery
      WHEN NOT EXISTS (SELECT 1 FROM receipt WHERE delivery = new.id) BEGIN
      INSERT INTO tally VALUES ('delivery', new.party, new.state, 1)
        ON CONFLICT DO UPDATE SET count = count + excluded.count;
    END;
    CREATE TRIGGER delivery_changed AFTER UPDATE OF state ON delivery
      WHEN old.state <> new.state
        AND NOT EXISTS (SELECT 1 FROM receipt WHERE delivery = new.id) BEGIN
      INSERT INTO tally VALUES ('delivery', old.party, old.state, -1)
        ON CONFLICT DO UPDATE SET count = count + excluded.count;
      INSERT INTO tally VALUES ('delivery', new.party, new.state, 1)
        ON CONFLICT DO UPDATE SET count = count + excluded.count;
    END;
    """
}
