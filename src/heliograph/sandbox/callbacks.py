"""Callbacks on their way to the server under test: in order, repeated until they are taken, for a week, then lost.

That is Google's way; a twin may name another (core.twin.Posting). Google repeats with a pause that grows to 600 s, for
7 days, and one bad webhook holds up what stands behind it; so does this. Order is kept per sender; `lanes` above 1
keeps it per phone only and posts that many at once (for loads).
"""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from heliograph.core.ports import Call, Clock
from heliograph.core.twin import Posting
from heliograph.sandbox.post import NoAnswer

FIRST_PAUSE = 0.25  # seconds; a server that was restarted is found again within twice its absence
LONGEST_PAUSE = 600.0
QUEUE = 10_000  # callbacks per lane; above it the oldest is lost

Note = Callable[[str, "Waiting", str], None]


class Waiting(msgspec.Struct, kw_only=True):
    """One callback. `done` is called when it was taken, `answered` with what was said then; `again` writes it anew for
    a webhook that moved (the address is part of some signatures)."""

    call: Call
    posting: Posting = Posting()
    born: int
    sender: str
    number: str
    message: str = ""
    kind: str = ""
    tries: int = 0
    done: Callable[[], None] | None = None
    again: Callable[[], Call | None] | None = None
    answered: Callable[[bytes], None] | None = None


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
        self._progress = asyncio.Event()

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

    async def answered(self) -> None:
        """Returns once all that was put has had its answer, or stands behind one that was refused."""
        while any(queue and not queue[0].tries for queue in self._queues.values()):
            self._progress.clear()
            await self._progress.wait()

    def hurry(self, sender: str) -> None:
        """Tries at once what waits for a sender: its webhook was mended."""
        for lane, queue in self._queues.items():
            if lane[0] == sender:
                for waiting in queue:
                    waiting.tries = 0
                if (pause := self._pauses.get(lane)) is not None:
                    pause.set()

    def moved(self, sender: str, former: str) -> None:
        """What waits for a sender at its `former` webhook goes to that of now, at once."""
        for lane, queue in self._queues.items():
            for waiting in queue if lane[0] == sender else ():
                if waiting.call.url == former and waiting.again is not None:
                    waiting.call = waiting.again() or waiting.call
        self.hurry(sender)

    async def stop(self) -> None:
        """Drops what is waiting."""
        tasks = list(self._tasks.values())
        self._queues.clear()
        self._tasks.clear()
        self._progress.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            task.get_loop().call_exception_handler({"message": "callbacks stopped", "exception": fault, "task": task})

    async def _run(self, lane: tuple[str, int], queue: deque[Waiting]) -> None:
        while queue:
            waiting = queue[0]
            said, body = await self._try(waiting)
            if queue and queue[0] is waiting:  # else it was pushed out meanwhile
                if not said:
                    queue.popleft()
                    self._note("callback", waiting, "")
                    if waiting.done is not None:
                        waiting.done()
                    if waiting.answered is not None:
                        waiting.answered(body)
                elif (lost := self._is_lost(waiting)) is not None:
                    queue.popleft()
                    self._note("callback_lost", waiting, f"{lost}: {said}")
                else:
                    self._note("callback_failed", waiting, said)
                    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(waiting.tries, 12))
                    waiting.tries += 1
                    self._progress.set()
                    await self._pause(lane, pause)
                self._progress.set()
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

    def _is_lost(self, waiting: Waiting) -> str | None:
        """Why it is not tried again, after one more failure."""
        posting = waiting.posting
        if posting.tries and waiting.tries + 1 >= posting.tries:
            return f"not taken in {posting.tries} tries"
        if self._clock.now() - waiting.born > posting.kept_for:
            return f"not taken for {posting.kept_for / 86_400_000:g} days"
        return None

    async def _try(self, waiting: Waiting) -> tuple[str, bytes]:
        """What was wrong, empty if it was taken, and the answer's body."""
        try:
            status, body = await self._send(waiting.call)
        except NoAnswer as fault:
            return str(fault), b""
        if status == 200 or (waiting.posting.any_2xx and 200 <= status < 300):
            return "", body
        wanted = "a 2xx" if waiting.posting.any_2xx else "only 200"
        return f"answered {status}; {wanted} counts", body
