"""What changes in conversations, told at once to whoever looks: pages in agents' browsers, and the live API.

A change names what changed and carries no words: who shows it reads it. A listener that does not keep up loses nothing
but its place: it is told to look again from the start (`missed`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

ROOM = 1_000  # changes that wait for one listener; one that has more to read reads everything anew


class Change(msgspec.Struct, frozen=True, gc=False):
    """`conversation` changed: to turn `number`, or (0) in its state, its agent, its skill. `what`: said (the
    recipient), answered (a turn of ours, or what became of it), typing, moved (claimed, transferred), closed."""

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
