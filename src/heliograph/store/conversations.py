"""Conversations as they are read and listed. Every list walks one index from a place on (keyset)."""

from __future__ import annotations

from uuid import uuid4

import msgspec

from heliograph.core.conversation import Conversation, State, Turn
from heliograph.core.ports import Inbox, Queue
from heliograph.store.codec import encode
from heliograph.store.outside import short
from heliograph.store.verb import Row, Verb

COUNTED = 100  # conversations of a queue that are counted at most
LOOKED_AT = 500  # changed ones that a node reads at once
NOBODY = "-"  # as an agent: conversations that nobody has claimed
_LATEST = (2**62, "z")  # after every place
conversation_in = msgspec.json.Decoder(Conversation).decode
turn_in = msgspec.json.Decoder(Turn).decode


def new_id(now: int) -> str:
    """An id in the order of time, ending in three zeros, like those of alerts (core.alert)."""
    moment, bits = f"{now:012x}", uuid4().hex
    return f"{moment[:8]}-{moment[8:]}-7{bits[:3]}-a{bits[4:7]}-{bits[7:16]}000"


def put(one: Conversation) -> Verb[None]:
    values = (one.site, one.id, one.recipient, short(one.skill), one.desk, short(one.reference), one.state.value)
    yield "conversation_put", (*values, short(one.agent), one.touched, encode(one))


def read(site: str, id: str) -> Verb[Conversation | None]:
    rows = yield "conversation_read", (site, id)
    return conversation_in(rows[0][0]) if rows else None


def lock(site: str, id: str) -> Verb[Conversation | None]:
    """The conversation, which nobody else changes until the commit."""
    rows = yield "conversation_lock", (site, id)
    return conversation_in(rows[0][0]) if rows else None


def open_with(site: str, recipient: str) -> Verb[list[Conversation]]:
    """The open ones of a recipient, the newest first."""
    rows = yield "conversations_with", (site, recipient, State.OPEN.value, 50)
    return [conversation_in(row[0]) for row in rows]


def of(site: str, recipient: str, limit: int) -> Verb[list[Conversation]]:
    """Those of a recipient, open or closed, the newest first."""
    found: list[Conversation] = []
    for state in State:
        rows = yield "conversations_with", (site, recipient, state.value, limit)
        found += (conversation_in(row[0]) for row in rows)
    return sorted(found, key=lambda one: one.id, reverse=True)[:limit]


def about(site: str, alert: str) -> Verb[list[Conversation]]:
    rows = yield "conversations_speaking", (site, alert, 20)
    return [conversation_in(row[0]) for row in rows]


def at(site: str, desk: str, reference: str) -> Verb[Conversation | None]:
    """The newest one that a desk knows by this name. A desk that takes our own id for it may speak before its answer to
    the opening is written down, or after it closed it: it is heard all the same."""
    rows = yield "conversation_referred", (site, desk, short(reference), 1)
    if rows:
        return conversation_in(rows[0][0])
    own = yield from read(site, short(reference))
    return own if own is not None and own.desk == desk and not own.reference else None


def touched(since: int) -> Verb[list[Conversation]]:
    rows = yield "conversations_touched", (since, LOOKED_AT)
    return [conversation_in(row[0]) for row in rows]


def inbox(wanted: Inbox) -> Verb[list[Conversation]]:
    """The last touched first. Several skills are several walks, merged."""
    if wanted.recipient:
        return (yield from _with_one(wanted))
    place = wanted.before or _LATEST
    where = (wanted.site, wanted.state.value)
    rows: list[Row] = []
    if wanted.agent:
        agent = "" if wanted.agent == NOBODY else short(wanted.agent)
        for skill in wanted.skills or (yield from _skills(*where)):
            rows += yield "inbox_agent", (*where, agent, short(skill), *place, wanted.limit)
    elif wanted.skills:
        for skill in wanted.skills:
            rows += yield "inbox_skill", (*where, short(skill), *place, wanted.limit)
    else:
        rows += yield "inbox_site", (*where, *place, wanted.limit)
    newest = sorted(rows, key=lambda row: (row[0], row[1]), reverse=True)[: wanted.limit]
    return [conversation_in(row[2]) for row in newest]


def _with_one(wanted: Inbox) -> Verb[list[Conversation]]:
    """Those with one recipient, the last opened first."""
    found: list[Conversation] = []
    before = wanted.before[1] if wanted.before else _LATEST[1]
    while len(found) < wanted.limit:
        rows = yield "conversations_before", (wanted.site, wanted.recipient, wanted.state.value, before, wanted.limit)
        ones = [conversation_in(row[0]) for row in rows]
        found += (one for one in ones if not wanted.skills or one.skill in wanted.skills)
        if len(ones) < wanted.limit:
            break
        before = ones[-1].id
    return found[: wanted.limit]


def queues(site: str, skills: tuple[str, ...]) -> Verb[list[Queue]]:
    """Of the skills that are named, else of all that have an open conversation."""
    found: list[Queue] = []
    for skill in skills or (yield from _skills(site, State.OPEN.value)):
        place = (site, short(skill), COUNTED)
        (open_ones,) = yield "queue_open", place
        (unclaimed,) = yield "queue_unclaimed", place
        found.append(Queue(skill=skill, open=open_ones[0], unclaimed=unclaimed[0]))
    return found


def _skills(site: str, state: str) -> Verb[list[str]]:
    """The skills that have a conversation in this state, in their order."""
    found: list[str] = []
    rows = yield "skill_after", (site, state, "")
    if (yield "inbox_skill", (site, state, "", *_LATEST, 1)):
        found.append("")  # conversations without a skill
    while rows[0][0] is not None:
        found.append(rows[0][0])
        rows = yield "skill_after", (site, state, rows[0][0])
    return found


def turns(site: str, conversation: str, after: int, newest: bool, limit: int) -> Verb[list[Turn]]:
    if newest:
        rows = list((yield "turns_newest", (site, conversation, limit)))[::-1]
    else:
        rows = yield "turns_after", (site, conversation, after, limit)
    return [turn_in(row[0]) for row in rows]
