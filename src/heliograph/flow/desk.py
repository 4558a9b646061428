"""Recipients' turns go to their desk: in order, each once, for as long as it takes.

A due row of kind "desk" names a conversation. Whoever has its lease opens it at the desk, hands over the turns that are
not there yet, and tells the desk where it was closed on this side. A desk that is down or slow is tried again with
growing pauses; what it has not taken waits, and `trouble` says why. After a lost answer the desk is asked whether it
has the turn, and so it is after a crash; where it cannot tell, the turn is handed over again: a line that is there
twice is better than a question that nobody reads.
"""

from __future__ import annotations

import random

from heliograph.core.conversation import CONSOLE, By, Conversation, State, Turn
from heliograph.core.desk import Context
from heliograph.core.ports import Desk, DeskTaken, Due
from heliograph.errors import DeskGone, Fate, SendError
from heliograph.flow.context import context
from heliograph.flow.leave import Shift
from heliograph.flow.live import Change
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenDesk

FIRST_PAUSE, LONGEST_PAUSE = 1_000, 300_000  # ms between two tries
DOUBT_FOR = 3_000  # ms that a lost answer is given before the desk is asked
PATIENCE = 15.0  # seconds for one call of the desk
LOOKED_AT = 50  # turns before one, among which the alert that was spoken of last is looked for
_TOLD = frozenset({"undelivered", "confirmation"})  # what heliograph itself says to the desk


async def hand_over(shift: Shift, means: Means) -> None:
    """Hands over what waits. Raises StoreAway: the lease then leaves it to the next."""
    site, id = shift.row.site, shift.row.ref
    there = await means.store.conversation(site, id)
    opened = means.registry.desk(site)
    if there is None or there.desk in ("", CONSOLE):  # kept here
        await means.store.finish_due(site, "desk", id)
        return
    desk = opened.desk
    barred = _barred(there, opened)
    if desk is None or barred:
        why = opened.fault or barred
        await _wait(there, why, LONGEST_PAUSE, shift, means)
        return
    try:
        while (turn := await _next(there, means)) is not None:
            if means.clock.loop_time() + PATIENCE / 2 > shift.deadline:
                await means.store.push_due(Due(site=site, kind="desk", ref=id, at=means.clock.now()))
                return
            there = await _hand(there, turn, desk, means)
        if there.state is State.CLOSED and there.reference and not there.told_closed:
            await desk.close(there, _until(means))
            await _taken(there, there.handed, there.reference, means, closed=True)
    except DeskGone:
        if there.state is State.CLOSED:
            await _taken(there, there.turns, there.reference, means, closed=True)
        else:
            await _taken(there, there.handed, "", means)
            again = means.clock.now() + (_pause(shift) if shift.row.tries else 0)  # a desk that always says so is left
            await means.store.push_due(Due(site=site, kind="desk", ref=id, at=again, tries=shift.row.tries + 1))
            return
    except SendError as error:
        await _failed(there, error, shift, means)
        return
    await means.store.finish_due(site, "desk", id)


def _barred(there: Conversation, opened: OpenDesk) -> str:
    """Why this conversation may not go to the site's desk as it is now."""
    if opened.setup.desk != there.desk:
        return f"It was begun at the desk {there.desk}, and the site's desk is {opened.setup.desk} now."
    if there.test and not opened.sandbox:
        return "The alert is a test key's, and this desk is none of the sandbox's."
    return ""


async def _next(there: Conversation, means: Means) -> Turn | None:
    """The next turn that the desk has not taken and wants to know of."""
    after = there.handed
    while turns := await means.store.turns(there.site, there.id, after=after):
        found = next((turn for turn in turns if turn.by is By.RECIPIENT or turn.kind in _TOLD), None)
        if found is not None:
            return found
        after = turns[-1].number  # the agents' own, of which there may be hundreds
    return None


async def _hand(there: Conversation, turn: Turn, desk: Desk, means: Means) -> Conversation:
    """One turn, opening the conversation where the desk does not have it. Raises SendError, DeskGone."""
    if there.doubt == turn.number and there.reference:
        known = await desk.taken(there, turn, _until(means))
        if known:
            return await _taken(there, turn.number, there.reference, means)
    try:
        if not there.reference:
            about = await context(there.site, turn.alert or there.alert, there.recipient, means, conversation=there.id)
            opened = await desk.open(there, turn, about, _until(means))
            there = await _taken(there, turn.number if opened.said else there.handed, opened.reference, means)
            if opened.said:
                means.meters.desk(there.desk, "taken")
                return there
        about_another = await _about(there, turn, means)
        if there.doubt != turn.number:
            # On disk before a byte leaves: a node that dies now leaves a doubt, which is then settled by asking.
            there = await _taken(there, there.handed, there.reference, means, doubt=turn.number)
        await desk.say(there, turn, about_another, _until(means))
    except SendError as error:
        if error.fate is Fate.PERMANENT:
            # This turn will never be taken; those behind it must not wait for it. The record has its words.
            means.meters.desk(there.desk, "refused")
            means.log(
                "error", f"The desk refused a turn: {error.sentence}", action="desk.refused", conversation=there.id
            )
            return await _taken(there, turn.number, there.reference, means)
        if there.reference:
            doubt = turn.number if error.fate is Fate.UNKNOWN else 0
            await _taken(there, there.handed, there.reference, means, doubt=doubt, trouble=error.sentence)
        raise
    means.meters.desk(there.desk, "taken")
    return await _taken(there, turn.number, there.reference, means)


async def _about(there: Conversation, turn: Turn, means: Means) -> Context | None:
    """The context of the turn's alert where the desk heard of another one last."""
    if not turn.alert:
        return None
    after = max(0, turn.number - 1 - LOOKED_AT)
    before = await means.store.turns(there.site, there.id, after=after, limit=min(LOOKED_AT, turn.number - 1))
    last = [one.alert for one in before if one.alert]
    if (last[-1] if last else there.alert) == turn.alert:
        return None
    return await context(there.site, turn.alert, there.recipient, means, conversation=there.id)


async def _taken(
    there: Conversation,
    handed: int,
    reference: str,
    means: Means,
    *,
    trouble: str = "",
    doubt: int = 0,
    closed: bool = False,
) -> Conversation:
    taken = DeskTaken(
        site=there.site,
        conversation=there.id,
        handed=handed,
        was=there.reference,
        reference=reference,
        trouble=trouble,
        doubt=doubt,
        closed=closed,
    )
    now = await means.store.handed(taken, means.clock.now())
    if now is not None and now.turns > there.turns:
        means.wake.set()  # an agent's words were here before the desk's name for the conversation: they leave
    means.live.tell([Change(there.site, there.id, 0, "handed")])
    return now or there


async def _failed(there: Conversation, error: SendError, shift: Shift, means: Means) -> None:
    means.meters.desk(there.desk, error.fate.value)
    pause = _pause(shift)
    if error.fate is Fate.UNKNOWN:
        pause = max(pause, DOUBT_FOR)
    if error.fate is Fate.CONFIG:
        means.log("error", f"The desk refuses us: {error.sentence}", action="desk.config", site=there.site)
    if error.retry_after is not None:
        pause = max(pause, int(error.retry_after * 1000))
    await _wait(there, error.sentence, pause, shift, means)


def _pause(shift: Shift) -> int:
    """Milliseconds until the next try: doubled each time, ± 25 %."""
    return int(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(shift.row.tries, 12)) * random.uniform(0.75, 1.25))


async def _wait(there: Conversation, why: str, pause: int, shift: Shift, means: Means) -> None:
    now = await means.store.conversation(there.site, there.id) or there
    if now.trouble != why:
        await _taken(now, now.handed, now.reference, means, trouble=why, doubt=now.doubt)
    at = means.clock.now() + pause
    row = Due(site=there.site, kind="desk", ref=there.id, at=at, tries=shift.row.tries + 1)
    await means.store.push_due(row)
    means.log("warning", f"A desk waits: {why}", action="desk.waits", site=there.site, conversation=there.id)


def _until(means: Means) -> float:
    return means.clock.loop_time() + PATIENCE
