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
from collections.abc import Coroutine

import msgspec

from heliograph.core import identity, intake
from heliograph.core.alert import Alert, AlertRequest
from heliograph.core.event import Entry
from heliograph.core.plan import Decision, Stop, decide
from heliograph.core.ports import Acceptance, Barred, Claim, Due, Taker
from heliograph.core.record import decision_record, detail
from heliograph.core.states import AlertState
from heliograph.errors import AlertRefused, CallRefused, FieldFaults
from heliograph.flow import step, twin
from heliograph.flow.facts import Gathered, gather
from heliograph.flow.means import Means
from heliograph.flow.result import Result

KEEP_UNWRITTEN = 60_000  # ms that a call without an id of its own is remembered after its answer was lost
LEASE_MARGIN = 5_000  # ms that a node may take longer than the call's deadline before another follows its attempt up


class NonceUsed(CallRefused):
    """The call's nonce was used before."""

    def __init__(self) -> None:
        super().__init__("Invalid Nonce - Nonce has been previously used", code="nonce_used")


class NonceForgotten(NonceUsed):
    """The call's timestamp is from before the last purge of nonces: whether it was used can no longer be told."""

    def __init__(self) -> None:
        CallRefused.__init__(
            self,
            "Invalid Nonce - the oauth_timestamp is older than the nonces that the server remembers. Sign anew.",
            code="nonce_forgotten",
        )


class KeyReused(CallRefused):
    """The Idempotency-Key was used before with another body."""

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used before with another body. Use a new key for a new alert.",
            code="idempotency_key_reused",
        )


async def send(request: AlertRequest, claims: tuple[Claim, ...], means: Means, *, request_id: str) -> Result:
    """Sends one alert and says what became of it. `claims` (the call's nonce) are spent whatever becomes of it, unless
    the store is away. Raises FieldFaults, AlertRefused, NonceUsed, KeyReused, StoreAway."""
    deadline = means.clock.loop_time() + means.limits.call_deadline
    site = means.registry.site(request.site)
    if site is None:
        await spend(claims, means)
        raise FieldFaults({"site": f"siteId {request.site} is not a site of this server."})
    try:
        ready = intake.hold(
            request,
            site,
            lambda name: means.registry.template(site.id, name),
            means.channels,
            id=request_id,
            now=means.clock.now(),
            names=lambda: means.registry.template_names(site.id),
        )
    except FieldFaults:
        await spend(claims, means)
        raise
    alert, traffic = ready.alert, ready.template.template.traffic
    call = _call_claim(alert, request, means)
    opted_out: frozenset[str] = frozenset()
    while True:
        gathered = await gather(alert, site, ready.template, means, deadline=deadline, opted_out=opted_out)
        decision = decide(gathered.facts)
        if decision.stop is not None:
            await _refuse(alert, decision, claims, means)
        acceptance = _acceptance(alert, decision, gathered, traffic, (*claims, call), means)
        answer = await means.store.accept(acceptance)
        if isinstance(answer, Barred):
            opted_out = answer.scopes
            continue
        if isinstance(answer, Taker):
            if answer.scope == "nonce":
                raise _nonce_gone(answer)
            await spend(claims, means)
            if call.scope == "key" and answer.value != call.value:
                raise KeyReused()
            replay = await twin.answer_of(answer.owner, means, deadline)
            if replay is not None:
                return replay
            claims = ()  # spent; the first call came to nothing just now, so this one is an alert of its own
            continue
        break
    if acceptance.attempt is None:
        assert decision.hold is not None
        means.wake.set()
        means.meters.alert("scheduled", "")
        return Result(
            kind="scheduled",
            site=site.id,
            alert=alert.id,
            send_at=decision.hold,
            transient=_transient(alert, request),
        )
    result = await _under_way(
        alert.id,
        step.run(
            alert,
            acceptance.attempt,
            decision.steps[1:],
            gathered.contents,
            means,
            deadline=deadline,
            keep=_kept(alert, request, means),
        ),
        means,
    )
    return msgspec.structs.replace(result, transient=_transient(alert, request))


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


async def spend(claims: tuple[Claim, ...], means: Means) -> None:
    """Spends the claims of a call that no alert comes of. Raises NonceUsed, StoreAway."""
    taker = await means.store.spend(claims) if claims else None
    if taker is not None:
        raise _nonce_gone(taker)


def _nonce_gone(taker: Taker) -> NonceUsed:
    return NonceUsed() if taker.owner else NonceForgotten()


async def answered(result: Result, written: bool, means: Means) -> None:
    """Told when the answer was written to the caller, or could not be. A call without an id of its own is forgotten
    once its answer was written: the next equal one is a new alert."""
    if result.transient and written and not result.replayed:
        means.behind(means.store.keep(result.site, result.alert, means.clock.now()))


def _call_claim(alert: Alert, request: AlertRequest, means: Means) -> Claim:
    """What makes the same call again one alert."""
    now = means.clock.now()
    fingerprint = identity.same_call(alert, request)
    if request.idempotency_key:
        return Claim(
            site=alert.site,
            scope="key",
            key=f"{request.key}/{request.idempotency_key}",
            until=now + means.limits.repeat_window * 1000,
            owner=alert.id,
            value=fingerprint,
        )
    return Claim(site=alert.site, scope="call", key=fingerprint, until=_kept(alert, request, means), owner=alert.id)


def _transient(alert: Alert, request: AlertRequest) -> bool:
    return not (alert.external_alert_id or request.idempotency_key)


def _kept(alert: Alert, request: AlertRequest, means: Means) -> int:
    now = means.clock.now()
    if not _transient(alert, request):
        return now + means.limits.repeat_window * 1000
    return now + int(means.limits.call_deadline * 1000) + KEEP_UNWRITTEN


def _acceptance(
    alert: Alert, decision: Decision, gathered: Gathered, traffic: str, claims: tuple[Claim, ...], means: Means
) -> Acceptance:
    now = means.clock.now()
    record = decision_record(decision, alert)
    if decision.hold is not None:
        held = msgspec.structs.replace(alert, state=AlertState.SCHEDULED, send_at=decision.hold)
        return Acceptance(
            alert=held,
            decision=record,
            claims=claims,
            due=(Due(site=alert.site, kind="alert", ref=alert.id, at=decision.hold),),
            entries=(Entry(at=now, kind="accepted", by="api"), _scheduled(now, decision)),
        )
    attempt = step.new_attempt(alert, decision.steps[0], gathered.contents, traffic, means)
    lease = now + int(means.limits.call_deadline * 1000) + LEASE_MARGIN
    return Acceptance(
        alert=msgspec.structs.replace(alert, state=AlertState.SENDING),
        decision=record,
        attempt=attempt,
        claims=claims,
        due=(Due(site=alert.site, kind="attempt", ref=attempt.id, at=now, lease=lease),),
        entries=(Entry(at=now, kind="accepted", by="api", attempt=attempt.id),),
    )


def _scheduled(now: int, decision: Decision) -> Entry:
    return Entry(at=now, kind="scheduled", detail=detail(until=decision.hold, reason=decision.hold_reason))


async def _refuse(alert: Alert, decision: Decision, claims: tuple[Claim, ...], means: Means) -> None:
    assert decision.stop is not None
    stop = decision.stop
    if stop is Stop.CONTENT:
        await spend(claims, means)
        faults = {line.channel: "; ".join(line.detail) for line in decision.considered if line.detail}
        sentence = " ".join(f"On {channel}: {detail}." for channel, detail in faults.items())
        raise FieldFaults({"variables": f"The content does not fit. {sentence}"}, code="content_does_not_fit")
    now = means.clock.now()
    acceptance = Acceptance(
        alert=msgspec.structs.replace(alert, state=AlertState.REFUSED, reason=stop.value),
        decision=decision_record(decision, alert),
        claims=claims,
        entries=(Entry(at=now, kind="refused", by="api", detail=detail(reason=stop.value)),),
    )
    taker = await means.store.accept(acceptance)
    if isinstance(taker, Taker):
        raise _nonce_gone(taker)
    means.meters.alert("refused", "")
    raise AlertRefused(SENTENCES[stop], code=stop.value, alert=alert.id)


SENTENCES = {
    Stop.CANNOT_REACH: "Failed Compatibility Check",  # to the letter: the documented answer
    Stop.OPTED_OUT: "The recipient has opted out. Nothing was sent.",
    Stop.QUIET_HOURS: "It is the recipient's quiet hours and the site refuses alerts in them. Call again after them.",
    Stop.CAP: "The recipient already had as many alerts as the site allows in its time. Nothing was sent.",
    Stop.CONTENT: "The content does not fit.",
}
