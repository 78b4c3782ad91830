-- Version 5: a store that came back from a backup knows it, and knows which messages may have left in the life that it has forgotten.

-- One row a restore. What happened before `doubt_until` may have been taken in, and sent, after the backup was made.
CREATE TABLE restored (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    backup_at INTEGER,
    doubt_until INTEGER NOT NULL
);

-- 1 where the receiver may have the message since before a restore: it is asked before anything is sent.
ALTER TABLE delivery ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_doubt ON delivery (id) WHERE doubt = 1;
