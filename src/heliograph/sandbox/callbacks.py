"""Callbacks on their way to the server under test: in order, repeated until 200, for a week, then lost.

Google repeats with a pause that grows to 600 s, for 7 days, and one bad webhook holds up what stands behind it; so does
this. Order is kept per sender; `lanes` above 1 keeps it per phone only and posts that many at once (for loads).
"""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from heliograph.core.ports import Call, Clock
from heliograph.sandbox.post import NoAnswer

FIRST_PAUSE = 0.25  # seconds; a server that was restarted is found again within twice its absence
LONGEST_PAUSE = 600.0
KEPT_FOR = 7 * 86_400_000  # ms
QUEUE = 10_000  # callbacks per lane; above it the oldest is lost

Note = Callable[[str, "Waiting", str], None]


class Waiting(msgspec.Struct, kw_only=True):
    """One callback. `done` is called when it got its 200."""

    call: Call
    born: int
    sender: str
    number: str
    message: str = ""
    kind: str = ""
    tries: int = 0
    done: Callable[[], None] | None = None


class Callbacks:
    def __init__(
        self, clock: Clock, send: Callable[[Call], Awaitable[tuple[int, bytes]]], note: Note, *, lanes: int = 1
    ) -> None:
        self._clock = clock
        self._send = send
        self._note = note
        self._lanes = lanes
        self._queues: dict[tuple[str, int], deque[Waiting]] = {}
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._pauses: dict[tuple[str, int], asyncio.Event] = {}

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def put(self, waiting: Waiting) -> None:
        lane = (waiting.sender, zlib.crc32(waiting.number.encode()) % self._lanes)
        queue = self._queues.setdefault(lane, deque())
        if len(queue) >= QUEUE:
            self._note("callback_lost", queue.popleft(), f"{QUEUE} callbacks were waiting")
        queue.append(waiting)
        if lane not in self._tasks:
            task = self._tasks[lane] = asyncio.ensure_future(self._run(lane, queue))
            task.add_done_callback(self._ended)

    def hurry(self, sender: str, url: str) -> None:
        """Tries at once, at this address, what waits for a sender: its webhook was mended, or stands elsewhere now."""
        for lane, queue in self._queues.items():
            if lane[0] == sender:
                for waiting in queue:
                    waiting.call = msgspec.structs.replace(waiting.call, url=url)
                    waiting.tries = 0
                if (pause := self._pauses.get(lane)) is not None:
                    pause.set()

    async def stop(self) -> None:
        """Drops what is waiting."""
        tasks = list(self._tasks.values())
        self._queues.clear()
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            task.get_loop().call_exception_handler({"message": "callbacks stopped", "exception": fault, "task": task})

    async def _run(self, lane: tuple[str, int], queue: deque[Waiting]) -> None:
        while queue:
            waiting = queue[0]
            said = await self._try(waiting)
            if queue and queue[0] is waiting:  # else it was pushed out meanwhile
                if not said:
                    queue.popleft()
                    self._note("callback", waiting, "")
                    if waiting.done is not None:
                        waiting.done()
                elif self._clock.now() - waiting.born > KEPT_FOR:
                    queue.popleft()
                    self._note("callback_lost", waiting, f"not taken for 7 days: {said}")
                else:
                    self._note("callback_failed", waiting, said)
                    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(waiting.tries, 12))
                    waiting.tries += 1
                    await self._pause(lane, pause)
        self._tasks.pop(lane, None)
        self._queues.pop(lane, None)

    async def _pause(self, lane: tuple[str, int], seconds: float) -> None:
        """Waits, unless somebody is in a hurry."""
        hurry = self._pauses[lane] = asyncio.Event()
        waits = asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(hurry.wait())
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._pauses.pop(lane, None)
            for wait in waits:
                wait.cancel()

    async def _try(self, waiting: Waiting) -> str:
        """Empty if it was taken, else what was answered."""
        try:
            status, _ = await self._send(waiting.call)
        except NoAnswer as fault:
            return str(fault)
        return "" if status == 200 else f"answered {status}; only 200 counts"
