"""The contract between the sandbox and a desk's twin: the desk's side of the wire, played for tests and demos.

A desk's twin is a module in the desk's folder (`desks/liveperson/twin.py`), written from the desk's documentation
alone. Like a provider's (core/twin.py) it holds no state of its own: what it keeps lies on the sandbox's shelf
(`world.shelf(NAME)`, bytes by name), so that a reset of the sandbox forgets it.

    a request comes in      answer(call, world)        -> what the desk would answer
    an agent does something act(deed, desk, world)     -> the calls that the desk would post to our callback
    a page shows the desk   shown(desk, world)         -> its conversations as its agents see them

What a desk tells by itself while it answers (an echo of the recipient's words) goes by `world.desk_tells`. A call that
opens a conversation, says something in it or closes it is noted, so that a scenario can go on from there: `world.note`
with kind `desk_opened`, `desk_said` or `desk_closed`, the account as `sender` and the desk's id of the conversation as
`message`. Before that it asks `world.misbehaviour("desk_open" | "desk_say" | "desk_close" | "token", number, account,
provider=NAME)`, as a provider's twin does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, TwinAnswer, World


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent does at the desk. `conversation`: the desk's own id. `to`: the skill's name of a transfer."""

    do: Literal["say", "type", "read", "take", "transfer", "close"]
    conversation: str
    text: str = ""
    agent: str = "Agent"
    to: str = ""


class DeskLine(msgspec.Struct, frozen=True, kw_only=True):
    """One utterance as the desk shows it. `by`: recipient | agent | system. `at`: ms."""

    by: str
    text: str
    at: int
    author: str = ""


class DeskCase(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation as the desk shows it to its agents: the customer, what stands beside the conversation (`facts`,
    label → value, as the desk's widgets have it) and the lines. `open` and `skill` (its name) as they are there."""

    id: str
    customer: str
    skill: str
    open: bool
    agent: str = ""
    facts: dict[str, str] = {}
    lines: tuple[DeskLine, ...] = ()


class DeskTwin(Protocol):
    """A desk twin's module. `PREFIXES`: the paths that it answers. `credentials(secret)`: a new account's, where
    `secret(n)` gives n hex digits. `POSTING` (core.twin.Posting) says which answers count as taken and how long it
    repeats. `act` is asked for conversations that are open, and raises ValueError, with a sentence, for what this desk
    cannot do. For tests it has `signed(raw, desk, world)` too: a callback of these bytes as the desk would sign it, by
    which `Desk.read` is held against what the desk writes, and against nonsense."""

    NAME: str
    PREFIXES: tuple[str, ...]

    def body_limit(self, path: str) -> int: ...
    def answer(self, call: Call, world: World) -> TwinAnswer: ...
    def act(self, deed: Deed, desk: KnownDesk, world: World) -> list[Call]: ...
    def shown(self, desk: KnownDesk, world: World) -> list[DeskCase]: ...
    def credentials(self, secret: Callable[[int], str]) -> dict[str, str]: ...
