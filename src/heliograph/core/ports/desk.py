"""The contract of a desk: where agents work, and what flow needs of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from heliograph.core.conversation import Conversation, Turn
from heliograph.core.desk import Context, DeskEvent, Opened, SiteDesk
from heliograph.core.ports.http import Answer, Call, Exchange, Out


class DeskHeard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a desk's callback says: `events` in their order, and the `answer` that the desk wants."""

    events: tuple[DeskEvent, ...]
    answer: Answer = Answer()


class DeskWays(msgspec.Struct, frozen=True, kw_only=True):
    """How a desk reaches the world and is reached by it. `callback()`: the public address of its callbacks as it is now
    (`/callbacks/desk/<desk>/<site>`). `page(path)`: a public address of this server, for links to it."""

    out: Out
    callback: Callable[[], str]
    page: Callable[[str], str]


class Handed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A turn was taken. `reference`: the desk's own id of it, empty where it gives none."""

    reference: str = ""
    exchange: Exchange | None = None


class Desk(Protocol):
    """One site's desk, opened. It returns; it never writes to the store or to a response.

    `open`, `say` and `close` raise SendError with a fate: `retry` (nothing was taken, try again), `unknown` (no answer:
    it may have been taken), `config` (our credentials), `permanent` (this turn will never be taken). They raise
    DeskGone where the desk has closed that conversation meanwhile: it is then opened anew, with the history linked.

    `open` gives the conversation to the desk with all its context; a desk that has an open one of this person already
    returns that one's reference. `say` hands over one turn of the recipient (or heliograph's own); `about` is the
    context of its alert where that is another than the last turn's, so that the agent is told which alert is answered.
    `taken` answers, after an `unknown`, whether the desk has that turn: True, False, or None where it cannot tell.
    `typing` and `mark` are courtesies (the recipient types; their provider says that an agent's turn was delivered or
    read); where `courtesies` is False they are never called. They never raise.
    `read` is pure; it raises CallRefused for a callback whose signature is wrong.
    """

    courtesies: bool

    async def open(self, conversation: Conversation, turn: Turn, context: Context, deadline: float) -> Opened: ...
    async def say(self, conversation: Conversation, turn: Turn, about: Context | None, deadline: float) -> Handed: ...
    async def taken(self, conversation: Conversation, turn: Turn, deadline: float) -> bool | None: ...
    async def close(self, conversation: Conversation, deadline: float) -> None: ...
    async def typing(self, conversation: Conversation, deadline: float) -> None: ...
    async def mark(self, conversation: Conversation, turn: Turn, read: bool, deadline: float) -> None: ...
    def read(self, call: Call) -> DeskHeard: ...
    async def shut(self) -> None: ...


class DeskPlug(Protocol):
    """A desk's folder (`desks/liveperson/`), found by plugs.py.

    `NAME`: "liveperson". `KEEPS` = True: the conversation is already where its agents look (the console): nothing is
    handed over, `open` is never called and gives None. `ONE_PER_RECIPIENT`: it allows one open conversation a person.
    `Settings`, `SECRETS`: as of a provider's plug. `hosts(settings)` names every host that it would speak to; where all
    of them are the sandbox's it is a sandbox desk: conversations of test alerts go to no other.
    `framed(settings)`: the origins that may show our context page in a frame, empty = none.
    """

    NAME: str
    KEEPS: bool
    ONE_PER_RECIPIENT: bool
    Settings: type[msgspec.Struct]
    SECRETS: frozenset[str]

    def open(self, desk: SiteDesk, settings: msgspec.Struct, ways: DeskWays) -> Desk | None: ...
    def hosts(self, settings: msgspec.Struct) -> tuple[str, ...]: ...
    def framed(self, settings: msgspec.Struct) -> tuple[str, ...]: ...
