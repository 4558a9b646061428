"""The life of an alert: accepted, its attempts moved, read back."""

from __future__ import annotations

from heliograph.core.alert import Attempt
from heliograph.core.ports import Acceptance, Accepted, Barred, Outcome, Record, Taker
from heliograph.core.states import ENDS, AlertState, AttemptState, moved, shown
from heliograph.store import claims, codec, due, receipts
from heliograph.store.keys import short
from heliograph.store.verb import Row, Verb

_ARRIVED = frozenset({AlertState.DELIVERED, AlertState.READ})
_UNDER_WAY = frozenset({AlertState.ACCEPTED, AlertState.SCHEDULED, AlertState.SENDING})


def accept(acceptance: Acceptance) -> Verb[Accepted | Taker | Barred]:
    """Opt-outs, then claims, then the rest: what refuses comes before anything that would have to be undone."""
    alert, attempt = acceptance.alert, acceptance.attempt
    if attempt is not None:
        rows = yield "opt_outs_of", (alert.site, alert.recipient)
        if rows:
            scopes = frozenset(row[0] for row in rows)
            if scopes & {attempt.channel, "all"}:
                return Barred(scopes=scopes)
    former = yield from claims.take(acceptance.claims, alert.created)
    if isinstance(former, Taker):
        return former
    channel = attempt.channel if attempt else alert.channel_forced
    marks = claims.marks_of(acceptance.claims)
    yield "alert_put", codec.alert_values(alert, channel, marks, former, acceptance.decision)
    if attempt is not None:
        yield "attempt_put", codec.attempt_values(attempt)
    yield "timeline_open", (alert.site, alert.id, codec.entries(acceptance.entries))
    for row in acceptance.due:
        yield "due_put", due.values(row)
    return Accepted(former=former)


def outcome(outcome: Outcome, now: int) -> Verb[None]:
    """A receipt may have come first, so every state is held against what is there."""
    site, alert = outcome.site, outcome.alert
    attempt_state: AttemptState | None = None
    sender = ""
    if outcome.attempt:
        rows = yield "alert_lock_with", (site, alert, outcome.attempt)
        if not rows:
            return
        now_state, reason, channel, send_at, marks, sender, *attempt = rows[0]
        attempt_state = AttemptState(attempt[0])
        after = moved(attempt_state, outcome.state) if outcome.state else attempt_state
        yield _move_attempt(outcome, attempt, attempt_state, after)
        attempt_state = after
    else:
        rows = yield "alert_lock", (site, alert)
        if not rows:
            return
        now_state, reason, channel, send_at, marks = rows[0]
    before = AlertState(now_state)
    state = _alert_after(before, outcome, attempt_state)
    if state is not before:
        reason = outcome.reason if state in ENDS else ""
    if outcome.next is not None:
        yield "attempt_put", codec.attempt_values(outcome.next)
        channel = outcome.next.channel
    yield "alert_move", (
        site,
        alert,
        state.value,
        reason,
        channel,
        outcome.send_at if state is AlertState.SCHEDULED else None,
    )
    if outcome.decision is not None:
        yield "alert_decide", (site, alert, outcome.decision)
    if outcome.entries:
        yield "timeline_add", (site, alert, codec.entries(outcome.entries))
    for kind, ref in outcome.done:
        yield "due_drop", (site, kind, ref)
    for row in outcome.due:
        if row.ref != outcome.attempt or attempt_state not in due.SETTLED:
            yield "due_put", due.values(row)
    if outcome.release:
        yield from claims.release(site, alert, marks)
    elif outcome.keep_until is not None:
        yield from claims.redate(site, alert, marks, outcome.keep_until)
    if attempt_state is not None and outcome.state is not None and attempt_state is not outcome.state:
        yield from due.follow(site, outcome.attempt, attempt_state, state, now)
    for reference in map(short, outcome.references):
        rows = yield "reference_put", (site, sender, reference, alert, outcome.attempt)
        if rows[0][0]:
            yield from receipts.join(site, sender, reference, alert, outcome.attempt, now)


def _move_attempt(
    outcome: Outcome, attempt: list[object], before: AttemptState, after: AttemptState
) -> tuple[str, tuple[object, ...]]:
    _, reason, tries, known_as, revoke_asked, raw = attempt
    if after is outcome.state or outcome.state is None:
        reason = outcome.reason or ("" if after is not before else reason)
    return "attempt_move", (
        outcome.attempt,
        after.value,
        reason,
        outcome.tries or tries,
        codec.names(outcome.references) if outcome.references else known_as,
        outcome.revoke_asked if outcome.revoke_asked is not None else revoke_asked,
        outcome.raw or raw,
    )


def _alert_after(before: AlertState, outcome: Outcome, attempt: AttemptState | None) -> AlertState:
    state = before
    if outcome.alert_state is not None and before in _UNDER_WAY:
        state = outcome.alert_state
    if attempt is not None:
        state = shown(state, (attempt,))
    if outcome.end is not None and state not in _ARRIVED and state not in ENDS:
        state = outcome.end
    return state


def record(alert: str) -> Verb[Record | None]:
    rows = yield "alert_read", (alert,)
    if not rows:
        return None
    decision = rows[0][5]
    found = codec.read_alert(rows[0])
    attempts: list[Row] = yield "attempts_of", (found.site, alert)
    pages = yield "timeline_of", (found.site, alert)
    return Record(
        alert=found,
        attempts=tuple(codec.read_attempt(row) for row in attempts),
        entries=codec.read_entries(pages),
        decision=decision,
    )


def attempt(attempt: str) -> Verb[Attempt | None]:
    rows = yield "attempt_read", (attempt,)
    return codec.read_attempt(rows[0]) if rows else None

