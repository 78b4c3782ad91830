-- Version 10: mail to those who keep a source.

-- The sources that are mailed of: since when mails are counted and how many were given, and when the next may be tried.
CREATE TABLE mail_source (
    name TEXT PRIMARY KEY,
    since INTEGER NOT NULL DEFAULT 0,
    given INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- Written in the transaction of what it tells of; `event_id` is the event that names the case, where one is stored.
CREATE TABLE mail (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    event_id INTEGER,
    body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX mail_source_at ON mail (source, at, id);
