"""A sender's own rate: parts per second, kept by waiting in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from heliograph.errors import Blame, Fate, SendError


class Pace:
    """At most `per_second` parts on average, `burst` of them at once (a second's worth, at least one). Whoever takes
    is served in the order of asking; one that could not be served before its deadline takes nothing."""

    def __init__(
        self,
        per_second: float,
        burst: float = 0.0,
        *,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`per_second` 0 = no limit. `clock`: seconds, the event loop's own where none is given."""
        self._rate = per_second
        self._burst = burst or max(1.0, per_second)
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._sleep = sleep
        self._free = 0.0  # the moment at which everything taken so far has been paid for

    async def take(self, parts: int, deadline: float) -> None:
        """Returns when `parts` may be sent. Raises SendError (retry, with the time to wait) where that would be after
        `deadline`: nothing was taken then."""
        if self._rate <= 0:
            return
        now = self._clock()
        start = max(self._free, now - self._burst / self._rate)
        free = start + parts / self._rate
        wait = free - now
        if wait > 0 and now + wait > deadline:
            raise SendError(
                f"The sender's own rate of {self._rate:g} a second is used up for {wait:.1f} s. Nothing was sent.",
                code="throttled",
                fate=Fate.RETRY,
                blame=Blame.US,
                retry_after=wait,
            )
        self._free = free
        if wait > 0:
            await self._sleep(wait)

    def back_off(self, seconds: float) -> None:
        """Nothing more for so long: the provider said that it is too much."""
        if self._rate > 0:
            self._free = max(self._free, self._clock() + seconds)
