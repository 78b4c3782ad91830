-- Version 3: receipts that come later, and tries of which nobody knows how they ended.

-- Until when a receipt is waited for; empty where none is. `receipt_at` is where the receiver said that it can be asked for.
ALTER TABLE delivery ADD COLUMN receipt_by INTEGER;
ALTER TABLE delivery ADD COLUMN receipt_at BLOB;
UPDATE delivery SET receipt_by = next_at WHERE state = 'WAITING_FOR_RECEIPT';

-- What is sent and what is asked for are claimed apart: a closed route keeps back the one and not the other.
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (destination, next_at, id) WHERE head = 1 AND receipt_by IS NULL;
CREATE INDEX delivery_asked ON delivery (destination, next_at, id) WHERE head = 1 AND receipt_by IS NOT NULL;
