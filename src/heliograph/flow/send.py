"""One alert, from the call to the answer: accept → facts → plan → intent → hand over → outcome.

The alert and the intent to try a channel are on disk before a byte goes to a provider, and no database is held while
one is spoken to. What a crash leaves behind at any line is found by its due row and followed up by due.py:

    before `accept`       nothing is known, nothing was sent: the caller has no answer and calls again
    after `accept`        the attempt is `sending`, leased to this node: another repeats it with the same message id
    after the hand-over   the same: the provider ignores the repeat, its answer is the outcome
    after `outcome`       the answer is kept: the same call again is given it
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import msgspec

from heliograph.core import intake
from heliograph.core.alert import Alert, AlertRequest, Attempt
from heliograph.core.event import Entry
from heliograph.core.plan import Decision, Stop, decide
from heliograph.core.ports import Acceptance, Accepted, Barred, Claim, Due, Taker
from heliograph.core.record import decision_record, detail
from heliograph.core.site import Site
from heliograph.core.states import AlertState
from heliograph.errors import AlertRefused, FieldFaults
from heliograph.flow import once, step, twin
from heliograph.flow.facts import gather
from heliograph.flow.means import Means
from heliograph.flow.once import KeyReused, NonceUsed, answered, spend
from heliograph.flow.outcome import rows_of
from heliograph.flow.result import Result

__all__ = ["KeyReused", "NonceUsed", "answered", "send", "spend"]

LEASE_MARGIN = 5_000  # ms that a node may take longer than the call's deadline before another follows its attempt up


async def send(
    request: AlertRequest,
    claims: tuple[Claim, ...],
    means: Means,
    *,
    request_id: str,
    accepted: Callable[[Result], None] | None = None,
) -> Result:
    """Sends one alert and says what became of it. `claims` (the call's nonce) are spent whatever becomes of it, unless
    the store is away. Raises FieldFaults, AlertRefused, NonceUsed, KeyReused, StoreAway.

    With `accepted` nobody waits for the outcome (flow/begin.py): it is told as soon as the alert is on disk, what may
    still work is tried again until the alert's end, and a repeat is given the first alert as it stands."""
    clock = means.clock
    deadline, now = clock.loop_time() + means.limits.call_deadline, clock.now()
    tell = means.registry.tells(request.site)
    try:
        site, ready = held_against_its_site(request, means, id=request_id, now=now)
    except FieldFaults:
        await spend(claims, means)
        raise
    alert, keep = ready.alert, once.kept_until(request, now, means)
    call = once.same_call(alert, request, keep)
    opted_out: frozenset[str] = frozenset()
    answer: Accepted | Taker | Barred
    while True:
        gathered = await gather(alert, site, ready.template, means, deadline=deadline, opted_out=opted_out)
        decision = decide(gathered.facts)
        attempt: Attempt | None = None
        if decision.stop is Stop.CONTENT:
            answer = await _taken_before((*claims, _asking(call)), means)
        elif decision.stop is not None:
            answer = await means.store.accept(_refusal(alert, decision, (*claims, _asking(call)), now, tell))
        elif decision.hold is not None:
            answer = await means.store.accept(_held(alert, decision, (*claims, call), now, tell))
        else:
            traffic = ready.template.template.traffic
            attempt = step.new_attempt(alert, decision.steps[0], gathered.contents, traffic, means)
            answer = await means.store.accept(_begun(alert, decision, attempt, (*claims, call), now, means))
        if isinstance(answer, Barred):
            opted_out = answer.scopes
            continue
        if isinstance(answer, Taker):
            if answer.scope == "nonce":
                raise once.nonce_gone(answer)
            await spend(claims, means)
            if call.scope == "key" and answer.value != call.value:
                raise KeyReused()
            if accepted is not None:
                return Result(kind="begun", site=site.id, alert=answer.owner, replayed=True)
            replay = await twin.answer_of(answer.owner, means, deadline)
            replay = replay or await twin.came_to_nothing(answer.owner, site.id, means, deadline)
            if replay is not None:
                return replay
            claims = ()  # spent; the first call came to nothing just now, so this one is an alert of its own
            continue
        break
    if decision.stop is not None:
        raise _refused(alert, decision, means)
    nameless = once.nameless(request)
    if attempt is None:
        means.meters.alert("scheduled", "")
        return Result(kind="scheduled", site=site.id, alert=alert.id, send_at=decision.hold, transient=nameless)
    kept: int | None = keep
    if accepted is not None:
        accepted(Result(kind="begun", site=site.id, alert=alert.id, channel=attempt.channel, transient=nameless))
        kept = None
    work = step.run(alert, attempt, means, deadline=deadline, keep=kept)
    result = await _under_way(alert.id, work, means)
    return msgspec.structs.replace(result, transient=True) if nameless else result


def held_against_its_site(request: AlertRequest, means: Means, *, id: str, now: int) -> tuple[Site, intake.Ready]:
    """The call's site, and what core.intake makes of it. Raises FieldFaults."""
    site = means.registry.site(request.site)
    if site is None:
        raise FieldFaults({"site": f"siteId {request.site} is not a site of this server."})
    ready = intake.hold(
        request,
        site,
        lambda name: means.registry.template(site.id, name),
        means.channels,
        id=id,
        now=now,
        names=lambda: means.registry.template_names(site.id),
    )
    return site, ready


async def _under_way(alert: str, work: Coroutine[None, None, Result], means: Means) -> Result:
    """Runs `work`; a twin of the call waits for its result meanwhile. No task of its own: nothing cancels a call but
    the end of a graceful stop, and then the due row follows it up as after a crash."""
    told = asyncio.get_running_loop().create_future()
    means.under_way[alert] = told
    try:
        result = await work
        told.set_result(result)
        return result
    finally:
        del means.under_way[alert]
        told.cancel()


def _asking(call: Claim) -> Claim:
    """The claim of a call that is refused: it finds out whether an equal call was taken before (that one's answer is
    given back, whatever the rules say today), and holds nothing by itself."""
    return msgspec.structs.replace(call, released=True)


async def _taken_before(claims: tuple[Claim, ...], means: Means) -> Taker | Accepted:
    return await means.store.spend(claims) or Accepted()


def _begun(
    alert: Alert, decision: Decision, attempt: Attempt, claims: tuple[Claim, ...], now: int, means: Means
) -> Acceptance:
    lease = now + int(means.limits.call_deadline * 1000) + LEASE_MARGIN
    return Acceptance(
        alert=msgspec.structs.replace(alert, state=AlertState.SENDING),
        decision=decision_record(decision, alert),
        attempt=attempt,
        claims=claims,
        due=rows_of(attempt, now, lease),
        entries=(Entry(at=now, kind="accepted", by="api", attempt=attempt.id),),
        opted_out=decision.opted_out,
        tell=means.registry.tells(alert.site),
    )


def _held(alert: Alert, decision: Decision, claims: tuple[Claim, ...], now: int, tell: frozenset[str]) -> Acceptance:
    assert decision.hold is not None
    why = detail(until=decision.hold, reason=decision.hold_reason)
    return Acceptance(
        alert=msgspec.structs.replace(alert, state=AlertState.SCHEDULED, send_at=decision.hold),
        decision=decision_record(decision, alert),
        claims=claims,
        due=(Due(site=alert.site, kind="alert", ref=alert.id, at=decision.hold),),
        entries=(Entry(at=now, kind="accepted", by="api"), Entry(at=now, kind="scheduled", detail=why)),
        opted_out=decision.opted_out,
        tell=tell,
    )


def _refusal(alert: Alert, decision: Decision, claims: tuple[Claim, ...], now: int, tell: frozenset[str]) -> Acceptance:
    assert decision.stop is not None
    reason = decision.stop.value
    return Acceptance(
        alert=msgspec.structs.replace(alert, state=AlertState.REFUSED, reason=reason),
        decision=decision_record(decision, alert),
        claims=claims,
        entries=(Entry(at=now, kind="refused", by="api", detail=detail(reason=reason)),),
        tell=tell,
    )


def _refused(alert: Alert, decision: Decision, means: Means) -> AlertRefused | FieldFaults:
    assert decision.stop is not None
    if decision.stop is Stop.CONTENT:
        faults = {line.channel: "; ".join(line.detail) for line in decision.considered if line.detail}
        sentence = " ".join(f"On {channel}: {detail}." for channel, detail in faults.items())
        return FieldFaults({"variables": f"The content does not fit. {sentence}"}, code="content_does_not_fit")
    means.meters.alert("refused", "")
    return AlertRefused(SENTENCES[decision.stop], code=decision.stop.value, alert=alert.id)


SENTENCES = {
    Stop.CANNOT_REACH: "Failed Compatibility Check",  # to the letter: the documented answer
    Stop.OPTED_OUT: "The recipient has opted out. Nothing was sent.",
    Stop.QUIET_HOURS: "It is the recipient's quiet hours and the site refuses alerts in them. Call again after them.",
    Stop.NOT_FOR_TEST: "A test key reaches the sandbox alone, and no sender of this site for this alert speaks to it. "
    "Give the site a sender whose addresses are all in HELIOGRAPH_SANDBOX_HOSTS, or use a live key.",
    Stop.CAP: "The recipient already had as many alerts as the site allows in its time. Nothing was sent.",
}
