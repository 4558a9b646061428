"""Does what is due: resumes attempts that a crash left behind, settles what is in doubt, expires what was never heard
of, and sends what was held.

A due row of kind "attempt" follows an attempt from its birth to its end; what is done is decided by the attempt's
state when the row comes up:

    sending    its node died: the same message id again, where the provider ignores repeats; else in doubt
    in_doubt   the same message id again, with growing pauses, while the provider still knows it
    sent       no receipt came until the alert's end: expired
    failed     (revoked, expired) a receipt said so while the alert was open: the alert ends
"""

from __future__ import annotations

import asyncio
import traceback
from pathlib import PurePath

from heliograph.core.alert import Alert, Attempt
from heliograph.core.event import Entry
from heliograph.core.plan import decide
from heliograph.core.ports import Due, Outcome
from heliograph.core.record import decision_record, detail
from heliograph.core.states import SAID_NO, AlertState, AttemptState
from heliograph.errors import HeliographError, StoreAway
from heliograph.flow import step
from heliograph.flow.facts import gather
from heliograph.flow.means import Means
from heliograph.flow.result import NEVER_SETTLED, NO_RECEIPT

LEASE = 60_000  # ms that one due row may take before another node may have it
PATIENCE = LEASE / 2000  # seconds for a hand-over that no caller waits for; its commits fit into the other half
AT_ONCE = 50  # rows claimed together
LONGEST_NAP = 1.0  # seconds: another node, or a clock, may have made something due


async def work(means: Means) -> None:
    """Does what is due, for ever, AT_ONCE rows at a time: one that hangs holds up nobody else. Cancel it to stop; rows
    under way are then left to their lease."""
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            rows: list[Due] = []
            if len(running) < AT_ONCE:
                rows = await _claimed(means, AT_ONCE - len(running))
                running |= {asyncio.ensure_future(_do(row, means)) for row in rows}
            if not rows:
                await _nap(means, running)
            running = {task for task in running if not task.done()}
    finally:
        for task in running:
            task.cancel()


async def _claimed(means: Means, most: int) -> list[Due]:
    now = means.clock.now()
    try:
        return await means.store.claim_due(now, now + LEASE, means.node, most)
    except StoreAway:
        means.log("warning", "The store is away; due work waits.", action="due.store_away")
        return []


async def _nap(means: Means, running: set[asyncio.Task[None]]) -> None:
    """Until something is due at once, a place is free again, or a second has passed."""
    means.wake.clear()
    woken = asyncio.ensure_future(means.wake.wait())
    full = len(running) >= AT_ONCE
    await asyncio.wait({woken, *(running if full else ())}, timeout=LONGEST_NAP, return_when=asyncio.FIRST_COMPLETED)
    woken.cancel()


async def once(means: Means) -> int:
    """One round: claims what is due now and does it. The number of rows done."""
    rows = await _claimed(means, AT_ONCE)
    await asyncio.gather(*(_do(row, means) for row in rows))
    return len(rows)


async def _do(row: Due, means: Means) -> None:
    """One row. Whatever breaks in it is told and left to its lease: it must not stop the others, nor this server."""
    means.meters.due(row.kind, max(0, means.clock.now() - row.at) / 1000)
    try:
        if row.kind == "attempt":
            await _follow(row, means)
        elif row.kind == "alert":
            await _send_held(row, means)
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


async def _follow(row: Due, means: Means) -> None:
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
            await means.store.push_due(_later(row, attempt.expires + step.AFTER_EXPIRY))
        return
    if attempt.state in SAID_NO:
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
    if not repeatable or {"all", attempt.channel} & await means.store.opted_out(attempt.site, attempt.recipient):
        await _leave_in_doubt(record.alert, attempt, means)
        return
    means.log("info", "The message id is repeated.", action="attempt.repeated", alert=attempt.alert)
    await step.run(
        record.alert,
        attempt,
        (),
        {},
        means,
        deadline=means.clock.loop_time() + PATIENCE,
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


async def _send_held(row: Due, means: Means) -> None:
    """A held alert's time has come: the decision is made again from today's facts."""
    record = await means.store.record(row.ref)
    if record is None or record.alert.state is not AlertState.SCHEDULED:
        await means.store.finish_due(row.site, row.kind, row.ref)
        return
    alert, now = record.alert, means.clock.now()
    site = means.registry.site(alert.site)
    versions = means.registry.template(alert.site, alert.template)
    template = next((v for v in versions if v.template.version == alert.template_version), None)
    if now >= alert.expires:
        await _end(alert, AlertState.EXPIRED, "held_until_its_end", means)
        return
    if site is None or template is None:
        await _end(alert, AlertState.FAILED, "template_or_site_removed", means)
        return
    deadline = means.clock.loop_time() + PATIENCE
    opted_out: frozenset[str] = frozenset(await means.store.opted_out(alert.site, alert.recipient))
    gathered = await gather(alert, site, template, means, deadline=deadline, opted_out=opted_out)
    decision = decide(gathered.facts)
    if decision.stop is not None:
        await _end(alert, AlertState.FAILED, decision.stop.value, means)
        return
    if decision.hold is not None:
        until = max(decision.hold, now + 1000)
        await means.store.outcome(
            Outcome(
                site=alert.site,
                alert=alert.id,
                alert_state=AlertState.SCHEDULED,
                send_at=until,
                due=(_later(row, until),),
            )
        )
        return
    traffic = template.template.traffic
    attempt = step.new_attempt(
        alert, decision.steps[0], gathered.contents, traffic, means, number=len(record.attempts) + 1
    )
    begun = await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            alert_state=AlertState.SENDING,
            next=attempt,
            decision=decision_record(decision, alert),
            due=(Due(site=alert.site, kind="attempt", ref=attempt.id, at=now, lease=now + LEASE),),
            done=(("alert", alert.id),),
            entries=(Entry(at=now, kind="released", attempt=attempt.id),),
        )
    )
    if not begun:
        return  # another node released it
    await step.run(alert, attempt, decision.steps[1:], gathered.contents, means, deadline=deadline, keep=None)


async def _end(alert: Alert, end: AlertState, reason: str, means: Means) -> None:
    await means.store.outcome(
        Outcome(
            site=alert.site,
            alert=alert.id,
            end=end,
            reason=reason,
            done=(("alert", alert.id),),
            entries=(Entry(at=means.clock.now(), kind=end.value, detail=detail(reason=reason)),),
            release=True,
        )
    )


def _later(row: Due, at: int) -> Due:
    return Due(site=row.site, kind=row.kind, ref=row.ref, at=at, tries=row.tries + 1)
