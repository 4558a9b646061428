"""Conversations and turns as the inbox shows them: what stands in a row of the queue, in a bubble, in the context.
Rendered the same for everybody who may see them, so that one rendering serves all."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from heliograph.core import sms
from heliograph.core.conversation import WISH, Closer, Conversation, State, Turn
from heliograph.core.desk import Context
from heliograph.core.optout import ALL
from heliograph.core.phone import mask
from heliograph.core.site import Canned, Site
from heliograph.web.console import render, words

PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})  # that a page shows; none runs anything
HAPPENED = {
    "opened": "The conversation began",
    "claimed": "claimed it",
    "released": "gave it back to the queue",
    "transferred": "transferred it to",
    "closed": "closed it",
    "opted_out": "The recipient wants no more messages",
    "resumed": "The recipient wants messages again",
    "undelivered": "An answer did not reach the recipient",
}
RULES = {
    "quoted": "quotes that message",
    "offered": "tapped what it offered",
    "option": "chose one of its numbers",
    "newest": "answers the newest alert",
}
# What a recipient's phone has not shown yet is under way; our states' own words are for records.
SENDING = words.State("sending", "◌", "way")
NAMED = 120  # characters of a file's name
_field = re.compile(r"@@|@(\w+)")


def rendered(there: Conversation, turns: list[Turn]) -> dict[str, object]:
    """What a live event says of a change: the row anew, and the turns that came or changed."""
    now = there.touched
    who = there.name or mask(there.recipient)
    return {
        "site": there.site,
        "id": there.id,
        "skill": there.skill,
        "agent": there.agent,
        "state": there.state.value,
        "number": there.turns,
        "touched": there.touched,
        "who": who,
        "words": there.preview,
        "row": render.text("inbox_row.html", one=there, now=now, current="", query=""),
        "turns": [turn_event(turn, now) for turn in turns],
    }


def turn_event(turn: Turn, now: int) -> dict[str, object]:
    return {
        "number": turn.number,
        "by": turn.by.value,
        "leaves": turn.leaves,
        "html": render.text("inbox_turn.html", turn=turn, now=now),
    }


def file_name(name: str) -> str:
    """A file's name without what does not print. One that turns the writing around makes `gpj.exe` read as `exe.jpg`.
    Of a long one the beginning and the end stay."""
    printed = "".join(letter for letter in name if letter.isprintable())
    return printed if len(printed) <= NAMED else f"{printed[: NAMED - 30]}…{printed[-29:]}"


def state(turn: Turn) -> words.State:
    """How far an answer came, as an agent reads it."""
    assert turn.state is not None
    word = turn.state.value
    return SENDING if word in ("intended", "sending") else words.state(word)


def happened(turn: Turn) -> str:
    """What a turn of heliograph's own tells."""
    said = HAPPENED.get(turn.kind, turn.kind.replace("_", " "))
    if turn.kind in ("claimed", "released", "transferred", "closed"):
        said = f"{turn.author or 'heliograph'} {said}"
    more = turn.text if turn.kind in ("transferred", "opted_out", "undelivered") else ""
    if turn.kind == "opted_out" and more == ALL:  # that is what the sentence says already
        more = ""
    return f"{said}{': ' if turn.kind != 'transferred' and more else ' '}{more}".strip()


def closed_words(there: Conversation) -> str:
    """That it is closed, and by whom; a recipient closes one by opting out and in no other way."""
    if there.closed_by is None:
        return "closed"
    return "closed: opted out" if there.closed_by is Closer.RECIPIENT else f"closed by {there.closed_by.value}"


def wishes(there: Conversation) -> bool:
    """Whether words of the recipient may mean that they want no more."""
    return WISH in there.flags and there.state is State.OPEN


def answer_waits(there: Conversation) -> bool:
    return there.waiting is not None and there.state is State.OPEN


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A canned answer, filled. `missing`: fields for which nothing is known; they stand in the text as they are."""

    title: str
    text: str
    language: str
    missing: tuple[str, ...]


def canned(site: Site | None, there: Conversation, context: Context, author: str) -> list[Prepared]:
    """The site's canned answers in the conversation's language and those of no language; where it has none of them,
    all."""
    if site is None:
        return []
    values = fields(context, author)
    base = there.language.partition("-")[0]
    fitting = [one for one in site.canned if one.language in ("", there.language, base)]
    return [_filled(one, values) for one in (fitting or site.canned)]


def fields(context: Context, author: str) -> dict[str, str]:
    """What `@Name` in a canned answer stands for."""
    alert = context.alert
    if alert is None:
        return {"Agent": author}
    own = {
        "FirstName": alert.first_name,
        "LastName": alert.last_name,
        "ExternalCustomerId": alert.external_customer_id,
        "ExternalAlertId": alert.external_alert_id,
        "Agent": author,
    }
    return {**alert.variables, **{name: value for name, value in own.items() if value}}


def _filled(one: Canned, values: Mapping[str, str]) -> Prepared:
    missing: list[str] = []

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "@"
        if name not in values:
            missing.append(name)
            return match[0]
        return values[name]

    text = _field.sub(fill, one.text)
    return Prepared(title=one.title, text=text, language=one.language, missing=tuple(dict.fromkeys(missing)))


render.teach(
    turn_state=state,
    pictures=PICTURES,
    file_name=file_name,
    happened=happened,
    closed_words=closed_words,
    wishes=wishes,
    answer_waits=answer_waits,
    rule_words=RULES,
    sms_alphabet=sms.ALPHABET.replace("\r", ""),
    sms_extended=sms.EXTENDED,
)
