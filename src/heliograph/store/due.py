"""What is to be done, and when: written, claimed with a lease, finished."""

from __future__ import annotations

from typing import Any

from heliograph.core.ports import Due, lane
from heliograph.core.ports.writing import LANES
from heliograph.core.states import AlertState, AttemptState
from heliograph.store.verb import Verb

SETTLED = frozenset({AttemptState.DELIVERED, AttemptState.READ})
_FAILED = frozenset({AttemptState.FAILED, AttemptState.REVOKED, AttemptState.EXPIRED})
_OPEN = frozenset({AlertState.ACCEPTED, AlertState.SCHEDULED, AlertState.SENDING, AlertState.SENT})


def values(due: Due) -> tuple[Any, ...]:
    """Parameters of `due_put`."""
    return due.site, due.kind, due.ref, due.at, due.lease, max(due.at, due.lease), due.tries, lane(due.kind)


def push(due: Due) -> Verb[None]:
    yield "due_put", values(due)


def claim(now: int, lease: int, node: str, limit: int, lane: int) -> Verb[list[Due]]:
    """At most `limit` rows of a lane that are due and in nobody's lease, oldest first. They are `node`'s until `lease`
    (ms)."""
    rows = yield "due_claim", (now, lease, node, limit, lane)
    found = [Due(site=row[0], kind=row[1], ref=row[2], at=row[3], lease=row[4], tries=row[5]) for row in rows]
    found.sort(key=lambda due: (due.at, due.ref))
    return found


def finish(site: str, kind: str, ref: str) -> Verb[None]:
    """Done, unless it was asked for anew while it was being done: then it is due once more, at once."""
    rows = yield "due_finish", (site, kind, ref)
    if not rows:
        yield "due_again", (site, kind, ref)


def upcoming() -> Verb[int | None]:
    """When the next row is due and in nobody's lease (ms), None where there is none."""
    times: list[int] = []
    for number in (0, *LANES.values()):
        rows = yield "due_next", (number,)
        times += [row[0] for row in rows if row[0] is not None]
    return min(times, default=None)


def break_leases() -> Verb[None]:
    yield "due_break", ()


def follow(site: str, attempt: str, state: AttemptState, alert: AlertState, now: int) -> Verb[None]:
    """What an attempt's state, told by a receipt, means for its due row: delivered, nothing is left to be done;
    failed while its alert (in state `alert`) is open, somebody must look at once: the next channel, or the end."""
    if state in SETTLED:
        yield "due_drop", (site, "attempt", attempt)
    elif state in _FAILED and alert in _OPEN:
        yield from hasten(site, "attempt", attempt, now)


def hasten(site: str, kind: str, ref: str, now: int) -> Verb[None]:
    """It is due now. Whoever is doing it at this moment does it once more."""
    yield "due_hasten", (site, kind, ref, now, lane(kind))
