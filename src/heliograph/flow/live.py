"""What changes in conversations, told at once to whoever looks: pages in agents' browsers, and the live API.

A change names what changed and carries no words: who shows it reads it. A listener that does not keep up loses nothing
but its place: it is told to look again from the start (`missed`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import msgspec

from heliograph.core.ports import ConversationStore
from heliograph.errors import StoreAway

ROOM = 1_000  # changes that wait for one listener; one that has more to read reads everything anew


class Change(msgspec.Struct, frozen=True, gc=False):
    """`conversation` changed: to turn `number`, or (0) in its state, its agent, its skill. `what`: said (the
    recipient), answered (a turn of ours, or what became of it), typing, moved (claimed, transferred), closed, handed
    (its desk has taken turns), elsewhere (another node did something: read it anew)."""

    site: str
    conversation: str
    number: int
    what: str


class Listener:
    """One who listens; `missed` is True once when changes were dropped."""

    def __init__(self) -> None:
        self._waiting: list[Change] = []
        self._some = asyncio.Event()
        self.missed = False

    def tell(self, change: Change) -> None:
        if len(self._waiting) >= ROOM:
            self._waiting.clear()
            self.missed = True
        self._waiting.append(change)
        self._some.set()

    async def changes(self, timeout: float) -> list[Change]:
        """What changed since the last call; waits at most `timeout` seconds for something."""
        try:
            async with asyncio.timeout(timeout):
                await self._some.wait()
        except TimeoutError:
            return []
        self._some.clear()
        found, self._waiting = self._waiting, []
        return found


EVERY = 0.5  # seconds between two looks at what other nodes changed
OVERLAP = 5_000  # ms looked back: a commit may be seen later than it is dated


async def watch(live: Live, store: ConversationStore, now: Callable[[], int], *, every: float = EVERY) -> None:
    """Tells what other nodes and processes changed, for ever; looks only while somebody listens here."""
    known: dict[str, int] = {}
    while True:
        await asyncio.sleep(every)
        if not len(live):
            known.clear()
            continue
        since = now() - OVERLAP
        with contextlib.suppress(StoreAway):
            found = await store.touched(since)
            fresh = [one for one in found if known.get(one.id) != one.touched]
            live.tell(Change(one.site, one.id, 0, "elsewhere") for one in fresh)
            known = {one.id: one.touched for one in found}


class Live:
    """Who listens in this process."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._listeners)

    def listen(self) -> Listener:
        listener = Listener()
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            for listener in self._listeners:
                listener.tell(change)
