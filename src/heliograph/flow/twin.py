"""The same call again: it waits for the first one, and is given its answer. Nothing is sent for it."""

from __future__ import annotations

import asyncio

import msgspec

from heliograph.core.states import ENDS
from heliograph.flow.means import Means
from heliograph.flow.result import IN_DOUBT, Result, from_record

LOOK_EVERY = 0.1  # seconds, where another node is sending the first call


async def answer_of(alert: str, means: Means, deadline: float) -> Result | None:
    """The answer of the call that became `alert`. None where it came to nothing and holds nothing any more, so that
    the repeat is an alert of its own; `in_doubt` where it is still under way when the deadline ends."""
    if alert in means.forgotten:
        return None
    work = means.under_way.get(alert)
    if work is not None:
        left = max(0.0, deadline - means.clock.loop_time())
        await asyncio.wait([work], timeout=left)
        if work.done() and not work.cancelled() and work.exception() is None:
            result: Result = work.result()
            return msgspec.structs.replace(result, replayed=True)
    while True:
        record = await means.store.record(alert)
        if record is None:
            return None
        result_now = from_record(record)
        if result_now is not None:
            return msgspec.structs.replace(result_now, replayed=True)
        if record.alert.state in ENDS:
            return None
        if means.clock.loop_time() + LOOK_EVERY > deadline:
            return Result(
                kind="in_doubt",
                site=record.alert.site,
                alert=alert,
                code="in_doubt",
                detail=IN_DOUBT,
                replayed=True,
            )
        await means.clock.sleep(LOOK_EVERY)


async def came_to_nothing(taker: str, site: str, means: Means, deadline: float) -> Result | None:
    """The first call came to nothing, so its claim is about to be free: a moment, then the repeat may try again.
    Where it is still held when the deadline ends, nobody knows, and that is what the caller hears."""
    if means.clock.loop_time() + LOOK_EVERY > deadline:
        return Result(kind="in_doubt", site=site, alert=taker, code="in_doubt", detail=IN_DOUBT, replayed=True)
    await means.clock.sleep(LOOK_EVERY / 10)
    return None
