-- What recipients answer. Kept beside its twin for the other engine: same tables, same columns, same names.

-- What is to be done is done in lanes (core.ports.LANES).
ALTER TABLE due ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;

DROP INDEX due_wake;

CREATE INDEX due_wake ON due (lane, wake);

-- A conversation's columns are those by which it is found; all of it is in its body. `touched`: its last change.
CREATE TABLE conversations (
    site      TEXT NOT NULL,
    id        TEXT NOT NULL,
    recipient TEXT NOT NULL,
    skill     TEXT NOT NULL,
    desk      TEXT NOT NULL,
    reference TEXT NOT NULL,
    state     TEXT NOT NULL,
    agent     TEXT NOT NULL,
    touched   INTEGER NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY (site, id)
) STRICT;

-- Inboxes: the last touched first, of a site, of one skill, of one agent and skill.
CREATE INDEX conversations_site ON conversations (site, state, touched, id);

CREATE INDEX conversations_skill ON conversations (site, state, skill, touched, id);

CREATE INDEX conversations_agent ON conversations (site, state, agent, skill, touched, id);

CREATE INDEX conversations_recipient ON conversations (site, recipient, state, id);

CREATE INDEX conversations_reference ON conversations (site, desk, reference) WHERE reference <> '';

-- What a node did not do itself, it sees by this.
CREATE INDEX conversations_touched ON conversations (touched);

-- One row per recipient who ever wrote: who writes a turn locks it, so that turns of one recipient have one order,
-- whichever nodes take them, and two first replies open one conversation.
CREATE TABLE people (
    site      TEXT NOT NULL,
    recipient TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (site, recipient)
) STRICT, WITHOUT ROWID;

CREATE TABLE turns (
    site         TEXT NOT NULL,
    conversation TEXT NOT NULL,
    number       INTEGER NOT NULL,
    body         BLOB NOT NULL,
    PRIMARY KEY (site, conversation, number)
) STRICT, WITHOUT ROWID;

-- Which conversations speak of an alert.
CREATE TABLE conversation_alerts (
    site         TEXT NOT NULL,
    alert        TEXT NOT NULL,
    conversation TEXT NOT NULL,
    PRIMARY KEY (site, alert, conversation)
) STRICT, WITHOUT ROWID;
