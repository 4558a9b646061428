"""A phone of the sandbox: its switches, what lies on it, and how it is told to the pages as JSON."""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from heliograph.core.content import Card, Carousel, Content, File, Suggestion, Text

MESSAGES = 1_000  # kept per phone; older ones leave its list, their ids stay known


class Bubble(msgspec.Struct, kw_only=True):
    """One message on a phone, in (to it) or out (from it). `resource` is the provider's own form of it, turned into
    neutral content only when somebody looks: a load of sends looks at none."""

    id: str
    channel: str
    provider: str
    sender: str
    direction: Literal["in", "out"]
    at: int
    state: Literal["waiting", "delivered", "read", "sending", "sent", "gone"]
    resource: bytes = b""
    expires: int | None = None
    text: str = ""
    content: Content | None = None
    tapped: list[str] = []
    untold: bool = False  # no receipt of it is told


class Handset(msgspec.Struct, kw_only=True):
    """`reads`: the person looks at what comes, a moment after delivery. `muted`: it comes without a sound, and nobody
    looks until the phone is opened. `waiting`: taken by the provider while the phone was offline, oldest first."""

    number: str
    name: str = ""
    has_rcs: bool = True
    online: bool = True
    reads: bool = True
    muted: bool = False
    messages: deque[Bubble] = msgspec.field(default_factory=lambda: deque(maxlen=MESSAGES))
    waiting: dict[str, Bubble] = msgspec.field(default_factory=dict)

    def wait(self, bubble: Bubble) -> None:
        """The oldest is lost where too many wait."""
        if len(self.waiting) >= MESSAGES:
            del self.waiting[next(iter(self.waiting))]
        self.waiting[bubble.id] = bubble

    def find(self, message: str) -> Bubble | None:
        """The newest message to this phone with that id."""
        for bubble in reversed(self.messages):
            if bubble.id == message and bubble.direction == "in":
                return bubble
        return None

    def newest_sender(self) -> str:
        """Who wrote last, or was written to last; empty if nobody was."""
        return self.messages[-1].sender if self.messages else ""

    @property
    def unread(self) -> int:
        return sum(1 for bubble in self.messages if bubble.state == "delivered")


class Switches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be changed of a phone; absent = as it is."""

    has_rcs: bool | None = None
    online: bool | None = None
    reads: bool | None = None
    muted: bool | None = None
    name: str | None = None


def suggestion(content: Content, key: str) -> Suggestion | None:
    """The suggestion that a key names: "-:0" = the first chip under the message, "1:0" = the first of the second
    card."""
    place, _, index = key.partition(":")
    if not index.isdecimal():
        return None
    if place == "-":
        offered = content.suggestions
    else:
        bodies = (
            (content.card,) if isinstance(content, Card) else content.cards if isinstance(content, Carousel) else ()
        )
        if not place.isdecimal() or int(place) >= len(bodies):
            return None
        offered = bodies[int(place)].suggestions
    return offered[int(index)] if int(index) < len(offered) else None


def summary(content: Content | None, text: str) -> str:
    """One line for the overview."""
    match content:
        case Text(text=words):
            return words
        case Card(card=body):
            return body.title or body.description or "Card"
        case Carousel(cards=bodies):
            return bodies[0].title or bodies[0].description or "Carousel"
        case File(media=media):
            return media.description or text or "File"
        case _:
            return text
