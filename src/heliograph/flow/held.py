"""Sends an alert that was held (quiet hours, a paused sender, an outage) when its time has come."""

from __future__ import annotations

from heliograph.core.alert import Alert
from heliograph.core.event import Entry
from heliograph.core.fallback import enough
from heliograph.core.ports import Due, Outcome, Record
from heliograph.core.record import decision_record, detail
from heliograph.core.states import ENDS, SAID_NO, AlertState
from heliograph.flow import step
from heliograph.flow.follow import expire
from heliograph.flow.leave import Shift
from heliograph.flow.means import Means
from heliograph.flow.onward import onward
from heliograph.flow.outcome import end_of, rows_of


async def release(shift: Shift, means: Means) -> None:
    """The decision is made again from today's facts."""
    row = shift.row
    record = await means.store.record(row.ref)
    if record is None or not _waits(record):
        await means.store.finish_due(row.site, row.kind, row.ref)
        return
    alert, now = record.alert, means.clock.now()
    newest = record.attempts[-1] if record.attempts else None
    done = (("alert", alert.id),)
    if now >= alert.expires:
        await _expired(record, done, row, means)
        return
    way = await onward(alert, newest.passed if newest else (), means, deadline=shift.deadline)
    if way.step is None or way.decision is None:
        await _held_again(record, way.hold, way.why, row, means)
        return
    now, number = means.clock.now(), len(record.attempts) + 1
    deadline = means.clock.loop_time() + shift.patience
    attempt = step.new_attempt(alert, way.step, way.contents, way.traffic, means, number, way.passed)
    begun = await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            alert_state=AlertState.SENDING,
            next=attempt,
            unless=enough(newest.need) if newest else AlertState.DELIVERED,
            decision=decision_record(way.decision, alert),
            due=rows_of(attempt, now, now + shift.lease),
            done=done,
            entries=(Entry(at=now, kind="released", attempt=attempt.id),),
        )
    )
    if begun:
        await step.run(alert, attempt, means, deadline=deadline, keep=None)
    else:  # another node released it, or it was cancelled, or its recipient opted out: what is true is seen then
        await means.store.push_due(Due(site=row.site, kind=row.kind, ref=row.ref, at=now + 1000))


def _waits(record: Record) -> bool:
    """Whether nothing is under way for it: it was held, or its last attempt failed and may work later."""
    state = record.alert.state
    if state in ENDS or state in (AlertState.DELIVERED, AlertState.READ):
        return False
    return record.attempts[-1].state in SAID_NO if record.attempts else state is AlertState.SCHEDULED


async def _expired(record: Record, done: tuple[tuple[str, str], ...], row: Due, means: Means) -> None:
    if record.attempts:
        await expire(record, done, means)
    else:
        await _end(record.alert, AlertState.EXPIRED, "held_until_its_end", row, means)


async def _held_again(record: Record, hold: int | None, why: str, row: Due, means: Means) -> None:
    """There is nothing to try now. Where there will not be either, the alert ends, unless an earlier attempt may still
    arrive."""
    alert, now = record.alert, means.clock.now()
    if hold is None and not any(one.state in step.OPEN for one in record.attempts):
        await _end(alert, AlertState.EXPIRED if why == "expired" else AlertState.FAILED, why, row, means)
        return
    until = max(hold, now + 1000) if hold is not None else end_of(record.attempts[-1])
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            alert_state=AlertState.SCHEDULED,
            send_at=until,
            due=(Due(site=alert.site, kind="alert", ref=alert.id, at=until),),
        )
    )


async def _end(alert: Alert, end: AlertState, reason: str, row: Due, means: Means) -> None:
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            end=end,
            reason=reason,
            done=(("alert", alert.id),),
            entries=(Entry(at=means.clock.now(), kind=end.value, detail=detail(reason=reason)),),
            release=True,
            until=row.lease or None,  # later another node has the row, and may have begun an attempt
        )
    )
