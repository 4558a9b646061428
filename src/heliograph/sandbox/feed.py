"""The change feed of the pages: which handsets and desks changed after a given point, by no history that could run
out."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator

SUBSCRIBERS = 100
GATHER = 0.05  # seconds: a phone under load is told to the pages 20 times a second at most
COMMENT = 15.0  # seconds between comment lines, so that proxies keep the line open


class Feed:
    """For each handset (and each account at a desk, as desk/account) the number of its last change, in the order of
    change. A reader who was away gets every one that changed since, once. Numbers go on from the clock's, so that those
    of an earlier sandbox are always older."""

    def __init__(self, start: int) -> None:
        self._count = start * 1_000
        self._changed: OrderedDict[str, int] = OrderedDict()
        self._wakes: set[asyncio.Event] = set()
        self.closed = False

    def changed(self, number: str) -> None:
        self._count += 1
        self._changed[number] = self._count
        self._changed.move_to_end(number)
        for wake in self._wakes:
            wake.set()

    def forget(self, number: str) -> None:
        self._changed.pop(number, None)

    def since(self, n: int) -> list[tuple[int, str]]:
        """(number of the change, handset) after `n`, oldest first."""
        newer: list[tuple[int, str]] = []
        for number in reversed(self._changed):
            change = self._changed[number]
            if change <= n:
                break
            newer.append((change, number))
        newer.reverse()
        return newer

    @property
    def now(self) -> int:
        return self._count

    @property
    def full(self) -> bool:
        return len(self._wakes) >= SUBSCRIBERS

    def close(self) -> None:
        self.closed = True
        for wake in self._wakes:
            wake.set()

    async def listen(self, after: int | None) -> AsyncIterator[bytes]:
        """Server-sent events after change `after` (None = from now on), until the feed is closed."""
        at = self._count if after is None else after
        wake = asyncio.Event()
        self._wakes.add(wake)
        try:
            yield b"retry: 1000\n: the sandbox's handsets\n\n"
            while not self.closed:
                for change, number in self.since(at):
                    at = change
                    kind = b'desk\ndata: {"account"' if "/" in number else b'handset\ndata: {"number"'
                    yield b'id: %d\nevent: %s:"%s"}\n\n' % (change, kind, number.encode())
                try:
                    async with asyncio.timeout(COMMENT):
                        await wake.wait()
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                await asyncio.sleep(GATHER)
                wake.clear()
        finally:
            self._wakes.discard(wake)
