"""Group commit: one thread that takes whatever verbs are waiting, runs them in one transaction and commits once.

A commit costs one fsync (0.2 ms on a fast disk, 1-10 ms on others) however much is in it; while it runs the next group
gathers. So latency under load is two commits, and the number of commits per second bounds nothing.

    submit ──► queue ──► thread: begin, verb, verb, verb …, commit ──► every waiter at once, in its event loop

Nobody hears of a result before its commit is on disk. A verb that fails undoes the group's transaction; then each verb
of that group runs again in a transaction of its own, so that the failure stays with the one it belongs to. A commit
that fails wrote nothing: every waiter gets that error. A waiter that is cancelled takes nothing back: its verb runs to
its end, unheard.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from heliograph.errors import StoreAway

# Seconds between two commits: so many for each verb of the group before, at most LONGEST_GAP. A quiet store commits at
# once; a busy one gathers larger groups, whose pages are written and synced once for all (16 alerts in a group cost a
# quarter less than 4 each, in benchmarks/store.py).
GAP_PER_VERB = 0.0003
LONGEST_GAP = 0.006
MOST = 500  # verbs in one commit: 10-20 ms of work, so that nobody waits longer for a neighbour's sake


class Session(Protocol):
    """One connection. Driver's errors leave it as StoreAway where the database is at fault."""

    def begin(self) -> None: ...
    def run(self, verb: Callable[..., Any], args: tuple[Any, ...]) -> Any: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


Waiting = tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]]
Result = tuple[Any, Exception | None]


class Group:
    """The thread and its queue. The session is the thread's own from here on."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, verb: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """The future of `verb(*args)`'s result, done after its commit. Called in the event loop's thread."""
        if self._closed:
            raise StoreAway("The store is closed; nothing was written.", code="store_closed")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put((verb, args, future))
        return future

    async def close(self) -> None:
        """Finishes what was submitted, then ends the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        last, earliest = False, 0.0
        while not last:
            if (left := earliest - time.monotonic()) > 0:
                time.sleep(left)
            group, last = self._gather()
            if group:
                results = settle(self._session, [(verb, args) for verb, args, _ in group])
                try:
                    self._loop.call_soon_threadsafe(_resolve, [future for _, _, future in group], results)
                    earliest = time.monotonic() + min(LONGEST_GAP, GAP_PER_VERB * len(group))
                except RuntimeError:  # the event loop is closed: nobody waits any more
                    last = True
        self._session.close()

    def _gather(self) -> tuple[list[Waiting], bool]:
        """Waits for the first verb, then takes what else is there. True: the last group."""
        group: list[Waiting] = []
        waiting = self._queue.get()
        try:
            while waiting is not None:
                group.append(waiting)
                if len(group) == MOST:
                    return group, False
                waiting = self._queue.get_nowait()
        except Empty:
            return group, False
        return group, True


def settle(session: Session, verbs: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> list[Result]:
    """Runs verbs in one transaction and commits it. One result for each: its value, or the error it ended with."""
    try:
        session.begin()
        results: list[Result] = [(session.run(verb, args), None) for verb, args in verbs]
        session.commit()
        return results
    except StoreAway as away:
        session.rollback()
        return [(None, away)] * len(verbs)
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to one waiter, who gets it
        session.rollback()
        if len(verbs) == 1:
            return [(None, error)]
        return [settle(session, [verb])[0] for verb in verbs]


def _resolve(futures: list[asyncio.Future[Any]], results: list[Result]) -> None:
    for future, (value, error) in zip(futures, results, strict=True):
        if future.done():
            continue  # cancelled by its waiter; what it asked for was done
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
