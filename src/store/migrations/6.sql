-- Name, revision and hash of the mapping that made the event; what is older came as it is.
ALTER TABLE event ADD COLUMN mapping TEXT NOT NULL DEFAULT 'canonical';
