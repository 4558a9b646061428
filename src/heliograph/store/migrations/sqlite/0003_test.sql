-- Whether an alert is a test key's: such ones count for no cap of live ones, and a test key sees no others. The same for
-- both engines.
ALTER TABLE alerts ADD COLUMN test INTEGER NOT NULL DEFAULT 0;
