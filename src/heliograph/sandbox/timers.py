"""Things the sandbox does at a moment (receipts, expiries), on the world's clock, which may be a virtual one."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from contextlib import suppress

from heliograph.core.ports import Clock


class Timers:
    """A heap of (moment in ms, function). Equal moments keep their order. `busy`: how many are under way, without those
    that nobody waits for (`patient`: expiries)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[[], None], bool]] = []
        self.busy = 0
        self._count = 0
        self._wake = asyncio.Event()

    def at(self, moment: int, do: Callable[[], None], *, patient: bool = False) -> None:
        self._count += 1
        self.busy += not patient
        heapq.heappush(self._heap, (moment, self._count, do, patient))
        if self._heap[0][1] == self._count:
            self._wake.set()

    def clear(self) -> None:
        self._heap.clear()
        self.busy = 0

    def __len__(self) -> int:
        return len(self._heap)

    async def run(self) -> None:
        """Does what is due, for ever."""
        while True:
            self._wake.clear()
            now = self._clock.now()
            while self._heap and self._heap[0][0] <= now:
                _, _, do, patient = heapq.heappop(self._heap)
                self.busy -= not patient
                try:
                    do()
                except Exception as fault:  # noqa: BLE001  a twin's bug is told and stops nobody else's receipts
                    asyncio.get_running_loop().call_exception_handler({"message": "a timer failed", "exception": fault})
            if not self._heap:
                await self._wake.wait()
            else:
                await self._until(self._heap[0][0] - now)

    async def _until(self, milliseconds: int) -> None:
        sleep = asyncio.ensure_future(self._clock.sleep(milliseconds / 1_000))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleep, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleep, woken):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
