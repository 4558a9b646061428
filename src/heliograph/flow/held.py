"""Sends an alert that was held (quiet hours, a paused sender, an outage) when its time has come."""

from __future__ import annotations

from heliograph.core.alert import Alert
from heliograph.core.event import Entry
from heliograph.core.plan import decide
from heliograph.core.ports import Due, Outcome
from heliograph.core.record import decision_record, detail
from heliograph.core.states import AlertState
from heliograph.flow import step
from heliograph.flow.facts import gather
from heliograph.flow.means import Means


async def release(row: Due, means: Means, patience: float, lease: int) -> None:
    """The decision is made again from today's facts. `patience`: seconds that a hand-over may take; `lease` (ms): how
    long the attempt that begins here belongs to this node."""
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
    deadline = means.clock.loop_time() + patience
    opted_out: frozenset[str] = frozenset(await means.store.opted_out(alert.site, alert.recipient, alert.skill))
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
                due=(Due(site=alert.site, kind="alert", ref=alert.id, at=until),),
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
            due=(Due(site=alert.site, kind="attempt", ref=attempt.id, at=now, lease=now + lease),),
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
