-- Who works in the console. Kept beside its twin for the other engine: same tables, same columns, same names.

-- The installation's own, of no site: one person may work for several.
CREATE TABLE users (
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

-- `digest`: the SHA-256 of what the cookie holds.
CREATE TABLE sessions (
    digest  TEXT NOT NULL,
    name    TEXT NOT NULL,
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    PRIMARY KEY (digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_name ON sessions (name);

CREATE INDEX sessions_until ON sessions (until);

-- Tries to log in within a window that began at `start`. `key`: a digest, since a name may be a password that was
-- typed into the wrong field.
CREATE TABLE logins (
    key   TEXT NOT NULL,
    start INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (key)
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_start ON logins (start);

-- Who did what. The ids stand in the order of time.
CREATE TABLE audit (
    id   TEXT NOT NULL,
    who  TEXT NOT NULL,
    what TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_who ON audit (who, id);
