"""Time that stands still while anything is to be done, and then leaps to the next moment at which something is: an
event loop and a clock for days of schedules in milliseconds. And SQLite without threads, so that a seed tells it all.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from random import Random
from typing import Any

from heliograph.store.engine_sqlite import Session
from heliograph.store.verb import T, Verb

BEGINNING = 1_900_000_000_000  # ms since the epoch


class _Leaps(selectors.SelectSelector):
    """Never waits: it moves the time on by as much as it should have waited."""

    moved: Callable[[float], None]

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("Everything waits for something that will never come.")
        if timeout > 0:
            self.moved(timeout)
        return []


class StillLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        leaps = _Leaps()
        leaps.moved = self._move
        self._time = 0.0
        super().__init__(leaps)

    def time(self) -> float:
        return self._time

    def _move(self, seconds: float) -> None:
        self._time += seconds + 1e-6  # asyncio calls what is due within its clock's resolution


class StillClock:
    """core.ports.Clock on a StillLoop; its ids are the seed's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rng: Random) -> None:
        self._loop = loop
        self._rng = rng

    def now(self) -> int:
        return BEGINNING + int(self._loop.time() * 1000)

    def loop_time(self) -> float:
        return self._loop.time()

    def new_id(self) -> str:
        text = f"{self.now():012x}7{self._rng.getrandbits(64):016x}000"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Inline:
    """store.verb.Engine that runs each verb where it is called, in a transaction of its own."""

    def __init__(self, path: str) -> None:
        self.session = Session(path, "BEGIN IMMEDIATE")
        connection = self.session._connection
        assert connection is not None
        connection.execute("PRAGMA synchronous = OFF")  # processes die here, machines do not

    async def write(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        return self.now(verb, *args)

    async def read(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        return self.now(verb, *args)

    look = read

    def now(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        self.session.begin()
        try:
            value: T = self.session.run(verb, args)
        except BaseException:
            self.session.rollback()
            raise
        self.session.commit()
        return value

    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        self.session.close()
