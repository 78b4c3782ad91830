-- Version 8: alarms of every kind, and the notices of them that wait to be given.

-- `told_at`: when it was last told; `seen_at`: when it was last seen to stand; `step`: how bad, where it has steps.
ALTER TABLE alarm ADD COLUMN told_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarm ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarm ADD COLUMN step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarm ADD COLUMN figure INTEGER;
UPDATE alarm SET told_at = opened_at, seen_at = opened_at;

-- The ways out that are configured. A notice is written once for each, in the transaction of what it tells of.
CREATE TABLE output (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    output TEXT NOT NULL,
    notice_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL
);
CREATE INDEX notice_output ON notice (output, id);

-- When a source last gave a new event, or was first seen in the configuration.
CREATE TABLE heard (source TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

CREATE INDEX delivery_refused ON delivery (settled_at) WHERE state = 'REFUSED';
