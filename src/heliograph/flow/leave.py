"""Leaves a step whose time is over, or whose channel said no: takes the message back where that can be done, settles
what became of it, and only then tries the next channel.

    is there another channel now?      no: the message is left where it is
    take it back                       `revoke_asked` is on disk before the provider is asked
      it is gone                       a late delivery is waited for (`revoke_settle`), then the next channel
      it is not there                  delivered, where the provider had taken it and was asked for the first time
      refused, no answer, or unknown   a receipt is waited for and it is asked once more, then the next channel

Whatever may give the recipient two messages is named in the timeline as an `exception`: revoke_refused,
revoke_unanswered, revoke_unknown, late_delivered, overlap, read_asked.
"""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Attempt
from heliograph.core.event import Entry
from heliograph.core.fallback import Need, enough
from heliograph.core.ports import Due, Outcome, Provider, Record
from heliograph.core.record import detail
from heliograph.core.states import SAID_NO, AlertState, AttemptState
from heliograph.flow import step
from heliograph.flow.means import Means
from heliograph.flow.onward import Way, onward
from heliograph.flow.outcome import done_with, end_of, rows_of
from heliograph.flow.result import NOT_IN_TIME
from heliograph.flow.revoke import take_back

UNSETTLED = frozenset({AttemptState.INTENDED, AttemptState.SENDING, AttemptState.IN_DOUBT})


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """The due row that is being done, and until when (loop time): well before its lease ends. An attempt that begins
    here may take `patience` seconds, and belongs to this node for `lease` ms."""

    row: Due
    deadline: float
    patience: float
    lease: int


async def leave(record: Record, attempt: Attempt, shift: Shift, means: Means) -> bool:
    """The time of `attempt`'s step is over and its status did not come. False: it cannot be left now, and there is
    still a doubt to be settled."""
    doubted = attempt.state in UNSETTLED
    if replied(record, attempt):
        if not doubted:
            await stay(record, attempt, Way(why="replied"), shift, means)
        return not doubted
    way = await onward(record.alert, (*attempt.passed, attempt.channel), means, deadline=shift.deadline)
    if way.step is None:
        if doubted and way.hold is None:
            return False
        await stay(record, attempt, way, shift, means)
        return True
    if attempt.state is AttemptState.DELIVERED:
        await go_on(record, attempt, shift, means, why="not_read", exception="read_asked")
        return True
    opened = means.registry.sender_of(attempt)
    if opened is not None and opened.provider is not None and opened.provider.can_revoke:
        await _take_back(record, attempt, opened.provider, shift, means)
    elif attempt.overlap:
        await go_on(record, attempt, shift, means, why=NOT_IN_TIME, exception="overlap")
    elif doubted:
        return False
    else:
        await stay(record, attempt, msgspec.structs.replace(way, why="cannot_take_back"), shift, means)
    return True


async def go_on(record: Record, attempt: Attempt, shift: Shift, means: Means, *, why: str, exception: str = "") -> None:
    """Tries the next channel, where there is one now. Where there is none the alert ends, or waits."""
    alert = record.alert
    for _ in range(step.LOOKS):
        way = await onward(alert, (*attempt.passed, attempt.channel), means, deadline=shift.deadline)
        if way.step is None:
            await stay(record, attempt, way, shift, means)
            return
        now, number = means.clock.now(), len(record.attempts) + 1
        deadline = means.clock.loop_time() + shift.patience
        begun = step.new_attempt(alert, way.step, way.contents, way.traffic, means, number, way.passed)
        left = detail(
            why=why,
            reason=attempt.reason,
            need=attempt.need.value,
            exception=exception,
            next=begun.channel,
            considered=way.considered,
        )
        written = await means.store.outcome(
            Outcome(
                site=alert.site,
                alert=alert.id,
                attempt=attempt.id,
                state=as_it_is(attempt),
                next=begun,
                alert_state=AlertState.SENDING,
                unless=enough(attempt.need),
                due=rows_of(begun, now, now + shift.lease),
                done=(*done_with(attempt), (shift.row.kind, shift.row.ref)),
                entries=(Entry(at=now, kind="left", attempt=attempt.id, detail=left),),
            )
        )
        if written:
            means.log("info", "The next channel is tried.", action="step.left", alert=alert.id, why=why)
            await step.run(alert, begun, means, deadline=deadline, keep=None)
            return
        # A delivery, an opt-out or another node came between.
        again = await means.store.record(alert.id)
        if again is None or again.attempts[-1].id != attempt.id or not _wanted(again, attempt):
            await means.store.finish_due(shift.row.site, shift.row.kind, shift.row.ref)
            return
        record = again


def replied(record: Record, attempt: Attempt) -> bool:
    """Whether the recipient has answered: then it arrived, whatever became of its receipts."""
    return any(entry.kind == "replied" and entry.attempt == attempt.id for entry in record.entries)


def as_it_is(attempt: Attempt) -> AttemptState | None:
    """The state that is written of an attempt which is left: one whose node died while it handed over is in doubt."""
    return AttemptState.IN_DOUBT if attempt.state in UNSETTLED else None


def _wanted(record: Record, attempt: Attempt) -> bool:
    """Whether the alert has not come as far as the step needs."""
    enough_now = (AlertState.READ,) if attempt.need is Need.READ else (AlertState.DELIVERED, AlertState.READ)
    return record.alert.state not in enough_now


async def stay(record: Record, attempt: Attempt, way: Way, shift: Shift, means: Means) -> None:
    """There is nothing to go on to, now or for good (`way.why`): a message that may still arrive is left where it is,
    an alert whose last message did not arrive has ended."""
    alert, now, row = record.alert, means.clock.now(), shift.row
    if way.hold is not None and way.step is None:
        at = max(way.hold, now + 1000)
    elif attempt.state not in SAID_NO or any(one.state in step.OPEN for one in record.attempts):
        at = end_of(attempt)
    else:
        await _end(record, attempt, way, row, means)
        return
    told = detail(why=way.why, until=at, considered=way.considered)
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            alert_state=AlertState.SCHEDULED if alert.state is AlertState.SCHEDULED else None,
            send_at=at,
            due=(Due(site=row.site, kind=row.kind, ref=row.ref, at=at),),
            entries=(Entry(at=now, kind="stays", attempt=attempt.id, detail=told),),
        )
    )


async def _end(record: Record, attempt: Attempt, way: Way, row: Due, means: Means) -> None:
    alert, now = record.alert, means.clock.now()
    expired = attempt.state is AttemptState.EXPIRED or (attempt.state is AttemptState.REVOKED and now >= alert.expires)
    end = AlertState.EXPIRED if expired else AlertState.FAILED
    reason = attempt.reason or attempt.state.value
    told = detail(reason=reason, why=way.why, considered=way.considered)
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            end=end,
            reason=reason,
            done=(*done_with(attempt), (row.kind, row.ref)),
            entries=(Entry(at=now, kind=end.value, attempt=attempt.id, detail=told),),
            release=True,
            until=row.lease or None,  # later another node has the row, and may have begun the next attempt
        )
    )


async def _take_back(record: Record, attempt: Attempt, provider: Provider, shift: Shift, means: Means) -> None:
    alert, now, row = record.alert, means.clock.now(), shift.row
    first = attempt.revoke_asked is None
    if first:
        asked = Outcome(
            site=alert.site,
            alert=alert.id,
            attempt=attempt.id,
            revoke_asked=now,
            entries=(Entry(at=now, kind="revoke", attempt=attempt.id, detail=detail(need=attempt.need.value)),),
        )
        if not await means.store.outcome(asked):
            # Delivered meanwhile, or another node asks. In a moment it is looked at anew, with what is known then.
            await means.store.push_due(msgspec.structs.replace(row, at=now + 1000, lease=0))
            return
    answer = await take_back(attempt, provider, means, deadline=shift.deadline, first=first)
    now = means.clock.now()
    entry = Entry(at=now, kind=answer.state or "revoke_answer", attempt=attempt.id, detail=answer.told)
    if answer.state is None and not first:
        await means.store.outcome(Outcome(site=alert.site, alert=alert.id, entries=(entry,)))
        await go_on(record, attempt, shift, means, why=NOT_IN_TIME, exception=answer.exception)
        return
    waits = answer.state is not AttemptState.DELIVERED or attempt.need is Need.READ
    at = now + int(means.limits.revoke_settle * 1000)
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            attempt=attempt.id,
            state=answer.state or as_it_is(attempt),
            reason=NOT_IN_TIME if answer.state is AttemptState.REVOKED else "",
            due=(Due(site=row.site, kind=row.kind, ref=row.ref, at=at),) if waits else (),
            done=() if waits else done_with(attempt),
            entries=(entry,),
        )
    )
