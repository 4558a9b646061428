"""A phone of the sandbox: its switches, what lies on it, and how it is told to the pages as JSON."""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from heliograph.core.content import Card, Carousel, Content, File, Named, Suggestion, Text
from heliograph.core.twin import Misbehaviour, Shown

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
    ours: str = ""
    source: str = ""
    resource: bytes = b""
    expires: int | None = None
    text: str = ""
    shown: Shown | None = None
    tapped: list[str] = []
    quotes: str = ""  # the id of the message that it answers
    parts: int = 1
    part: int = 0  # from 1, where the parts of one message come by themselves
    group: str = ""
    rule: Misbehaviour | None = None  # what goes wrong with its receipts
    judged: bool = False
    rules_seen: int = 0  # rules that had their say about it
    sent: bool = False  # told as sent while it waited
    untold: bool = False  # no receipt of it is told

    @property
    def counted(self) -> str:
        """The id that it is counted by."""
        return self.ours or self.id


class Handset(msgspec.Struct, kw_only=True):
    """`online`: it has data, which RCS and WhatsApp need; `signal`: the network reaches it, which SMS needs. A landline
    has neither RCS nor WhatsApp nor SMS.

    `reads`: the person looks at what comes, a moment after delivery. `muted`: it comes without a sound, and nobody
    looks until the phone is opened. `waiting`: taken by the provider while the phone could not be reached, oldest
    first. `stopped`: senders (provider/id) that the person opted out of at the provider, "*" = of all.
    `said`: when the person last wrote to a sender (provider/id), ms. `written_by`: senders that show that they write,
    until when (ms)."""

    number: str
    name: str = ""
    has_rcs: bool = True
    has_wa: bool = True
    has_sms: bool = True
    online: bool = True
    signal: bool = True
    reads: bool = True
    muted: bool = False
    messages: deque[Bubble] = msgspec.field(default_factory=lambda: deque(maxlen=MESSAGES))
    waiting: dict[str, Bubble] = msgspec.field(default_factory=dict)
    stopped: set[str] = msgspec.field(default_factory=set)
    said: dict[str, int] = msgspec.field(default_factory=dict)
    written_by: dict[str, int] = msgspec.field(default_factory=dict)

    def reached(self, channel: str) -> bool:
        """Whether a message of this channel gets through now. A channel that nobody knows does."""
        match channel:
            case "rcs":
                return self.has_rcs and self.online
            case "wa":
                return self.has_wa and self.online
            case "sms":
                return self.has_sms and self.signal
            case _:
                return self.online

    def wait(self, bubble: Bubble) -> None:
        """The oldest is lost where too many wait."""
        if len(self.waiting) >= MESSAGES:
            del self.waiting[next(iter(self.waiting))]
        self.waiting[bubble.id] = bubble

    def find(self, message: str) -> Bubble | None:
        """The newest message to this phone with that id, the provider's or the sender's own."""
        for bubble in reversed(self.messages):
            if bubble.direction == "in" and message in (bubble.id, bubble.ours):
                return bubble
        return None

    def newest(self, provider: str = "", sender: str = "") -> Bubble | None:
        """What came or went last, with this sender if one is named."""
        for bubble in reversed(self.messages):
            if (not provider or bubble.provider == provider) and (not sender or bubble.sender == sender):
                return bubble
        return None

    def newest_in(self) -> Bubble | None:
        return next((bubble for bubble in reversed(self.messages) if bubble.direction == "in"), None)

    @property
    def unread(self) -> int:
        return sum(1 for bubble in self.messages if bubble.state == "delivered")


class Switches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be changed of a phone; absent = as it is."""

    has_rcs: bool | None = None
    has_wa: bool | None = None
    has_sms: bool | None = None
    online: bool | None = None
    signal: bool | None = None
    reads: bool | None = None
    muted: bool | None = None
    name: str | None = None


def offered(content: Content) -> dict[str, Suggestion]:
    """The suggestions of a message by their keys: "-:0" = the first chip under the message, "1:0" = the first of the
    second card."""
    bodies = (content.card,) if isinstance(content, Card) else content.cards if isinstance(content, Carousel) else ()
    found = {f"-:{index}": one for index, one in enumerate(content.suggestions)}
    for place, body in enumerate(bodies):
        found |= {f"{place}:{index}": one for index, one in enumerate(body.suggestions)}
    return found


def suggestion(content: Content, key: str) -> Suggestion | None:
    return offered(content).get(key)


def key_of(content: Content, text: str) -> str:
    """The key of the first suggestion with that text; empty if there is none."""
    return next((key for key, one in offered(content).items() if text and one.text == text), "")


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
        case Named(shown=words):
            return words
        case _:
            return text
