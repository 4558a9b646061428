"""The sandbox's timers come to their end whenever they are told to."""

from __future__ import annotations

import asyncio

from heliograph.clock import SystemClock
from heliograph.sandbox.timers import Timers


async def test_timers_end_in_whichever_moment_they_are_cancelled() -> None:
    for turns in range(12):  # of the event loop, after what they wait for has come
        timers = Timers(SystemClock())
        timers.after(60, lambda: None)
        task = asyncio.ensure_future(timers.run())
        await asyncio.sleep(0.001)
        timers.after(30, lambda: None)  # wakes them
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        ended, _ = await asyncio.wait({task}, timeout=0.5)
        assert ended, f"{turns} turns after it was woken"
