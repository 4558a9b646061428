"""What passes between a conversation and its desk: how far it was handed over, and what the desk tells."""

from __future__ import annotations

from uuid import uuid4

import msgspec

from heliograph.core.conversation import FULL, By, Closer, Conversation, State, Turn
from heliograph.core.desk import AgentSaid, AgentSaw, AgentTyping, DeskClosed, DeskEvent, DeskMoved, DeskUnknown
from heliograph.core.ports import DeskJoined, DeskTaken, DeskWaits, lane
from heliograph.store import conversations, turns
from heliograph.store.codec import encode
from heliograph.store.outside import short
from heliograph.store.verb import Verb

PAGE = 200  # turns after the last that the desk took, which are looked at at once
TOO_MANY = "Not sent: the conversation has as many turns as one can have. Close it: the next words open another."
MOST = 10_000  # waiting conversations that are counted at most
_replace = msgspec.structs.replace
_event = msgspec.json.Decoder(DeskEvent).decode


def handed(taken: DeskTaken, now: int) -> Verb[Conversation | None]:
    """How far the desk has come. An older word never takes a newer one back."""
    there = yield from conversations.lock(taken.site, taken.conversation)
    if there is None:
        return None
    if taken.was is not None and taken.was != there.reference:
        # Opened anew or closed at the desk while it was asked: what it took lies where nobody looks any more.
        there = _replace(there, told_closed=there.told_closed or taken.closed, touched=now)
        yield from conversations.put(there)
        return there
    named = bool(taken.reference) and taken.reference != there.reference
    there = _replace(
        there,
        handed=max(there.handed, taken.handed),
        reference=taken.reference,
        trouble=taken.trouble,
        doubt=taken.doubt,
        told_closed=there.told_closed or taken.closed,
        touched=now,
    )
    yield from conversations.put(there)
    return (yield from _early(there, now)) if named else there


def _early(there: Conversation, now: int) -> Verb[Conversation]:
    """What the desk told of it before its name for it was known here."""
    place = there.site, there.desk, short(there.reference)
    yield "desk_early_put", (*place, "", now, b"")
    rows = yield "desk_early_take", place
    for _, _, body in sorted((row[0], row[1], bytes(row[2])) for row in rows if row[1]):
        there = (yield from _told(there, _event(body), now)).conversation or there
    return there


def hear(site: str, desk: str, events: tuple[DeskEvent, ...], now: int) -> Verb[list[DeskJoined]]:
    """All events of one callback of a desk, in their order; each counts once."""
    joined: list[DeskJoined] = []
    if len(events) > 1:
        yield from _lock(site, desk, events)
    for event in events:
        joined.append((yield from _one(site, desk, event, now)))
    return joined


def _lock(site: str, desk: str, events: tuple[DeskEvent, ...]) -> Verb[None]:
    """The conversations that are spoken of, in one order for all callbacks, so that no two wait for each other."""
    names = sorted({event.conversation for event in events if not isinstance(event, DeskUnknown | AgentTyping)})
    found: set[str] = set()
    for name in names:
        there = yield from conversations.at(site, desk, name)
        found |= {there.id} if there else set()
    for id in sorted(found):
        yield from conversations.lock(site, id)


def _one(site: str, desk: str, event: DeskEvent, now: int) -> Verb[DeskJoined]:
    if isinstance(event, AgentTyping):
        return DeskJoined(conversation=(yield from conversations.at(site, desk, event.conversation)))
    name = short(event.event) or f"none:{uuid4().hex}"
    if not (yield "heard_put", (site, f"desk:{desk}", name, now, b"")):
        return DeskJoined(duplicate=True)
    if isinstance(event, DeskUnknown):
        return DeskJoined()
    found = yield from conversations.at(site, desk, event.conversation)
    if found is None and (yield "desk_busy", (site,)):
        # It may be the one that is being opened there at this moment: a bot answers before we have its name.
        place = site, desk, short(event.conversation)
        yield "desk_early_put", (*place, "", now, b"")
        found = yield from conversations.at(site, desk, event.conversation)
        if found is None and not isinstance(event, AgentSaw):
            yield "desk_early_put", (*place, name, now, encode(event))
    there = (yield from conversations.lock(site, found.id)) if found else None
    return (yield from _told(there, event, now)) if there is not None else DeskJoined()


def _told(there: Conversation, event: DeskEvent, now: int) -> Verb[DeskJoined]:
    """What a desk tells of a conversation that is locked."""
    match event:
        case AgentSaid():
            return (yield from _said(there, event, now))
        case DeskClosed():
            return (yield from _closed(there, event, now))
        case DeskMoved():
            return (yield from _moved(there, event, now))
        case _:
            return DeskJoined(conversation=there)


def _said(there: Conversation, event: AgentSaid, now: int) -> Verb[DeskJoined]:
    """An agent's words leave even where the conversation was closed meanwhile: they were said."""
    words = Turn(
        conversation=there.id,
        site=there.site,
        number=0,
        at=now,
        by=By.AGENT,
        kind="file" if event.attached and not event.text else "text",
        text=event.text,
        author=event.author,
        event=event.event,
        attached=event.attached,
    )
    if there.turns >= FULL:
        there, turn = yield from turns.add(there, words, now)
        there, _ = yield from turns.add(there, turns.event("undelivered", "", now, TOO_MANY), now)
        yield from turns.tell_desk(there, now)
        return DeskJoined(conversation=there, turn=turn)
    said = yield from turns.let_leave(_replace(there, waiting=None), words, now)
    return DeskJoined(conversation=said.conversation, turn=said.turn)


def _closed(there: Conversation, event: DeskClosed, now: int) -> Verb[DeskJoined]:
    if there.state is not State.OPEN:
        return DeskJoined(conversation=there)
    if (yield from _unheard(there)):
        # The recipient spoke while an agent closed it: it is opened there anew, so that somebody reads that.
        over = _replace(there, reference="", agent="", doubt=0)
        there, turn = yield from turns.add(over, turns.event("reopened", event.author, now), now)
        yield from turns.tell_desk(there, now)
        return DeskJoined(conversation=there, turn=turn)
    there, turn = yield from turns.closed(there, Closer.DESK, event.author, now)
    return DeskJoined(conversation=there, turn=turn)


def _unheard(there: Conversation) -> Verb[bool]:
    """Whether the recipient has said something that the desk has not taken."""
    after = there.handed
    while left := (yield from conversations.turns(there.site, there.id, after, False, PAGE)):
        if any(turn.by is By.RECIPIENT for turn in left):
            return True
        after = left[-1].number
    return False


def _moved(there: Conversation, event: DeskMoved, now: int) -> Verb[DeskJoined]:
    moves = bool(event.skill) and event.skill != there.skill
    if there.state is not State.OPEN or not (moves or event.author != there.agent):
        return DeskJoined(conversation=there)
    turn = turns.event("transferred" if moves else "claimed", event.author, now, event.skill if moves else "")
    there = _replace(there, skill=event.skill or there.skill, agent=event.author)
    there, turn = yield from turns.add(there, turn, now)
    return DeskJoined(conversation=there, turn=turn)


def waiting() -> Verb[list[DeskWaits]]:
    """Whose desks did not take turns when they were asked, by site."""
    found: dict[str, list[str]] = {}
    for site, conversation in (yield "desks_waiting", (lane("desk"), MOST)):
        found.setdefault(site, []).append(conversation)
    told: list[DeskWaits] = []
    for site, ids in sorted(found.items()):
        one = yield from conversations.read(site, ids[0])
        told.append(DeskWaits(site=site, waiting=len(ids), why=one.trouble if one else ""))
    return told
