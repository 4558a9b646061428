"""Options: replies that stand as numbers in a text (core.fit), and what a recipient means who answers with one."""

from __future__ import annotations

import re
import unicodedata

from heliograph.core.content import Card, Carousel, Content, File, Named, Reply, Text

# An option's number as people send it: 2, 2., 2), (2), #2; the digits of any script, and the keycap that phones offer.
_NUMBER = re.compile(r"[#(]?\s*(\d{1,2})\ufe0f?\u20e3?\s*[.):]?")


def options(content: Content) -> tuple[Reply, ...]:
    """What the numbers in a fitted content stand for, from 1."""
    match content:
        case Text() | Card() | Carousel():
            return content.options
        case Named(free=free) if free is not None:
            return options(free)
        case _:
            return ()


def chosen(content: Content, said: str) -> Reply | None:
    """The option that a recipient means by a number ("2", "2.", "2)") or by its own words; None for anything else.
    Words that two options share choose none, unless both stand for the same."""
    offered = options(content)
    if not offered:
        return None
    said = _folded(said)
    number = _NUMBER.fullmatch(said)
    if number:
        at = int(number[1])
        return offered[at - 1] if 1 <= at <= len(offered) else None
    found = [option for option in offered if _folded(option.text) == said]
    return found[0] if found and all(one.postback == found[0].postback for one in found) else None


def settles(content: Content, said: str) -> bool:
    """Whether an answer of a number can be about nothing older than `content`: it has numbers of its own, written by
    fitting or by the author ("Reply 1 to confirm")."""
    number = _NUMBER.fullmatch(_folded(said))
    if not number:
        return False
    mentioned = re.compile(rf"(?<!\w){int(number[1])}(?!\w)")
    return bool(options(content)) or any(mentioned.search(text) for text in _texts(content))


def _texts(content: Content) -> list[str]:
    """What a recipient reads of a content, suggestions and media aside."""
    match content:
        case Text(text=text):
            return [text]
        case Card(card=body):
            return [body.title, body.description]
        case Carousel(cards=bodies):
            return [text for body in bodies for text in (body.title, body.description)]
        case Named(shown=shown, free=free):
            return [shown, *(_texts(free) if free is not None else ())]
        case File():
            return []


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()
