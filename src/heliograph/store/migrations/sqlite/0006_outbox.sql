-- What the brand is told. Kept beside its twin for the other engine: same tables, same columns, same names.

-- Events, written in the transaction of what they tell of. `state`: waiting, taken or failed. `since`: from when on it
-- waits. `until`: when it is removed, 0 while it waits.
CREATE TABLE outbox (
    site    TEXT NOT NULL,
    subject TEXT NOT NULL,
    number  INTEGER NOT NULL,
    type    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    state   TEXT NOT NULL,
    tries   INTEGER NOT NULL,
    why     TEXT NOT NULL,
    until   INTEGER NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (site, subject, number)
) STRICT;

CREATE INDEX outbox_waiting ON outbox (site, since) WHERE state = 'waiting';

CREATE INDEX outbox_failed ON outbox (site, at) WHERE state = 'failed';

CREATE INDEX outbox_until ON outbox (until) WHERE until > 0;

-- The number of a subject's last event, kept for longer than the events: numbers have no gap and never begin anew.
CREATE TABLE outbox_heads (
    site    TEXT NOT NULL,
    subject TEXT NOT NULL,
    number  INTEGER NOT NULL,
    born    INTEGER NOT NULL,
    PRIMARY KEY (site, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_heads_born ON outbox_heads (born);
