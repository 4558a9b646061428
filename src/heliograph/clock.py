"""The real clock: wall time, ids in the order of time, waiting. Tests bring a virtual one (core.ports.Clock)."""

from __future__ import annotations

import asyncio
import os
import time

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
POOL = 4_000  # random bytes fetched at once: a system call each time costs 9 us, two to four times an alert


class SystemClock:
    def __init__(self) -> None:
        self._random = b""
        self._used = 0
        self._process = 0

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def loop_time(self) -> float:
        return time.monotonic()

    def new_id(self) -> str:
        """A UUID version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, then 62 random bits, then the three zeros
        of core.alert. Rows written together lie together in every index."""
        used = self._used
        if used + 8 > len(self._random) or self._process != os.getpid():
            # A forked process must not hand out its parent's bytes again.
            self._random, self._process, used = os.urandom(POOL), os.getpid(), 0
        self._used = used + 8
        # After the version 12 bits, the variant (binary 10), 50 bits: 62 of these 64 are used.
        bits = self._random[used : used + 8].hex()
        moment = f"{time.time_ns() // 1_000_000:012x}"
        return f"{moment[:8]}-{moment[8:]}-7{bits[:3]}-{_VARIANT[bits[3]]}{bits[4:7]}-{bits[7:]}000"

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
