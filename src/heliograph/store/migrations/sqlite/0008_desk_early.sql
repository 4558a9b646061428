-- What a desk tells of a conversation before we have written down under which name it has it: a bot may answer at once.
-- Kept beside its twin for the other engine: same tables, same columns, same names.
CREATE TABLE desk_early (
    site      TEXT NOT NULL,
    desk      TEXT NOT NULL,
    reference TEXT NOT NULL,
    event     TEXT NOT NULL,
    at        INTEGER NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY (site, desk, reference, event)
) STRICT, WITHOUT ROWID;

CREATE INDEX desk_early_at ON desk_early (at);
