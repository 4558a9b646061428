"""Follows an attempt up when its due row comes round: resumes what a crash left behind, settles what is in doubt,
leaves a step whose time is over (leave.py), expires what was never heard of. The attempt's state decides:

    sending    its node died: the same message id again, where the provider ignores repeats; else in doubt
    in_doubt   the same message id again, or the question what became of it; at last the site's rule
    sent       its step's time is over: the next channel; the alert's time is over: expired
    failed     (revoked, expired) the next channel, or the alert ends
    delivered  its step asks for `read`, and the time for that is over: the next channel

A row of kind "step" stands beside that of the attempt where this one would be gone: for a step that asks for `read`,
and where a channel was refused and the next may be tried only later.
"""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Attempt
from heliograph.core.event import Entry
from heliograph.core.fallback import Doubt, Need, doubt_of, enough, reached
from heliograph.core.ports import Due, Outcome, Record
from heliograph.core.record import detail
from heliograph.core.states import ASSUMED_SENT, ENDS, SAID_NO, AlertState, AttemptState
from heliograph.errors import SendError
from heliograph.flow import step
from heliograph.flow.leave import Shift, go_on, leave, replied, stay
from heliograph.flow.means import Means
from heliograph.flow.onward import Way, onward
from heliograph.flow.outcome import FIRST_SETTLE, LONGEST_PAUSE, done_with, rows_of, wake_at
from heliograph.flow.registry import OpenSender
from heliograph.flow.result import NEVER_SETTLED, NO_RECEIPT

STEP_LOOKS = 30_000  # ms between two looks at an attempt that is not delivered yet, for a step that needs `read`
ARRIVED = frozenset({AlertState.DELIVERED, AlertState.READ})


async def follow_up(shift: Shift, means: Means) -> None:
    row = shift.row
    attempt = await means.store.attempt(row.ref)
    record = await means.store.record(attempt.alert) if attempt else None
    if attempt is None or record is None:
        await means.store.finish_due(row.site, row.kind, row.ref)
        return
    attempt = next(one for one in record.attempts if one.id == row.ref)
    alert, now = record.alert, means.clock.now()
    newest = record.attempts[-1].id == attempt.id
    arrived = alert.state is AlertState.READ if attempt.need is Need.READ else alert.state in ARRIVED
    held = alert.state is AlertState.SCHEDULED and row.kind == "attempt"  # a row of its own looks after it
    if not newest or arrived or alert.state in ENDS or held:
        await means.store.finish_due(row.site, row.kind, row.ref)
    elif row.kind == "step" and (attempt.state in step.OPEN or attempt.state is AttemptState.REVOKED):
        # The attempt's own row looks after it, and a node may just be speaking to its provider.
        at = max(now + STEP_LOOKS, attempt.leave_at or 0)
        await means.store.push_due(msgspec.structs.replace(row, at=at, lease=0))
    elif attempt.state in SAID_NO:
        await _said_no(record, attempt, shift, means)
    elif now >= attempt.expires:
        if not await _told(attempt, shift, means):
            await expire(record, done_with(attempt), means)
    elif attempt.leave_at is not None and now >= attempt.leave_at and not reached(attempt.state, attempt.need):
        if not await _told(attempt, shift, means) and not await leave(record, attempt, shift, means):
            await _open(record, attempt, shift, means)
    elif attempt.state in step.OPEN:
        await _open(record, attempt, shift, means)
    elif row.kind == "step" and attempt.leave_at is not None:
        await means.store.push_due(msgspec.structs.replace(row, at=attempt.leave_at, lease=0))
    else:
        await means.store.finish_due(row.site, row.kind, row.ref)


async def _open(record: Record, attempt: Attempt, shift: Shift, means: Means) -> None:
    """Neither its step's time nor the alert's is over."""
    now, row = means.clock.now(), shift.row
    if attempt.state is AttemptState.SENT:
        await means.store.push_due(msgspec.structs.replace(row, at=wake_at(attempt, attempt.state, now), lease=0))
        return
    opened = means.registry.sender_of(attempt)
    if _repeatable(attempt, opened, now, means) and not {"all", attempt.channel} & await means.store.opted_out(
        attempt.site, attempt.recipient, record.alert.skill
    ):
        means.log("info", "The message id is repeated.", action="attempt.repeated", alert=attempt.alert)
        await step.run(record.alert, attempt, means, deadline=shift.deadline, keep=None, in_doubt=True)
    elif await _told(attempt, shift, means):
        return
    elif now >= _doubt_ends(attempt, opened, means) and attempt.revoke_asked is None:
        await _by_rule(record, attempt, shift, means)
    else:
        await _leave_in_doubt(attempt, opened, means)


def _repeatable(attempt: Attempt, opened: OpenSender | None, now: int, means: Means) -> bool:
    """Whether the same message id may be handed over once more: it reaches nobody twice."""
    return (
        opened is not None
        and opened.provider is not None
        and opened.provider.repeats_are_ignored
        and attempt.revoke_asked is None
        and now - attempt.created < means.limits.repeat_sends_for * 1000
    )


async def _told(attempt: Attempt, shift: Shift, means: Means) -> bool:
    """Asks the provider what became of the attempt, where it can be asked: a receipt may be lost. True: it said what
    was not known yet, and that is written down and decides what is done next."""
    opened = means.registry.sender_of(attempt)
    if opened is None or opened.provider is None or not opened.provider.can_ask or attempt.state not in step.OPEN:
        return False
    try:
        receipt = await opened.provider.ask(attempt.id, attempt.references, shift.deadline)
    except SendError as error:
        means.log("info", "The provider does not say what became of it.", action="ask.failed", code=error.code)
        return False
    if receipt is None:
        return False
    told = msgspec.structs.replace(
        receipt, attempt=attempt.id, event=receipt.event or f"asked:{attempt.id}:{receipt.state.value}"
    )
    sender = opened.sender
    tell = means.registry.tells(sender.site)
    joined = await means.store.hear(sender.site, sender.channel, sender.name, (told,), means.clock.now(), tell=tell)
    if joined[0].state is None:
        return False
    if joined[0].state in step.OPEN or joined[0].state in SAID_NO:
        await means.store.push_due(msgspec.structs.replace(shift.row, at=means.clock.now(), lease=0))
    return True


def _doubt_ends(attempt: Attempt, opened: OpenSender | None, means: Means) -> int:
    """When the site's rule settles a doubt (ms)."""
    repeats = opened is not None and opened.provider is not None and opened.provider.repeats_are_ignored
    return attempt.created + (means.limits.repeat_sends_for if repeats else means.limits.in_doubt_for) * 1000


async def _by_rule(record: Record, attempt: Attempt, shift: Shift, means: Means) -> None:
    """Nobody can be asked and nothing was heard: it passes for sent, or, once in an alert's life, it is sent anew."""
    alert, now = record.alert, means.clock.now()
    site = means.registry.site(alert.site)
    versions = means.registry.template(alert.site, alert.template)
    said = [v.template.fallback for v in versions if v.template.version == alert.template_version]
    rule = doubt_of([*said, *([site.fallback] if site else [])])
    before = [one for one in record.attempts if one.id != attempt.id and one.sender == attempt.sender]
    if rule is Doubt.RESEND and not before and not replied(record, attempt):
        way = await onward(alert, attempt.passed, means, deadline=shift.deadline)
        if way.step is not None and way.step.sender == attempt.sender:
            now, number = means.clock.now(), len(record.attempts) + 1
            deadline = means.clock.loop_time() + shift.patience
            again = step.new_attempt(alert, way.step, way.contents, way.traffic, means, number, way.passed)
            written = await means.store.outcome(
                Outcome(
                    site=alert.site,
                    alert=alert.id,
                    attempt=attempt.id,
                    state=AttemptState.IN_DOUBT,
                    reason="in_doubt",
                    next=again,
                    unless=enough(attempt.need),
                    due=rows_of(again, now, now + shift.lease),
                    done=done_with(attempt),
                    entries=(
                        Entry(
                            at=now, kind="left", attempt=attempt.id, detail=detail(why="in_doubt", exception="resent")
                        ),
                    ),
                )
            )
            if written:
                await step.run(alert, again, means, deadline=deadline, keep=None)
                return
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            attempt=attempt.id,
            state=AttemptState.SENT,
            reason=ASSUMED_SENT,
            due=(_look_again(attempt, AttemptState.SENT, now),),
            entries=(Entry(at=now, kind="sent", attempt=attempt.id, detail=detail(reason=ASSUMED_SENT)),),
        )
    )


def _look_again(attempt: Attempt, state: AttemptState, now: int, pause: int | None = None) -> Due:
    return Due(site=attempt.site, kind="attempt", ref=attempt.id, at=wake_at(attempt, state, now, pause))


async def _said_no(record: Record, attempt: Attempt, shift: Shift, means: Means) -> None:
    """A receipt said that the message did not arrive, it was taken back, or its channel refused it. A step that needs
    no more than `sent` had done its work once the provider took it: then the alert has ended."""
    done = attempt.need is Need.SENT and bool(attempt.references)
    late = means.clock.now() >= attempt.expires
    if late and any(one.state in step.OPEN for one in record.attempts):
        await expire(record, done_with(attempt), means)
    elif late or done:
        await stay(record, attempt, Way(why="expired" if late else "sent_is_enough"), shift, means)
    else:
        await go_on(record, attempt, shift, means, why=attempt.state.value)


async def expire(record: Record, done: tuple[tuple[str, str], ...], means: Means) -> None:
    """The alert's time is over, and so is that of every attempt which may still have been on its way. `done`: the due
    rows that this finishes."""
    now, alert = means.clock.now(), record.alert
    reason = alert.reason or "expired"
    for one in record.attempts:
        if one.state in step.OPEN:
            settled = one.state is AttemptState.SENT and one.reason != ASSUMED_SENT
            reason = NO_RECEIPT if settled else NEVER_SETTLED
            await means.store.outcome(
                Outcome(
                    site=alert.site,
                    alert=alert.id,
                    attempt=one.id,
                    state=AttemptState.EXPIRED,
                    reason=reason,
                    tries=one.tries,
                    entries=(Entry(at=now, kind="expired", attempt=one.id, detail=detail(reason=reason)),),
                )
            )
    await means.store.outcome(
        Outcome(site=alert.site, alert=alert.id, end=AlertState.EXPIRED, reason=reason, done=done)
    )


async def _leave_in_doubt(attempt: Attempt, opened: OpenSender | None, means: Means) -> None:
    """Nothing can be done now without risking a second message. It is looked at again when its provider may be asked
    once more, when the site's rule is to settle it, or at the alert's end."""
    now = means.clock.now()
    entries: tuple[Entry, ...] = ()
    if attempt.state is not AttemptState.IN_DOUBT:
        entries = (Entry(at=now, kind="in_doubt", attempt=attempt.id, detail=detail(reason="interrupted")),)
    ends = _doubt_ends(attempt, opened, means)
    pause = ends - now if ends > now and attempt.revoke_asked is None else None
    if opened is not None and opened.provider is not None and opened.provider.can_ask:
        asks = min(LONGEST_PAUSE, max(FIRST_SETTLE, (now - attempt.created) // 2))
        pause = asks if pause is None else min(pause, asks)
    at = min(_look_again(attempt, AttemptState.IN_DOUBT, now, pause).at, max(now, attempt.expires))
    await means.store.outcome(
        Outcome(
            site=attempt.site,
            alert=attempt.alert,
            attempt=attempt.id,
            state=AttemptState.IN_DOUBT,
            reason="in_doubt",
            tries=attempt.tries,
            due=(Due(site=attempt.site, kind="attempt", ref=attempt.id, at=at),),
            entries=entries,
        )
    )
