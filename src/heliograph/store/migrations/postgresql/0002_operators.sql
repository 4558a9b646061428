-- What operators see and write. Kept beside its twin for the other engine: same tables, same columns, same names.

-- How an opt-out came (provider, api, cli, file) and who wrote it down.
ALTER TABLE opt_outs ADD COLUMN how TEXT NOT NULL DEFAULT '';

ALTER TABLE opt_outs ADD COLUMN by_whom TEXT NOT NULL DEFAULT '';

-- When the no (or the yes) in force was first said; `at` is when it was last said, which decides against other events.
ALTER TABLE opt_outs ADD COLUMN since BIGINT NOT NULL DEFAULT 0;

UPDATE opt_outs SET since = at;

-- Attempts in doubt, so that they are found without looking through all: written only when one comes into doubt or out.
CREATE TABLE doubts (
    site    TEXT NOT NULL,
    attempt TEXT NOT NULL,
    alert   TEXT NOT NULL,
    sender  TEXT NOT NULL,
    since   BIGINT NOT NULL,
    PRIMARY KEY (site, attempt)
);

-- What each node says of its senders, every few seconds: a command in another process can tell how they fare.
CREATE TABLE sender_reports (
    site   TEXT NOT NULL,
    sender TEXT NOT NULL,
    node   TEXT NOT NULL,
    at     BIGINT NOT NULL,
    body   BYTEA NOT NULL,
    PRIMARY KEY (site, sender, node)
);
