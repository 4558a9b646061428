"""What may happen once: a nonce is used once, the same call is one alert."""

from __future__ import annotations

from heliograph.core import identity
from heliograph.core.alert import Alert, AlertRequest
from heliograph.core.ports import Claim, Taker
from heliograph.errors import CallRefused
from heliograph.flow.means import Means
from heliograph.flow.result import Result

KEEP_UNWRITTEN = 60_000  # ms that a call without an id of its own is remembered after its answer was lost


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


async def spend(claims: tuple[Claim, ...], means: Means) -> None:
    """Spends the claims of a call that no alert comes of. Raises NonceUsed, StoreAway."""
    taker = await means.store.spend(claims) if claims else None
    if taker is not None:
        raise nonce_gone(taker)


def nonce_gone(taker: Taker) -> NonceUsed:
    return NonceUsed() if taker.owner else NonceForgotten()


def nameless(request: AlertRequest) -> bool:
    """Whether the call has no id of its own: its repeats are the same call only until it has been answered."""
    return not (request.external_alert_id or request.idempotency_key)


def kept_until(request: AlertRequest, now: int, means: Means) -> int:
    """How long the answer is given back to the same call (ms)."""
    if nameless(request):
        return now + int(means.limits.call_deadline * 1000) + KEEP_UNWRITTEN
    return now + means.limits.repeat_window * 1000


def same_call(alert: Alert, request: AlertRequest, until: int) -> Claim:
    """What makes the same call again one alert. An Idempotency-Key stands above everything else."""
    fingerprint = identity.same_call(alert, request)
    if request.idempotency_key:
        key = f"{request.key}/{request.idempotency_key}"
        return Claim(site=alert.site, scope="key", key=key, until=until, owner=alert.id, value=fingerprint)
    return Claim(site=alert.site, scope="call", key=fingerprint, until=until, owner=alert.id)


async def answered(result: Result, written: bool, means: Means) -> None:
    """Told when the answer was written to the caller, or could not be. A call without an id of its own is forgotten
    once its answer was written: the next equal one is a new alert. One in doubt is not forgotten so soon: its repeat
    would be a second message."""
    if result.transient and written and not result.replayed and result.kind != "in_doubt":
        means.forgotten.add(result.alert)  # the next equal call may come before the store has written it
        try:
            await means.store.keep(result.site, result.alert, 0)
        finally:  # where the store is away it stays the same call, and its repeat is given the first answer
            means.forgotten.discard(result.alert)
