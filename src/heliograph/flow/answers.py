"""Turns of ours leave for the recipient: one after the other, each written down as leaving before a byte goes.

A due row of kind "answer" names a conversation. Whoever has its lease sends what waits there, in order; a turn that
cannot go yet holds up those behind it, so that the recipient reads them as they were said. What was under way when a
node died is repeated where the provider ignores a repeated id, and is in doubt elsewhere.
"""

from __future__ import annotations

import random

from heliograph.core.alert import Attempt
from heliograph.core.content import Named, Text
from heliograph.core.conversation import By, Conversation, Turn, window_ends
from heliograph.core.ports import Due, TurnOutcome
from heliograph.core.states import AttemptState
from heliograph.errors import Fate
from heliograph.flow import limits
from heliograph.flow.handover import Handed, Verdict, hand_over
from heliograph.flow.leave import Shift
from heliograph.flow.live import Change
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender

ACKNOWLEDGEMENT = "acknowledgement"  # the traffic of what may go after an opt-out: its confirmation
FIRST_PAUSE, LONGEST_PAUSE = 2_000, 300_000  # ms between two tries
TOO_LATE = "Not sent: it could not leave within its time."
LASTS = 3_600_000  # ms after which a turn that says nothing of its own end is not sent any more
ANOTHERS = -1  # this node's lease ran out: the row is left to whoever has it now
_WAITS = frozenset({AttemptState.INTENDED, AttemptState.SENDING})
_AT_FAULT = frozenset({Fate.RETRY, Fate.CONFIG})  # nothing was taken, and the words are not at fault


async def send_waiting(shift: Shift, means: Means) -> None:
    """Sends what waits in the conversation that the due row names. Raises StoreAway: the lease then leaves it to the
    next."""
    site, id = shift.row.site, shift.row.ref
    there = await means.store.conversation(site, id)
    while there is not None:
        waiting = await _waiting(there, means)
        if waiting is None:
            break
        again = await _send(there, waiting, shift, means)
        if again == ANOTHERS:
            return
        if again is not None:
            tries = shift.row.tries + 1
            await means.store.push_due(Due(site=site, kind="answer", ref=id, at=again, tries=tries))
            return
        if means.clock.loop_time() >= shift.deadline:
            await means.store.push_due(Due(site=site, kind="answer", ref=id, at=means.clock.now()))
            return
        there = await means.store.conversation(site, id)
    await means.store.finish_due(site, "answer", id)


async def _waiting(there: Conversation, means: Means) -> Turn | None:
    """The next turn that waits, however much the recipient has said since ours left last."""
    after = there.left
    while turns := await means.store.turns(there.site, there.id, after=after):
        found = next((turn for turn in turns if turn.state in _WAITS), None)
        if found is not None:
            return found
        after = turns[-1].number
    return None


async def _send(there: Conversation, turn: Turn, shift: Shift, means: Means) -> int | None:
    """When to try again (ms); None where it has left or will not; ANOTHERS where another node has it in hand."""
    now = means.clock.now()
    opened = limits.sender_for(there, means)
    expires = turn.expires or turn.at + LASTS
    crashed = turn.state is AttemptState.SENDING
    if crashed and not (opened and opened.provider and opened.provider.repeats_are_ignored):
        await _told(turn, AttemptState.IN_DOUBT, "lost_answer", means)
        return None
    if now >= expires:
        state, note = (AttemptState.IN_DOUBT, "") if crashed else (AttemptState.EXPIRED, TOO_LATE)
        await _told(turn, state, "expired", means, note=note if turn.by is By.AGENT else "")
        return None
    if opened is None:
        return now + _pause(shift)
    why = "" if crashed else await _barred(there, turn, opened, means)
    if why:
        await _told(turn, AttemptState.FAILED, why, means, note=_sentence(why, opened))
        return None
    begun = await means.store.leaving(there.site, there.id, turn.number, now, tries=turn.tries)
    if begun is None:
        return ANOTHERS
    handed = await hand_over(_attempt(there, begun, opened, expires, now), opened, means, deadline=shift.deadline)
    return await _settled(there, begun, opened, handed, shift, means)


async def _settled(
    there: Conversation, turn: Turn, opened: OpenSender, handed: Handed, shift: Shift, means: Means
) -> int | None:
    error, now = handed.error, means.clock.now()
    match handed.verdict:
        case Verdict.TAKEN:
            references = handed.taken.references if handed.taken else ()
            await _told(turn, AttemptState.SENT, "", means, references=references, sender=opened.sender.name)
            return None
        case Verdict.IN_DOUBT:
            await _told(turn, AttemptState.IN_DOUBT, error.code if error else "", means, sender=opened.sender.name)
            return None
        case _:
            if error is None or error.fate in _AT_FAULT:
                await _told(turn, AttemptState.INTENDED, error.code if error else "not_sent", means)
                wait = int(error.retry_after * 1000) if error and error.retry_after else 0
                return now + max(wait, _pause(shift))
            note = f"Not delivered: {error.sentence}"
            await _told(turn, AttemptState.FAILED, error.code, means, note=note)
            return None


async def _barred(there: Conversation, turn: Turn, opened: OpenSender, means: Means) -> str:
    """Why these words may not leave now, asked right before they would; the code of a reason, or nothing."""
    if turn.traffic == ACKNOWLEDGEMENT:
        return ""
    if await limits.opted_out(there, means):
        return "opted_out"
    assert opened.plug is not None
    until = window_ends(there.heard, opened.plug.CARRIES.window)
    if until is not None and until <= means.clock.now() and not isinstance(turn.content, Named):
        return "window_closed"
    if turn.content is not None:
        return ""
    words = _words(turn)
    return "empty" if not words else "too_long" if limits.too_long(words, opened) else ""


def _words(turn: Turn) -> str:
    """What an agent's turn says: a file goes as its link, which every channel takes."""
    links = (one.url for one in turn.attached if one.url and one.url not in turn.text)
    return "\n".join(part for part in (turn.text, *links) if part)


def _sentence(why: str, opened: OpenSender) -> str:
    words = {
        "opted_out": "the recipient wants no more messages and has not written since",
        "window_closed": "the time in which free words may be sent on this channel is over; a template may go",
        "empty": "it has no words, and its file has no link",
        "too_long": f"it is longer than {opened.sender.channel} takes",
    }
    return f"Not sent: {words[why]}."


def _attempt(there: Conversation, turn: Turn, opened: OpenSender, expires: int, now: int) -> Attempt:
    """The turn as it is handed to a provider: in its place like an alert's attempt."""
    assert opened.plug is not None
    return Attempt(
        id=turn.id,
        alert=there.id,
        site=there.site,
        number=turn.number,
        channel=opened.sender.channel,
        provider=opened.sender.provider,
        sender=opened.sender.name,
        recipient=there.recipient,
        content=turn.content or Text(text=_words(turn)),
        expires=expires,
        created=turn.at,
        traffic=turn.traffic,
        tries=turn.tries - 1,
        test=there.test,
        window_ends=window_ends(there.heard, opened.plug.CARRIES.window),
    )


async def _told(
    turn: Turn,
    state: AttemptState,
    reason: str,
    means: Means,
    *,
    references: tuple[str, ...] = (),
    sender: str = "",
    note: str = "",
) -> None:
    outcome = TurnOutcome(
        site=turn.site,
        conversation=turn.conversation,
        number=turn.number,
        state=state,
        reason=reason,
        tries=turn.tries,
        references=references,
        sender=sender,
        note=note,
    )
    await means.store.turn_outcome(outcome, means.clock.now())
    means.live.tell([Change(turn.site, turn.conversation, turn.number, "answered")])
    if note:
        means.wake.set()  # the desk is to be told


def _pause(shift: Shift) -> int:
    return int(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(shift.row.tries, 10)) * random.uniform(0.75, 1.25))
