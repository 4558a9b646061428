"""The life of an alert: accepted, its attempts moved, read back."""

from __future__ import annotations

from heliograph.core.alert import Attempt
from heliograph.core.ports import Acceptance, Accepted, Barred, Outcome, Record, Taker
from heliograph.core.states import ENDS, AlertState, AttemptState, moved, shown
from heliograph.store import begin, claims, due, journal, receipts
from heliograph.store.outside import short
from heliograph.store.verb import Step, Verb

_ARRIVED = frozenset({AlertState.DELIVERED, AlertState.READ})
_TAKEN = frozenset({AttemptState.SENT, AttemptState.DELIVERED, AttemptState.READ})
_UNDER_WAY = frozenset({AlertState.ACCEPTED, AlertState.SCHEDULED, AlertState.SENDING})


def accept(acceptance: Acceptance) -> Verb[Accepted | Taker | Barred]:
    """Opt-outs, then claims, then the rest: what refuses comes before anything that would have to be undone."""
    alert, attempt = acceptance.alert, acceptance.attempt
    if acceptance.due:  # something is to be sent, now or later
        rows = yield "opt_outs_of", (alert.site, alert.recipient)
        if rows:
            scopes = frozenset(row[0] for row in rows)
            if not scopes <= acceptance.opted_out:
                return Barred(scopes=scopes)
    former = yield from claims.take(acceptance.claims, alert.created)
    if isinstance(former, Taker):
        return former
    marks = claims.marks_of(acceptance.claims)
    yield (
        "alert_put",
        (
            *(alert.site, alert.id, alert.created, alert.recipient, alert.template, alert.language, alert.state.value),
            *(alert.reason, attempt.channel if attempt else alert.channel_forced, short(alert.external_alert_id)),
            *(alert.send_at, marks),
        ),
    )
    if attempt is not None:
        yield _attempt_put(attempt)
    yield journal.first_page(alert, former, acceptance.decision, attempt, acceptance.entries)
    for row in acceptance.due:
        yield "due_put", due.values(row)
    return Accepted(former=former)


def outcome(outcome: Outcome, now: int) -> Verb[bool]:
    """A receipt may have come first, so every state is held against what is there. False: it gave way or was late."""
    site, alert = outcome.site, outcome.alert
    if outcome.until is not None and now > outcome.until:
        return False
    attempt_state: AttemptState | None = None
    sender = ""
    asked: int | None = None
    if outcome.attempt:
        rows = yield "alert_lock_with", (site, alert, outcome.attempt)
        if not rows:
            return False
        alert_state, reason, channel, _, pages, marks, sender, *attempt = rows[0]
        before_attempt, asked = AttemptState(attempt[0]), attempt[3]
        if outcome.gives_way and before_attempt in _TAKEN:
            yield "alert_move", (site, alert, alert_state, reason, channel, None, pages + 1)
            yield journal.page(site, alert, pages + 1, outcome.entries)
            return False
        attempt_state = moved(before_attempt, outcome.state) if outcome.state else before_attempt
    else:
        rows = yield "alert_lock", (site, alert)
        if not rows:
            return False
        alert_state, reason, channel, _, pages, marks = rows[0]
    before = AlertState(alert_state)
    if (outcome.next or outcome.revoke_asked) and not (yield from begin.may(outcome, before, attempt_state, asked)):
        return False
    if attempt_state is not None:
        yield _attempt_move(outcome, attempt_state, *attempt)
    state = _alert_after(before, outcome, attempt_state)
    if state is not before:
        reason = outcome.reason if state in ENDS else ""
    if outcome.next is not None:
        yield _attempt_put(outcome.next)
        channel = outcome.next.channel
    send_at = outcome.send_at if state is AlertState.SCHEDULED else None
    yield "alert_move", (site, alert, state.value, reason, channel, send_at, pages + 1)
    yield journal.page(
        site,
        alert,
        pages + 1,
        outcome.entries,
        decision=outcome.decision,
        begun=outcome.next,
        answered=outcome.attempt,
        raw=outcome.raw,
        references=outcome.references,
    )
    for kind, ref in outcome.done:
        yield "due_drop", (site, kind, ref)
    for row in outcome.due:
        yield "due_put", due.values(row)
    if outcome.release:
        yield from claims.release(site, alert, marks)
    elif outcome.keep_until is not None:
        yield from claims.redate(site, alert, marks, outcome.keep_until)
    if attempt_state is not None and outcome.state is not None and attempt_state is not outcome.state:
        # A receipt was here first: what it means for the due row stands above what this outcome asked for.
        yield from due.follow(site, outcome.attempt, attempt_state, state, now)
    if outcome.references:
        yield from receipts.name(site, sender, alert, outcome.attempt, outcome.references, now)
    return True


def _attempt_put(attempt: Attempt) -> Step:
    return "attempt_put", (
        *(attempt.site, attempt.id, attempt.alert, attempt.sender, attempt.state.value),
        *(attempt.reason, attempt.tries, attempt.revoke_asked),
    )


def _attempt_move(
    outcome: Outcome, after: AttemptState, before: str, reason: str, tries: int, revoke_asked: int | None
) -> Step:
    if after is outcome.state or outcome.state is None:
        reason = outcome.reason or ("" if after.value != before else reason)
    asked = revoke_asked if outcome.revoke_asked is None else outcome.revoke_asked
    return "attempt_move", (outcome.site, outcome.attempt, after.value, reason, outcome.tries or tries, asked)


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
    site, *state = rows[0]
    pages = journal.Pages((yield "journal_of", (site, alert)))
    attempts: list[Attempt] = []
    for id in pages.attempts():
        _, _, *at = (yield "attempt_read", (id,))[0]
        attempts.append(pages.attempt(id, *at))
    return Record(alert=pages.alert(*state), attempts=tuple(attempts), entries=pages.entries, decision=pages.decision)


def attempt(attempt: str) -> Verb[Attempt | None]:
    rows = yield "attempt_read", (attempt,)
    if not rows:
        return None
    site, alert, *state = rows[0]
    pages = journal.Pages((yield "journal_of", (site, alert)))
    return pages.attempt(attempt, *state)
