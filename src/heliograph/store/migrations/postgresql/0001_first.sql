-- The first schema, PostgreSQL. Kept beside its twin in ../sqlite/: same tables, same columns, same names.
--
-- What is searched or changed stands in short rows (`alerts`), what was said is appended to the `journal` and
-- never changed. Every primary key begins with the site, so that sites can be spread over several databases. Times are
-- ms since the epoch, bodies are JSON as bytes.

-- `claims`: scope and key of the claims that came with it. `attempts`: how each stands (store/standing.py).
-- `pages`: how many it has in the journal.
CREATE TABLE alerts (
    site      TEXT NOT NULL,
    id        TEXT NOT NULL,
    created   BIGINT NOT NULL,
    recipient TEXT NOT NULL,
    template  TEXT NOT NULL,
    language  TEXT NOT NULL,
    state     TEXT NOT NULL,
    reason    TEXT NOT NULL,
    channel   TEXT NOT NULL,
    external  TEXT NOT NULL,
    send_at   BIGINT,
    claims    BYTEA NOT NULL,
    attempts  BYTEA NOT NULL,
    pages     BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);

-- Callbacks, due rows and people name an alert or an attempt by its id alone.
CREATE INDEX alerts_id ON alerts (id);

-- Lists: a site's alerts in the order of time. Those that somebody has to look for (held, refused, failed …) have an
-- index of their own; the others are most of all, and an alert on its way would be written to it again at each step.
CREATE INDEX alerts_site ON alerts (site, id);

CREATE INDEX alerts_ended ON alerts (site, state, id)
    WHERE state IN ('scheduled', 'refused', 'failed', 'expired', 'cancelled');

CREATE INDEX alerts_recipient ON alerts (site, recipient, created, id);

CREATE INDEX alerts_external ON alerts (site, external, id) WHERE external <> '';

-- One page for each commit that added to an alert. `entries`: lines of its timeline. `body`, `info`: the alert and the
-- caller's alertInfo (page 1). `attempt`, `sender`: an attempt that begins here. `answered`, `raw`, `known_as`: what the
-- provider answered to an attempt, and its own names for it.
CREATE TABLE journal (
    site     TEXT NOT NULL,
    alert    TEXT NOT NULL,
    page     BIGINT NOT NULL,
    entries  BYTEA NOT NULL,
    body     BYTEA,
    info     BYTEA,
    decision BYTEA,
    attempt  BYTEA,
    sender   TEXT,
    answered TEXT,
    raw      BYTEA,
    known_as BYTEA,
    PRIMARY KEY (site, alert, page)
);

-- A provider's own names for an attempt, where our id is not part of them. A row without an attempt holds the place of
-- one whose outcome is not written yet: its receipts wait in `early` (`waiting` 1).
CREATE TABLE attempt_references (
    site      TEXT NOT NULL,
    sender    TEXT NOT NULL,
    reference TEXT NOT NULL,
    alert     TEXT NOT NULL,
    attempt   TEXT NOT NULL,
    waiting   BIGINT NOT NULL,
    PRIMARY KEY (site, sender, reference)
);

CREATE TABLE early (
    site      TEXT NOT NULL,
    sender    TEXT NOT NULL,
    reference TEXT NOT NULL,
    event     TEXT NOT NULL,
    channel   TEXT NOT NULL,
    at        BIGINT NOT NULL,
    body      BYTEA NOT NULL,
    PRIMARY KEY (site, sender, reference, event)
);

CREATE INDEX early_at ON early (at);

CREATE TABLE claims (
    site     TEXT NOT NULL,
    scope    TEXT NOT NULL,
    key      TEXT NOT NULL,
    owner    TEXT NOT NULL,
    value    TEXT NOT NULL,
    until    BIGINT NOT NULL,
    released BIGINT NOT NULL,
    former   TEXT NOT NULL,
    grants   BIGINT NOT NULL,
    PRIMARY KEY (site, scope, key)
);

CREATE INDEX claims_until ON claims (until);

-- `value` is the nonce's timestamp (s).
CREATE TABLE nonces (
    site   TEXT NOT NULL,
    value  TEXT NOT NULL,
    key    TEXT NOT NULL,
    owner  TEXT NOT NULL,
    until  BIGINT NOT NULL,
    grants BIGINT NOT NULL,
    PRIMARY KEY (site, value, key)
);

CREATE INDEX nonces_value ON nonces (value);

-- The newest `until` of the nonces that were purged: one at or before it is never granted again.
CREATE TABLE floors (
    site  TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (site)
);

-- `wake` is the later of `at` and `lease`. `again`: it was asked for anew while somebody works on it.
CREATE TABLE due (
    site  TEXT NOT NULL,
    kind  TEXT NOT NULL,
    ref   TEXT NOT NULL,
    at    BIGINT NOT NULL,
    lease BIGINT NOT NULL,
    wake  BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    node  TEXT NOT NULL,
    again BIGINT NOT NULL,
    PRIMARY KEY (site, kind, ref)
);

CREATE INDEX due_wake ON due (wake);

-- Ids of providers' events, so that a repeated callback counts once. Events that we cannot read keep their body.
CREATE TABLE heard (
    site   TEXT NOT NULL,
    sender TEXT NOT NULL,
    event  TEXT NOT NULL,
    at     BIGINT NOT NULL,
    body   BYTEA NOT NULL,
    PRIMARY KEY (site, sender, event)
);

CREATE INDEX heard_at ON heard (at);

CREATE TABLE inbound (
    site      TEXT NOT NULL,
    recipient TEXT NOT NULL,
    at        BIGINT NOT NULL,
    event     TEXT NOT NULL,
    sender    TEXT NOT NULL,
    channel   TEXT NOT NULL,
    alert     TEXT NOT NULL,
    rule      TEXT NOT NULL,
    body      BYTEA NOT NULL,
    PRIMARY KEY (site, recipient, at, event)
);

-- `wanted` 1 is the memory of a withdrawn opt-out: an older event that arrives later does not bring it back.
CREATE TABLE opt_outs (
    site      TEXT NOT NULL,
    recipient TEXT NOT NULL,
    scope     TEXT NOT NULL,
    wanted    BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (site, recipient, scope)
);

CREATE TABLE capabilities (
    site      TEXT NOT NULL,
    sender    TEXT NOT NULL,
    recipient TEXT NOT NULL,
    asked     BIGINT NOT NULL,
    body      BYTEA NOT NULL,
    PRIMARY KEY (site, sender, recipient)
);

CREATE INDEX capabilities_asked ON capabilities (asked);

CREATE TABLE media (
    site         TEXT NOT NULL,
    digest       TEXT NOT NULL,
    content_type TEXT NOT NULL,
    data         BYTEA NOT NULL,
    PRIMARY KEY (site, digest)
);

CREATE TABLE uploads (
    site      TEXT NOT NULL,
    sender    TEXT NOT NULL,
    digest    TEXT NOT NULL,
    reference TEXT NOT NULL,
    expires   BIGINT NOT NULL,
    PRIMARY KEY (site, sender, digest)
);

-- The registry. A document without a body was removed.
CREATE TABLE documents (
    site     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body     BYTEA,
    PRIMARY KEY (site, kind, name)
);

CREATE INDEX documents_revision ON documents (revision);

CREATE TABLE counters (
    name  TEXT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (name)
);

INSERT INTO counters (name, value) VALUES ('revision', 0);
