-- Version 4: what is parked is sent again by hand.

-- Tries that were made before a person last sent it again: they are history, and no longer count against its limits.
ALTER TABLE delivery ADD COLUMN attempts_before INTEGER NOT NULL DEFAULT 0;
