"""The real clock: wall time, ids in the order of time, waiting. Tests bring a virtual one (core.ports.Clock)."""

from __future__ import annotations

import asyncio
import os
import time
import uuid


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def loop_time(self) -> float:
        return time.monotonic()

    def new_id(self) -> str:
        """A UUID version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, then random bits. Rows written together
        lie together in every index."""
        random = bytearray(os.urandom(10))
        random[0] = 0x70 | random[0] & 0x0F
        random[2] = 0x80 | random[2] & 0x3F
        return str(uuid.UUID(bytes=(time.time_ns() // 1_000_000).to_bytes(6, "big") + bytes(random)))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
