-- Version 1. Times are milliseconds since 1970 UTC. Nothing here is ever read by another program.

CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- One row a version of a source event. The key is a keyed reference; what may identify a person is in `body` and `origin`.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL,
    kind TEXT NOT NULL,
    episode_id TEXT NOT NULL,
    source TEXT NOT NULL,
    origin BLOB NOT NULL,
    body BLOB NOT NULL,
    findings TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    -- Raised with every change of fate; the source has been told up to `outcome_told`.
    outcome INTEGER NOT NULL DEFAULT 1,
    outcome_told INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX event_content ON event (key, hash);
CREATE UNIQUE INDEX event_version ON event (key, version);
CREATE INDEX event_untold ON event (source, id) WHERE outcome > outcome_told;

CREATE TABLE episode (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    phase TEXT NOT NULL,
    rules TEXT NOT NULL,
    -- Facts and sequence numbers.
    body BLOB NOT NULL,
    opened_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) WITHOUT ROWID;

-- One row a (message, destination). `open` = in its lane; `head` = first of its lane: only heads are claimed.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    destination TEXT NOT NULL,
    event_id INTEGER NOT NULL REFERENCES event (id),
    episode_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    rules TEXT NOT NULL,
    rules_hash TEXT NOT NULL,
    open INTEGER NOT NULL DEFAULT 0,
    head INTEGER NOT NULL DEFAULT 0,
    sequence INTEGER,
    document BLOB,
    content_hash BLOB,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    lease_until INTEGER,
    lease_token BLOB,
    last_answer TEXT,
    tried_at INTEGER,
    code TEXT,
    findings TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL,
    released_at INTEGER,
    settled_at INTEGER,
    useful_until INTEGER,
    UNIQUE (message_id, destination)
);
CREATE INDEX delivery_due ON delivery (destination, next_at, id) WHERE head = 1;
CREATE INDEX delivery_lane ON delivery (episode_id, destination, sequence) WHERE open = 1;
CREATE INDEX delivery_waiting ON delivery (episode_id) WHERE state = 'WITHHELD';
CREATE INDEX delivery_useful ON delivery (useful_until) WHERE state = 'WITHHELD';
CREATE INDEX delivery_event ON delivery (event_id);
CREATE INDEX delivery_state ON delivery (state, id);

-- One row a try, with all that is known of the answer.
CREATE TABLE attempt (
    delivery_id INTEGER NOT NULL REFERENCES delivery (id),
    n INTEGER NOT NULL,
    envelope_id TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    answer TEXT NOT NULL,
    code TEXT,
    http_status INTEGER,
    receipt BLOB,
    PRIMARY KEY (delivery_id, n, started_at)
) WITHOUT ROWID;

CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    code TEXT,
    state TEXT,
    event_ref TEXT,
    episode_id TEXT,
    message_id TEXT,
    destination TEXT,
    line TEXT NOT NULL
);
CREATE INDEX journal_message ON journal (message_id, id) WHERE message_id IS NOT NULL;
CREATE INDEX journal_episode ON journal (episode_id, id) WHERE episode_id IS NOT NULL;
CREATE INDEX journal_event_ref ON journal (event_ref, id) WHERE event_ref IS NOT NULL;

CREATE TABLE alarm (
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    code TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    PRIMARY KEY (name, subject)
) WITHOUT ROWID;
