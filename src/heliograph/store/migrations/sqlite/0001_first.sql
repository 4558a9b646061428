-- The first schema, SQLite. Kept beside its twin in ../postgresql/: same tables, same columns, same names.
--
-- What is searched or changed stands in short rows (`alerts`), what was said is appended to the `journal` and
-- never changed: a commit writes whole pages to the log, so a row that is changed again should share its page with many.
-- Short rows live in their own index (WITHOUT ROWID). Times are ms since the epoch, bodies are JSON as bytes.

-- The key is the id alone, unique over all sites: callbacks, due rows and people name an alert or an attempt by it,
-- and a file is never spread over databases.
--
-- `claims`: scope and key of the claims that came with it. `attempts`: how each stands (store/standing.py).
-- `pages`: how many it has in the journal.
CREATE TABLE alerts (
    site      TEXT NOT NULL,
    id        TEXT NOT NULL,
    created   INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    template  TEXT NOT NULL,
    language  TEXT NOT NULL,
    state     TEXT NOT NULL,
    reason    TEXT NOT NULL,
    channel   TEXT NOT NULL,
    external  TEXT NOT NULL,
    send_at   INTEGER,
    claims    BLOB NOT NULL,
    attempts  BLOB NOT NULL,
    pages     INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

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
    page     INTEGER NOT NULL,
    entries  BLOB NOT NULL,
    body     BLOB,
    info     BLOB,
    decision BLOB,
    attempt  BLOB,
    sender   TEXT,
    answered TEXT,
    raw      BLOB,
    known_as BLOB,
    PRIMARY KEY (site, alert, page)
) STRICT;

-- A provider's own names for an attempt, where our id is not part of them. A row without an attempt holds the place of
-- one whose outcome is not written yet: its receipts wait in `early` (`waiting` 1).
CREATE TABLE attempt_references (
    site      TEXT NOT NULL,
    sender    TEXT NOT NULL,
    reference TEXT NOT NULL,
    alert     TEXT NOT NULL,
    attempt   TEXT NOT NULL,
    waiting   INTEGER NOT NULL,
    PRIMARY KEY (site, sender, reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE early (
    site      TEXT NOT NULL,
    sender    TEXT NOT NULL,
    reference TEXT NOT NULL,
    event     TEXT NOT NULL,
    channel   TEXT NOT NULL,
    at        INTEGER NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY (site, sender, reference, event)
) STRICT, WITHOUT ROWID;

CREATE INDEX early_at ON early (at);

-- With a rowid: the index on `until` is then a third as wide (measured: 10 us less per alert).
CREATE TABLE claims (
    site     TEXT NOT NULL,
    scope    TEXT NOT NULL,
    key      TEXT NOT NULL,
    owner    TEXT NOT NULL,
    value    TEXT NOT NULL,
    until    INTEGER NOT NULL,
    released INTEGER NOT NULL,
    former   TEXT NOT NULL,
    grants   INTEGER NOT NULL,
    PRIMARY KEY (site, scope, key)
) STRICT;

CREATE INDEX claims_until ON claims (until);

-- `value` is the nonce's timestamp (s). The key begins with it: one short walk finds the oldest, and the nonces of one
-- moment share pages (measured: 13 us less per alert than as rows of `claims`).
CREATE TABLE nonces (
    site   TEXT NOT NULL,
    value  TEXT NOT NULL,
    key    TEXT NOT NULL,
    owner  TEXT NOT NULL,
    until  INTEGER NOT NULL,
    grants INTEGER NOT NULL,
    PRIMARY KEY (value, site, key)
) STRICT, WITHOUT ROWID;

-- The newest `until` of the nonces that were purged: one at or before it is never granted again.
CREATE TABLE floors (
    site  TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (site)
) STRICT, WITHOUT ROWID;

-- `wake` is the later of `at` and `lease`. `again`: it was asked for anew while somebody works on it.
CREATE TABLE due (
    site  TEXT NOT NULL,
    kind  TEXT NOT NULL,
    ref   TEXT NOT NULL,
    at    INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    wake  INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    node  TEXT NOT NULL,
    again INTEGER NOT NULL,
    PRIMARY KEY (site, kind, ref)
) STRICT, WITHOUT ROWID;

CREATE INDEX due_wake ON due (wake);

-- Ids of providers' events, so that a repeated callback counts once. Events that we cannot read keep their body.
CREATE TABLE heard (
    site   TEXT NOT NULL,
    sender TEXT NOT NULL,
    event  TEXT NOT NULL,
    at     INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (site, sender, event)
) STRICT, WITHOUT ROWID;

CREATE INDEX heard_at ON heard (at);

CREATE TABLE inbound (
    site      TEXT NOT NULL,
    recipient TEXT NOT NULL,
    at        INTEGER NOT NULL,
    event     TEXT NOT NULL,
    sender    TEXT NOT NULL,
    channel   TEXT NOT NULL,
    alert     TEXT NOT NULL,
    rule      TEXT NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY (site, recipient, at, event)
) STRICT, WITHOUT ROWID;

-- `wanted` 1 is the memory of a withdrawn opt-out: an older event that arrives later does not bring it back.
CREATE TABLE opt_outs (
    site      TEXT NOT NULL,
    recipient TEXT NOT NULL,
    scope     TEXT NOT NULL,
    wanted    INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (site, recipient, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE capabilities (
    site      TEXT NOT NULL,
    sender    TEXT NOT NULL,
    recipient TEXT NOT NULL,
    asked     INTEGER NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY (site, sender, recipient)
) STRICT, WITHOUT ROWID;

CREATE INDEX capabilities_asked ON capabilities (asked);

CREATE TABLE media (
    site         TEXT NOT NULL,
    digest       TEXT NOT NULL,
    content_type TEXT NOT NULL,
    data         BLOB NOT NULL,
    PRIMARY KEY (site, digest)
) STRICT;

CREATE TABLE uploads (
    site      TEXT NOT NULL,
    sender    TEXT NOT NULL,
    digest    TEXT NOT NULL,
    reference TEXT NOT NULL,
    expires   INTEGER NOT NULL,
    PRIMARY KEY (site, sender, digest)
) STRICT, WITHOUT ROWID;

-- The registry. A document without a body was removed.
CREATE TABLE documents (
    site     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body     BLOB,
    PRIMARY KEY (site, kind, name)
) STRICT;

CREATE INDEX documents_revision ON documents (revision);

CREATE TABLE counters (
    name  TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

INSERT INTO counters (name, value) VALUES ('revision', 0);
