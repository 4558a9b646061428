"""A desk: where agents work. What is configured of it, what it is told, and what it tells."""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Alert
from heliograph.core.content import Content
from heliograph.core.conversation import CONSOLE, Conversation, Turn
from heliograph.core.event import Attached


class SiteDesk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A site's desk, a document of the registry (`[desk]` in the site's file). `desk`: its kind (console, liveperson
    …); `settings`: its own table as applied, secret fields sealed. `one_per_recipient`: it allows one open conversation
    a person (the plug's ONE_PER_RECIPIENT, written down when applied, so that the store knows it)."""

    site: str
    desk: str = CONSOLE
    settings: dict[str, object] = {}
    one_per_recipient: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One channel that an alert took: `state` and `reason` as its attempt stands; times in ms where they are known."""

    channel: str
    provider: str
    sender: str
    state: str
    reason: str = ""
    sent: int | None = None
    delivered: int | None = None
    read: int | None = None


class Earlier(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An earlier alert to the same recipient."""

    id: str
    at: int
    template: str
    state: str
    channel: str


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an agent sees beside a conversation: all that the brand passed along with one alert, and what became of it.

    `alert.alert_info` is the caller's JSON byte for byte. `content`: what the recipient saw, `words` the same as text
    without markup; `channel`: on which. None and empty where the turn answers no alert that is known."""

    alert: Alert | None = None
    content: Content | None = None
    words: str = ""
    channel: str = ""
    path: tuple[Step, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    conversations: tuple[Conversation, ...] = ()  # earlier ones of this recipient, the newest first


class Opened(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The desk has the conversation. `reference`: its own id of it, by which its callbacks name it. `said`: the turn
    that opened it was taken with it (some desks need a first message), so that `say` is not asked for that one."""

    reference: str
    said: bool = False


# ── What a desk tells (its callbacks), a tagged union read with `match`; `conversation` is the desk's own reference ──


class AgentSaid(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="said"):
    """An agent's words for the recipient. `event`: the desk's id of it; a repeat with the same id is dropped."""

    event: str
    conversation: str
    text: str
    author: str = ""
    attached: tuple[Attached, ...] = ()
    at: int | None = None


class AgentTyping(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="typing"):
    conversation: str
    on: bool = True


class AgentSaw(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="saw"):
    """The agent's side has received (`read` False) or read the recipient's words."""

    event: str
    conversation: str
    read: bool
    at: int | None = None


class DeskClosed(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="closed"):
    event: str
    conversation: str
    author: str = ""
    at: int | None = None


class DeskMoved(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="moved"):
    """Transferred to another skill there, or taken by an agent."""

    event: str
    conversation: str
    skill: str = ""
    author: str = ""
    at: int | None = None


class DeskUnknown(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="desk_unknown"):
    """Something this version cannot read: counted, never an error. `kind` is the desk's word for it."""

    event: str
    kind: str


DeskEvent = AgentSaid | AgentTyping | AgentSaw | DeskClosed | DeskMoved | DeskUnknown


def words_of(turn: Turn) -> str:
    """A recipient's turn as words, for desks that take text alone: what is no text says what it is."""
    match turn.kind:
        case "location" if turn.place is not None:
            place = turn.place
            label = f"{place.label}, " if place.label else ""
            return f"[location] {label}{place.latitude:.6f}, {place.longitude:.6f}"
        case "file":
            names = ", ".join(one.name or one.content_type or "file" for one in turn.attached)
            links = " ".join(one.url for one in turn.attached if one.url)
            return " ".join(part for part in (turn.text, f"[file] {names}", links) if part)
        case _:
            return turn.text or f"[{turn.kind}]"
