"""The states of alerts and attempts, and which change is allowed.

    attempt   intended → sending → sent → delivered → read
              or failed | revoked | expired | in_doubt (→ sent | delivered | read | failed)
    alert     accepted | scheduled | sending | sent | delivered | read
              or, at an end, failed | expired | cancelled | refused

Receipts come late, twice and out of order. A positive receipt (delivered, read) beats every state; `sent` never beats
a failure or anything further; a negative receipt never beats `delivered`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class AttemptState(StrEnum):
    INTENDED = "intended"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    REVOKED = "revoked"
    EXPIRED = "expired"


class AlertState(StrEnum):
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUSED = "refused"


# How far an attempt came. Ends without a delivery stand between `sent` and `delivered`, so that a late `sent` cannot
# lift them and a late `delivered` can.
_RANK = {
    AttemptState.INTENDED: 0,
    AttemptState.SENDING: 1,
    AttemptState.IN_DOUBT: 2,
    AttemptState.SENT: 3,
    AttemptState.FAILED: 4,
    AttemptState.REVOKED: 4,
    AttemptState.EXPIRED: 4,
    AttemptState.DELIVERED: 5,
    AttemptState.READ: 6,
}

SAID_NO = frozenset({AttemptState.FAILED, AttemptState.REVOKED, AttemptState.EXPIRED})
ENDS = frozenset({AlertState.FAILED, AlertState.EXPIRED, AlertState.CANCELLED, AlertState.REFUSED})

_SHOWN = {
    AttemptState.SENDING: AlertState.SENDING,
    AttemptState.IN_DOUBT: AlertState.SENDING,
    AttemptState.SENT: AlertState.SENT,
    AttemptState.DELIVERED: AlertState.DELIVERED,
    AttemptState.READ: AlertState.READ,
}
_ALERT_RANK = {state: rank for rank, state in enumerate(_SHOWN.values())}


ASSUMED_SENT = "assumed_sent"  # the reason of an attempt that was in doubt and passes for sent by the site's rule


def doubtful(state: AttemptState, reason: str) -> bool:
    """Whether nobody knows if the provider took it: it is in doubt, or passes for sent by a rule."""
    return state is AttemptState.IN_DOUBT or (state is AttemptState.SENT and reason == ASSUMED_SENT)


def moved(now: AttemptState, heard: AttemptState) -> AttemptState:
    """The state of an attempt in `now` after `heard`: the further of the two, the older one on a tie."""
    return heard if _RANK[heard] > _RANK[now] else now


def shown(now: AlertState, attempts: Iterable[AttemptState]) -> AlertState:
    """What an alert shows: the furthest that its attempts came. A second attempt never takes it back, and only a
    delivery lifts it out of an end."""
    best = now
    for state in attempts:
        reached = _SHOWN.get(state)
        if reached is None:
            continue
        if best in ENDS:
            if reached in (AlertState.DELIVERED, AlertState.READ):
                best = reached
        elif _ALERT_RANK.get(reached, -1) > _ALERT_RANK.get(best, -1):
            best = reached
    return best
