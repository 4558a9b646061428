"""Webhooks' endpoints as this node sees them: whether one is well, asked for a pause, or has its hands full. No I/O.

All of a lane's places (flow/due.py) are shared by all sites. So an endpoint that takes its time has some of them and no
more: whoever finds none free waits for a moment, and is then looked at again in his turn.
"""

from __future__ import annotations

import asyncio

from heliograph.flow.health import Health, Rules

RULES = Rules(pause=5_000, back=10_000)  # of the breaker that leaves an endpoint alone which does not answer
AT_ONCE = 20  # posts to one endpoint under way at once
WAITS = 1.0  # seconds that one more waits for a place: 20 places of a quick endpoint are free within milliseconds
LOOKS = 100  # ms between two of those that found none and come back


class Endpoint:
    """`paused_until` (ms): it asked to be left alone."""

    def __init__(self) -> None:
        self.health = Health(RULES)
        self.paused_until = 0
        self._places = asyncio.Semaphore(AT_ONCE)
        self._next = 0

    async def place(self) -> bool:
        """Takes a place, which `free` gives back. False: none was free in time."""
        try:
            async with asyncio.timeout(WAITS):
                await self._places.acquire()
        except TimeoutError:
            return False
        return True

    def free(self) -> None:
        self._places.release()

    def turn(self, now: int) -> int:
        """When one that found no place is looked at again (ms): those that wait come one after the other."""
        self._next = max(self._next, now + 1000) + LOOKS
        return self._next


class Endpoints:
    def __init__(self) -> None:
        self._of: dict[tuple[str, str], Endpoint] = {}

    def of(self, site: str, url: str) -> Endpoint:
        endpoint = self._of.get((site, url))
        if endpoint is None:
            endpoint = self._of[site, url] = Endpoint()
        return endpoint

    def forget(self, site: str) -> None:
        """The site's webhook was applied anew, disabled or enabled: what was learned says nothing any more."""
        for place in [place for place in self._of if place[0] == site]:
            del self._of[place]
