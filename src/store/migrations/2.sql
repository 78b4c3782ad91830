-- Version 2: episodes are looked at when their time comes, patients lead to their episodes, operators ask for actions.

-- When time alone changes something in the episode; 0 looks at once at what version 1 left.
ALTER TABLE episode ADD COLUMN look_at INTEGER;
UPDATE episode SET look_at = 0;
CREATE INDEX episode_look ON episode (look_at) WHERE look_at IS NOT NULL;

-- Keyed references of the patients that an episode's events named.
CREATE TABLE episode_patient (
    patient TEXT NOT NULL,
    episode_id TEXT NOT NULL,
    PRIMARY KEY (patient, episode_id)
) WITHOUT ROWID;

DROP INDEX delivery_useful;
DROP INDEX delivery_waiting;
CREATE INDEX delivery_waiting ON delivery (episode_id) WHERE state IN ('WITHHELD', 'HELD');
CREATE INDEX event_episode ON event (episode_id, id);

-- What operators asked for, and what came of it. `action` and `outcome` are JSON of ours.
CREATE TABLE request (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    action TEXT NOT NULL,
    done_at INTEGER,
    outcome TEXT
);
CREATE INDEX request_open ON request (id) WHERE done_at IS NULL;
