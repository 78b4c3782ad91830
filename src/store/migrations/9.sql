-- Version 9: what is old goes. What has been emptied says when; an event outlives its episode as a tombstone; a legal hold keeps.

ALTER TABLE delivery ADD COLUMN purged_at INTEGER;
ALTER TABLE event ADD COLUMN purged_at INTEGER;
ALTER TABLE request ADD COLUMN purged_at INTEGER;
-- Of a tombstone alone: the states that its messages ended in, and the highest number that they had in their lanes.
ALTER TABLE event ADD COLUMN fate TEXT;
ALTER TABLE event ADD COLUMN last_number INTEGER;

CREATE INDEX delivery_kept ON delivery (settled_at, id) WHERE purged_at IS NULL AND settled_at IS NOT NULL;
CREATE INDEX event_kept ON event (received_at, id) WHERE purged_at IS NULL;
CREATE INDEX event_tombstone ON event (received_at, id) WHERE fate IS NOT NULL;
CREATE INDEX episode_ended ON episode (changed_at, id) WHERE look_at IS NULL;

-- `subject` is an episode's id, a patient's keyed reference, or * for everything.
CREATE TABLE legal_hold (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    set_by TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason BLOB NOT NULL,
    lifted_at INTEGER,
    lifted_by TEXT
);
