-- Secrets that the installation makes for itself, sealed: the key that hides the numbers of erased people. Kept beside
-- its twin for the other engine: same tables, same columns, same names.
CREATE TABLE secrets (
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
