-- Who works in the console. Kept beside its twin for the other engine: same tables, same columns, same names.

-- The installation's own, of no site: one person may work for several.
CREATE TABLE users (
    name TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (name)
);

-- `digest`: the SHA-256 of what the cookie holds.
CREATE TABLE sessions (
    digest  TEXT NOT NULL,
    name    TEXT NOT NULL,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (digest)
);

CREATE INDEX sessions_name ON sessions (name);

CREATE INDEX sessions_until ON sessions (until);

-- Tries to log in within a window that began at `start`. `key`: a digest, since a name may be a password that was
-- typed into the wrong field.
CREATE TABLE logins (
    key   TEXT NOT NULL,
    start BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (key)
);

CREATE INDEX logins_start ON logins (start);

-- Who did what. The ids stand in the order of time.
CREATE TABLE audit (
    id   TEXT NOT NULL,
    who  TEXT NOT NULL,
    what TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX audit_who ON audit (who, id);
