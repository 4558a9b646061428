"""A value that is fetched from outside when it is needed: by one call, however many wait, and again before its end.

While a value still serves it is renewed in the background. A refusal is remembered for a while, so that wrong
credentials are not tried once per turn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from heliograph.errors import Fate, SendError

UNUSABLE_BEFORE = 10.0  # seconds; what ends sooner could end on the way
FETCH_SECONDS = 10.0
REMEMBER_REFUSED = 30.0  # seconds a refusal stands
REMEMBER_AWAY = 1.0  # the same where nobody answered

T = TypeVar("T")


async def within(deadline: float, waited: Awaitable[T]) -> T:
    """What is waited for, until the deadline. Raises SendError (retry)."""
    try:
        async with asyncio.timeout_at(deadline):
            return await waited
    except TimeoutError:
        raise SendError(
            "LivePerson gave no token in time. Nothing was handed over.", code="no_time", fate=Fate.RETRY
        ) from None


class Kept(Generic[T]):
    """`fetch(deadline)` gives the value and the seconds that it lives, or raises SendError. `early`: how many seconds
    before its end it is renewed. `outlives`: a value past its end serves until a new one is there."""

    def __init__(
        self,
        fetch: Callable[[float], Awaitable[tuple[T, float]]],
        *,
        early: float,
        outlives: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._early = early
        self._outlives = outlives
        self._clock = clock
        self._held: tuple[T, float] | None = None  # with its end
        self._fetched = float("-inf")
        self._asking: asyncio.Task[T] | None = None
        self._refused: tuple[float, SendError] | None = None

    @property
    def age(self) -> float:
        """Seconds since the value was asked for; without end where there is none."""
        return self._clock() - self._fetched

    def held(self) -> T | None:
        """The value as it is, however old."""
        return self._held[0] if self._held else None

    async def get(self, deadline: float) -> T:
        """A value that is good now. Raises SendError."""
        now = self._clock()
        if self._held is not None:
            value, end = self._held
            if now < end - self._early:
                return value
            if self._outlives or now < end - UNUSABLE_BEFORE:
                if self._remembered(now) is None:
                    self._ask()
                return value
        if refused := self._remembered(now):
            raise refused
        return await within(deadline, asyncio.shield(self._ask()))

    def drop(self, value: T) -> None:
        """Forgets a value that was refused; a newer one stays."""
        if self._held is not None and self._held[0] == value:
            self._held = None

    def forget(self) -> None:
        """The next `get` asks."""
        self._held = None

    async def shut(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def _ask(self) -> asyncio.Task[T]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._renew())
            self._asking.add_done_callback(self._told)
        return self._asking

    async def _renew(self) -> T:
        asked = self._clock()
        value, lives = await self._fetch(asyncio.get_running_loop().time() + FETCH_SECONDS)
        self._refused = None
        self._held, self._fetched = (value, asked + lives), asked
        return value

    def _told(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled() and isinstance(failed := task.exception(), SendError):
            wait = REMEMBER_REFUSED if failed.fate is Fate.CONFIG else REMEMBER_AWAY
            self._refused = (self._clock() + wait, failed)

    def _remembered(self, now: float) -> SendError | None:
        if self._refused is None or now >= self._refused[0]:
            return None
        known = self._refused[1]
        return SendError(known.sentence, code=known.code, fate=known.fate, blame=known.blame, exchange=known.exchange)
