"""Does what is due: rows of kind "attempt" and "step" follow an attempt up (follow.py), rows of kind "alert" send
what was held (held.py), "answer" lets turns leave (answers.py), "desk" hands them over (desk.py), "webhook" tells the
brand (notify.py). Each lane (core.ports.LANES) has a worker and places of its own. Rows are claimed with a lease, so
that every node may look, and one that dies leaves its rows to the others.
"""

from __future__ import annotations

import asyncio
import traceback
from pathlib import PurePath

from heliograph.core.ports import Due
from heliograph.errors import HeliographError, StoreAway
from heliograph.flow.answers import send_waiting
from heliograph.flow.desk import hand_over
from heliograph.flow.follow import follow_up
from heliograph.flow.held import release
from heliograph.flow.leave import Shift
from heliograph.flow.means import Means
from heliograph.flow.notify import notify

LEASE = 60_000  # ms that one due row may take before another node may have it
PATIENCE = LEASE / 2000  # seconds for a hand-over that no caller waits for; its commits fit into the other half
AT_ONCE = 50  # rows under way at once
LONGEST_NAP = 1.0  # seconds: another node, or a clock, may have made something due


async def work(means: Means, lane: int = 0, *, grace: float = 0.0) -> None:
    """Does what is due in a lane, for ever, AT_ONCE rows at a time: one that hangs holds up nobody else. Cancel it to
    stop; rows under way are given `grace` seconds, since a hand-over that is cut off is in doubt, and then left to
    their lease."""
    running: set[asyncio.Task[None]] = set()
    wake = means.wake.of(lane)
    try:
        while True:
            rows: list[Due] = []
            wake.clear()  # before the look: what comes during it is not slept through
            if len(running) < AT_ONCE:
                rows = await _claimed(means, AT_ONCE - len(running), lane)
                running |= {asyncio.ensure_future(_do(row, means)) for row in rows}
            if not rows:
                await _nap(wake, running)
            running = {task for task in running if not task.done()}
    finally:
        if running and grace > 0:
            await asyncio.wait(running, timeout=grace)
        for task in running:
            task.cancel()


async def _claimed(means: Means, most: int, lane: int) -> list[Due]:
    now = means.clock.now()
    try:
        return await means.store.claim_due(now, now + LEASE, means.node, most, lane)
    except StoreAway:
        means.log("warning", "The store is away; due work waits.", action="due.store_away")
        return []


async def _nap(wake: asyncio.Event, running: set[asyncio.Task[None]]) -> None:
    """Until something is due at once, a place is free again, or a second has passed."""
    woken = asyncio.ensure_future(wake.wait())
    full = len(running) >= AT_ONCE
    await asyncio.wait({woken, *(running if full else ())}, timeout=LONGEST_NAP, return_when=asyncio.FIRST_COMPLETED)
    woken.cancel()


async def once(means: Means, lane: int = 0) -> int:
    """One round: claims what is due now in a lane and does it. The number of rows done."""
    rows = await _claimed(means, AT_ONCE, lane)
    await asyncio.gather(*(_do(row, means) for row in rows))
    return len(rows)


async def _do(row: Due, means: Means) -> None:
    """One row. Whatever breaks in it is told and left to its lease: it must not stop the others, nor this server."""
    now = means.clock.now()
    means.meters.due(row.kind, max(0, now - row.at) / 1000)
    try:
        left = min(PATIENCE, (row.lease - now) / 1000 - PATIENCE) if row.lease else PATIENCE
        if left <= 0:
            return  # this node stood still for so long that another may have it any moment
        deadline = means.clock.loop_time() + left
        shift = Shift(row=row, deadline=deadline, patience=PATIENCE, lease=LEASE)
        if row.kind == "answer":
            await send_waiting(shift, means)
        elif row.kind == "desk":
            await hand_over(shift, means)
        elif row.kind in ("attempt", "step"):
            await follow_up(shift, means)
        elif row.kind == "alert":
            await release(shift, means)
        elif row.kind == "webhook":
            await notify(shift, means)
        else:
            means.log("error", "A due row of a kind unknown to this version.", action="due.unknown", kind=row.kind)
    except HeliographError as error:
        means.log("error", error.sentence, action="due.failed", ref=row.ref, code=error.code)
    except Exception as error:  # noqa: BLE001  see above
        last = traceback.extract_tb(error.__traceback__)[-1]
        means.log(
            "error",
            "A due row broke on an error of our own.",
            action="due.broke",
            ref=row.ref,
            error=type(error).__name__,
            place=f"{PurePath(last.filename).name} line {last.lineno}",
        )
