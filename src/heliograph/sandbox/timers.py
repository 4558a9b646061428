"""Things the sandbox does at a moment (receipts, expiries), on the world's clock, which may be a virtual one."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable

from heliograph.core.ports import Clock


class Timers:
    """A heap of (moment in ms, function). Equal moments keep their order. `busy`: how many are under way, without those
    that nobody waits for (`patient`: expiries, what a scenario has planned).

    `settled`: with it one thing happens after the other: what one timer set off is awaited before the next comes, so
    that the order does not depend on how quick the machine is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[[], None], bool]] = []
        self.busy = 0
        self.settled: Callable[[], Awaitable[None]] | None = None
        self._moment: int | None = None
        self._count = 0
        self._wake = asyncio.Event()

    def now(self) -> int:
        """The moment that the timer which is being done was meant for, so that what follows from it is timed from there
        and not from when its turn came; else the clock's."""
        return self._clock.now() if self._moment is None else self._moment

    def at(self, moment: int, do: Callable[[], None], *, patient: bool = False) -> None:
        self._count += 1
        self.busy += not patient
        heapq.heappush(self._heap, (moment, self._count, do, patient))
        if self._heap[0][1] == self._count:
            self._wake.set()

    def after(self, seconds: float, do: Callable[[], None], *, patient: bool = False) -> None:
        self.at(self.now() + round(seconds * 1_000), do, patient=patient)

    def clear(self) -> None:
        self._heap.clear()
        self.busy = 0
        self._moment = None

    def __len__(self) -> int:
        return len(self._heap)

    async def run(self) -> None:
        """Does what is due, for ever."""
        while True:
            self._wake.clear()
            while self._heap and self._heap[0][0] <= self._clock.now():
                await self._next()
            if not self._heap:
                await self._wake.wait()
            else:
                await self._until(self._heap[0][0] - self._clock.now())

    async def _next(self) -> None:
        self._moment, _, do, patient = heapq.heappop(self._heap)
        try:
            do()
        except Exception as fault:  # noqa: BLE001  a twin's bug is told and stops nobody else's receipts
            asyncio.get_running_loop().call_exception_handler({"message": "a timer failed", "exception": fault})
        if self.settled is not None:
            await self.settled()
        if self._moment is not None:  # else all was cleared meanwhile
            self.busy -= not patient
            self._moment = None

    async def _until(self, milliseconds: int) -> None:
        sleep = asyncio.ensure_future(self._clock.sleep(milliseconds / 1_000))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleep, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            woken.cancel()
            await asyncio.wait({sleep, woken})  # whoever cancels us in this moment is heard, and not taken for them
