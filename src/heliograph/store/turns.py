"""Turns are written: a recipient's words in the commit of their event, ours with the due row that lets them leave.

Who writes a recipient's turn locks that recipient first (`people`), so that turns have one order on all nodes and two
first replies open one conversation; everybody who changes a conversation locks it.
"""

from __future__ import annotations

import re

import msgspec

from heliograph.core.alert import Alert, alert_of, attempt_id, number_of
from heliograph.core.conversation import FULL, By, Closer, Conversation, State, Turn, joined, preview
from heliograph.core.desk import SiteDesk
from heliograph.core.event import Inbound
from heliograph.core.ports import Said, TurnOutcome
from heliograph.core.site import Site
from heliograph.core.states import AttemptState, moved
from heliograph.core.webhook import Tell
from heliograph.store import conversations, due, outbox
from heliograph.store.codec import encode
from heliograph.store.outside import short
from heliograph.store.verb import Verb

ALERTS = 10  # newest alerts that a conversation names
_NUMBERED = re.compile(r"[0-9a-f-]{33}[0-9a-f]{3}")
FORMER = 1  # closed conversations that are looked at for the one before
_replace = msgspec.structs.replace
_alert = msgspec.json.Decoder(Alert).decode
_desk = msgspec.json.Decoder(SiteDesk).decode
_OURS = frozenset({AttemptState.INTENDED, AttemptState.SENDING})


class Reply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A recipient's turn that is to be written. `alert` and `rule`: what it answers and how that was found."""

    site: Site
    recipient: str
    channel: str
    sender: str
    said: Inbound
    alert: str
    rule: str
    now: int
    flags: tuple[str, ...] = ()
    tell: Tell = None  # of what the brand is told


def alert_in(site: str, alert: str) -> Verb[Alert | None]:
    """The alert as it was accepted, None where there is none."""
    rows = (yield "journal_first", (site, alert)) if alert else []
    return _alert(rows[0][0]) if rows else None


def desk_of(site: str) -> Verb[SiteDesk]:
    rows = yield "document_read", (site, "desk", site)
    return _desk(rows[0][0]) if rows and rows[0][0] else SiteDesk(site=site)


def heard(reply: Reply, alert: Alert | None) -> Verb[tuple[Conversation, Turn]]:
    """The recipient's words join the open conversation that fits, or open one. The desk is to be told."""
    site, now = reply.site, reply.now
    yield "person_lock", (site.id, reply.recipient, now)
    desk = yield from desk_of(site.id)
    skill = alert.skill if alert else site.default_skill or ""
    test = alert.test if alert else False
    open_ones = yield from conversations.open_with(site.id, reply.recipient)
    found = joined(open_ones, alert=reply.alert, skill=skill, test=test, one_per_recipient=desk.one_per_recipient)
    there = (yield from conversations.lock(site.id, found.id)) if found else None
    if there is None or there.state is not State.OPEN:
        there = yield from _opened(reply, skill, test, desk)
    turn = turn_of(reply)
    names = there.alerts
    if reply.alert:
        names = (*(one for one in names if one != reply.alert), reply.alert)[-ALERTS:]
        yield "conversation_speaks", (site.id, reply.alert, there.id)
    there = _replace(
        there,
        alerts=names,
        channel=reply.channel,
        sender=reply.sender,
        heard=max(there.heard, now if reply.said.at is None else min(now, reply.said.at)),
        waiting=now if there.waiting is None else there.waiting,
        flags=tuple(dict.fromkeys((*there.flags, *reply.flags))),
        name=" ".join(part for part in (alert.first_name, alert.last_name) if part) if alert else there.name,
        language=alert.language if alert else there.language,
    )
    there, turn = yield from add(there, turn, now, reply.tell)
    yield from tell_desk(there, now)
    return there, turn


def turn_of(reply: Reply) -> Turn:
    """The turn that a recipient's words are; its conversation and number come with `add`."""
    said = reply.said
    return Turn(
        conversation="",
        site=reply.site.id,
        number=0,
        at=reply.now,
        by=By.RECIPIENT,
        kind=said.kind,
        text=said.text,
        alert=reply.alert,
        rule=reply.rule,
        channel=reply.channel,
        sender=reply.sender,
        event=said.event,
        postback=said.postback,
        attached=said.attached,
        place=said.place,
        flags=reply.flags,
    )


def event(kind: str, author: str, now: int, text: str = "") -> Turn:
    """A turn that tells what happened; its conversation and number come with `add`."""
    return Turn(conversation="", site="", number=0, at=now, by=By.HELIOGRAPH, kind=kind, text=text, author=author)


def _opened(reply: Reply, skill: str, test: bool, desk: SiteDesk) -> Verb[Conversation]:
    site, now = reply.site.id, reply.now
    rows = yield "conversations_with", (site, reply.recipient, State.CLOSED.value, FORMER)
    former = conversations.conversation_in(rows[0][0]).id if rows else ""
    return Conversation(
        id=conversations.new_id(now),
        site=site,
        recipient=reply.recipient,
        skill=skill,
        desk=desk.desk,
        alert=reply.alert,
        opened=now,
        touched=now,
        former=former,
        test=test,
    )


def add(there: Conversation, turn: Turn, now: int, tell: Tell = None) -> Verb[tuple[Conversation, Turn]]:
    """Writes a turn as the conversation's next, and the conversation as it is then; the brand is told of it."""
    number = there.turns + 1
    turn = _replace(
        turn,
        conversation=there.id,
        site=there.site,
        number=number,
        id=attempt_id(there.id, number) if turn.leaves else "",
    )
    words = turn.by is not By.HELIOGRAPH or turn.leaves
    there = _replace(there, turns=number, touched=now, preview=preview(turn) if words else there.preview)
    yield "turn_put", (there.site, there.id, number, encode(turn))
    yield from conversations.put(there)
    if tell is None or tell:
        yield from outbox.turn_added(there, turn, now, tell)
    return there, turn


def tell_desk(there: Conversation, now: int) -> Verb[None]:
    """The desk is to be told at once of what it does not know. A conversation that is kept here needs none of that:
    its due row finds nothing to do."""
    if there.desk:
        yield from due.hasten(there.site, "desk", there.id, now)


def say(turn: Turn, agent: str, now: int) -> Verb[Said]:
    """A turn of ours, due to leave. `agent`: who must have claimed the conversation, or claims it with this."""
    there = yield from conversations.lock(turn.site, turn.conversation)
    if there is None or there.state is not State.OPEN or (agent and there.agent not in ("", agent)):
        return Said(conversation=there)
    if there.turns >= FULL - 1:  # one may go to the claim
        return Said(conversation=there)
    if agent and not there.agent:
        there, _ = yield from add(_replace(there, agent=agent), event("claimed", turn.author, now), now)
    if turn.by is By.AGENT:
        there = _replace(there, waiting=None)
    return (yield from let_leave(there, turn, now))


def let_leave(there: Conversation, turn: Turn, now: int) -> Verb[Said]:
    """Writes a turn of ours to a conversation that is locked, with the due row that lets it leave."""
    turn = _replace(turn, state=AttemptState.INTENDED, channel=there.channel, sender=there.sender)
    there, turn = yield from add(there, turn, now)
    yield from due.hasten(there.site, "answer", there.id, now)
    return Said(conversation=there, turn=turn)


def assign(site: str, id: str, agent: str, by: str, expects: str | None, skill: str, now: int) -> Verb[Said]:
    """Claimed, given back, or moved to another skill; only where it is open and whom it is expected with."""
    there = yield from conversations.lock(site, id)
    if there is None or there.state is not State.OPEN or (expects is not None and there.agent != expects):
        return Said(conversation=there)
    moves = bool(skill) and skill != there.skill
    if not moves and agent == there.agent:
        return Said(conversation=there)
    kind = "transferred" if moves else "claimed" if agent else "released"
    turn = Turn(
        conversation=id,
        site=site,
        number=0,
        at=now,
        by=By.HELIOGRAPH,
        kind=kind,
        text=skill if moves else "",
        author=by,
    )
    there, turn = yield from add(_replace(there, agent=agent, skill=skill or there.skill), turn, now)
    return Said(conversation=there, turn=turn)


def close(site: str, id: str, closer: Closer, by: str, now: int) -> Verb[Said]:
    """Closed by one side; the desk is told where it does not know."""
    there = yield from conversations.lock(site, id)
    if there is None or there.state is not State.OPEN:
        return Said(conversation=there)
    there, turn = yield from closed(there, closer, by, now)
    return Said(conversation=there, turn=turn)


def closed(there: Conversation, closer: Closer, by: str, now: int) -> Verb[tuple[Conversation, Turn]]:
    """Closes a conversation that is locked and open."""
    over = _replace(
        there,
        state=State.CLOSED,
        closed_by=closer,
        closed=now,
        waiting=None,
        told_closed=there.told_closed or closer is Closer.DESK,
    )
    there, turn = yield from add(over, event("closed", by, now, closer.value), now)
    if closer is not Closer.DESK:
        yield from tell_desk(there, now)
    return there, turn


def leaving(site: str, conversation: str, number: int, now: int, tries: int | None = None) -> Verb[Turn | None]:
    """A turn is about to be handed over: written down before a byte leaves, so that a crash is seen as a doubt."""
    there = yield from conversations.lock(site, conversation)
    rows = yield "turn_read", (site, conversation, number)
    turn = conversations.turn_in(rows[0][0]) if rows else None
    if there is None or turn is None or turn.state not in _OURS:
        return None
    if tries is not None and turn.tries != tries:
        return None  # another node hands it over
    turn = _replace(turn, state=AttemptState.SENDING, tries=turn.tries + 1)
    yield "turn_put", (site, conversation, number, encode(turn))
    return turn


def outcome(told: TurnOutcome, now: int) -> Verb[Turn | None]:
    """What became of a turn that left. Receipts may have come first."""
    there = yield from conversations.lock(told.site, told.conversation)
    rows = yield "turn_read", (told.site, told.conversation, told.number)
    if there is None or not rows:
        return None
    turn = conversations.turn_in(rows[0][0])
    before = turn.state or AttemptState.INTENDED
    again = told.state is AttemptState.INTENDED and before in _OURS  # nothing was handed over: it is tried again
    after = told.state if again else moved(before, told.state)
    turn = _replace(
        turn,
        state=after,
        reason=told.reason if after is told.state else turn.reason,
        tries=told.tries or turn.tries,
        sender=told.sender or turn.sender,
        references=told.references or turn.references,
    )
    yield "turn_put", (told.site, told.conversation, told.number, encode(turn))
    left = max(there.left, told.number) if after not in _OURS else there.left
    there = _replace(there, left=left, touched=now)
    if told.note and after is told.state:
        there, _ = yield from add(there, event("undelivered", "", now, told.note), now)
        yield from tell_desk(there, now)
    else:
        yield from conversations.put(there)
    if after is not before:
        yield from outbox.turn_moved(there, turn, now, None)
    return turn


def find(site: str, id: str) -> Verb[Turn | None]:
    """The turn that an id of ours names, of those that left."""
    conversation = alert_of(short(id))
    if not _NUMBERED.fullmatch(id):
        return None
    rows = yield "turn_read", (site, conversation, number_of(id))
    turn = conversations.turn_in(rows[0][0]) if rows else None
    return turn if turn is not None and turn.id == id else None


def receipt(
    site: str, id: str, state: AttemptState, reason: str, now: int, tell: Tell = None
) -> Verb[AttemptState | None]:
    """A receipt moves a turn as it would move an attempt. Its new state, None where it stays as it was."""
    there = yield from conversations.lock(site, alert_of(id))
    turn = yield from find(site, id)
    if there is None or turn is None or turn.state is None:
        return None
    after = moved(turn.state, state)
    if after is turn.state:
        return None
    turn = _replace(turn, state=after, reason=reason)
    yield "turn_put", (site, there.id, turn.number, encode(turn))
    yield from conversations.put(_replace(there, left=max(there.left, turn.number), touched=now))
    yield from outbox.turn_moved(there, turn, now, tell)
    return after
