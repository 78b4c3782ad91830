-- Version 7: the audit log, and whom a document is about.

-- One row for each thing that was done or seen. Numbers have no gaps. Who did it, whom it is about and what was said stands in
-- `body`; `mac` binds the row to the one before (`audit/chain.rs`), and a row of `meta` to the last and to the first that is kept.
CREATE TABLE audit (
    n INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT,
    destination TEXT,
    episode_id TEXT,
    -- Keyed reference.
    patient TEXT,
    body BLOB NOT NULL,
    mac BLOB NOT NULL
);
CREATE INDEX audit_patient ON audit (patient, n) WHERE patient IS NOT NULL;
CREATE INDEX audit_episode ON audit (episode_id, n) WHERE episode_id IS NOT NULL;

-- Whom the document is about and whom it is for, JSON; written with it, for the log of what was disclosed.
ALTER TABLE delivery ADD COLUMN subject BLOB;
