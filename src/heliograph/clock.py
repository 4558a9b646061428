"""The real clock: wall time, ids in the order of time, waiting. Tests bring a virtual one (core.ports.Clock)."""

from __future__ import annotations

import asyncio
import os
import time

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
        """A UUID version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, then random bits. Rows written together
        lie together in every index."""
        used = self._used
        if used + 10 > len(self._random) or self._process != os.getpid():
            # A forked process must not hand out its parent's bytes again.
            self._random, self._process, used = os.urandom(POOL), os.getpid(), 0
        self._used = used + 10
        bits = int.from_bytes(self._random[used : used + 10], "big")
        # 76 bits left after the version: 12, then the variant's 2 bits (binary 10), then 62.
        high, low = bits >> 68, 1 << 63 | bits & 0x3FFF_FFFF_FFFF_FFFF
        text = f"{time.time_ns() // 1_000_000:012x}7{high & 0xFFF:03x}{low:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
