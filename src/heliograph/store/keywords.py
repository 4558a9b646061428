"""Keywords are obeyed in the commit of the message that they are: the opt-out, the conversation's turns, one notice.

An exchange of keywords alone opens no conversation at a desk: where the recipient has an open one the turns stand
there, else in a closed one that no desk has (`desk` empty), which the next keyword joins.
"""

from __future__ import annotations

from uuid import uuid4

import msgspec

from heliograph.core import keyword, notice
from heliograph.core.alert import Alert
from heliograph.core.conversation import MOST_TURNS, By, Closer, Conversation, State, Turn, joined
from heliograph.core.event import Inbound
from heliograph.core.keyword import Keyword
from heliograph.core.notice import Notice
from heliograph.core.obey import ONCE, WITHIN, Asked, Obeyed, obey
from heliograph.core.optout import ALL
from heliograph.core.ports import Claim, Taker, Written
from heliograph.core.site import Covers
from heliograph.store import claims, conversations, journal, opt_outs, turns
from heliograph.store.hidden import Hide
from heliograph.store.turns import Reply
from heliograph.store.verb import Verb

ACKNOWLEDGEMENT = "acknowledgement"  # the traffic of what may go after an opt-out
_LAST_WORDS = 20  # newest turns in which an agent's last words are looked for
_replace = msgspec.structs.replace


class Done(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A keyword that was obeyed. `conversation` None: nothing of it stands in one."""

    obeyed: Obeyed
    conversation: Conversation | None = None
    turn: Turn | None = None


def heard(reply: Reply, typed: Inbound, alert: Alert | None, chosen: bool, hide: Hide) -> Verb[Done | None]:
    """The recipient's words, if they are a keyword: obeyed. None: they are an answer. `typed`: as they were written;
    `chosen`: they are an option that a message offered."""
    word = understood(reply, typed, alert)
    if word is None:
        return None
    provider_said = bool(reply.said.keyword)
    yield "person_lock", (reply.site.id, reply.recipient, reply.now)
    there = yield from _open(reply, alert)
    may_be_an_answer = not provider_said and not keyword.is_stop_itself(typed.text)
    if may_be_an_answer and (chosen or (yield from _offered(reply, typed.text, there))):
        return None
    asked = yield from _asked(reply, alert, hide)
    obeyed = obey(word, asked)
    if obeyed is None:
        return None
    return (yield from _obeyed(reply, alert, there, asked, obeyed, hide, confirmed=provider_said))


def told(reply: Reply, alert: Alert | None, obeyed: Obeyed, hide: Hide, *, confirmed: bool) -> Verb[Done]:
    """A provider's event, whose rows are `obeyed`'s: the same without words of the recipient's."""
    yield "person_lock", (reply.site.id, reply.recipient, reply.now)
    there = yield from _open(reply, alert)
    asked = yield from _asked(reply, alert, hide)
    return (yield from _obeyed(reply, alert, there, asked, obeyed, hide, confirmed=confirmed, words=False))


def understood(reply: Reply, typed: Inbound, alert: Alert | None) -> Keyword | None:
    """The keyword that the words are, before anybody looks at what was offered. A tap is none."""
    if typed.keyword:
        return Keyword(typed.keyword)
    if typed.kind not in ("text", "file") or typed.postback:  # the words under a picture are words
        return None
    return keyword.read(typed.text, spoken(reply, alert), reply.site.opt_outs.words)


def spoken(reply: Reply, alert: Alert | None) -> tuple[str, ...]:
    language = alert.language if alert else reply.site.default_language or ""
    return keyword.languages(language, reply.recipient)


def _asked(reply: Reply, alert: Alert | None, hide: Hide) -> Verb[Asked]:
    site, recipient = reply.site, reply.recipient
    rows = yield "opt_outs_of", (site.id, recipient, hide(site.id, recipient))
    return Asked(
        site=site,
        recipient=recipient,
        channel=reply.channel,
        sender=reply.sender,
        skill=alert.skill if alert else site.default_skill or "",
        in_force=frozenset(row[0] for row in rows),
        at=_at(reply),
    )


def _obeyed(
    reply: Reply,
    alert: Alert | None,
    there: Conversation | None,
    asked: Asked,
    obeyed: Obeyed,
    hide: Hide,
    *,
    confirmed: bool,
    words: bool = True,
) -> Verb[Done]:
    overtaken = bool(obeyed.rows)
    for row in obeyed.rows:
        overtaken = (yield from opt_outs.say(row, reply.now, hide, reply.tell)) is Written.NEWER and overtaken
    speaks = not overtaken and (yield from _may_speak(reply, obeyed.notice, asked.at, confirmed=confirmed))
    if there is None and not words and not speaks:
        return Done(obeyed=obeyed)
    if there is None:
        there = yield from _apart(reply, alert)
    there = _replace(
        there,
        channel=reply.channel,
        sender=reply.sender,
        heard=asked.at if words else there.heard,
        language=alert.language if alert else there.language,
        alerts=(*(one for one in there.alerts if one != reply.alert), reply.alert)[-turns.ALERTS :]
        if reply.alert
        else there.alerts,
    )
    if reply.alert:
        yield "conversation_speaks", (there.site, reply.alert, there.id)
    first: Turn | None = None
    if words:
        there, first = yield from turns.add(there, turns.turn_of(reply), reply.now, reply.tell)
    if obeyed.kind != "helped":
        there, about = yield from turns.add(there, turns.event(obeyed.kind, "", reply.now, obeyed.scope), reply.now)
        first = first or about
    if speaks:
        languages = (*((alert.language,) if alert else ()), *spoken(reply, alert))
        covers = _covers(obeyed.scope, reply) if obeyed.notice is Notice.CONFIRMATION else Covers.ALL
        text = notice.text(obeyed.notice, reply.site, languages, covers)
        said = yield from turns.let_leave(there, _notice(text, asked.at + WITHIN, reply.now), reply.now)
        assert said.conversation is not None
        there = said.conversation
    if there.state is State.OPEN:
        if obeyed.closes and not overtaken:  # the recipient said otherwise later
            there, _ = yield from turns.closed(there, Closer.RECIPIENT, "", reply.now)
        else:
            yield from turns.tell_desk(there, reply.now)
    return Done(obeyed=obeyed, conversation=there, turn=first)


def _covers(scope: str, reply: Reply) -> Covers:
    return Covers.ALL if scope == ALL else Covers.CHANNEL if scope == reply.channel else Covers.SKILL


def _may_speak(reply: Reply, kind: Notice, at: int, *, confirmed: bool) -> Verb[bool]:
    """Whether heliograph says something: once within a time for each kind, and never late. What the provider has said
    itself counts as said."""
    now = reply.now
    for other in (Notice.CONFIRMATION, Notice.RESUMED):
        if kind is not Notice.HELP and other is not kind:
            yield "claim_forget", (reply.site.id, f"notice:{other.value}", reply.recipient)
    claim = Claim(
        site=reply.site.id,
        scope=f"notice:{kind.value}",
        key=reply.recipient,
        until=now + ONCE[kind],
        owner=uuid4().hex,
    )
    taken = yield from claims.take((claim,), now)
    return not confirmed and not isinstance(taken, Taker) and at + WITHIN > now


def _notice(text: str, expires: int, now: int) -> Turn:
    return Turn(
        conversation="",
        site="",
        number=0,
        at=now,
        by=By.HELIOGRAPH,
        kind="confirmation",
        text=text,
        traffic=ACKNOWLEDGEMENT,
        expires=expires,
    )


def _open(reply: Reply, alert: Alert | None) -> Verb[Conversation | None]:
    """The open conversation that these words belong to, locked."""
    site = reply.site
    desk = yield from turns.desk_of(site.id)
    found = joined(
        (yield from conversations.open_with(site.id, reply.recipient)),
        alert=reply.alert,
        skill=alert.skill if alert else site.default_skill or "",
        test=alert.test if alert else False,
        one_per_recipient=desk.one_per_recipient,
    )
    there = (yield from conversations.lock(site.id, found.id)) if found else None
    return there if there is not None and there.state is State.OPEN else None


def _apart(reply: Reply, alert: Alert | None) -> Verb[Conversation]:
    """A conversation that no desk has: the recipient's last one where that is such a one, else a new one."""
    site, now = reply.site, reply.now
    test = alert.test if alert else False
    rows = yield "conversations_with", (site.id, reply.recipient, State.CLOSED.value, 1)
    last = conversations.conversation_in(rows[0][0]) if rows else None
    if last is not None and not last.desk and last.test is test and last.turns < MOST_TURNS - 3:
        there = yield from conversations.lock(site.id, last.id)
        if there is not None:
            return there
    return Conversation(
        id=conversations.new_id(now),
        site=site.id,
        recipient=reply.recipient,
        skill=alert.skill if alert else site.default_skill or "",
        desk="",
        alert=reply.alert,
        state=State.CLOSED,
        closed_by=Closer.HELIOGRAPH,
        opened=now,
        closed=now,
        touched=now,
        told_closed=True,
        test=test,
    )


def _offered(reply: Reply, words: str, there: Conversation | None) -> Verb[bool]:
    """Whether somebody asked for just these words: the alert that is answered, or the agent's last words."""
    if reply.alert:
        pages = journal.Pages((yield "journal_of", (reply.site.id, reply.alert)))
        if any(keyword.offered(content, words) for content in pages.contents):
            return True
    if there is None:
        return False
    newest = yield from conversations.turns(there.site, there.id, 0, True, _LAST_WORDS)
    last = next((turn for turn in reversed(newest) if turn.by is By.AGENT), None)
    return last is not None and keyword.mentioned(last.text, words)


def _at(reply: Reply) -> int:
    """When it was said; a clock that is ahead must not outdo what is said later."""
    return reply.now if reply.said.at is None else min(reply.said.at, reply.now)
