"""The sandbox comes to its end whenever it is told to: its timers, and a start that a signal breaks off."""

from __future__ import annotations

import asyncio

from heliograph.channels.rcs import google_rbm_twin
from heliograph.clock import SystemClock
from heliograph.sandbox.serve import serve
from heliograph.sandbox.timers import Timers
from heliograph.sandbox.world import World


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


async def test_a_start_that_is_broken_off_leaves_nothing_running() -> None:
    before = asyncio.all_tasks()
    for turns in range(1, 40):  # of the event loop, after which the signal comes
        starting = asyncio.ensure_future(serve(World([google_rbm_twin], clock=SystemClock())))
        for _ in range(turns):
            await asyncio.sleep(0)
        if starting.done():
            await starting.result().stop()
            continue
        starting.cancel()
        await asyncio.wait({starting}, timeout=5)
        assert starting.cancelled()
        assert asyncio.all_tasks() == before, turns
