"""Follows an attempt up when its due row comes round: resumes what a crash left behind, settles what is in doubt,
expires what was never heard of. What is done is decided by the attempt's state:

    sending    its node died: the same message id again, where the provider ignores repeats; else in doubt
    in_doubt   the same message id again, with growing pauses, while the provider still knows it
    sent       no receipt came until the alert's end: expired
    failed     (revoked, expired) a receipt said so while the alert was open: the alert ends
"""

from __future__ import annotations

from heliograph.core.alert import Alert, Attempt
from heliograph.core.event import Entry
from heliograph.core.ports import Due, Outcome
from heliograph.core.record import detail
from heliograph.core.states import SAID_NO, AlertState, AttemptState
from heliograph.flow import step
from heliograph.flow.means import Means
from heliograph.flow.outcome import AFTER_EXPIRY
from heliograph.flow.result import NEVER_SETTLED, NO_RECEIPT


async def follow_up(row: Due, means: Means, patience: float) -> None:
    """`patience`: seconds that a hand-over may take."""
    attempt = await means.store.attempt(row.ref)
    record = await means.store.record(attempt.alert) if attempt else None
    if attempt is None or record is None:
        await means.store.finish_due(row.site, row.kind, row.ref)
        return
    now = means.clock.now()
    if attempt.state is AttemptState.SENT or (attempt.state is AttemptState.IN_DOUBT and now >= attempt.expires):
        if now >= attempt.expires:
            await _expire(record.alert, attempt, means)
        else:
            await means.store.push_due(
                Due(site=row.site, kind=row.kind, ref=row.ref, at=attempt.expires + AFTER_EXPIRY)
            )
        return
    newest = record.attempts[-1].id == attempt.id and record.alert.state is not AlertState.SCHEDULED
    if attempt.state in SAID_NO and newest:
        await _said_no(record.alert, attempt, means)
        return
    if attempt.state not in (AttemptState.INTENDED, AttemptState.SENDING, AttemptState.IN_DOUBT):
        await means.store.finish_due(row.site, row.kind, row.ref)
        return
    opened = means.registry.sender(attempt.site, attempt.sender)
    provider = opened.provider if opened else None
    repeatable = (
        provider is not None
        and provider.repeats_are_ignored
        and attempt.revoke_asked is None
        and now < attempt.expires
        and now - attempt.created < means.limits.repeat_sends_for * 1000
    )
    if not repeatable or {"all", attempt.channel} & await means.store.opted_out(
        attempt.site, attempt.recipient, record.alert.skill
    ):
        await _leave_in_doubt(record.alert, attempt, means)
        return
    means.log("info", "The message id is repeated.", action="attempt.repeated", alert=attempt.alert)
    await step.run(
        record.alert,
        attempt,
        (),
        {},
        means,
        deadline=means.clock.loop_time() + patience,
        keep=None,
        in_doubt=True,
    )


async def _said_no(alert: Alert, attempt: Attempt, means: Means) -> None:
    """A receipt said that the message did not arrive, and no other channel is to be tried: the alert has ended."""
    end = AlertState.EXPIRED if attempt.state is AttemptState.EXPIRED else AlertState.FAILED
    reason = attempt.reason or attempt.state.value
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            end=end,
            reason=reason,
            done=(("attempt", attempt.id),),
            entries=(Entry(at=means.clock.now(), kind=end.value, attempt=attempt.id, detail=detail(reason=reason)),),
            release=True,
        )
    )


async def _expire(alert: Alert, attempt: Attempt, means: Means) -> None:
    reason = NEVER_SETTLED if attempt.state is AttemptState.IN_DOUBT else NO_RECEIPT
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            attempt=attempt.id,
            state=AttemptState.EXPIRED,
            reason=reason,
            tries=attempt.tries,
            end=AlertState.EXPIRED,
            done=(("attempt", attempt.id),),
            entries=(
                Entry(
                    at=means.clock.now(),
                    kind="expired",
                    attempt=attempt.id,
                    detail=detail(reason=reason),
                ),
            ),
        )
    )


async def _leave_in_doubt(alert: Alert, attempt: Attempt, means: Means) -> None:
    """Nothing more can be asked without risking a second message: a receipt or the alert's end settles it."""
    now = means.clock.now()
    entries: tuple[Entry, ...] = ()
    if attempt.state is not AttemptState.IN_DOUBT:
        entries = (Entry(at=now, kind="in_doubt", attempt=attempt.id, detail=detail(reason="interrupted")),)
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            attempt=attempt.id,
            state=AttemptState.IN_DOUBT,
            reason="in_doubt",
            tries=attempt.tries,
            due=(Due(site=alert.site, kind="attempt", ref=attempt.id, at=max(now, attempt.expires)),),
            entries=entries,
        )
    )
